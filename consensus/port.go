package consensus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
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
	barred   func(node, protocol string) bool // which nodes get nothing; it is called without mu
	log      *slog.Logger
	refusals throttle

	slots chan struct{} // one per handshake
	wait  sync.WaitGroup

	mu       sync.Mutex
	handlers map[string]Handler                  // guarded by mu; each owns the connection that it gets
	shaking  map[net.Conn]struct{}               // guarded by mu; nil once the port is closed
	members  map[string]map[*memberConn]struct{} // guarded by mu; open connections with other nodes, by node
}

func bind(address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "tcp", address)
}

// newPort serves a listener, which it closes. Barred says which nodes get nothing.
func newPort(listener net.Listener, k *keys, barred func(node, protocol string) bool, log *slog.Logger) *port {
	p := &port{
		listener: listener, keys: k, barred: barred, log: log, refusals: throttle{every: 10 * time.Second},
		slots: make(chan struct{}, maxHandshakes), handlers: make(map[string]Handler), shaking: make(map[net.Conn]struct{}),
		members: make(map[string]map[*memberConn]struct{}),
	}
	p.wait.Add(1)
	go p.accept()
	return p
}

// handle sets who gets the connections of a protocol; nil for nobody.
func (p *port) handle(protocol string, handler Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if handler == nil {
		delete(p.handlers, protocol)
		return
	}
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
	handler, conn, id := p.welcome(raw)
	<-p.slots // a handler may take its time
	if handler == nil {
		_ = raw.Close()
		return
	}
	handler(conn, id)
}

// welcome does the handshake; the handler is nil if the other side gets nothing.
func (p *port) welcome(raw net.Conn) (Handler, net.Conn, string) {
	if !p.track(raw) {
		return nil, nil, ""
	}
	conn := tls.Server(raw, &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: p.choose})
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	defer cancel()
	err := conn.HandshakeContext(ctx)
	state := conn.ConnectionState()
	handler := p.untrack(raw, state.NegotiatedProtocol)
	if err != nil || handler == nil {
		p.refuse(raw, err)
		return nil, nil, ""
	}
	if state.NegotiatedProtocol == JoinProtocol {
		return handler, conn, ""
	}
	id, err := p.keys.member(state.PeerCertificates[0]) // the handshake has verified it
	if err != nil {
		return nil, nil, ""
	}
	member := p.enter(conn, id, state.NegotiatedProtocol)
	if member == nil {
		return nil, nil, ""
	}
	return handler, member, id
}

// choose gives the TLS configuration for a client: that for strangers if it asks for nothing but to join.
func (p *port) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if slices.Equal(hello.SupportedProtos, []string{JoinProtocol}) {
		return p.keys.lobby(), nil
	}
	p.mu.Lock()
	protocols := []string{raftProtocol} // there is always one: without any, TLS would agree on none
	for protocol := range p.handlers {
		if protocol != JoinProtocol && protocol != raftProtocol {
			protocols = append(protocols, protocol)
		}
	}
	p.mu.Unlock()
	return p.keys.server(protocols, p.admissible), nil
}

// admissible returns an error for a node that gets nothing.
func (p *port) admissible(id, protocol string) error {
	if p.barred(id, protocol) {
		return fmt.Errorf("%w: node %s", ErrRemoved, id)
	}
	return nil
}

// refuse tells of a connection that got nothing. A member of another cluster is worth a warning, a removed node too;
// but whoever can reach the port could fill the log with them.
func (p *port) refuse(raw net.Conn, err error) {
	var reason string
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	op, _ := errors.AsType[*net.OpError](err)
	switch {
	case unknown:
		reason = "cluster port: a node of another cluster was refused; check its --join and its data directory"
	case errors.Is(err, ErrRemoved):
		reason = "cluster port: a node that was removed from this cluster was refused"
	case op != nil && op.Op == "remote error": // it has sent an alert
		reason = "cluster port: somebody does not take this node for one of theirs; they may belong to another cluster, or have a token of another one"
	default:
		p.log.Debug("cluster port: connection refused", "peer", raw.RemoteAddr(), "error", err)
		return
	}
	if skipped, ok := p.refusals.pass(time.Now()); ok {
		p.log.Warn(reason, "peer", raw.RemoteAddr(), "error", err, "more", skipped)
	}
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

func (p *port) untrack(conn net.Conn, protocol string) Handler {
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

// dial opens a connection to a cluster port and makes sure that a node of this cluster is there.
func (p *port) dial(ctx context.Context, protocol, address string) (net.Conn, error) {
	conn, _, err := p.connect(ctx, protocol, address, func(id string) error { return p.admissible(id, protocol) })
	return conn, err
}

// dialMember opens a connection to the cluster port of a node and makes sure that it is that node.
func (p *port) dialMember(ctx context.Context, protocol, address, node string) (net.Conn, error) {
	conn, _, err := p.connect(ctx, protocol, address, func(id string) error {
		if id != node {
			return fmt.Errorf("consensus: node %s is there now", id)
		}
		return p.admissible(id, protocol)
	})
	return conn, err
}

func (p *port) connect(ctx context.Context, protocol, address string, check func(id string) error) (net.Conn, string, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	dialer := &tls.Dialer{Config: p.keys.client(protocol, check)}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
			err = fmt.Errorf("%w: the node at %s has another authority: %w", ErrOtherCluster, address, err)
		}
		return nil, "", err
	}
	conn, ok := raw.(*tls.Conn)
	if !ok || conn.ConnectionState().NegotiatedProtocol != protocol {
		return nil, "", errors.Join(fmt.Errorf("consensus: %s does not speak %s", address, protocol), raw.Close())
	}
	id, err := p.keys.member(conn.ConnectionState().PeerCertificates[0])
	if err != nil {
		return nil, "", errors.Join(err, raw.Close())
	}
	member := p.enter(conn, id, protocol)
	if member == nil {
		return nil, "", errors.Join(p.admissible(id, protocol), net.ErrClosed)
	}
	return member, id, nil
}

