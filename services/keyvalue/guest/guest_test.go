package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/testlog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/embedded"
	"github.com/weft-run/weft/wit/host"
	"github.com/weft-run/weft/wit/resolve"
)

// TestShapes deploys against both drafts, and against what is neither.
func TestShapes(t *testing.T) {
	x, err := executor.New(executor.Config{Dir: t.TempDir(), Host: New(Config{}).Interfaces()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close(context.WithoutCancel(t.Context())) })
	for _, tt := range []struct{ draft, from, to, want string }{
		{"draft", "", "", ""},
		{"draft2", "", "", ""},
		{"draft2", "list<tuple<string, option<list<u8>>>>", "list<option<tuple<string, list<u8>>>>", "get-many -> result.ok[] is option, where this node has tuple"},
		{"draft2", "draft2", "draft3", "in the versions 0.2.0-draft, 0.2.0-draft2"},
		{"draft", "option<u64>", "option<string>", "cursor"},
	} {
		text, err := fs.ReadFile(host.Files(), "wasi-keyvalue-"+tt.draft+"/keyvalue.wit")
		if err != nil {
			t.Fatal(err)
		}
		if tt.from != "" {
			text = bytes.ReplaceAll(text, []byte(tt.from), []byte(tt.to))
		}
		world, _, err := resolve.World(map[string][]byte{"keyvalue.wit": text}, "imports")
		if err != nil {
			t.Fatal(err)
		}
		err = x.CheckImports(world)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s with %s: %v, want %q", tt.draft, tt.to, err, tt.want)
		}
	}
}

func TestPages(t *testing.T) {
	var p pages
	for i := range uint64(3 * maxPages) {
		if n := p.add(fmt.Sprint(i)); n != i {
			t.Fatalf("%d is numbered %d", i, n)
		}
	}
	for number, want := range map[uint64]bool{0: false, 2*maxPages - 1: false, 2 * maxPages: true, 3*maxPages - 1: true, 3 * maxPages: false, 1 << 63: false} {
		if cursor, ok := p.find(number); ok != want || ok && cursor != fmt.Sprint(number) {
			t.Errorf("%d is %q, %v", number, cursor, ok)
		}
	}
}

// flaky is a backend whose drops fail while it is told so.
type flaky struct {
	keyvalue.Backend

	fails atomic.Bool
	tried chan keyvalue.Function
}

func (f *flaky) Drop(ctx context.Context, function keyvalue.Function) error {
	defer func() { f.tried <- function }()
	if f.fails.Load() {
		return &keyvalue.UnavailableError{Backend: "flaky", Err: errors.New("not now")}
	}
	return f.Backend.Drop(ctx, function)
}

func (f *flaky) Functions(ctx context.Context) ([]keyvalue.Function, error) {
	return f.Backend.(*embedded.Store).Functions(ctx)
}

// TestForget has functions go: before the node starts, while it runs, and while the backend is away.
func TestForget(t *testing.T) {
	ctx := t.Context()
	backend := embedded.Open(filepath.Join(t.TempDir(), "pairs.db"), keyvalue.DefaultQuota)
	f := &flaky{Backend: backend, tried: make(chan keyvalue.Function, 8)}
	store := keyvalue.New(f, testlog.New(t, slog.LevelError), nil)
	t.Cleanup(func() { _ = store.Close() })
	set := func(function keyvalue.Function) keyvalue.Function {
		t.Helper()
		if err := store.Set(ctx, keyvalue.Bucket{Function: function, Name: "b"}, "k", nil); err != nil {
			t.Fatal(err)
		}
		return function
	}
	c := catalog.New()
	var index uint64
	apply := func(command *catalogv1.Command) {
		t.Helper()
		index++
		command.RequestId = fmt.Sprint(index)
		if refusal := c.Apply(index, command).GetRefusal(); refusal != nil {
			t.Fatal(refusal)
		}
	}
	deploy := func(name string) keyvalue.Function {
		t.Helper()
		apply(&catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
			Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: make([]byte, 32)},
		}}})
		return set(keyvalue.Function{Namespace: "default", Name: name, Created: index})
	}
	remove := func(name string) {
		t.Helper()
		apply(&catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{DeleteFunction: &catalogv1.DeleteFunction{Namespace: "default", Name: name}}})
	}
	dropped := func(want keyvalue.Function) {
		t.Helper()
		select {
		case got := <-f.tried:
			if got != want {
				t.Fatalf("%v was dropped, want %v", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%v was not dropped", want)
		}
	}
	left := deploy("left")
	a, b := deploy("a"), deploy("b")
	remove("left")
	later := set(keyvalue.Function{Namespace: "default", Name: "later", Created: index + 100}) // this node's catalog is behind
	g := New(Config{Store: store, View: c.View, Logger: slog.New(slog.DiscardHandler)})
	g.Start()
	t.Cleanup(g.Close)
	dropped(left)
	remove("a")
	dropped(a)
	anew := deploy("a")

	f.fails.Store(true)
	remove("b")
	dropped(b) // tried
	f.fails.Store(false)
	deploy("c") // any change has it tried again
	dropped(b)
	all, err := backend.Functions(ctx)
	if err != nil || len(all) != 3 || all[0] != anew || all[2] != later {
		t.Errorf("%v have data, %v", all, err)
	}
}
