package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // both ways, for all services

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/lean"
	"github.com/weft-run/weft/services/router"
)

// Caller runs calls, on this node or another; *router.Router is one.
type Caller interface {
	Call(context.Context, executor.Request) (router.Response, error)
	// Start is Call for calls of what Router.Here gave, and for which no goroutine waits: router.Router.Start.
	Start(context.Context, executor.Request, executor.Recipient) executor.Started
}

// Router finds out who answers; *router.Router is one.
type Router interface {
	Route(context.Context, router.Target) (*router.Destination, error)
	// Here gives who is to answer if that is ready on this node. It does not wait.
	Here(router.Target) (*router.Destination, bool)
	Ready(router.Target) (bool, error)
}

// Catalog gives the current state of the catalog; *catalog.Catalog is one.
type Catalog interface {
	View() *catalog.View
}

// Config configures a Gateway.
type Config struct {
	Caller  Caller
	Router  Router
	Catalog Catalog
	// Placed gives a channel that is closed when what is ready on this node has changed since; Elsewhere one that is closed
	// when what is ready on others may have. Nil: it never changes.
	Placed, Elsewhere func() <-chan struct{}

	// Node is the name that answers carry in weft-node where the Caller names no other. Empty: they carry none.
	Node string
	// HideTraps keeps what is known of a trap out of the caller's status; the function's log has it.
	HideTraps bool
	// Logger is told of faults, and of each call at level debug. Nil: slog.Default.
	Logger *slog.Logger
	// Registerer is given the metrics. Nil: they are not exported.
	Registerer prometheus.Registerer

	// Connections bounds the open connections; more are closed at once. Default: 8192, or half of the files that the process may have
	// open if that is less.
	Connections int
	// Streams bounds the calls of one connection at once, as HTTP/2 lets a server say. Default: 1000.
	Streams uint32
	// Calls bounds the calls of functions at once in all connections, from when their requests are here, and as well those whose requests are
	// still to come; more are refused. Default: 16384.
	Calls int
	// Memory bounds the bytes of messages over 4 KiB that are being received, worked on, or waiting for their caller to
	// read them. Half of it is for one connection at most. Half as much again is for requests that nobody has begun to read. Default: 256 MiB.
	Memory int64
	// Handshake is how long a new connection may take to say that it speaks HTTP/2. Default: 20 s.
	Handshake time.Duration
	// Receive is how long a request may take to arrive. Default: 1 minute.
	Receive time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Connections <= 0 {
		c.Connections = maxConnections()
	}
	if c.Streams == 0 {
		c.Streams = 1000
	}
	if c.Calls <= 0 {
		c.Calls = 16384
	}
	if c.Memory <= 0 {
		c.Memory = 256 << 20
	}
	if c.Handshake <= 0 {
		c.Handshake = 20 * time.Second
	}
	if c.Receive <= 0 {
		c.Receive = time.Minute
	}
	return c
}

// Gateway serves gRPC. Its methods are safe for concurrent use.
type Gateway struct {
	config  Config
	lean    *lean.Server // of the connections
	server  *grpc.Server // of what lean leaves to it
	others  *others
	metrics *metrics
	memory  *memory
	schemas *schemas
	ids     ids

	serving     atomic.Bool
	accepted    sync.WaitGroup
	connections atomic.Int64
	calls       atomic.Int64
	receiving   atomic.Int64 // requests that are on their way

	own   map[string]*grpc.ServiceDesc // weft's own services; not changed after Serve
	life  context.Context              //nolint:containedctx // done when Drain begins, whatever calls do
	drain context.CancelFunc
}

// New returns a gateway that serves weft's health and reflection services, and every function of the catalog.
func New(config Config) (*Gateway, error) {
	if config.Caller == nil || config.Router == nil || config.Catalog == nil {
		return nil, errors.New("gateway: Config needs a Caller, a Router and a Catalog")
	}
	g := &Gateway{config: config.withDefaults(), ids: newIDs(), own: map[string]*grpc.ServiceDesc{}}
	g.life, g.drain = context.WithCancel(context.Background())
	g.memory = newMemory(g.config.Memory)
	g.schemas = newSchemas(g.config.Catalog)
	g.metrics = newMetrics(g)
	if r := g.config.Registerer; r != nil {
		if err := r.Register(g.metrics); err != nil {
			return nil, err
		}
	}
	g.others = newOthers()
	g.lean = g.newLean()
	g.server = grpc.NewServer(g.options()...)
	g.registerHealth()
	g.registerReflection()
	return g, nil
}

