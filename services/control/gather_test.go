package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// logged is a line written so many seconds after some moment.
func logged(second int64, message string) *weftv1.LogsResponse {
	return &weftv1.LogsResponse{Time: &timestamppb.Timestamp{Seconds: second}, Message: message}
}

// keeps is a source of some lines that ends or, with follow, waits.
func keeps(node string, follow bool, lines ...*weftv1.LogsResponse) source {
	return source{node: node, read: func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
		for _, l := range lines {
			if !line(l) {
				return nil
			}
		}
		caughtUp()
		if follow {
			<-ctx.Done()
		}
		return nil
	}}
}

func TestGather(t *testing.T) {
	gathered := func(tail int, sources ...source) (messages []string) {
		t.Helper()
		if err := gather(t.Context(), sources, tail, func(l *weftv1.LogsResponse) error {
			messages = append(messages, l.GetMessage())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return messages
	}
	a := keeps("a", false, logged(1, "a1"), logged(4, "a4"), logged(5, "a5"))
	b := keeps("b", false, logged(2, "b2"), logged(3, "b3"), logged(6, "b6"))
	if got := gathered(100, a, b); !slices.Equal(got, []string{"a1", "b2", "b3", "a4", "a5", "b6"}) {
		t.Errorf("gathered %v", got)
	}
	if got := gathered(2, a, b); !slices.Equal(got, []string{"a5", "b6"}) {
		t.Errorf("the last two are %v", got)
	}
	broken := source{node: "c", read: func(context.Context, func(*weftv1.LogsResponse) bool, func()) error {
		return errors.New("it is down")
	}}
	if got := gathered(100, a, broken); len(got) != 4 || !slices.ContainsFunc(got, func(m string) bool {
		return strings.Contains(m, "node c can't be read: it is down")
	}) {
		t.Errorf("with a broken node: %v", got)
	}
}

// TestGatherFollows has a node that says nothing, which holds up the kept lines of others for a while and new ones never.
func TestGatherFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := source{node: "silent", read: func(ctx context.Context, _ func(*weftv1.LogsResponse) bool, _ func()) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		live := source{node: "live", read: func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
			line(logged(1, "kept"))
			caughtUp()
			time.Sleep(time.Minute)
			line(logged(2, "new"))
			<-ctx.Done()
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		var at []time.Duration
		err := gather(ctx, []source{silent, live, keeps("idle", true)}, 10, func(l *weftv1.LogsResponse) error {
			at = append(at, time.Since(began))
			if l.GetMessage() == "new" {
				cancel()
			}
			return nil
		})
		if err != nil || !slices.Equal(at, []time.Duration{gatherLimit, time.Minute}) {
			t.Fatalf("lines came after %v: %v", at, err)
		}
		stop := errors.New("the client is gone")
		if err := gather(t.Context(), []source{keeps("a", true, logged(1, "x"))}, 10, func(*weftv1.LogsResponse) error {
			return stop
		}); !errors.Is(err, stop) {
			t.Fatalf("error %v", err)
		}
		synctest.Wait()
	})
}
