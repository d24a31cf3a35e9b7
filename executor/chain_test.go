package executor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// chain has revision n of the proxy call revision n-1 on the same executor, in its place if it can, and revision 1 be
// answered by end.
func chain(t testing.TB, config Config, limits Limits, depth uint32, end outgoingFunc) *proxies {
	t.Helper()
	return newChain(t, config, limits, depth, &chained{end: end})
}

// chainApart is a chain where each call has a worker of its own.
func chainApart(t testing.TB, config Config, limits Limits, depth uint32, end outgoingFunc) *proxies {
	t.Helper()
	return newChain(t, config, limits, depth, &chained{end: end, apart: true})
}

func newChain(t testing.TB, config Config, limits Limits, depth uint32, c *chained) *proxies {
	t.Helper()
	config.Outgoing = c
	p := loadProxies(t, bank, config, limits)
	c.p = p
	for n := uint32(2); n <= depth; n++ {
		p.rev.Revision = n
		if err := p.Load(t.Context(), p.rev); err != nil {
			t.Fatal(err)
		}
	}
	p.idle()
	return p
}

// chained makes the calls of a chain.
type chained struct {
	p      *proxies
	end    outgoingFunc
	apart  bool
	placed atomic.Int32 // calls that ran in the place of their callers
}

func (c *chained) next(call OutgoingCall) Request {
	to := call.From
	to.Revision--
	return Request{Key: to, Service: proxyService, Method: call.Method, Message: call.Message, CallID: call.CallID}
}

func (c *chained) Local(call OutgoingCall, place Place) ([]byte, bool, error) {
	if call.From.Revision == 1 || c.apart {
		return nil, false, nil
	}
	r, ran, err := place.Run(c.next(call))
	if ran {
		c.placed.Add(1)
	}
	return r.Message, ran, err
}

func (c *chained) Call(ctx context.Context, call OutgoingCall) ([]byte, error) {
	if call.From.Revision == 1 {
		return c.end(ctx, call)
	}
	r, err := c.p.Call(ctx, c.next(call))
	return r.Message, err
}

func answerNine(context.Context, OutgoingCall) ([]byte, error) { return []byte("\x08\x09"), nil }

// TestOutgoingDepth has calls nest on as few slots as there can be, from many callers at once.
func TestOutgoingDepth(t *testing.T) {
	for i, makes := range []func(testing.TB, Config, Limits, uint32, outgoingFunc) *proxies{chain, chain, chainApart, chainApart} {
		p := makes(t, Config{Slots: 1 + i%2}, Limits{Timeout: time.Minute}, 5, answerNine)
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				for range 8 {
					if got, err := p.send(context.Background(), "Echo", []byte("\x08\x07")); err != nil || string(got) != "\x08\x09" {
						t.Errorf("answer is %x, %v", got, err)
					}
				}
			})
		}
		callers.Wait()
		p.rested()
	}
}

// TestOutgoingWaitLimit expects calls beyond the bound of guests that wait to fail and say so.
func TestOutgoingWaitLimit(t *testing.T) {
	p := chain(t, Config{Slots: 1, Waiting: 2}, Limits{}, 4, answerNine)
	_, err := p.send(t.Context(), "Echo", nil)
	refused(t, err, Trap, "WAIT_LIMIT", "2 guests of this node wait for calls that they made, which is its limit")
	p.rev.Revision = 2
	if got, err := p.send(t.Context(), "Echo", nil); err != nil || string(got) != "\x08\x09" {
		t.Errorf("two that wait: %x, %v", got, err)
	}
	p.rested()

	hold := make(chan struct{})
	p = newProxies(t, bank, Config{Slots: 1, Waiting: 1}, Limits{}, func(context.Context, OutgoingCall) ([]byte, error) {
		<-hold
		return nil, nil
	})
	first := make(chan error)
	go func() {
		_, err := p.send(context.Background(), "Echo", nil)
		first <- err
	}()
	until(t, func() bool { return p.metric("weft_instances_waiting") == 1 })
	_, err = p.send(t.Context(), "Echo", nil)
	refused(t, err, WaitLimit, "1 guests of this node wait")
	close(hold)
	if err := <-first; err != nil {
		t.Error(err)
	}
	p.rested()
}

