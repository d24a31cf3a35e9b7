package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/link"
)

// maxTries is how many nodes are tried for a call, this one not counted.
const maxTries = 3

// Response is the answer to a call.
type Response struct {
	executor.Response
	// Node is the name of the node that ran the call, or was to run it; it is set with an error, too.
	Node string
}

// Call runs a call of a revision that Route gave: here or on another node. The request is read until Call returns, and
// never changed.
//
// Its errors are *executor.Error, *executor.FunctionError, and those of ctx. The reasons NODE_LOST and NODE_UNREACHABLE of
// package failure come in an *executor.Error.
func (r *Router) Call(ctx context.Context, request executor.Request) (Response, error) {
	if !r.config.Placements.Ready(request.Key) {
		return r.forward(ctx, request, nil)
	}
	response, err := r.local(ctx, request)
	if err == nil || !r.turnedAway(err, response) || !isNotLoaded(err) && !r.nodes.reachable(request.Key) {
		r.metrics.local.Add(response.Lane, 1)
		return Response{response, r.config.Name}, err
	}
	return r.forward(ctx, request, err)
}

// local runs a call on this node.
func (r *Router) local(ctx context.Context, request executor.Request) (executor.Response, error) {
	r.inFlight.Add(1)
	defer r.inFlight.Add(-1)
	return r.config.Executor.Call(ctx, request)
}

// Local runs a call of a revision that Here gave in the place of the guest that makes it. If ran is false, it can't be run
// so, and Call takes it.
func (r *Router) Local(request executor.Request, place executor.Place) (response Response, ran bool, err error) {
	r.inFlight.Add(1)
	defer r.inFlight.Add(-1)
	answer, ran, err := place.Run(request)
	if ran {
		r.metrics.local.Add(answer.Lane, 1)
	}
	return Response{answer, r.config.Name}, ran, err
}

// InFlight is how many calls run or wait on this node, those of other nodes included.
func (r *Router) InFlight() int { return int(r.inFlight.Load()) }

// turnedAway tells whether the executor did not start a call, for a reason that other nodes need not have.
func (r *Router) turnedAway(err error, response executor.Response) bool {
	if response.Timings.Run > 0 {
		return false
	}
	fault, ok := errors.AsType[*executor.Error](err)
	if !ok {
		return false
	}
	switch fault.Reason {
	case executor.NotLoaded, executor.QueueFull, executor.Closing:
		return true
	default:
		return false
	}
}

// attempts is one call on its way to other nodes.
type attempts struct {
	router     *Router
	request    executor.Request
	idempotent bool
	count      int
	tried      []string         // since readiness has changed
	room       [maxTries]string // of tried
	refused    error            // why the call has not started yet; nil if nobody was asked
	node       string           // name of the node that was asked last
}

// forward sends a call to another node. Refused is why this node did not take it; nil if it has no reason to.
func (r *Router) forward(ctx context.Context, request executor.Request, refused error) (Response, error) {
	r.budget.called()
	a := attempts{router: r, request: request, idempotent: isIdempotent(request.Metadata), refused: refused, node: r.config.Name}
	a.tried = a.room[:0]
	via := r.via(request.Key)
	for {
		known := r.config.Directory.View().Ready(via)
		c, ok := r.nodes.choose(via, a.tried)
		if !ok {
			if !a.moved(ctx, via, known) {
				return Response{Node: a.node}, a.nobody()
			}
			if r.config.Placements.Ready(request.Key) {
				response, err := r.local(ctx, request)
				r.metrics.local.Add(response.Lane, 1)
				return Response{response, r.config.Name}, err
			}
			continue
		}
		a.count++
		a.tried = append(a.tried, c.id)
		a.node = c.remote.name
		response, err := a.send(ctx, c)
		if err == nil || !a.again(ctx, err) || a.count == maxTries || !isFree(err) && !r.budget.take() {
			return Response{response, a.node}, a.explain(ctx, err)
		}
		r.metrics.retries.Inc()
		a.refused = a.explain(ctx, err)
	}
}

// moved waits until the revision is ready elsewhere than was known, if those who were said to have it do not have it any
// more: it has just moved, and the news is on its way.
func (a *attempts) moved(ctx context.Context, k executor.Key, known []string) bool {
	if a.refused != nil && !isNotLoaded(a.refused) {
		return false
	}
	r := a.router
	if !r.mayWait() {
		return false
	}
	defer r.waiting.Add(-1)
	limited, cancel := context.WithTimeout(ctx, r.config.Wait)
	defer cancel()
	for {
		view := r.config.Directory.View()
		now := view.Ready(k)
		if r.config.Placements.Ready(a.request.Key) || !slices.Equal(now, known) && r.nodes.reachable(k) {
			a.tried = a.tried[:0]
			return true
		}
		select {
		case <-view.Changed():
		case <-limited.Done():
			return false
		}
	}
}

