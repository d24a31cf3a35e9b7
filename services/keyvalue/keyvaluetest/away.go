package keyvaluetest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-run/weft/internal/testlog"
	"github.com/weft-run/weft/services/keyvalue"
)

// Away has a server go away and come back: before a backend is opened, while it is used, and stopped without a word (as a
// network that breaks). Operations fail in bounded time with a typed error, and work again by themselves. open opens the backend
// whether the server is there or not.
func Away(t *testing.T, server *Server, open func() keyvalue.Backend) {
	ctx, b := t.Context(), Bucket(t)
	server.Kill()
	s := keyvalue.New(open(), testlog.New(t, slog.LevelError), nil)
	t.Cleanup(func() { _ = s.Close() })
	down := func() {
		t.Helper()
		begun := time.Now()
		for name, try := range operations(ctx, s, b) {
			err := try()
			if e, ok := errors.AsType[*keyvalue.UnavailableError](err); !ok {
				t.Errorf("%s: %v, want an UnavailableError", name, err)
			} else if strings.Contains(e.Error(), "secret") {
				t.Errorf("%s: the error has the password: %v", name, e)
			}
		}
		// Many operations, each bounded; far more than they need, so that a slow machine passes.
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("it took %v to learn that the server is away", took)
		}
	}
	up := func() {
		t.Helper()
		wait, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		for {
			_, err := s.Get(wait, b, "key")
			if err == nil {
				return
			}
			if wait.Err() != nil {
				t.Fatalf("the server is back, and still: %v", err)
			}
			time.Sleep(20 * time.Millisecond) // between two looks
		}
	}
	down()
	server.Restart()
	up()
	must(t, s.Set(ctx, b, "key", []byte("kept")))

	// Killed while it is used: what was acknowledged is there afterwards.
	var acknowledged atomic.Int64
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for {
				if _, err := s.Increment(ctx, b, "n", 1); err != nil {
					return
				}
				acknowledged.Add(1)
			}
		})
	}
	for acknowledged.Load() < 100 && ctx.Err() == nil {
		time.Sleep(time.Millisecond) // between two looks
	}
	server.Kill()
	users.Wait()
	down()
	server.Restart()
	up()
	e, err := s.Get(ctx, b, "key")
	must(t, err)
	if string(e.Value) != "kept" {
		t.Errorf("%q", e.Value)
	}
	n, err := s.Increment(ctx, b, "n", 0)
	must(t, err)
	// Each user may have had one increment under way, of which it does not know.
	if least := acknowledged.Load(); n < least || n > least+4 {
		t.Errorf("%d increments were acknowledged, and %d are counted", least, n)
	}

	server.Stop()
	begun := time.Now()
	_, err = s.Get(ctx, b, "key")
	want[*keyvalue.UnavailableError](t, err)
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("a server that says nothing held an operation for %v", took)
	}
	server.Continue()
	up()
}

func operations(ctx context.Context, s *keyvalue.Store, b keyvalue.Bucket) map[string]func() error {
	return map[string]func() error{
		"get":      func() error { _, err := s.Get(ctx, b, "key"); return err },
		"exists":   func() error { _, err := s.Exists(ctx, b, "key"); return err },
		"set":      func() error { return s.Set(ctx, b, "key2", nil) },
		"delete":   func() error { return s.Delete(ctx, b, "key2") },
		"list":     func() error { _, err := s.List(ctx, b, ""); return err },
		"swap":     func() error { return s.Swap(ctx, b, "key2", "", nil) },
		"get-many": func() error { _, err := s.GetMany(ctx, b, []string{"a", "b"}); return err },
		"set-many": func() error { return s.SetMany(ctx, b, []keyvalue.Pair{{Key: "a"}, {Key: "b"}}) },
		"usage":    func() error { _, err := s.Usage(ctx, b.Function); return err },
		"drop":     func() error { return s.Drop(ctx, keyvalue.Function{Namespace: "test", Name: "none"}) },
	}
}
