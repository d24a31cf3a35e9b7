package router

import (
	"context"
	"errors"
	"fmt"
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
	if err == nil || !r.turnedAway(err, response) || !r.nodes.reachable(request.Key) {
		r.metrics.local.Inc()
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
	tried      []string
	room       [maxTries]string // of tried
}

// forward sends a call to another node. Refused is why this node did not take it; nil if it has no reason to.
func (r *Router) forward(ctx context.Context, request executor.Request, refused error) (Response, error) {
	r.budget.called()
	a := attempts{router: r, request: request, idempotent: isIdempotent(request.Metadata)}
	a.tried = a.room[:0]
	node, via := r.config.Name, r.via(request.Key)
	for {
		c, ok := r.nodes.choose(via, a.tried)
		if !ok {
			return Response{Node: node}, a.nobody(refused)
		}
		a.tried = append(a.tried, c.id)
		node = c.remote.name
		response, err := a.send(ctx, c)
		if err == nil || !a.again(ctx, err) {
			return Response{response, node}, a.explain(ctx, err, node)
		}
		if len(a.tried) == maxTries || !r.budget.take() {
			return Response{response, node}, a.explain(ctx, err, node)
		}
		r.metrics.retries.Inc()
		refused = a.explain(ctx, err, node)
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
func (a *attempts) nobody(refused error) error {
	if refused != nil {
		return refused
	}
	return &executor.Error{Reason: executor.NotLoaded, Message: a.request.Key.String() + " is not ready on any node"}
}

// explain turns what package link says into an error of a call.
func (a *attempts) explain(ctx context.Context, err error, node string) error {
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
			Reason: executor.Reason(failure.NodeLost), Message: fmt.Sprintf(message, node, a.request.Key, lost.Err), Err: lost.Err,
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
		Message: fmt.Sprintf("node %s, where %s is ready, can't be reached: %v", node, a.request.Key, refusal.Err),
	}
}
