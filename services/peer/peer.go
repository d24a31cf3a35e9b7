package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"github.com/weft-run/weft/consensus"
)

// Protocol is what connections of this package say in ALPN.
const Protocol = "weft-node"

// Port is this node's cluster port; *consensus.Node is one. The connections that it gives and takes are authenticated.
type Port interface {
	// ID is this node's.
	ID() string
	// Handle sets who gets the connections of a protocol that peers open; nil for nobody.
	Handle(protocol string, handler consensus.Handler)
	// Dial opens a connection to a node, wherever it is now, and makes sure that it is that node.
	Dial(ctx context.Context, protocol, node string) (net.Conn, error)
}

// Config configures Peers.
type Config struct {
	Port Port
	// Logger is told of what goes wrong. Nil: slog.Default.
	Logger *slog.Logger
}

// Peers serves this node's services to other nodes, and reaches theirs. Its methods are safe for concurrent use.
type Peers struct {
	config   Config
	server   *grpc.Server
	listener *listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	conns  map[string]*grpc.ClientConn // guarded by mu; by node
	closed bool                        // guarded by mu
}

// What a node may ask of another.
const (
	maxMessage = 64 << 20 // bytes; a command is smaller, and what is larger comes in pieces
	maxBackoff = 2 * time.Second
)

// New makes Peers. Services are registered before Start; it must be closed.
func New(config Config) *Peers {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Peers{
		config: config, listener: newListener(), conns: map[string]*grpc.ClientConn{},
		server: grpc.NewServer(
			grpc.Creds(credential{}), grpc.MaxRecvMsgSize(maxMessage),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: 5 * time.Second, Timeout: 5 * time.Second}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		),
	}
}

// RegisterService implements grpc.ServiceRegistrar. It must be called before Start.
func (p *Peers) RegisterService(desc *grpc.ServiceDesc, impl any) {
	p.server.RegisterService(desc, impl)
}

// Start begins to serve other nodes.
func (p *Peers) Start() {
	p.serving.Go(func() {
		if err := p.server.Serve(p.listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			p.config.Logger.Error("peers can't be served any more", "error", err)
		}
	})
	p.config.Port.Handle(Protocol, p.listener.take)
}

// Close cuts off all calls, in both directions.
func (p *Peers) Close() {
	p.config.Port.Handle(Protocol, nil)
	p.mu.Lock()
	conns := p.conns
	p.conns, p.closed = map[string]*grpc.ClientConn{}, true
	p.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
	}
	p.server.Stop()
	_ = p.listener.Close()
	p.serving.Wait()
}

// Conn gives the connection to another node, for generated stubs. It is made when it is first used and made again when it
// breaks; whoever asks for it does not close it. Calls on it fail with UNAVAILABLE while the node can't be reached.
func (p *Peers) Conn(node string) (grpc.ClientConnInterface, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, consensus.ErrClosed
	}
	if conn := p.conns[node]; conn != nil {
		return conn, nil
	}
	conn, err := grpc.NewClient("passthrough:///"+node,
		grpc.WithTransportCredentials(credential{}),
		grpc.WithContextDialer(func(ctx context.Context, node string) (net.Conn, error) {
			return p.config.Port.Dial(ctx, Protocol, node)
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxBackoff},
			MinConnectTimeout: maxBackoff,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		grpc.WithDisableServiceConfig(),
	)
	if err != nil {
		return nil, fmt.Errorf("peer: node %s: %w", node, err)
	}
	p.conns[node] = conn
	return conn, nil
}

// Drop closes the connection to a node that left the cluster.
func (p *Peers) Drop(node string) {
	p.mu.Lock()
	conn := p.conns[node]
	delete(p.conns, node)
	p.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}