// TestOutgoingDeadline ends calls whose guests wait: by the caller's deadline, its leaving, the revision's limit.
func TestOutgoingDeadline(t *testing.T) {
	t.Run("in place", func(t *testing.T) { outgoingDeadline(t, chain) })
	t.Run("apart", func(t *testing.T) { outgoingDeadline(t, chainApart) })
}

func outgoingDeadline(t *testing.T, chain func(testing.TB, Config, Limits, uint32, outgoingFunc) *proxies) {
	t.Helper()
	var began, ended atomic.Int32
	waiting := make(chan struct{}, 100)
	hang := func(ctx context.Context, _ OutgoingCall) ([]byte, error) {
		began.Add(1)
		waiting <- struct{}{}
		<-ctx.Done()
		ended.Add(1)
		return nil, ctx.Err()
	}
	// reached calls f with longer and longer times until a call gets as far as the end of the chain.
	reached := func(f func(time.Duration)) {
		for d := 20 * time.Millisecond; len(waiting) == 0; d *= 4 {
			f(d)
		}
		for len(waiting) > 0 {
			<-waiting
		}
	}
	p := chain(t, Config{Slots: 1}, Limits{Timeout: time.Minute}, 3, hang)
	for range 5 {
		reached(func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			_, err := p.send(ctx, "Pay", nil)
			refused(t, err, Deadline, "proxy.Functions/Pay")
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-waiting
			cancel()
		}()
		_, err := p.send(ctx, "Pay", nil)
		refused(t, err, Canceled)
		cancel()
	}
	p.rested()
	if began.Load() != ended.Load() {
		t.Errorf("%d calls came to the end of the chain, and %d ended", began.Load(), ended.Load())
	}
	if lines := p.lines.all(); len(lines) > 0 {
		t.Errorf("logged %v", lines)
	}
	reached(func(d time.Duration) {
		limited := newProxies(t, bank, Config{Slots: 1}, Limits{Timeout: 10 * d}, hang)
		_, err := limited.send(t.Context(), "Pay", nil)
		refused(t, err, Deadline, (10 * d).String(), "default/proxy@1")
		limited.rested()
	})
}

// TestOutgoingCalleeTimeout has a callee take too long for its own limit: the caller's function goes on and can say so.
func TestOutgoingCalleeTimeout(t *testing.T) {
	p := chain(t, Config{Slots: 1}, Limits{Timeout: 500 * time.Millisecond}, 1, func(ctx context.Context, _ OutgoingCall) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	p.rev.Revision, p.rev.Limits.Timeout = 2, time.Minute
	if err := p.Load(t.Context(), p.rev); err != nil {
		t.Fatal(err)
	}
	_, err := p.send(t.Context(), "Pay", nil)
	if failed, ok := errors.AsType[*FunctionError](err); !ok || failed.Case != "timeout" {
		t.Errorf("error is %v", err)
	}
	p.Unload(Key{Namespace: "default", Function: "proxy", Revision: 1})
	_, err = p.send(t.Context(), "Pay", nil)
	if failed, ok := errors.AsType[*FunctionError](err); !ok || failed.Case != "unavailable" || !strings.Contains(failed.Message, "NOT_LOADED") {
		t.Errorf("error is %v", err)
	}
	p.rested()
}

// TestOutgoingMany makes many calls and expects memory to stay where it is.
func TestOutgoingMany(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps shadows of what was freed")
	}
	p := chain(t, Config{Slots: 2}, Limits{Timeout: time.Minute}, 2, answerNine)
	make10k := func() {
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for range 2500 {
					if _, err := p.send(context.Background(), "Echo", []byte("\x08\x07")); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
		p.rested()
	}
	make10k()
	before := residentBytes(t)
	make10k()
	if grown := residentBytes(t) - before; grown > 16<<20 {
		t.Errorf("memory has grown by %d MiB", grown>>20)
	}
}