const (
	// headerList bounds the headers of a request, in bytes as HTTP/2 counts them.
	headerList = 16 << 10
	// A client that is silent for a minute is asked for a sign of life, and closed if it gives none in 20 s.
	idle, alive = time.Minute, 20 * time.Second
	// A client may ask for a sign of life every ten seconds, also without calls; one that asks more often is sent away. There
	// is no maximal age: a connection lives as long as its client wants.
	pingInterval = 10 * time.Second
)

// options sets grpc-go up as measured (DESIGN, "grpc-go, measured").
func (g *Gateway) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.UnknownServiceHandler(g.handle),
		grpc.ForceServerCodecV2(codec{}),
		grpc.InTapHandle(keepMetadata),
		// Workers keep their grown stacks: half the cost of a call. When all are busy, a call gets a goroutine.
		grpc.NumStreamWorkers(64),
		grpc.WaitForHandlers(true),

		// For weft's own services. Nothing is received by grpc-go's own hand: it would take in all of a message before anybody counts it.
		grpc.MaxSendMsgSize(64 << 20),

		grpc.MaxConcurrentStreams(g.config.Streams),
		grpc.MaxHeaderListSize(headerList),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connectionWindow),
	}
}

// RegisterService adds a service of weft's own. It must be called before Serve. Streams that the server feeds (logs,
// watches) have their context canceled when the gateway drains.
func (g *Gateway) RegisterService(desc *grpc.ServiceDesc, impl any) {
	g.register(desc, impl, ownMessage)
}

// register adds a service of weft's own, whose requests are up to so many bytes.
func (g *Gateway) register(desc *grpc.ServiceDesc, impl any, limit int64) {
	wrapped := *desc
	wrapped.Methods, wrapped.Streams = nil, slices.Clone(desc.Streams)
	for _, m := range desc.Methods {
		wrapped.Streams = append(wrapped.Streams, unary(m))
	}
	for i, s := range wrapped.Streams {
		wrapped.Streams[i].Handler = g.stream("/"+desc.ServiceName+"/"+s.StreamName, s, limit)
	}
	g.own[desc.ServiceName] = desc
	g.server.RegisterService(&wrapped, impl)
}

var _ grpc.ServiceRegistrar = (*Gateway)(nil)

// Serve accepts connections until Drain or Stop, and then returns nil. It closes the listener.
func (g *Gateway) Serve(listener net.Listener) error {
	l := &gate{Listener: listener, gateway: g}
	g.serving.Store(true)
	served := make(chan error, 1)
	go func() { served <- g.server.Serve(g.others) }()
	defer context.AfterFunc(g.life, func() { _ = listener.Close() })() // It may be closed already.
	err := g.serve(l)
	_ = listener.Close() // as before
	g.accepted.Wait()
	g.server.Stop() // Nobody is left who could send it anything.
	others := <-served
	if g.Draining() {
		err = nil
		if errors.Is(others, grpc.ErrServerStopped) {
			others = nil // It was told to stop before it had begun.
		}
	}
	return errors.Join(err, others)
}

// Draining tells whether the gateway is about to stop.
func (g *Gateway) Draining() bool { return g.life.Err() != nil }

// Healthy says why the gateway does not serve; nil if it does.
func (g *Gateway) Healthy() error {
	switch {
	case g.Draining():
		return errors.New("the node is about to stop")
	case !g.serving.Load():
		return errors.New("the node is starting")
	}
	return nil
}

// Drain takes no new connections, tells clients to go elsewhere (health says NOT_SERVING, connections get GOAWAY), ends
// watches, and returns once all calls have ended. When ctx is done before that, the rest is cut off: the error is
// ctx's.
func (g *Gateway) Drain(ctx context.Context) error {
	g.drain()
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.lean.Drain()
		g.server.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		g.Stop()
		<-done
		return ctx.Err()
	}
}

// Stop cuts off all calls and returns when their handlers have ended.
func (g *Gateway) Stop() {
	g.drain()
	g.lean.Stop()
	g.server.Stop()
}

// Forget drops the metrics of a function that was deleted or is not called any more.
func (g *Gateway) Forget(namespace, function string) { g.metrics.forget(namespace, function) }