func isIdempotent(md map[string][]string) bool {
	values := md["weft-idempotent"]
	return len(values) > 0 && values[0] == "true"
}

// send makes one try and takes in how it went.
func (a *attempts) send(ctx context.Context, c candidate) (executor.Response, error) {
	r := a.router
	c.remote.begin()
	began := time.Now()
	response, err := r.config.Link.Call(ctx, c.id, link.Request{Request: a.request, Hops: 1})
	r.metrics.forwarded(c.remote.name).Inc()
	_, isLost := errors.AsType[*link.LostError](err)
	switch {
	case isUnreached(err) || isLost:
		if r.nodes.failed(c.remote) {
			r.metrics.ejections.Inc()
			r.config.Logger.Warn("a node fails, and gets no calls for a while", "node", c.remote.name, "id", c.id, "error", err)
		}
		if isLost {
			r.metrics.lost.Inc()
		}
	case isContext(err):
		c.remote.abandoned()
	default:
		if isNotLoaded(err) {
			c.goneAway()
		}
		c.remote.answered(response.Load, time.Since(began)-response.Timings.Run)
	}
	return response.Response, err
}

// isContext tells whether the caller gave up.
func isContext(err error) bool {
	if fault, ok := errors.AsType[*executor.Error](err); ok {
		return fault.Reason == executor.Canceled || fault.Reason == executor.Deadline
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isNotLoaded tells whether a call did not start because the revision is not ready where it was sent. Those that come later
// know.
func isNotLoaded(err error) bool {
	fault, ok := errors.AsType[*executor.Error](err)
	return ok && fault.Reason == executor.NotLoaded
}

// isFree tells whether a further try needs no budget: the node that did not start the call had no work with it, and has none
// with the next try. If it stops or is gone, all calls that were about to go there come back at once.
func isFree(err error) bool {
	fault, ok := errors.AsType[*executor.Error](err)
	return isUnreached(err) || ok && (fault.Reason == executor.NotLoaded || fault.Reason == executor.Closing)
}

// isUnreached tells whether a call did not reach the node, which is another thing than being refused by it.
func isUnreached(err error) bool {
	refusal, ok := errors.AsType[*link.NotStartedError](err)
	if !ok || isContext(refusal.Err) {
		return false
	}
	_, answered := errors.AsType[*executor.Error](refusal.Err)
	return !answered
}

// again tells whether a call that failed may be tried on another node.
func (a *attempts) again(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if refusal, ok := errors.AsType[*link.NotStartedError](err); ok {
		return !isContext(refusal.Err)
	}
	_, isLost := errors.AsType[*link.LostError](err)
	return isLost && a.idempotent
}

// nobody is the error of a call for which there is no node, or no other one.
func (a *attempts) nobody() error {
	if a.refused != nil {
		return a.refused
	}
	return &executor.Error{Reason: executor.NotLoaded, Message: a.request.Key.String() + " is not ready on any node"}
}

// explain turns what package link says into an error of a call.
func (a *attempts) explain(ctx context.Context, err error) error {
	if lost, ok := errors.AsType[*link.LostError](err); ok {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		message := "node %s was lost while it had the call of %s, which may have run: %v; calls with the metadata " +
			"weft-idempotent: true are tried elsewhere"
		if a.idempotent {
			message = "node %s was lost while it had the call of %s, and there is no other to try: %v"
		}
		return &executor.Error{
			Reason: executor.Reason(failure.NodeLost), Message: fmt.Sprintf(message, a.node, a.request.Key, lost.Err), Err: lost.Err,
		}
	}
	refusal, ok := errors.AsType[*link.NotStartedError](err)
	if !ok {
		return err
	}
	if fault, ok := errors.AsType[*executor.Error](refusal.Err); ok {
		return fault
	}
	if isContext(refusal.Err) {
		return refusal.Err
	}
	return &executor.Error{
		Reason: executor.Reason(failure.NodeUnreachable), Err: refusal.Err,
		Message: fmt.Sprintf("node %s, where %s is ready, can't be reached: %v", a.node, a.request.Key, refusal.Err),
	}
}