// memberConn is an open connection with another node, which ends when the node is removed.
type memberConn struct {
	net.Conn
	port           *port
	node, protocol string
}

// enter keeps track of a connection. It returns nil, and closes the connection, if the node was removed meanwhile.
func (p *port) enter(conn net.Conn, node, protocol string) *memberConn {
	c := &memberConn{Conn: conn, port: p, node: node, protocol: protocol}
	p.mu.Lock()
	if p.members[node] == nil {
		p.members[node] = make(map[*memberConn]struct{})
	}
	p.members[node][c] = struct{}{}
	p.mu.Unlock()
	// Only now: whoever learns of the removal after this finds the connection among the members.
	if p.barred(node, protocol) {
		_ = c.Close()
		return nil
	}
	return c
}

// Close implements net.Conn.
func (c *memberConn) Close() error {
	p := c.port
	p.mu.Lock()
	delete(p.members[c.node], c)
	if len(p.members[c.node]) == 0 {
		delete(p.members, c.node)
	}
	p.mu.Unlock()
	return c.Conn.Close()
}

// expel closes the connections of nodes that are removed.
func (p *port) expel() {
	p.mu.Lock()
	var open []*memberConn
	for _, conns := range p.members {
		open = slices.AppendSeq(open, maps.Keys(conns))
	}
	p.mu.Unlock()
	for _, c := range open {
		if p.barred(c.node, c.protocol) {
			_ = c.Close()
		}
	}
}

// throttle lets one of many through at a time.
type throttle struct {
	every time.Duration

	mu      sync.Mutex
	next    time.Time // guarded by mu
	skipped int       // guarded by mu
}

// pass tells whether it is time for the next one, and how many were skipped before it.
func (t *throttle) pass(now time.Time) (skipped int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.next) {
		t.skipped++
		return 0, false
	}
	skipped, t.skipped, t.next = t.skipped, 0, now.Add(t.every)
	return skipped, true
}

// Handle sets who gets the connections of a protocol that other nodes open; nil for nobody. The handler may take its
// time, but Close waits for it.
func (n *Node) Handle(protocol string, handler Handler) { n.port.handle(protocol, handler) }

// Dial opens a connection to a node, wherever it is now, and makes sure that it is that node. ErrUnreachable if that
// fails; ErrRemoved as well if the node was removed.
func (n *Node) Dial(ctx context.Context, protocol, node string) (net.Conn, error) {
	address, ok := n.book.address(node)
	if !ok {
		return nil, fmt.Errorf("%w: node %s: nobody has said yet where it is", ErrUnreachable, node)
	}
	to := address.Cluster
	if node == n.identity.ID {
		to = dialable(n.port.listener.Addr())
	}
	conn, err := n.port.dialMember(ctx, protocol, to, node)
	if err != nil {
		return nil, fmt.Errorf("%w: node %s at %s: %w", ErrUnreachable, node, to, err)
	}
	return conn, nil
}

// DialAddress opens a connection to whichever node of this cluster is at an address, and returns its ID. ErrUnreachable if
// that fails; ErrOtherCluster as well if the node there is not of this cluster.
func (n *Node) DialAddress(ctx context.Context, protocol, address string) (net.Conn, string, error) {
	conn, id, err := n.port.connect(ctx, protocol, address, func(id string) error { return n.port.admissible(id, protocol) })
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s: %w", ErrUnreachable, address, err)
	}
	return conn, id, nil
}
