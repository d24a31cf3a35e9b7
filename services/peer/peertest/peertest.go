// Package peertest connects nodes of a test without a cluster: the ports that package peer stands on, over loopback and
// without certificates.
package peertest

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/weft-run/weft/consensus"
)

// Network is some nodes that reach each other.
type Network struct {
	t testing.TB

	mu    sync.Mutex
	ports map[string]*Port // guarded by mu
}

// NewNetwork makes a network of no nodes. Its ports are closed at the end of the test.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	return &Network{t: t, ports: map[string]*Port{}}
}

// Port adds a node.
func (n *Network) Port(id string) *Port {
	n.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	p := &Port{network: n, id: id, listener: l, handlers: map[string]consensus.Handler{}, open: map[net.Conn]struct{}{}}
	n.mu.Lock()
	n.ports[id] = p
	n.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.accept()
	}()
	n.t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		<-done
	})
	return p
}

// Port is the cluster port of one node.
type Port struct {
	network  *Network
	id       string
	listener net.Listener

	mu       sync.Mutex
	handlers map[string]consensus.Handler // guarded by mu
	open     map[net.Conn]struct{}        // guarded by mu
	down     bool                         // guarded by mu
}

// ID is the node's.
func (p *Port) ID() string { return p.id }

// Handle sets who gets the connections of a protocol.
func (p *Port) Handle(protocol string, handler consensus.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[protocol] = handler
}

// Dial opens a connection to a node.
func (p *Port) Dial(ctx context.Context, protocol, node string) (net.Conn, error) {
	p.network.mu.Lock()
	to := p.network.ports[node]
	p.network.mu.Unlock()
	if to == nil {
		return nil, fmt.Errorf("%w: no node %s", consensus.ErrUnreachable, node)
	}
	to.mu.Lock()
	down := to.down
	to.mu.Unlock()
	if down {
		return nil, fmt.Errorf("%w: node %s is down", consensus.ErrUnreachable, node)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.listener.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", consensus.ErrUnreachable, err)
	}
	hello := fmt.Sprintf("%-64s%-32s", p.id, protocol)
	if _, err := io.WriteString(conn, hello); err != nil {
		return nil, fmt.Errorf("%w: %w", consensus.ErrUnreachable, err)
	}
	return conn, nil
}

// Cut closes all connections that peers have opened to this node.
func (p *Port) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
		delete(p.open, conn)
	}
}

// SetDown makes the node unreachable, or reachable again. Open connections stay; see Cut.
func (p *Port) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *Port) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		hello := make([]byte, 96)
		if _, err := io.ReadFull(conn, hello); err != nil {
			_ = conn.Close()
			continue
		}
		p.mu.Lock()
		handler := p.handlers[trim(hello[64:])]
		p.open[conn] = struct{}{}
		p.mu.Unlock()
		if handler == nil {
			_ = conn.Close()
			continue
		}
		go handler(conn, trim(hello[:64]))
	}
}

func trim(b []byte) string {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return string(b)
}
