package consensus

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

var (
	_ raft.StreamLayer           = (*stream)(nil)
	_ raft.ServerAddressProvider = (*stream)(nil)
)

// stream gives raft's transport the connections of its protocol on the cluster port. Closing it ends them all and
// leaves the port open for the next session.
//
// To raft the address of a node is its ID: where the node is now, the address book knows. So raft's configuration never
// changes because somebody moved, and no two servers in it can have one address.
type stream struct {
	node *Node

	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once

	mu    sync.Mutex
	conns map[*streamConn]struct{} // guarded by mu
}

func newStream(n *Node) *stream {
	s := &stream{
		node: n, accepted: make(chan net.Conn), closed: make(chan struct{}),
		conns: make(map[*streamConn]struct{}),
	}
	n.Handle(raftProtocol, s.take)
	return s
}

func (s *stream) take(conn net.Conn, _ string) {
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
		s.node.Handle(raftProtocol, nil)
		close(s.closed)
		s.mu.Lock()
		defer s.mu.Unlock()
		for conn := range s.conns {
			_ = conn.Conn.Close()
		}
	})
	return nil
}

// Addr implements net.Listener with the node's ID.
func (s *stream) Addr() net.Addr { return nodeAddr(s.node.identity.ID) }

// ServerAddr implements raft.ServerAddressProvider, for configurations in which addresses are no IDs yet.
func (s *stream) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	return raft.ServerAddress(id), nil
}

// Dial implements raft.StreamLayer.
func (s *stream) Dial(id raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	go func() { // ends with ctx, at the latest when Dial returns
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := s.node.Dial(ctx, raftProtocol, string(id))
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

// nodeAddr is the ID of a node.
type nodeAddr string

func (nodeAddr) Network() string  { return "weft" }
func (a nodeAddr) String() string { return string(a) }
