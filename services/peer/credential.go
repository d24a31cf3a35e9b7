package peer

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// credential hands gRPC connections that are authenticated already.
type credential struct{}

var _ credentials.TransportCredentials = credential{}

// identity is who is at the other end.
type identity struct {
	credentials.CommonAuthInfo
	node string
}

// AuthType implements credentials.AuthInfo.
func (identity) AuthType() string { return "weft" }

func secured(node string) identity {
	return identity{credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}, node}
}

// ClientHandshake implements credentials.TransportCredentials.
func (credential) ClientHandshake(_ context.Context, node string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, secured(node), nil
}

// ServerHandshake implements credentials.TransportCredentials.
func (credential) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	from := ""
	if c, ok := conn.(*incoming); ok {
		from = c.node
	}
	return conn, secured(from), nil
}

// Info implements credentials.TransportCredentials.
func (credential) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials.
func (c credential) Clone() credentials.TransportCredentials { return c }

// OverrideServerName implements credentials.TransportCredentials.
func (credential) OverrideServerName(string) error { return nil }

// From gives the ID of the node that makes a call; "" if the call did not come through Peers.
func From(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		if id, ok := p.AuthInfo.(identity); ok {
			return id.node
		}
	}
	return ""
}

// incoming is a connection that a peer opened.
type incoming struct {
	net.Conn
	node string
}

// listener gives the gRPC server the connections that the port hands over.
type listener struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newListener() *listener {
	return &listener{accepted: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *listener) take(conn net.Conn, node string) {
	select {
	case l.accepted <- &incoming{conn, node}:
	case <-l.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }
