package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// neighbours are a proxy and the test guest on one executor. The guest answers each call that the proxy makes, by one of its
// methods.
type neighbours struct {
	*proxies
	provider Revision
	method   string
	message  []byte

	placed, apart atomic.Int32 // calls that ran in the place of the proxy's guest, and others
	entered       chan struct{}
}

func (n *neighbours) request(call OutgoingCall) Request {
	return Request{Key: n.provider.Key, Service: guestService, Method: n.method, Message: n.message, CallID: call.CallID + ".1"}
}

func (n *neighbours) Local(call OutgoingCall, place Place) ([]byte, bool, error) {
	select {
	case n.entered <- struct{}{}:
	default:
	}
	r, ran, err := place.Run(n.request(call))
	if ran {
		n.placed.Add(1)
	}
	return r.Message, ran, err
}

func (n *neighbours) Call(ctx context.Context, call OutgoingCall) ([]byte, error) {
	r, err := n.Executor.Call(ctx, n.request(call))
	n.apart.Add(1)
	return r.Message, err
}

// newNeighbours starts an executor with one slot. No function is behind there, as a caller would be that is slow: calls don't
// run in the place of those.
func newNeighbours(t testing.TB, caller, provider Limits) *neighbours {
	t.Helper()
	n := &neighbours{method: "Echo", message: []byte("\x08\x07"), entered: make(chan struct{}, 1), provider: guestRevision(t, provider)}
	n.proxies = loadProxies(t, bank, Config{Slots: 1, Outgoing: n}, caller)
	n.queue.mu.Lock()
	n.queue.lowers = false
	n.queue.mu.Unlock()
	n.load(n.provider)
	n.idle()
	return n
}

// pays calls a method whose err tells what became of the call: the case of it.
func (n *neighbours) pays(ctx context.Context) (string, error) {
	_, err := n.send(ctx, "Pay", nil)
	if failed, ok := errors.AsType[*FunctionError](err); ok {
		return failed.Case + ": " + failed.Message, nil
	}
	return "ok", err
}

// wantPlaced checks where the calls ran since it was asked last.
func (n *neighbours) wantPlaced(placed, apart int32) {
	n.t.Helper()
	if p, a := n.placed.Swap(0), n.apart.Swap(0); p != placed || a != apart {
		n.t.Errorf("%d calls ran in place and %d apart, want %d and %d", p, a, placed, apart)
	}
}

func TestPlace(t *testing.T) {
	n := newNeighbours(t, Limits{}, Limits{})
	for range 3 {
		if got, err := n.send(t.Context(), "Echo", nil); err != nil || string(got) != "\x08\x07" {
			t.Fatalf("got %x, %v", got, err)
		}
	}
	n.wantPlaced(3, 0)
	n.rested()
	if calls := n.metric("weft_call_queue_seconds"); calls != 3 {
		t.Errorf("%v calls of the provider are counted", calls)
	}

	// What goes wrong is an error of the call, as anywhere, and the log of the one who trapped has it.
	n.method = "Trap"
	if got, err := n.pays(t.Context()); err != nil || !strings.HasPrefix(got, "unavailable: demo.bank.v1.Api/Pay: TRAP: test.guest.Api/Trap: trap: ") {
		t.Errorf("%q, %v", got, err)
	}
	n.lines.wait(t, func(l Line) bool {
		return l.Key == n.provider.Key && l.CallID == "call-1.1" && strings.Contains(l.Message, "trap")
	})
	n.method, n.message = "Print", []byte("\x08\x01")
	if got, err := n.pays(t.Context()); err != nil || got != "ok" {
		t.Errorf("%q, %v", got, err)
	}
	n.lines.wait(t, func(l Line) bool {
		return l.Key == n.provider.Key && l.CallID == "call-1.1" && l.Stream == StreamStdout
	})
	n.method, n.message = "Echo", []byte("\x0a")
	if got, err := n.pays(t.Context()); err != nil || !strings.Contains(got, "MALFORMED_REQUEST") {
		t.Errorf("%q, %v", got, err)
	}
	n.wantPlaced(3, 0)
	n.message = []byte("\x08\x07")

	// What can't run in place is for others to take.
	n.method = "Nothing"
	if got, err := n.pays(t.Context()); err != nil || !strings.Contains(got, "UNKNOWN_METHOD") {
		t.Errorf("%q, %v", got, err)
	}
	n.Unload(n.provider.Key)
	if got, err := n.pays(t.Context()); err != nil || !strings.Contains(got, "NOT_LOADED") {
		t.Errorf("%q, %v", got, err)
	}
	n.wantPlaced(0, 2)
	n.rested()
}

