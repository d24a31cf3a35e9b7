package gateway

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/lean"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/services/router"
)

// streamWindow is what a client may send on a stream before anybody reads, in bytes, and connectionWindow on a connection: 64
// KiB a stream, not growing with the line. Reading a message opens the window for all of it, so large messages still arrive
// at full speed.
const (
	streamWindow     = 64 << 10
	connectionWindow = 4 << 20
)

// Calls of functions are served by package lean, as far as they are plain; grpc-go gets all else.
func (g *Gateway) newLean() *lean.Server {
	return lean.New(lean.Config{
		Handler: plain{g},
		Other:   g.others.put,
		Context: func(nc net.Conn) context.Context {
			return peer.NewContext(context.Background(), &peer.Peer{Addr: nc.RemoteAddr()})
		},
		Small:            smallMessage,
		Streams:          int(g.config.Streams),
		HeaderList:       headerList,
		Window:           streamWindow,
		ConnectionWindow: connectionWindow,
		Unread:           g.config.Memory / 2,
		Handshake:        g.config.Handshake,
		Idle:             idle,
		Alive:            alive,
		PingInterval:     pingInterval,
	})
}

// others are the connections on which grpc-go serves what lean does not. It is a net.Listener.
type others struct {
	conns  chan net.Conn
	closed context.Context //nolint:containedctx // done when it is closed
	close  context.CancelFunc
}

func newOthers() *others {
	o := &others{conns: make(chan net.Conn)}
	o.closed, o.close = context.WithCancel(context.Background())
	return o
}

func (o *others) put(nc net.Conn) {
	select {
	case o.conns <- nc:
	case <-o.closed.Done():
		_ = nc.Close() // Nothing was sent on it.
	}
}

// Accept implements net.Listener.
func (o *others) Accept() (net.Conn, error) {
	select {
	case nc := <-o.conns:
		return nc, nil
	case <-o.closed.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (o *others) Close() error {
	o.close()
	return nil
}

// Addr implements net.Listener.
func (o *others) Addr() net.Addr { return &net.UnixAddr{Name: "weft", Net: "memory"} }

// plain answers plain calls of functions. It is a lean.Handler.
type plain struct{ gateway *Gateway }

// wanted is what a head asks for: it is worked out once for all calls with the same.
type wanted struct {
	target router.Target
	method string
	timed  bool
	quick  bool                   // it may go by Router.Start
	last   atomic.Pointer[series] // of the last call
}

// seriesOf gives the series of a destination. To find them by name is a hash of two strings, and most calls have those of the last one.
func (w *wanted) seriesOf(m *metrics, d *router.Destination) *series {
	key := functionName{d.Key.Namespace, d.Key.Function}
	if s := w.last.Load(); s != nil && s.function == key && !s.forgotten.Load() {
		return s
	}
	s := m.of(key.namespace, key.name)
	w.last.Store(s)
	return s
}

// Takes implements lean.Handler.
func (p plain) Takes(h *lean.Head) bool {
	c := call{gateway: p.gateway, path: h.Path}
	if !isPlain(first(h.Metadata, "content-type")) {
		return false
	}
	target, method, err := c.target(h.Metadata)
	if p.gateway.own[target.Service] != nil {
		return false
	}
	h.Note = &wanted{target: target, method: method, timed: c.timed,
		quick: err == nil && target.Revision == 0 && len(h.Metadata[outgoing.TraceKey]) == 0}
	return true
}

// Serve implements lean.Handler.
func (p plain) Serve(s *lean.Stream) {
	c := p.gateway.begin(s.Head().Path)
	var a reply
	var err error
	defer func() {
		if r := recover(); r != nil {
			err = c.panicked(r)
		}
		c.deliver(s, a, err)
	}()
	a, err = c.run(s, s, s.Head().Metadata)
}

// deliver ends a call that a stream made.
func (c *call) deliver(s *lean.Stream, a reply, err error) {
	c.ended(s, err)
	if err != nil {
		s.Fail(status.Convert(err), c.failureTrailers())
		return
	}
	s.Answer(a.header.encoded(s.Head()), a.message, a.trailer)
}

// quick is a call that nobody waits for.
type quick struct {
	call
	stream *lean.Stream
	wanted *wanted
}

// Start implements lean.Handler. A call of a function that is ready on this node needs no goroutine of its own.
func (p plain) Start(s *lean.Stream, message []byte) (taken bool) {
	g := p.gateway
	w := s.Head().Note.(*wanted) //nolint:forcetypeassert // Takes put it there
	if !w.quick || g.calls.Load() >= int64(g.config.Calls) {
		return false
	}
	destination, ready := g.config.Router.Here(w.target)
	if !ready || int64(len(message)) > destination.Message {
		return false
	}
	g.calls.Add(1)
	q := &quick{stream: s, wanted: w, call: call{
		gateway: g, counted: true, started: time.Now(), path: s.Head().Path, id: g.ids.next(), timed: w.timed, destination: destination,
		series: w.seriesOf(g.metrics, destination), received: len(message),
	}}
	defer func() {
		if r := recover(); r != nil {
			q.deliver(s, reply{}, q.panicked(r))
			taken = true
		}
	}()
	started := g.config.Caller.Start(s, executor.Request{
		Key: destination.Key, Service: w.target.Service, Method: w.method, Message: message,
		Metadata: withoutCallers(s.Head().Metadata), CallID: q.id, Entered: q.started,
	}, q)
	if started == nil {
		g.calls.Add(-1)
		return false
	}
	s.Runs(started)
	return true
}

// Answer implements executor.Recipient.
func (q *quick) Answer(response executor.Response, err error) {
	defer func() {
		if r := recover(); r != nil {
			q.deliver(q.stream, reply{}, q.panicked(r))
		}
	}()
	a, err := q.result(q.stream, router.Response{Response: response}, err, q.wanted.target, q.wanted.method)
	q.deliver(q.stream, a, err)
}

// serve accepts connections until the listener is closed.
func (g *Gateway) serve(listener net.Listener) error {
	for pause := time.Duration(0); ; {
		nc, err := listener.Accept()
		switch {
		case err == nil:
			pause = 0
			g.take(nc)
		case errors.Is(err, net.ErrClosed):
			return nil
		case passes(err):
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			g.config.Logger.Error("gRPC port: accept", "error", err, "pause", pause)
			select {
			case <-time.After(pause):
			case <-g.life.Done():
			}
		default:
			return err
		}
	}
}
