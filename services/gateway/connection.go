package gateway

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"

	"google.golang.org/grpc/peer"
)

// gate accepts connections, and bounds how many are open.
type gate struct {
	net.Listener
	gateway *Gateway
}

func (l *gate) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g := l.gateway
		if g.connections.Add(1) <= int64(g.config.Connections) {
			return &connection{Conn: accepted, gateway: g, origin: &origin{Addr: accepted.RemoteAddr()}}, nil
		}
		g.connections.Add(-1)
		g.metrics.refusedConnections.Inc()
		_ = accepted.Close() // Nothing was sent on it.
	}
}

// connection is an accepted connection. What its calls hold of the node's memory is given back when it closes,
// because grpc-go then drops what it had not sent yet.
type connection struct {
	net.Conn
	gateway *Gateway
	origin  *origin
	once    sync.Once
}

// RemoteAddr gives the origin, which so comes with the context of each call.
func (c *connection) RemoteAddr() net.Addr { return c.origin }

func (c *connection) Close() error {
	c.once.Do(func() {
		c.gateway.connections.Add(-1)
		c.gateway.memory.forget(c.origin)
	})
	return c.Conn.Close()
}

// SyscallConn implements syscall.Conn.
func (c *connection) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// origin is where a call comes from: the address of a connection, with what its calls hold.
type origin struct {
	net.Addr

	held   int64 // guarded by memory.mu
	closed bool  // guarded by memory.mu
}

// originOf gives the origin of a call. A call that did not come through a gate has one of its own.
func originOf(ctx context.Context) *origin {
	if p, ok := peer.FromContext(ctx); ok {
		if o, ok := p.Addr.(*origin); ok {
			return o
		}
	}
	return new(origin)
}

func (o *origin) text() string {
	if o.Addr == nil {
		return ""
	}
	return o.String()
}
