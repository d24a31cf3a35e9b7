package executor

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// mailbox is a Recipient that takes one answer.
type mailbox chan answered

type answered struct {
	Response
	err error
}

func (m mailbox) Answer(r Response, err error) {
	select {
	case m <- answered{r, err}:
	default:
		panic("a second answer")
	}
}

// start starts a call of a method whose parameter, if it has one, is a number.
func (g *guest) start(ctx context.Context, method string, arg uint64) (mailbox, Started) {
	var message []byte
	if arg != 0 {
		message = protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), arg)
	}
	m := make(mailbox, 1)
	return m, g.Start(ctx, Request{Key: g.rev.Key, Service: guestService, Method: method, Message: message, CallID: "call-1"}, m)
}

func TestStart(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	m, call := g.start(t.Context(), "Echo", 7)
	if call == nil {
		t.Fatal("it was not started")
	}
	if a := <-m; a.err != nil || string(a.Message) != "\x08\x07" || a.Timings.Run <= 0 {
		t.Errorf("%x, %v after %v", a.Message, a.err, a.Timings)
	}
	call.Abandon() // too late to matter
	m, _ = g.start(t.Context(), "Trap", 0)
	refused(t, (<-m).err, Trap)
	g.idle()
	if n := g.metric("weft_call_run_seconds"); n < 1 {
		t.Errorf("%v calls were counted", n)
	}
	g.works()
}

// TestLaneOfAnswer has calls run beside one that does not end, on the worker of the other lane: answers and errors tell which it was.
func TestLaneOfAnswer(t *testing.T) {
	g := newGuest(t, Config{Slots: 2}, Limits{Timeout: time.Minute})
	endless, call := g.start(t.Context(), "Loop", 0)
	call.(*begun).job.reading.Lock() //nolint:forcetypeassert // until a worker has read it
	m, _ := g.start(t.Context(), "Echo", 7)
	beside := <-m
	waited, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: []byte("\x08\x07")})
	if beside.err != nil || err != nil || waited.Lane != beside.Lane {
		t.Errorf("calls of one worker: lane %d, %v, and lane %d, %v", beside.Lane, beside.err, waited.Lane, err)
	}
	call.Abandon()
	if ended := <-endless; ended.Lane+beside.Lane != 1 {
		t.Errorf("calls of two workers: lane %d and lane %d", ended.Lane, beside.Lane)
	}
}

func TestStartRefuses(t *testing.T) {
	g := newGuest(t, Config{}, Limits{Message: 8})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() Started{
		"no such method":  func() Started { _, s := g.start(t.Context(), "Nothing", 0); return s },
		"caller has left": func() Started { _, s := g.start(over, "Echo", 7); return s },
		"too large": func() Started {
			return g.Start(t.Context(), Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: make([]byte, 9)}, nil)
		},
		"no such revision": func() Started { return g.Start(t.Context(), Request{Key: Key{Function: "x"}}, nil) },
	} {
		if call() != nil {
			t.Errorf("%s: it was started", name)
		}
	}
	g.works()
}

// TestStartedCallsEndOnTime has calls whose time is not nearly over when they start: one runs, one waits in line.
func TestStartedCallsEndOnTime(t *testing.T) {
	const limit = 5 * nearlyOver
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: limit})
	limited := g.rev
	g.rev = guestRevision(t, Limits{Timeout: time.Minute})
	g.rev.Revision++
	g.load(g.rev)
	g.idle()
	ctx, cancel := context.WithCancel(t.Context())
	holder, holding := g.start(ctx, "Loop", 0) // has the slot for longer than the limit
	g.rev = limited
	began := time.Now()
	waiting, _ := g.start(t.Context(), "Echo", 7)
	refused(t, (<-waiting).err, Deadline)
	if took := time.Since(began); took < limit {
		t.Errorf("it was ended after %v, in line", took)
	}
	cancel()
	holding.Abandon()
	refused(t, (<-holder).err, Canceled)

	began = time.Now()
	running, _ := g.start(t.Context(), "Loop", 0)
	waiting, _ = g.start(t.Context(), "Loop", 0) // It may get the slot yet, as its time is over a little later.
	for _, m := range []mailbox{running, waiting} {
		refused(t, (<-m).err, Deadline)
		if took := time.Since(began); took < limit {
			t.Errorf("it was ended after %v", took)
		}
	}
	g.works()
	g.idle()
	if soon, later := g.queue.started(began.Add(time.Hour)); len(soon) > 0 || later {
		t.Errorf("%d calls are left, and others: %v", len(soon), later)
	}
}

func TestStartedCallsEndInTime(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	var running, waiting mailbox
	for both := false; !both; { // begin before their deadline
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		var first, second Started
		if running, first = g.start(soon, "Loop", 0); first == nil {
			continue
		}
		waiting, second = g.start(soon, "Echo", 7)
		if both = second != nil; !both {
			<-running
		}
	}
	for what, m := range map[string]mailbox{"running": running, "waiting": waiting} {
		a := <-m
		refused(t, a.err, Deadline)
		if !errors.Is(a.err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", what, a.err)
		}
	}
	g.works()
}

// lateContext has a deadline that is over, and nobody has noticed yet.
type lateContext struct {
	context.Context //nolint:containedctx // it is one
}

func (lateContext) Deadline() (time.Time, bool) { return time.Unix(0, 0), true }

// TestLateCallsDoNotRun has calls get a slot when their time is over, before whoever waits for them sees that.
func TestLateCallsDoNotRun(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	ctx := lateContext{t.Context()}
	_, err := g.Call(ctx, Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: []byte("\x08\x07")})
	refused(t, err, Deadline, "Echo: the caller's deadline passed", "waiting in line")
	for range 100 {
		m, _ := g.start(ctx, "Echo", 7)
		refused(t, (<-m).err, Deadline, "Echo: the caller's deadline passed")
	}
	g.works()
}

func TestAbandon(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	running, first := g.start(ctx, "Loop", 0)
	waiting, second := g.start(ctx, "Echo", 7)
	cancel()
	second.Abandon()
	second.Abandon()
	refused(t, (<-waiting).err, Canceled, "waiting in line")
	first.Abandon()
	refused(t, (<-running).err, Canceled)
	g.works()
}

func TestCloseAnswersStartedCalls(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	m, _ := g.start(t.Context(), "Loop", 0)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Close(over); err == nil {
		t.Error("close did not say that it interrupted a call")
	}
	refused(t, (<-m).err, Closing)
}

// The timer of a call that has ended serves another one, and does not end it when the first was to end.
func TestLimitsServeOneCallEach(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for range 16 {
		m, _ := g.start(soon, "Echo", 7)
		if a := <-m; a.err != nil {
			t.Fatal(a.err)
		}
	}
	g.idle() // so that the next call has the slot at once
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	long, call := g.start(ctx, "Loop", 0)
	waiting, _ := g.start(soon, "Echo", 7)
	refused(t, (<-waiting).err, Deadline) // at the moment that was the limit of all calls before
	select {
	case a := <-long:
		t.Errorf("a call with a minute ended with the others: %v", a.err)
	default:
	}
	leave()
	call.Abandon()
	refused(t, (<-long).err, Canceled)
	g.works()
}