// TestPlaceLimit has callees run longer than their own limit, while their callers have time left.
func TestPlaceLimit(t *testing.T) {
	for _, c := range []struct {
		name, method string
		message      []byte
	}{
		{"spins", "Loop", nil},
		{"sleeps", "Sleep", protowire.AppendVarint([]byte("\x08"), hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNeighbours(t, Limits{Timeout: time.Minute}, Limits{Timeout: 50 * time.Millisecond})
			n.method, n.message = c.method, c.message
			began := time.Now()
			if got, err := n.pays(t.Context()); err != nil || !strings.HasPrefix(got, "timeout") {
				t.Errorf("%q, %v", got, err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("the caller waited %v", took)
			}
			n.wantPlaced(1, 0)
			n.rested()
			n.method, n.message = "Echo", nil
			until(t, func() bool { // a busy machine may keep calls beyond that limit, too
				got, err := n.pays(t.Context())
				if err != nil || got != "ok" && !strings.HasPrefix(got, "timeout") {
					t.Fatalf("the next call gave %q, %v", got, err)
				}
				return got == "ok"
			})
		})
	}
}

// TestPlaceEnds has the caller of the caller leave while a callee spins in place, by a deadline, of its own will, and by the
// limit of the one that it called.
func TestPlaceEnds(t *testing.T) {
	n := newNeighbours(t, Limits{Timeout: time.Minute}, Limits{Timeout: time.Hour})
	n.method = "Loop"
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := n.pays(ctx)
		refused(t, err, Deadline, "proxy.Functions/Pay")
		cancel()
		n.rested()
	}
	n.entered = make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-n.entered
		cancel()
	}()
	_, err := n.pays(ctx)
	refused(t, err, Canceled)
	n.rested()
	if lines := n.lines.all(); len(lines) > 0 {
		t.Errorf("logged %v", lines)
	}

	for limit := 50 * time.Millisecond; ; limit *= 2 { // until the call gets as far as the callee
		n = newNeighbours(t, Limits{Timeout: limit}, Limits{Timeout: limit})
		n.method = "Loop"
		_, err = n.pays(t.Context())
		refused(t, err, Deadline, limit.String(), "default/proxy@1")
		n.rested()
		if n.placed.Load() > 0 {
			break
		}
	}
	n.wantPlaced(1, 0)
}

// TestPlaceStuck has a callee stuck in place past the end of its caller: the slot counts as lost to the one that is stuck, and
// is replaced until it comes back.
func TestPlaceStuck(t *testing.T) {
	n := newNeighbours(t, Limits{Timeout: time.Minute}, Limits{Timeout: time.Minute})
	stuck, end := n.stuck()
	n.method, n.message = "Sleep", protowire.AppendVarint([]byte("\x08"), hour)
	err := overdue(t, func() bool { return stuck.Load() == 1 }, func(ctx context.Context) error {
		_, err := n.pays(ctx)
		return err
	})
	refused(t, err, Deadline)
	until(t, func() bool { return n.metric("weft_slots_lost") == 1 })
	line := func(k Key) *line { return n.resident(k).rev.Load().line }
	n.queue.mu.Lock()
	if caller, callee := line(n.rev.Key).lost, line(n.provider.Key).lost; caller != 0 || callee != 1 {
		t.Errorf("the caller has lost %d slots and the callee %d", caller, callee)
	}
	n.queue.mu.Unlock()
	if _, err := n.Executor.Call(t.Context(), Request{Key: n.provider.Key, Service: guestService, Method: "Echo"}); err != nil {
		t.Error(err)
	}
	end()
	n.rested()
	n.queue.mu.Lock()
	defer n.queue.mu.Unlock()
	if lost := line(n.provider.Key).lost; lost != 0 {
		t.Errorf("%d slots stay lost", lost)
	}
}

