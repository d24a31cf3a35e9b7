package consensus

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// raftProtocol is what raft's connections say in ALPN.
const raftProtocol = "weft-raft"

const (
	handshakeTimeout = 10 * time.Second
	maxHandshakes    = 128 // at once; more connections than that are dropped
)

// port is the node's cluster port: one listener, mutual TLS, and a handler per ALPN protocol. It outlives the raft
// sessions that come and go behind it.
type port struct {
	listener net.Listener
	keys     *keys
	log      *slog.Logger
	config   *tls.Config

	slots chan struct{} // one per handshake
	wait  sync.WaitGroup

	mu       sync.Mutex
	handlers map[string]func(net.Conn) // guarded by mu; each owns the connection that it gets
	shaking  map[net.Conn]struct{}     // guarded by mu; nil once the port is closed
}

func listen(address string, k *keys, log *slog.Logger) (*port, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	p := &port{
		listener: listener, keys: k, log: log, config: k.server(raftProtocol),
		slots: make(chan struct{}, maxHandshakes), handlers: make(map[string]func(net.Conn)), shaking: make(map[net.Conn]struct{}),
	}
	p.wait.Add(1)
	go p.accept()
	return p, nil
}

// handle sets who gets the connections of a protocol; nil for nobody.
func (p *port) handle(protocol string, handler func(net.Conn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[protocol] = handler
}

func (p *port) accept() {
	defer p.wait.Done()
	for pause := time.Duration(0); ; {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, most likely
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			p.log.Error("cluster port: accept", "error", err, "pause", pause)
			time.Sleep(pause)
			continue
		}
		pause = 0
		select {
		case p.slots <- struct{}{}:
			p.wait.Add(1)
			go p.shake(conn)
		default:
			_ = conn.Close()
		}
	}
}

// shake proves who the other side is and hands the connection on.
func (p *port) shake(raw net.Conn) {
	defer p.wait.Done()
	defer func() { <-p.slots }()
	if !p.track(raw) {
		_ = raw.Close()
		return
	}
	conn := tls.Server(raw, p.config)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	defer cancel()
	err := conn.HandshakeContext(ctx)
	handler := p.untrack(raw, conn.ConnectionState().NegotiatedProtocol)
	if err != nil || handler == nil {
		p.log.Debug("cluster port: connection refused", "peer", raw.RemoteAddr(), "error", err)
		_ = raw.Close()
		return
	}
	handler(conn)
}

func (p *port) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shaking == nil {
		return false
	}
	p.shaking[conn] = struct{}{}
	return true
}

func (p *port) untrack(conn net.Conn, protocol string) func(net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.shaking, conn)
	return p.handlers[protocol]
}

// close stops listening and ends the handshakes that are under way. Connections that were handed on belong to their
// handlers.
func (p *port) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	for conn := range p.shaking {
		_ = conn.Close()
	}
	p.shaking = nil
	clear(p.handlers)
	p.mu.Unlock()
	p.wait.Wait()
	return err
}

// dial opens a connection to a peer's cluster port.
func (p *port) dial(ctx context.Context, protocol, address string) (net.Conn, error) {
	dialer := &tls.Dialer{Config: p.keys.client(protocol)}
	return dialer.DialContext(ctx, "tcp", address)
}
