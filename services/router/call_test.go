package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/link"
)

func TestCallsRunHereIfTheyCan(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.show()
	n.set("ready", k)
	if r, err := n.call(k); err != nil || r.Node != "name-n0" || string(r.Message) != self {
		t.Errorf("%+v, %v", r, err)
	}
	for _, reason := range []executor.Reason{executor.QueueFull, executor.Closing, executor.NotLoaded} {
		n.local = func() (executor.Response, error) { return executor.Response{}, &executor.Error{Reason: reason} }
		if r, err := n.call(k); err != nil || r.Node != "name-n1" || string(r.Message) != "n1" {
			t.Errorf("%s: %+v, %v", reason, r, err)
		}
	}
	n.called()
	for _, reason := range []executor.Reason{executor.Trap, executor.Deadline, executor.MemoryLimit} {
		n.local = func() (executor.Response, error) { return executor.Response{}, &executor.Error{Reason: reason} }
		r, err := n.call(k)
		is(t, err, string(reason))
		if r.Node != "name-n0" {
			t.Errorf("%s on %q", reason, r.Node)
		}
	}
	n.local = func() (executor.Response, error) {
		return executor.Response{Timings: executor.Timings{Run: time.Second}}, &executor.Error{Reason: executor.Closing, Message: "interrupted"}
	}
	_, err := n.call(k)
	is(t, err, string(executor.Closing), "interrupted")
	if calls := n.called(); len(calls) != 0 {
		t.Errorf("calls that had started went to %v", calls)
	}
	n.next.Nodes = nil
	n.show()
	n.local = func() (executor.Response, error) {
		return executor.Response{}, &executor.Error{Reason: executor.QueueFull, Message: "full"}
	}
	_, err = n.call(k)
	is(t, err, string(executor.QueueFull), "full")
}

