package router

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

// Catalog gives the current state of the catalog; *catalog.Catalog is one.
type Catalog interface {
	View() *catalog.View
}

// Placements tells which revisions this node can run; *placement.Table is it.
type Placements interface {
	// Ready tells whether a revision takes calls now. It is asked on every call.
	Ready(executor.Key) bool
	// Ensure returns once a revision is ready, loading it if need be, or says at once why it can't be loaded.
	Ensure(context.Context, executor.Key) error
}

// Config configures a Router.
type Config struct {
	Catalog    Catalog
	Placements Placements
	// Wait is how long a call waits for a revision that is loading while no other is ready. Default: 5 s.
	Wait time.Duration
	// Waiting is how many calls may wait at once; more are refused. Default: 1024.
	Waiting int
}

// Target is what a call asks for.
type Target struct {
	Namespace string
	// Service is the full name of the service: "demo.orders.v1.Orders".
	Service string
	// Function names who is to answer; empty means the owner of the service.
	Function string
	// Revision is the revision that is to answer; zero means the current one.
	Revision uint32
}

// Destination is a revision that answers calls. It is not changed.
type Destination struct {
	Key executor.Key
	// Message is the limit of the request and of the response, in bytes.
	Message int64
}

// Router finds the destinations of calls. Its methods are safe for concurrent use.
type Router struct {
	config  Config
	table   atomic.Pointer[table]
	waiting atomic.Int64
}

// New returns a router. It holds nothing that must be closed.
func New(config Config) *Router {
	if config.Wait <= 0 {
		config.Wait = 5 * time.Second
	}
	if config.Waiting <= 0 {
		config.Waiting = 1024
	}
	return &Router{config: config}
}

// Route gives the revision that is to answer a call now. It waits if none is ready yet, within ctx and Config.Wait.
// Its errors are gRPC statuses: UNIMPLEMENTED for what does not exist, UNAVAILABLE for what is not ready.
func (r *Router) Route(ctx context.Context, target Target) (*Destination, error) {
	candidates, err := r.current().candidates(target)
	if err != nil {
		return nil, err
	}
	if d := r.ready(candidates); d != nil {
		return d, nil
	}
	return r.wait(ctx, target, candidates[0].Key)
}

// Ready tells whether a call of the target would be answered without waiting. The error is that of Route for a target
// that does not exist.
func (r *Router) Ready(target Target) (bool, error) {
	candidates, err := r.current().candidates(target)
	if err != nil {
		return false, err
	}
	return r.ready(candidates) != nil, nil
}

// current gives the table of the current view.
func (r *Router) current() *table {
	view := r.config.Catalog.View()
	t := r.table.Load()
	if t == nil || t.view != view {
		t = &table{view: view}
		r.table.Store(t) // Whoever stores last wins; a lost table costs its entries only.
	}
	return t
}

func (r *Router) ready(candidates []*Destination) *Destination {
	for _, d := range candidates {
		if r.config.Placements.Ready(d.Key) {
			return d
		}
	}
	return nil
}

// wait waits for the revision that the target means. By then a newer one may have come, so it decides again.
func (r *Router) wait(ctx context.Context, target Target, key executor.Key) (*Destination, error) {
	if r.waiting.Add(1) > int64(r.config.Waiting) {
		r.waiting.Add(-1)
		return nil, failure.Newf(codes.Unavailable, failure.Busy,
			"%s is not ready, and %d calls already wait for a revision; try again later", key, r.config.Waiting)
	}
	defer r.waiting.Add(-1)

	limited, cancel := context.WithTimeout(ctx, r.config.Wait)
	defer cancel()
	err := r.config.Placements.Ensure(limited, key)
	candidates, gone := r.current().candidates(target)
	if gone != nil {
		return nil, gone
	}
	if d := r.ready(candidates); d != nil {
		return d, nil
	}
	deadline, limits := ctx.Deadline()
	switch {
	case limits && !time.Now().Before(deadline): // It ends the stream, so the context may say that it was canceled.
		return nil, failure.Newf(codes.DeadlineExceeded, failure.Deadline, "the deadline came while %s was loading", key)
	case ctx.Err() != nil:
		return nil, failure.Newf(codes.Canceled, failure.Canceled, "the caller went away while %s was loading", key)
	case err == nil || limited.Err() != nil:
		return nil, failure.Newf(codes.Unavailable, failure.NotReady, "%s is still loading; try again", key)
	default:
		why := strings.TrimPrefix(err.Error(), "load "+key.String()+": ")
		return nil, failure.Newf(codes.Unavailable, failure.NotReady, "%s is not ready: %s", key, why)
	}
}
