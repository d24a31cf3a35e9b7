package consensus

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

var _ raft.StreamLayer = (*stream)(nil)

// stream gives raft's transport the connections of its protocol on the cluster port. Closing it ends them all and
// leaves the port open for the next session.
type stream struct {
	port      *port
	advertise string

	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once

	mu    sync.Mutex
	conns map[*streamConn]struct{} // guarded by mu
}

func newStream(p *port, advertise string) *stream {
	s := &stream{
		port: p, advertise: advertise, accepted: make(chan net.Conn), closed: make(chan struct{}),
		conns: make(map[*streamConn]struct{}),
	}
	p.handle(raftProtocol, func(conn net.Conn, _ string) { s.take(conn) })
	return s
}

func (s *stream) take(conn net.Conn) {
	select {
	case s.accepted <- s.track(conn):
	case <-s.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (s *stream) Accept() (net.Conn, error) {
	select {
	case conn := <-s.accepted:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *stream) Close() error {
	s.once.Do(func() {
		s.port.handle(raftProtocol, nil)
		close(s.closed)
		s.mu.Lock()
		defer s.mu.Unlock()
		for conn := range s.conns {
			_ = conn.Conn.Close()
		}
	})
	return nil
}

// Addr implements net.Listener with the address that peers should use.
func (s *stream) Addr() net.Addr { return peerAddr(s.advertise) }

// Dial implements raft.StreamLayer.
func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	go func() { // ends with ctx, at the latest when Dial returns
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := s.port.dial(ctx, raftProtocol, string(address))
	if err != nil {
		return nil, err
	}
	return s.track(conn), nil
}

func (s *stream) track(conn net.Conn) *streamConn {
	c := &streamConn{Conn: conn, stream: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	select {
	case <-s.closed: // Close has been through the set already
		_ = conn.Close()
	default:
	}
	return c
}

// streamConn takes itself out of the set of open connections.
type streamConn struct {
	net.Conn
	stream *stream
}

func (c *streamConn) Close() error {
	c.stream.mu.Lock()
	delete(c.stream.conns, c)
	c.stream.mu.Unlock()
	return c.Conn.Close()
}

// peerAddr is HOST:PORT as peers should dial it.
type peerAddr string

func (peerAddr) Network() string  { return "tcp" }
func (a peerAddr) String() string { return string(a) }
