package gateway

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/router"
)

// starting is a Caller that says which way calls take.
type starting struct {
	Caller
	called chan []byte                   // what Call is given
	answer func(executor.Request) []byte // of calls that are started; nil: none before they are abandoned
}

func (s starting) Call(_ context.Context, r executor.Request) (router.Response, error) {
	s.called <- bytes.Clone(r.Message)
	return router.Response{}, nil
}

func (s starting) Start(_ context.Context, r executor.Request, to executor.Recipient) executor.Started {
	if s.answer != nil {
		to.Answer(executor.Response{Message: s.answer(r)}, nil)
	}
	return abandonable(func() {
		if s.answer == nil {
			to.Answer(executor.Response{}, &executor.Error{Reason: executor.Canceled, Message: "canceled"})
		}
	})
}

// A call that names a revision has a handler that waits.
var awaitedCall = []string{"weft-revision", "1"}

func TestAwaitedCallsAreStarted(t *testing.T) {
	called := make(chan []byte, 1)
	f := start(t, echo, func(c *Config) {
		c.Caller = starting{c.Caller, called, func(r executor.Request) []byte { return append([]byte("started "), r.Message...) }}
	})
	conn := f.dial()
	for _, message := range []string{"one", "another"} {
		if a := f.call(conn, place, []byte(message), awaitedCall...); a.err != nil || string(a.message) != "started "+message {
			t.Errorf("%q: %q, %v", message, a.message, a.err)
		}
	}
	large := make([]byte, smallMessage+1) // counted until the executor has read it
	if a := f.call(conn, place, large, awaitedCall...); a.err != nil || !bytes.Equal(<-called, large) {
		t.Errorf("a large message: %v", a.err)
	}
	f.placements.set(executor.Key{Namespace: "default", Function: "orders", Revision: 1}, false)
	if a := f.call(conn, place, nil, awaitedCall...); a.err == nil {
		t.Error("a call was started of what is not ready here")
	}
}

func TestAwaitedCallsAreAbandoned(t *testing.T) {
	waiting := make(chan struct{})
	f := start(t, echo, func(c *Config) {
		c.Caller = abandoned{starting{Caller: c.Caller}, waiting}
	})
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), awaitedCall...))
	defer cancel()
	done := make(chan error, 1)
	conn := f.dial()
	go func() { done <- callWith(ctx, conn, place, []byte("request")).err }()
	<-waiting
	cancel()
	expect(t, <-done, codes.Canceled, "")
	if err := f.Drain(t.Context()); err != nil { // waits for the handler
		t.Error(err)
	}
}

// abandoned tells when a call was started.
type abandoned struct {
	starting
	started chan struct{}
}

func (a abandoned) Start(ctx context.Context, r executor.Request, to executor.Recipient) executor.Started {
	defer close(a.started)
	return a.starting.Start(ctx, r, to)
}

// What is not started is for Caller.Call.
func TestAwaitLeavesCallsToTheCaller(t *testing.T) {
	refused := errors.New("refused")
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) {
		return executor.Response{}, refused
	},
		func(c *Config) { c.Caller = unstarted{c.Caller} })
	expect(t, f.call(f.dial(), place, nil, awaitedCall...).err, codes.Internal, failure.Internal, "refused")
}

type unstarted struct{ Caller }

func (unstarted) Start(context.Context, executor.Request, executor.Recipient) executor.Started {
	return nil
}
