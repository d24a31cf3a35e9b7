package gateway

import (
	"context"
	"sync"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/router"
)

// awaited is the answer to a call that was started, and that its handler waits for. It is an executor.Recipient.
type awaited struct {
	came     chan struct{} // has an element once the answer is there
	response executor.Response
	err      error
}

var answers = sync.Pool{New: func() any { return &awaited{came: make(chan struct{}, 1)} }}

// Answer implements executor.Recipient.
func (a *awaited) Answer(response executor.Response, err error) {
	a.response, a.err = response, err
	a.came <- struct{}{}
}

// await starts a call of what Router.Here gave, and waits for its answer: for less than Caller.Call, which sets a timer and makes a channel
// for each call. It is not ok if the call is for that.
func (g *Gateway) await(ctx context.Context, r executor.Request) (response router.Response, ok bool, err error) {
	a := answers.Get().(*awaited) //nolint:forcetypeassert // nothing else is put in
	defer answers.Put(a)
	started := g.config.Caller.Start(ctx, r, a)
	if started == nil {
		return router.Response{}, false, nil
	}
	select {
	case <-a.came:
	case <-ctx.Done():
		started.Abandon()
		<-a.came
	}
	response.Response, err = a.response, a.err
	a.response, a.err = executor.Response{}, nil
	return response, true, err
}
