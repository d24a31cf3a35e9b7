package router

import (
	"context"

	"github.com/weft-run/weft/executor"
)

// started is a call that runs on this node and for which no goroutine waits.
type started struct {
	router *Router
	to     executor.Recipient
}

// Start runs a call of a revision that Here gave on this node, and has to told the answer, as executor.Executor.Start does. It
// returns nil if the call is for Call: another node may have to take it.
func (r *Router) Start(ctx context.Context, request executor.Request, to executor.Recipient) executor.Started {
	if r.starter == nil {
		return nil
	}
	r.inFlight.Add(1)
	call := r.starter.Start(ctx, request, &started{r, to})
	if call == nil {
		r.inFlight.Add(-1)
	}
	return call
}

// Answer implements executor.Recipient.
func (s *started) Answer(response executor.Response, err error) {
	s.router.inFlight.Add(-1)
	s.router.metrics.local.Add(response.Lane, 1)
	s.to.Answer(response, err)
}
