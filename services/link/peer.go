package link

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// peer is another node: the connections to it and from it.
type peer struct {
	link *Link
	node string

	requests, responses, sending share        // of the link's memories
	answerers                    atomic.Int32 // connections that the peer has opened

	callers atomic.Pointer[[]*caller] // those that take calls; changed with mu held

	mu      sync.Mutex
	dialing *dialing      // guarded by mu; nil if nobody dials
	pause   time.Duration // guarded by mu; after the last failure
	resume  time.Time     // guarded by mu; until then calls fail at once
	failure error         // guarded by mu; the last
	dropped bool          // guarded by mu; the node left the cluster
}

// dialing is a connection that is about to be opened.
type dialing struct {
	done chan struct{} // closed when it is open or has failed
	err  error         // valid then
}

// The pause after a connection could not be opened; it doubles with each failure.
const (
	firstPause = 25 * time.Millisecond
	lastPause  = time.Second
)

// crowded is how many calls a connection has before another is used. Up to there, it is better that the frames of many calls
// share writes and reads.
const crowded = 128

// maxAttempts is how many connections a call may be offered to.
const maxAttempts = 3

// call runs a call on some connection.
func (p *peer) call(ctx context.Context, r *Request) (Response, error) {
	var err error
	for range maxAttempts {
		var c *caller
		if c, err = p.connection(ctx, len(r.Message) > maxPayload); err != nil {
			return Response{}, &NotStartedError{Node: p.node, Err: err}
		}
		var response Response
		if response, err = c.call(ctx, r); err != errNoStream { //nolint:errorlint // it is never wrapped
			return response, err
		}
		select {
		case <-c.done:
			p.remove(c) // It has failed just now.
		default:
		}
	}
	return Response{}, &NotStartedError{Node: p.node, Err: errBusy}
}

// connection gives a connection for a call. It waits for one that is being opened only if there is no other.
func (p *peer) connection(ctx context.Context, large bool) (*caller, error) {
	best, enough := p.best(large)
	if enough {
		return best, nil
	}
	d, err := p.dial() //nolint:contextcheck // a connection is opened for all calls, whatever becomes of this one
	if best != nil {
		return best, nil
	}
	if err != nil {
		return nil, err
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if best, _ = p.best(large); best != nil {
		return best, nil
	}
	if d.err == nil {
		return nil, errHungUp
	}
	return nil, d.err
}

// best gives the connection that suits a call best, nil if there is none, and tells whether that is good enough not to open
// another. Large requests take the last, and the others the first that is not crowded.
func (p *peer) best(large bool) (best *caller, enough bool) {
	var all []*caller
	if list := p.callers.Load(); list != nil {
		all = *list
	}
	full := len(all) >= p.link.config.Connections
	if len(all) == 0 {
		return nil, false
	}
	if last := all[len(all)-1]; large && last.load.Load() < crowded {
		return last, full || len(all) > 1
	}
	for _, c := range all {
		load := c.load.Load()
		if load < crowded {
			return c, true
		}
		if best == nil || load < best.load.Load() {
			best = c
		}
	}
	return best, full
}

// dial begins to open a connection, unless that is going on already, or has failed just now.
func (p *peer) dial() (*dialing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dropped {
		return nil, errDropped
	}
	if p.dialing != nil {
		return p.dialing, nil
	}
	if time.Now().Before(p.resume) {
		return nil, p.failure
	}
	d := &dialing{done: make(chan struct{})}
	if !p.link.spawn(func() { p.open(d) }) {
		return nil, ErrClosed
	}
	p.dialing = d
	return d, nil
}

// open opens a connection.
func (p *peer) open(d *dialing) {
	c, err := p.connect()
	if p.opened(d, c, err) {
		c.fail(errDropped)
	}
}

// opened tells everybody how it went. It is true if the node has left the cluster meanwhile.
func (p *peer) opened(d *dialing, c *caller, err error) (useless bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.pause = min(max(2*p.pause, firstPause), lastPause)
		p.resume = time.Now().Add(p.pause)
		p.failure = fmt.Errorf("no connection: %w", err)
		d.err = p.failure
	} else {
		p.pause, p.resume = 0, time.Time{}
		p.change(func(all []*caller) []*caller { return append(all, c) })
		c.start()
		select {
		case <-c.done: // before it was in the list
			p.change(without(c))
		default:
		}
	}
	p.dialing = nil
	close(d.done)
	return p.dropped && err == nil
}

func (p *peer) connect() (*caller, error) {
	l := p.link
	ctx, cancel := context.WithTimeout(l.ctx, l.config.DialTimeout)
	defer cancel()
	conn, err := l.config.Port.Dial(ctx, Protocol, p.node)
	if err != nil {
		return nil, err
	}
	theirs, err := l.greet(ctx, conn, true)
	if err != nil {
		return nil, err
	}
	c := &caller{wire: newWire(l, p, conn, theirs), calls: make(map[uint32]*call)}
	if !l.track(c.wire, c) {
		hangUp(conn)
		return nil, ErrClosed
	}
	return c, nil
}

// remove takes a connection away from new calls.
func (p *peer) remove(c *caller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change(without(c))
}

func without(c *caller) func([]*caller) []*caller {
	return func(all []*caller) []*caller {
		return slices.DeleteFunc(all, func(other *caller) bool { return other == c })
	}
}

// change replaces the list of connections. p.mu is held.
func (p *peer) change(f func([]*caller) []*caller) {
	var all []*caller
	if old := p.callers.Load(); old != nil {
		all = slices.Clone(*old)
	}
	all = f(all)
	p.callers.Store(&all)
}

// drop lets no connection be opened any more.
func (p *peer) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = true
}
