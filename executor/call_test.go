package executor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weft-run/weft/wit"
)

func TestCall(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	g.works()
	got, err := g.call(t.Context(), "Fail", 3)
	if err != nil || string(got) != "\x08\x03" {
		t.Errorf("Fail(3) gave %x, %v", got, err)
	}
	if got, err = g.call(t.Context(), "Log", 0); err != nil || len(got) != 0 {
		t.Errorf("Log gave %x, %v", got, err)
	}
	if got, err = g.call(t.Context(), "Env", 0); err != nil || string(got) != "\x0a\x07\x0a\x05EMPTY\x0a\x11\x0a\x08GREETING\x12\x05hello" {
		t.Errorf("Env gave %q, %v", got, err)
	}
}

func TestFunctionError(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	_, err := g.call(t.Context(), "Fail", 10)
	failed, ok := errors.AsType[*FunctionError](err)
	if !ok {
		t.Fatalf("error is %v", err)
	}
	want := &FunctionError{Message: "no luck", DetailType: "test.guest.FailError", Detail: []byte("\x0a\x07no luck")}
	if diff := cmp.Diff(want, failed); diff != "" {
		t.Error(diff)
	}
}

func TestUnknown(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	_, err := g.Call(t.Context(), Request{Key: Key{"default", "guest", 2}, Service: guestService, Method: "Echo"})
	refused(t, err, NotLoaded, "default/guest@2")
	_, err = g.Call(t.Context(), Request{Key: g.rev.Key, Service: "test.guest.Other", Method: "Echo"})
	refused(t, err, UnknownMethod, "test.guest.Other", guestService)
	_, err = g.Call(t.Context(), Request{Key: g.rev.Key, Service: guestService, Method: "Echoo"})
	refused(t, err, UnknownMethod, "Echoo", "Echo,")
}

func TestMalformed(t *testing.T) {
	g := newGuest(t, Config{}, Limits{Message: 100})
	_, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: []byte("\x0a\x01x")})
	refused(t, err, MalformedRequest, "v: wire type 2")
	_, err = g.Call(t.Context(), Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: make([]byte, 101)})
	refused(t, err, RequestTooLarge, "101", "100")
	g.works()
}

func TestResponseTooLarge(t *testing.T) {
	g := newGuest(t, Config{}, Limits{Message: 1000})
	if got, err := g.call(t.Context(), "Big", 997); err != nil || len(got) != 1000 {
		t.Errorf("a response of the limit's size: %d bytes, %v", len(got), err)
	}
	for _, n := range []uint64{998, 10_000_000} {
		_, err := g.call(t.Context(), "Big", n)
		refused(t, err, ResponseTooLarge, "1000", "test.guest.Api/Big", "default/guest@1")
	}
	g.works()
}

func TestTrap(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	_, err := g.call(t.Context(), "Trap", 0)
	refused(t, err, Trap, "test.guest.Api/Trap: trap: ", "unreachable", "\n  at demo::inner\n  at demo::outer")
	e := asError(t, err)
	if want := []string{"demo::inner", "demo::outer"}; !cmp.Equal(e.Backtrace, want) {
		t.Errorf("backtrace is %q, want %q", e.Backtrace, want)
	}
	if strings.Contains(e.Summary, "demo") {
		t.Errorf("summary has the backtrace: %q", e.Summary)
	}
	g.lines.wait(t, func(l Line) bool {
		return l.Stream == StreamWeft && l.Level == "error" && l.CallID == "call-1" && strings.Contains(l.Message, "unreachable")
	})
	g.works()
}

func TestStackOverflow(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	_, err := g.call(t.Context(), "Recurse", 0)
	refused(t, err, Trap, "stack", "deeper")
	g.works()
}

func TestMemoryLimit(t *testing.T) {
	g := newGuest(t, Config{}, Limits{Memory: 8 << 20})
	_, err := g.call(t.Context(), "Grow", 0)
	refused(t, err, MemoryLimit, "8 MiB", "test.guest.Api/Grow", "--memory", "grow_vec")
	g.works()
}

func TestMemoryAtStart(t *testing.T) {
	g := newExecutor(t, Config{})
	r := guestRevision(t, Limits{Memory: 64 << 10})
	refused(t, g.Load(t.Context(), r), MemoryLimit, "64 KiB", "default/guest@1", "--memory")
	if g.Loaded(r.Key) {
		t.Error("it is loaded nevertheless")
	}
}

func TestEndlessLoop(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	limited := *g
	limited.rev.Function, limited.rev.Limits.Timeout = "limited", 50*time.Millisecond
	g.load(limited.rev)
	g.idle()
	_, err := limited.call(t.Context(), "Loop", 0)
	refused(t, err, Deadline, "test.guest.Api/Loop", "50ms", "default/limited@1", "running")
	g.works()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = g.call(ctx, "Loop", 0)
	refused(t, err, Deadline, "the caller's deadline")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no DeadlineExceeded", err)
	}
	g.works()
}

func TestCanceled(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := g.call(ctx, "Loop", 0)
		done <- err
	}()
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 1 })
	cancel()
	err := <-done
	refused(t, err, Canceled, "running")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is no Canceled", err)
	}
	g.works()
	_, err = g.call(ctx, "Echo", 1)
	refused(t, err, Canceled, "before the call began")
}

// overdue makes a call whose deadline passes once something is so, and gives its error.
func overdue(t testing.TB, once func() bool, call func(context.Context) error) error {
	t.Helper()
	ctx := overdueContext{t.Context(), make(chan struct{})}
	pass := sync.OnceFunc(func() { close(ctx.passed) })
	defer pass()
	answer := make(chan error, 1)
	go func() { answer <- call(ctx) }()
	until(t, once)
	pass()
	return <-answer
}

// overdueContext is a context whose deadline was an hour away, and passes when passed is closed.
type overdueContext struct {
	context.Context //nolint:containedctx // it is one
	passed          chan struct{}
}

func (c overdueContext) Deadline() (time.Time, bool) { return time.Now().Add(time.Hour), true }

func (c overdueContext) Done() <-chan struct{} { return c.passed }

func (c overdueContext) Err() error {
	select {
	case <-c.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// overdue makes a call of a method whose parameter, if it has one, is a number.
func (g *guest) overdue(once func() bool, method string, arg uint64) error {
	g.t.Helper()
	return overdue(g.t, once, func(ctx context.Context) error {
		_, err := g.call(ctx, method, arg)
		return err
	})
}

// until waits until something is so that no channel tells of.
func until(t testing.TB, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(deadline) {
			t.Fatal("it never came to be")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestExportMissing(t *testing.T) {
	g := newExecutor(t, Config{})
	r := guestRevision(t, Limits{})
	r.Services[0].Methods[0].Function.Name = "absent"
	refused(t, g.Load(t.Context(), r), Unsupported, "test:guest/api#absent")
}

func TestImportMissing(t *testing.T) {
	g := newExecutor(t, Config{})
	r := guestRevision(t, Limits{})
	r.World.Imports = slices.DeleteFunc(r.World.Imports, func(i *wit.Interface) bool { return i.Package == "logging" })
	refused(t, g.Load(t.Context(), r), Internal, "wasi:logging/logging")
}
