package router

import (
	"context"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/link"
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

// Executor runs calls on this node; *executor.Executor is one.
type Executor interface {
	Call(context.Context, executor.Request) (executor.Response, error)
}

// A Starter is an Executor that can also run calls nobody waits for.
type Starter interface {
	// Start is executor.Executor.Start.
	Start(context.Context, executor.Request, executor.Recipient) executor.Started
}

// Directory knows the other nodes; *directory.Directory is one.
type Directory interface {
	View() *directory.View
	// Age is how long ago a leader last said something.
	Age() time.Duration
}

// Link runs calls on other nodes; *link.Link is one.
type Link interface {
	Call(ctx context.Context, node string, r link.Request) (link.Response, error)
}

// Config configures a Router.
type Config struct {
	// ID, Name and Labels are this node's. Answers carry the name.
	ID, Name string
	Labels   map[string]string

	Catalog    Catalog
	Placements Placements
	// Executor is nil on a node that runs nothing.
	Executor Executor
	// Directory and Link are nil on a node that is alone.
	Directory Directory
	Link      Link
	// Linearize returns once the catalog of this node shows all that was acknowledged before, wherever: it is called
	// before an unknown target is refused. Nil where the catalog is never behind.
	Linearize func(context.Context) error

	// Wait is how long a call waits for a revision that is loading while no other is ready. Default: 5 s.
	Wait time.Duration
	// Waiting is how many calls may wait at once; more are refused. Default: 1024.
	Waiting int
	// Cores is how many calls run at once here. Default: one per core.
	Cores int
	// Logger is told of nodes that are left out. Nil: slog.Default.
	Logger *slog.Logger
	// Registerer is given the metrics. Nil: they are not exported.
	Registerer prometheus.Registerer
}

func (c Config) withDefaults() Config {
	if c.Wait <= 0 {
		c.Wait = 5 * time.Second
	}
	if c.Waiting <= 0 {
		c.Waiting = 1024
	}
	if c.Cores <= 0 {
		c.Cores = runtime.GOMAXPROCS(0)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Directory == nil {
		c.Directory = newAlone()
	}
	return c
}

// alone is the directory of a node that knows no others.
type alone struct{ view *directory.View }

func newAlone() alone {
	view, err := directory.ViewOf(nil)
	if err != nil {
		panic(err) // There is nothing in it that could be wrong.
	}
	return alone{view}
}

func (a alone) View() *directory.View { return a.view }
func (alone) Age() time.Duration      { return 0 }

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

// Router finds the destinations of calls and takes calls there. Its methods are safe for concurrent use.
type Router struct {
	config   Config
	table    atomic.Pointer[table]
	waiting  atomic.Int64
	inFlight atomic.Int64
	nodes    *nodes
	budget   *budget
	catchUp  *catchUp
	metrics  *metrics
	starter  Starter // nil if the executor is none
}

// New returns a router. It holds nothing that must be closed.
func New(config Config) *Router {
	config = config.withDefaults()
	starter, _ := config.Executor.(Starter)
	return &Router{
		config: config, starter: starter, nodes: newNodes(config), budget: newBudget(), catchUp: newCatchUp(config.Linearize),
		metrics: newMetrics(config.Registerer),
	}
}

// Route gives the revision that is to answer a call now. It waits if none is ready yet, here or on another node, within
// ctx and Config.Wait. What does not exist is looked for again once the catalog has caught up with the leader's.
//
// Its errors are gRPC statuses: UNIMPLEMENTED for what does not exist, UNAVAILABLE for what is not ready.
func (r *Router) Route(ctx context.Context, target Target) (*Destination, error) {
	candidates, err := r.current().candidates(target)
	if status.Code(err) == codes.Unimplemented && r.mayWait() {
		if r.catchUp.wait(ctx) {
			candidates, err = r.current().candidates(target)
		}
		r.waiting.Add(-1)
	}
	if err != nil {
		return nil, err
	}
	if d := r.ready(candidates); d != nil {
		return d, nil
	}
	return r.wait(ctx, target, candidates[0].Key)
}

// Here gives the revision that is to answer a call now, if it is ready on this node. It does not wait.
func (r *Router) Here(target Target) (destination *Destination, ready bool) {
	candidates, err := r.current().candidates(target)
	if err != nil {
		return nil, false
	}
	for _, d := range candidates {
		if r.config.Placements.Ready(d.Key) {
			return d, true
		}
		if r.nodes.reachable(r.via(d.Key)) {
			break // it is for another node
		}
	}
	return nil, false
}

// mayWait takes one of the places of those that wait, to be given back, if there is one left.
func (r *Router) mayWait() bool {
	if r.waiting.Add(1) > int64(r.config.Waiting) {
		r.waiting.Add(-1)
		return false
	}
	return true
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

// Forget drops what is known of a node that left the cluster.
func (r *Router) Forget(node string) { r.nodes.forget(node, r.metrics) }

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

// ready gives the first revision that is ready on this node or another one.
func (r *Router) ready(candidates []*Destination) *Destination {
	for _, d := range candidates {
		if r.config.Placements.Ready(d.Key) || r.nodes.reachable(r.via(d.Key)) {
			return d
		}
	}
	return nil
}
