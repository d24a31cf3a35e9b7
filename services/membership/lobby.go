package membership

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/failure"
)

// What clients without a certificate may take.
const (
	maxGuests      = 64 // connections at once
	maxJoinMessage = 64 << 10
	joinTimeout    = 15 * time.Second // of one request
	guestIdle      = 10 * time.Second
	guestLife      = time.Minute
)

// lobby serves the join endpoint.
type lobby struct {
	clusterv1.UnimplementedJoinServiceServer

	service  *Service
	server   *grpc.Server
	accepted chan net.Conn
	slots    chan struct{} // one per connection
	closed   chan struct{}
	once     sync.Once
	serving  sync.WaitGroup
}

func newLobby(s *Service) *lobby {
	l := &lobby{
		service: s, accepted: make(chan net.Conn), slots: make(chan struct{}, maxGuests), closed: make(chan struct{}),
		server: grpc.NewServer(
			grpc.MaxRecvMsgSize(maxJoinMessage), grpc.MaxConcurrentStreams(4), grpc.MaxHeaderListSize(8<<10),
			grpc.ConnectionTimeout(guestIdle), grpc.UnaryInterceptor(limited),
			grpc.KeepaliveParams(keepalive.ServerParameters{
				MaxConnectionIdle: guestIdle, MaxConnectionAge: guestLife, MaxConnectionAgeGrace: joinTimeout,
			}),
		),
	}
	clusterv1.RegisterJoinServiceServer(l.server, l)
	return l
}

// limited gives every request a deadline, whatever the client says.
func limited(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	return handler(ctx, request)
}

func (l *lobby) start() {
	l.serving.Go(func() {
		if err := l.server.Serve(l); err != nil {
			l.service.config.Logger.Error("nodes can't join here any more", "error", err)
		}
	})
}

func (l *lobby) close() {
	l.server.Stop()
	_ = l.Close()
	l.serving.Wait()
}

// take is the handler of the protocol.
func (l *lobby) take(conn net.Conn, _ string) {
	select {
	case l.slots <- struct{}{}:
	default:
		_ = conn.Close()
		return
	}
	g := &guest{Conn: conn, frames: newFrames(), leave: sync.OnceFunc(func() { <-l.slots })}
	select {
	case l.accepted <- g:
	case <-l.closed:
		_ = g.Close()
	}
}

// guest is a connection that counts while it is open.
type guest struct {
	net.Conn
	frames frames // only the one who reads uses it
	leave  func()
}

// Read implements net.Conn. It ends with a client that has gone too far.
func (g *guest) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if far := g.frames.follow(p[:n]); far != nil {
		return 0, far
	}
	return n, err
}

// Close implements net.Conn.
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

// Accept implements net.Listener.
func (l *lobby) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *lobby) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *lobby) Addr() net.Addr { return &net.TCPAddr{} }

// Join implements clusterv1.JoinService.
func (l *lobby) Join(ctx context.Context, r *clusterv1.JoinRequest) (*clusterv1.JoinResponse, error) {
	if l.service.config.Node.Certifies() {
		return l.service.admit(ctx, r)
	}
	return l.service.forward(ctx, r)
}

// Standing implements clusterv1.JoinService.
func (l *lobby) Standing(_ context.Context, r *clusterv1.StandingRequest) (*clusterv1.StandingResponse, error) {
	if len(r.GetId()) > maxSecret {
		return nil, failure.New(codes.InvalidArgument, failure.InvalidRequest, "this is no ID of a node")
	}
	return &clusterv1.StandingResponse{Removed: l.service.config.Node.Catalog().View().Removed(r.GetId())}, nil
}

// bucket bounds how often something may happen: burst times at once, then once in every.
type bucket struct {
	burst int
	every time.Duration

	mu   sync.Mutex
	full time.Time // guarded by mu; when all that was taken will be back
}

// take takes one, if there is one.
func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := b.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(b.every)
	if full.Sub(now) > time.Duration(b.burst)*b.every {
		return false
	}
	b.full = full
	return true
}
