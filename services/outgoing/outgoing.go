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
	if wanted(call.Metadata) {
		c.trace(call, hop{
			depth: depth, callee: callee.String(), node: response.Node, timings: response.Timings, took: time.Since(began), err: err,
		}, response.Trailers[traceKey])
	}
	if err != nil {
		err = c.explain(ctx, err, call, "function "+binding.GetFunction())
	}
	c.metrics.functions.count(err)
	return response.Message, err
}

// callFunction makes a call of a function and tells which revision was called.
func (c *Caller) callFunction(ctx context.Context, call executor.OutgoingCall, function string, md map[string][]string) (
	response router.Response, callee executor.Key, err error,
) {
	target := router.Target{Namespace: call.From.Namespace, Service: call.Service, Function: function}
	destination, err := c.config.Router.Route(ctx, target)
	if err != nil {
		return router.Response{}, executor.Key{Namespace: call.From.Namespace, Function: function}, err
	}
	response, err = c.config.Router.Call(ctx, executor.Request{
		Key: destination.Key, Service: call.Service, Method: call.Method, Message: call.Message, Metadata: md,
		CallID: call.CallID + "." + strconv.FormatUint(c.calls.Add(1), 36),
	})
	return response, destination.Key, err
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