// TestPlaceCloses shuts the executor down while a callee spins in place.
func TestPlaceCloses(t *testing.T) {
	n := newNeighbours(t, Limits{Timeout: time.Minute}, Limits{Timeout: time.Hour})
	n.method = "Loop"
	var calls sync.WaitGroup
	calls.Go(func() {
		_, err := n.pays(context.Background())
		refused(t, err, Closing, "shutting down")
	})
	until(t, func() bool { return n.metric("weft_instances_running") == 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := n.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	calls.Wait()
}

// TestPlaceWithoutSlot has a callee in place wait for a call of its own until its time is over, when another call has the only
// slot: the caller goes on once it has the slot again, not before.
func TestPlaceWithoutSlot(t *testing.T) {
	waits, ended := make(chan struct{}), make(chan struct{})
	c := &chained{end: func(ctx context.Context, _ OutgoingCall) ([]byte, error) {
		close(waits)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}}
	p := newChain(t, Config{Slots: 1}, Limits{Timeout: time.Second}, 1, c)
	p.rev.Revision, p.rev.Limits.Timeout = 2, time.Minute
	other := guestRevision(t, Limits{Timeout: time.Minute})
	other.Key = Key{Namespace: p.rev.Namespace, Function: p.rev.Function, Revision: 3} // calls of one function don't give way to each other
	for _, r := range []Revision{p.rev, other} {
		if err := p.Load(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	p.idle()
	answer := make(chan error)
	go func() {
		_, err := p.send(context.Background(), "Pay", nil)
		answer <- err
	}()
	<-waits
	ctx, cancel := context.WithCancel(t.Context())
	spun := make(chan error)
	go func() {
		_, err := p.Call(ctx, Request{Key: other.Key, Service: guestService, Method: "Loop"})
		spun <- err
	}()
	until(t, func() bool { return p.metric("weft_instances_running") == 3 })
	<-ended
	until(t, func() bool {
		p.queue.mu.Lock()
		defer p.queue.mu.Unlock()
		return p.queue.returning == 1
	})
	select {
	case err := <-answer:
		t.Errorf("the caller went on without a slot: %v", err)
	default:
	}
	cancel()
	refused(t, <-spun, Canceled)
	if failed, ok := errors.AsType[*FunctionError](<-answer); !ok || failed.Case != "timeout" {
		t.Errorf("error is %v", failed)
	}
	p.rested()
	if got := c.placed.Load(); got != 1 {
		t.Errorf("%d calls ran in place", got)
	}
}

// TestPlaceDepth nests more calls than one thread has stack for.
func TestPlaceDepth(t *testing.T) {
	c := &chained{end: answerNine}
	p := newChain(t, Config{Slots: 1, Waiting: 100}, Limits{Timeout: time.Minute}, 40, c)
	for range 3 {
		if got, err := p.send(t.Context(), "Echo", []byte("\x08\x07")); err != nil || string(got) != "\x08\x09" {
			t.Fatalf("answer is %x, %v", got, err)
		}
	}
	p.rested()
	if placed := int(c.placed.Load()); placed == 0 || placed >= 3*39 {
		t.Errorf("%d calls ran in the place of their callers", placed)
	}
}

// TestPlaceEnter asks when a call may take the slot of its caller.
func TestPlaceEnter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		l, provider := q.join(Limits{Concurrency: 10, Queue: 10}), q.join(Limits{Concurrency: 2, Queue: 10})
		caller := q.put(t, l, "caller")
		synctest.Wait()
		inner := func(of *job) *job { return &job{line: provider, outer: &guestCall{job: of}, entered: time.Now()} }
		first := inner(caller)
		second := inner(first)
		third := inner(second)
		if !q.enter(first) || !q.enter(second) || q.enter(third) {
			t.Error("two may run, and no third")
		}
		if waiting, busy, _ := q.counts(); waiting != 0 || busy != 3 || q.awayCount() != 2 {
			t.Errorf("%d wait, %d run, %d are away", waiting, busy, q.awayCount())
		}

		// Others have no slot before one is left.
		q.put(t, l, "other")
		if got := q.order(); !slices.Equal(got, []string{"caller"}) {
			t.Errorf("%v run", got)
		}
		if !q.depart(second) {
			t.Fatal("no room")
		}
		if got := q.order(); !slices.Equal(got, []string{"caller", "other"}) {
			t.Errorf("%v run", got)
		}
		back := q.comesBack(second, nil)
		if got := has(back); got != "waits" {
			t.Errorf("it came back beside the other: %s", got)
		}
		q.end(q.job("other"))
		if got := has(back); got != "true" {
			t.Errorf("it did not come back: %s", got)
		}

		// A call that waits for the provider is first.
		waits := q.put(t, provider, "waits")
		q.exit(second, provider)
		if q.enter(inner(first)) {
			t.Error("a call went before one that waits")
		}
		if !q.remove(waits) || !q.enter(inner(first)) {
			t.Error("nobody waits any more")
		}
		q.exit(inner(first), provider)

		// What only makes an instance has the next slot, and room in its line.
		fills := newTestJob(provider, "fills")
		fills.method.export = startOnly
		if result, _ := q.add(fills); result != admitted {
			t.Fatal("no room")
		}
		if q.enter(inner(first)) {
			t.Error("a call took the last room of its line from an instance that is to be made ready")
		}
		provider.concurrency++
		if !q.enter(inner(first)) {
			t.Error("a call waits for an instance that is to be made ready")
		}
		q.exit(inner(first), provider)
		q.exit(first, l)

		// A function that is behind and one in front don't share a place.
		move := func(to *tier) {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.move(l.account, to, time.Now())
		}
		move(&q.behind)
		if q.enter(inner(caller)) {
			t.Error("a call took the slot of a caller that is behind")
		}
		move(&q.front)
		q.end(caller)
		q.end(fills)
		q.rests(t, 1)
		if q.enter(inner(caller)) {
			t.Error("a closed queue took a call")
		}
	})
}

// TestPlaceRoom lets guests be away in place up to the bound.
func TestPlaceRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		l := q.join(Limits{Concurrency: 100, Queue: 10})
		j := q.put(t, l, "caller")
		synctest.Wait()
		caller := j
		var all []*job
		for i := range q.maxAway + 1 {
			j = &job{line: l, callID: fmt.Sprint(i), outer: &guestCall{job: j}, entered: time.Now()}
			if got := q.enter(j); got != (i < q.maxAway) {
				t.Errorf("call %d: %v", i, got)
			} else if got {
				all = append(all, j)
			}
		}
		if q.depart(all[len(all)-1]) {
			t.Error("one more is away than may be")
		}
		for _, j := range slices.Backward(all) {
			q.exit(j, l)
		}
		q.end(caller)
		q.rests(t, 1)
	})
}

// job gives a job that was started, by its name.
func (q *queueTest) job(name string) *job {
	q.list.Lock()
	defer q.list.Unlock()
	return q.started[slices.IndexFunc(q.started, func(j *job) bool { return j.callID == name })]
}
