package router

import (
	"context"
	"fmt"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/link"
)

// maxHops is how many nodes a call may have left behind: the one that took it from its client.
const maxHops = 1

// Serve runs a call that another node has sent; it is the Handler of package link. It runs here or not at all: the router
// does not send it on. What does not start fails with link.NotStarted, so that the other node may try elsewhere.
//
// A revision that is not ready is loaded first if the catalog places it here, or if it is an older one, which is loaded
// where it is asked for. The answer tells how busy this node is.
func (r *Router) Serve(ctx context.Context, peer string, request link.Request) (link.Response, error) {
	if request.Hops > maxHops {
		return r.answer(executor.Response{}), link.NotStarted(&executor.Error{
			Reason:  executor.Internal,
			Message: fmt.Sprintf("the call of %s came from node %s after %d hops; %d is the limit", request.Key, peer, request.Hops, maxHops),
		})
	}
	if !r.config.Placements.Ready(request.Key) {
		if err := r.load(ctx, request.Key); err != nil {
			return r.answer(executor.Response{}), link.NotStarted(err)
		}
	}
	response, err := r.local(ctx, request.Request)
	r.metrics.served.Inc()
	if r.turnedAway(err, response) {
		err = link.NotStarted(err)
	}
	return r.answer(response), err
}

// answer adds how busy this node is, without the call that it answers.
func (r *Router) answer(response executor.Response) link.Response {
	n := r.InFlight()
	return link.Response{Response: response, Load: link.Load{InFlight: n, Queue: max(0, n-r.config.Cores)}}
}

// load makes a revision ready here for a call of another node.
func (r *Router) load(ctx context.Context, k executor.Key) error {
	refusal := func(why string) error {
		return &executor.Error{Reason: executor.NotLoaded, Message: fmt.Sprintf("%s is not ready on node %s: %s", k, r.config.Name, why)}
	}
	if !r.mayLoad(r.config.Catalog.View(), k) {
		return refusal("it is not placed there")
	}
	if !r.mayWait() {
		return refusal("too many calls wait there already")
	}
	defer r.waiting.Add(-1)
	limited, cancel := context.WithTimeout(ctx, r.config.Wait)
	defer cancel()
	if err := r.config.Placements.Ensure(limited, k); err != nil {
		return refusal(reasonOf(err, k))
	}
	return nil
}
