package outgoing

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/router"
)

// Catalog gives the current state of the catalog; *catalog.Catalog is one.
type Catalog interface {
	View() *catalog.View
}

// Router takes calls to functions; *router.Router is one.
type Router interface {
	Route(context.Context, router.Target) (*router.Destination, error)
	Call(context.Context, executor.Request) (router.Response, error)
	Here(router.Target) (destination *router.Destination, ready bool)
	Local(executor.Request, executor.Place) (response router.Response, ran bool, err error)
}

// Components tells what the imports of a revision are; *placement.Table does.
type Components interface {
	Revision(context.Context, executor.Key) (executor.Revision, error)
}

// Config configures a Caller.
type Config struct {
	Catalog    Catalog
	Router     Router
	Components Components
	// Allow are the hosts of services outside that functions may call.
	Allow Allow
	// TLS is for connections to services outside. Nil: the system's roots.
	TLS *tls.Config
	// Logger is told of services outside that can't be compared with an import. Nil: slog.Default.
	Logger *slog.Logger
	// Registerer is given the metrics. Nil: they are not exported.
	Registerer prometheus.Registerer
}

// Caller makes the calls of functions. Its methods are safe for concurrent use.
type Caller struct {
	config  Config
	outside *connections
	traces  traces
	metrics metrics
	calls   atomic.Uint64 // numbers the calls
}

var _ executor.Outgoing = (*Caller)(nil)

// New makes a caller. It must be closed.
func New(config Config) *Caller {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Caller{config: config, outside: newConnections(config.TLS), metrics: newMetrics(config.Registerer)}
}

// Close closes the connections to services outside. Calls that go on there fail.
func (c *Caller) Close() { c.outside.close() }

// Call implements executor.Outgoing.
func (c *Caller) Call(ctx context.Context, call executor.OutgoingCall) ([]byte, error) {
	began := time.Now()
	binding, from := c.binding(call)
	if binding == nil {
		return nil, &executor.Error{Reason: executor.Internal, Message: fmt.Sprintf(
			"%s calls %s: the catalog has no binding of the import; the function was deleted or is of an older weft: deploy it again",
			call.From, call.Import)}
	}
	md, depth, err := onward(call)
	if err != nil {
		return nil, err
	}
	if address := binding.GetAddress(); address != "" {
		message, err := c.callOutside(ctx, call, address, int(from.GetMessageBytes()), md)
		if wanted(call.Metadata) {
			c.trace(call, hop{depth: depth, callee: address, took: time.Since(began), err: err}, nil)
		}
		err = c.explain(ctx, err, call, address)
		c.metrics.outside.count(err)
		return message, err
	}
	response, callee, err := c.callFunction(ctx, call, binding.GetFunction(), md)
	c.note(call, callee, response, hop{depth: depth, took: time.Since(began), err: err})
	err = c.explain(ctx, err, call, "function "+callee.Function)
	c.metrics.functions.count(err)
	return response.Message, err
}

// Local implements executor.Outgoing.
func (c *Caller) Local(call executor.OutgoingCall, place executor.Place) (message []byte, ran bool, err error) {
	began := time.Now()
	binding, _ := c.binding(call)
	if binding.GetFunction() == "" {
		return nil, false, nil
	}
	md, depth, err := onward(call)
	if err != nil {
		return nil, false, nil //nolint:nilerr // Call says so
	}
	destination, ready := c.config.Router.Here(target(call, binding.GetFunction()))
	if !ready {
		return nil, false, nil
	}
	request := c.request(call, destination, md)
	traced := c.traces.begin(request)
	response, ran, err := c.config.Router.Local(request, place)
	response.Response = traced.end(response.Response)
	if !ran {
		return nil, false, nil
	}
	c.note(call, destination.Key, response, hop{depth: depth, took: time.Since(began), err: err})
	err = explainLocal(err, call, "function "+destination.Key.Function)
	c.metrics.functions.count(err)
	return response.Message, true, err
}

// note adds a call of a function to the trace, if there is to be one.
func (c *Caller) note(call executor.OutgoingCall, callee executor.Key, r router.Response, h hop) {
	if wanted(call.Metadata) {
		h.callee, h.node, h.timings = callee.String(), r.Node, r.Timings
		c.trace(call, h, r.Trailers[traceKey])
	}
}

// callFunction makes a call of a function and tells which revision was called.
func (c *Caller) callFunction(ctx context.Context, call executor.OutgoingCall, function string, md map[string][]string) (
	response router.Response, callee executor.Key, err error,
) {
	destination, err := c.config.Router.Route(ctx, target(call, function))
	if err != nil {
		return router.Response{}, executor.Key{Namespace: call.From.Namespace, Function: function}, err
	}
	response, err = c.config.Router.Call(ctx, c.request(call, destination, md))
	return response, destination.Key, err
}

// target is what a call of a function asks for.
func target(call executor.OutgoingCall, function string) router.Target {
	return router.Target{Namespace: call.From.Namespace, Service: call.Service, Function: function}
}

// request is the call as its callee gets it.
func (c *Caller) request(call executor.OutgoingCall, to *router.Destination, md map[string][]string) executor.Request {
	return executor.Request{
		Key: to.Key, Service: call.Service, Method: call.Method, Message: call.Message, Metadata: md,
		CallID: call.CallID + "." + strconv.FormatUint(c.calls.Add(1), 36),
	}
}

// binding finds what the import is bound to, and the revision that calls; nil if there is none.
func (c *Caller) binding(call executor.OutgoingCall) (*catalogv1.Binding, *catalogv1.Revision) {
	k := call.From
	row := c.config.Catalog.View().Revision(k.Namespace, k.Function, k.Revision)
	at, ok := slices.BinarySearchFunc(row.GetBindings(), call.Import, func(b *catalogv1.Binding, name string) int {
		return strings.Compare(b.GetImport(), name)
	})
	if !ok {
		return nil, nil
	}
	return row.GetBindings()[at], row
}
