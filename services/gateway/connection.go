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

// passes reports whether an error of Accept is about one connection, or about what the process or the machine will have again, and not about the
// listener: accept(2).
func passes(err error) bool {
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM, syscall.EINTR,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// maxConnections is the default of Config.Connections: 8192, or half of the files that the process may have open. The rest is for the log,
// components, and other nodes, which clients must not starve.
func maxConnections() int {
	const most = 8192
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return most
	}
	return int(min(most, max(limit.Cur/2, 1)))
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