func TestWhatSurelyDidNotStartIsTriedElsewhere(t *testing.T) {
	for name, test := range map[string]struct {
		fails      map[string]error
		idempotent string
		reason     string // empty: answered
		tries      int    // at most; at least one
		words      []string
	}{
		"one is unreachable":                {map[string]error{"n1": errUnreachable}, "", "", 2, nil},
		"one is full":                       {map[string]error{"n1": errFull}, "", "", 2, nil},
		"all are full":                      {map[string]error{"n1": errFull, "n2": errFull, "n3": errFull, "n4": errFull}, "", "QUEUE_FULL", 3, []string{"full"}},
		"none is reachable":                 {map[string]error{"n1": errUnreachable, "n2": errUnreachable, "n3": errUnreachable, "n4": errUnreachable}, "", "NODE_UNREACHABLE", 3, []string{"name-n", "default/f@1", "connection refused"}},
		"all are lost":                      {map[string]error{"n1": errLost, "n2": errLost, "n3": errLost, "n4": errLost}, "", "NODE_LOST", 1, []string{"name-n", "default/f@1", "weft-idempotent: true"}},
		"all are lost, and it is no matter": {map[string]error{"n1": errLost, "n2": errLost, "n3": errLost, "n4": errLost}, "true", "NODE_LOST", 3, []string{"name-n", "no other to try"}},
		"one is lost, and it is no matter":  {map[string]error{"n1": errLost}, "true", "", 2, nil},
		"one that says no, not true":        {map[string]error{"n1": errLost, "n2": errLost, "n3": errLost, "n4": errLost}, "yes", "NODE_LOST", 1, nil},
		"traps":                             {map[string]error{"n1": trap, "n2": trap, "n3": trap, "n4": trap}, "true", "TRAP", 1, nil},
	} {
		n := startAmong(t)
		k := n.deploy("f", orders)
		for _, id := range []string{"n1", "n2", "n3", "n4"} {
			n.node(id, k)
		}
		n.show()
		for id, err := range test.fails {
			n.fails(id, err)
		}
		for range 3 { // fewer than make the budget matter, or a node be ejected
			r, err := n.call(k, "weft-idempotent", test.idempotent)
			calls := n.called()
			if len(calls) > test.tries || test.reason != "" && len(calls) != test.tries {
				t.Errorf("%s: tried %v; want %d", name, calls, test.tries)
			}
			if slices.Sort(calls); len(slices.Compact(slices.Clone(calls))) != len(calls) {
				t.Errorf("%s: tried %v", name, calls)
			}
			if test.reason != "" {
				is(t, err, test.reason, test.words...)
			} else if err != nil || "name-"+string(r.Message) != r.Node {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
	}
}

var trap = &executor.Error{Reason: executor.Trap, Message: "unreachable"}

func TestErrorsOfFunctionsComeBackAsTheyAre(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.show()
	n.fails("n1", &executor.FunctionError{Case: "not-found", Message: "no such order"})
	r, err := n.call(k)
	if own, ok := errors.AsType[*executor.FunctionError](err); !ok || own.Case != "not-found" || r.Node != "name-n1" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTriesHaveABudget(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	for i := range 4 {
		n.node(fmt.Sprint("n", i+1), k)
		n.fails(fmt.Sprint("n", i+1), errFull)
	}
	n.show()
	const calls = 200
	for range calls {
		_, err := n.call(k)
		is(t, err, string(executor.QueueFull))
	}
	if got, most := len(n.called()), calls+calls/5+10; got > most || got < most-5 {
		t.Errorf("%d calls made %d tries; want %d", calls, got, most)
	}
}

// TestCallsThatReachedNobodyNeedNoBudget: a node stops, and all calls that were about to go there come back at once.
func TestCallsThatReachedNobodyNeedNoBudget(t *testing.T) {
	for name, refusal := range map[string]error{
		"unreachable": errUnreachable,
		"stopping":    &link.NotStartedError{Err: &executor.Error{Reason: executor.Closing, Message: "it stops"}},
		"moved":       &link.NotStartedError{Err: &executor.Error{Reason: executor.NotLoaded, Message: "not here"}},
	} {
		n := startAmong(t)
		k := n.deploy("f", orders)
		n.node("n1", k)
		n.node("n2", k)
		n.show()
		const calls = 100
		var arrived, all sync.WaitGroup
		arrived.Add(calls)
		var first atomic.Int32
		for _, id := range []string{"n1", "n2"} {
			n.answer(id, func(context.Context, link.Request) (link.Response, error) {
				if first.Add(1) > calls {
					return link.Response{}, nil
				}
				arrived.Done()
				arrived.Wait()
				return link.Response{}, refusal
			})
		}
		for range calls {
			all.Go(func() {
				if _, err := n.call(k); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		arrived.Wait()
		all.Wait()
	}
}

func TestTheDeadlineEndsTheTries(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.node("n2", k)
	n.show()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, id := range []string{"n1", "n2"} {
		n.answer(id, func(got context.Context, r link.Request) (link.Response, error) {
			cancel()
			<-got.Done()
			if r.CallID != "mark" || r.Metadata["traceparent"][0] != "00-1" {
				t.Errorf("the call came as %+v", r)
			}
			return link.Response{}, &link.NotStartedError{Err: got.Err()}
		})
	}
	_, err := n.Router.Call(ctx, executor.Request{Key: k, CallID: "mark", Metadata: map[string][]string{"traceparent": {"00-1"}}})
	if !errors.Is(err, context.Canceled) || len(n.called()) != 1 {
		t.Errorf("%v", err)
	}
}

func TestServe(t *testing.T) {
	n := startCluster(t)
	old, elsewhere, here := n.deploy("f", orders), n.deploy("f", orders), n.deploy("here", orders)
	n.place(elsewhere, "n1")
	n.place(here, self)
	n.node("n1", elsewhere, here, old)
	n.show()
	serve := func(k executor.Key, hops int) error {
		_, err := n.Serve(t.Context(), "n1", link.Request{Request: executor.Request{Key: k}, Hops: hops})
		return err
	}
	refused := func(what string, err error, reason executor.Reason, words string) {
		t.Helper()
		refusal, ok := errors.AsType[*link.NotStartedError](err)
		if !ok {
			t.Errorf("%s: %v", what, err)
			return
		}
		is(t, refusal.Err, string(reason), words)
	}
	refused("what is placed elsewhere", serve(elsewhere, 1), executor.NotLoaded, "default/f@2 is not ready on node name-n0: it is not placed there")
	n.set("broken", here)
	refused("what can't be loaded", serve(here, 1), executor.NotLoaded, "default/here@1 is not ready on node name-n0: broken")
	n.set("ready", here, old)
	if err := serve(here, 1); err != nil {
		t.Error(err)
	}
	refused("a call that has been around", serve(here, 2), executor.Internal, "2 hops")
	n.set("loading", old)
	loading := make(chan error, 1)
	go func() { loading <- serve(old, 1) }()
	eventually(t, func() bool {
		n.fixture.mu.Lock()
		defer n.fixture.mu.Unlock()
		return slices.Contains(n.fixture.asked, old)
	})
	n.set("ready", old)
	if err := <-loading; err != nil {
		t.Errorf("an older revision: %v", err)
	}
	n.local = func() (executor.Response, error) {
		return executor.Response{}, &executor.Error{Reason: executor.QueueFull}
	}
	refused("a full line", serve(here, 1), executor.QueueFull, "")
	if calls := n.called(); len(calls) != 0 {
		t.Errorf("what others sent went on to %v", calls)
	}
}
