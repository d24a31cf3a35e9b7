package link

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/internal/calls"
)

// Link calls functions on other nodes and answers their calls. Its methods are safe for concurrent use.
type Link struct {
	config  Config
	id      string
	log     *slog.Logger
	metrics *metrics
	epoch   time.Time

	ctx     context.Context //nolint:containedctx // it is the link's own: it ends with the link
	cancel  context.CancelFunc
	running sync.WaitGroup
	workers calls.Workers

	requests, responses, sending memory
	handling                     atomic.Int64 // calls of peers that run, or whose message is on its way

	calls, served sync.Pool // *call and *served

	peers sync.Map // node ID → *peer

	mu     sync.Mutex
	wires  map[*wire]side // guarded by mu
	gones  chan struct{}  // guarded by mu; closed and replaced when a wire is gone, or a peer has been greeted
	greets int            // guarded by mu; peers that are being greeted: they may send calls before the wire is there
	drains bool           // guarded by mu; calls of peers are refused
	closed bool           // guarded by mu; nothing begins any more
	ended  atomic.Bool    // calls of this node are refused
}

// New makes a link. It must be closed.
func New(config Config) *Link {
	config = config.withDefaults()
	l := &Link{
		config: config, id: config.Port.ID(), log: config.Logger, epoch: time.Now(),
		wires: make(map[*wire]side), gones: make(chan struct{}),
	}
	l.requests.total, l.responses.total, l.sending.total = config.Memory, config.Memory, config.Memory
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.metrics = newMetrics(config.Registerer, l)
	return l
}

// Start begins to take calls of peers. Call works from then on.
func (l *Link) Start() {
	l.spawn(l.watch)
	l.config.Port.Handle(Protocol, l.accept)
}

// Call runs a call on another node. It returns when ctx is done, at the latest. The request is read until Call returns,
// and never changed.
//
// Its errors are *NotStartedError, *LostError, the error of ctx, and what the handler at the node returned (see Handler).
// A message that is too large for the peer is an *executor.Error with RequestTooLarge.
func (l *Link) Call(ctx context.Context, node string, r Request) (Response, error) {
	response, err := l.call(ctx, node, &r)
	l.metrics.called(err)
	return response, err
}

func (l *Link) call(ctx context.Context, node string, r *Request) (Response, error) {
	if err := ctx.Err(); err != nil {
		return Response{}, err
	}
	if l.ended.Load() {
		return Response{}, &NotStartedError{Node: node, Err: ErrClosed}
	}
	return l.peer(node).call(ctx, r)
}

// Drop cuts all connections to and from a node that left the cluster.
func (l *Link) Drop(node string) {
	p := l.peer(node)
	l.peers.CompareAndDelete(node, p)
	p.drop()
	for w := range l.snapshot() {
		if w.peer.node == node {
			w.fail(errDropped)
		}
	}
}

var errDropped = errors.New("the node left the cluster")

// Close ends the link. Peers are asked to send no more calls, and what they send is refused, so that they try elsewhere;
// calls that run are let finish until ctx is done, those of peers first, as they may call other nodes. Then all connections are
// closed. The error is that of ctx if calls were cut off.
func (l *Link) Close(ctx context.Context) error {
	l.mu.Lock()
	l.drains = true
	l.mu.Unlock()
	l.config.Port.Handle(Protocol, nil)
	drained := l.leave(ctx, func(s side) bool { _, ok := s.(*answerer); return ok })
	l.ended.Store(true)
	drained = l.leave(ctx, func(side) bool { return true }) && drained

	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	for w := range l.snapshot() {
		w.fail(ErrClosed)
	}
	l.running.Wait()
	l.workers.Close()
	l.metrics.unregister()
	if drained {
		return nil
	}
	return ctx.Err()
}

// leave has some wires end their calls, and waits until those are gone, and peers that are being greeted have theirs. It is false if ctx is done before.
func (l *Link) leave(ctx context.Context, which func(side) bool) bool {
	for {
		l.mu.Lock()
		gone, left := l.gones, l.greets
		l.mu.Unlock()
		for _, s := range l.snapshot() {
			if which(s) {
				left++
				s.leave()
			}
		}
		if left == 0 {
			return true
		}
		select {
		case <-gone:
		case <-ctx.Done():
			return false
		}
	}
}

// peer gives what is known of a node.
func (l *Link) peer(node string) *peer {
	if p, ok := l.peers.Load(node); ok {
		return p.(*peer) //nolint:forcetypeassert // nothing else is put in
	}
	p, _ := l.peers.LoadOrStore(node, &peer{link: l, node: node})
	return p.(*peer) //nolint:forcetypeassert // nothing else is put in
}

// maxAnswerers bounds the connections that one peer may have open to this node: those of a peer that started again
// several times while this node has not noticed that the older ones are dead.
const maxAnswerers = 64

// accept takes a connection that a peer has opened.
func (l *Link) accept(conn net.Conn, node string) {
	if !l.spawn(func() { l.serve(conn, node) }) {
		hangUp(conn)
	}
}

func (l *Link) serve(conn net.Conn, node string) {
	if !l.beginGreet() {
		hangUp(conn)
		return
	}
	defer l.endGreet()
	p := l.peer(node)
	if p.answerers.Add(1) > maxAnswerers {
		p.answerers.Add(-1)
		l.log.Error("link: connection refused: the peer has too many", "peer", node, "connections", maxAnswerers)
		hangUp(conn)
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.config.DialTimeout)
	defer cancel()
	theirs, err := l.greet(ctx, conn, false)
	if err != nil {
		p.answerers.Add(-1)
		l.note(node, err)
		return
	}
	a := &answerer{wire: newWire(l, p, conn, theirs), streams: make(map[uint32]*served)}
	if !l.track(a.wire, a) {
		p.answerers.Add(-1)
		hangUp(conn)
		return
	}
	a.start()
	l.mu.Lock()
	drains := l.drains
	l.mu.Unlock()
	if drains {
		a.leave()
	}
}

// beginGreet is false once the link is about to close: who has not got a hello has not sent a call. Otherwise endGreet is to
// be called when the wire is there.
func (l *Link) beginGreet() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drains {
		return false
	}
	l.greets++
	return true
}

func (l *Link) endGreet() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.greets--
	close(l.gones)
	l.gones = make(chan struct{})
}

// greet exchanges hellos within ctx. It closes the connection if that fails.
func (l *Link) greet(ctx context.Context, conn net.Conn, dialed bool) (settings, error) {
	stop := context.AfterFunc(ctx, func() { hangUp(conn) })
	theirs, err := greet(conn, l.settings(), dialed)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		hangUp(conn)
	}
	return theirs, err
}

// settings are what this node allows its peers.
func (l *Link) settings() settings {
	return settings{streams: uint32(l.config.Streams), message: l.config.Message, window: l.config.Window}
}

// spawn starts a goroutine that Close waits for. It is false once the link is closed.
func (l *Link) spawn(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.running.Go(f)
	return true
}

// track makes a wire one of the link's. It is false once the link is closed.
func (l *Link) track(w *wire, s side) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	w.side = s
	l.wires[w] = s
	return true
}

// gone forgets a wire that has failed.
func (l *Link) gone(w *wire, err error) {
	l.mu.Lock()
	delete(l.wires, w)
	close(l.gones)
	l.gones = make(chan struct{})
	l.mu.Unlock()
	l.note(w.peer.node, err)
}

// note tells the log why a connection ended.
func (l *Link) note(node string, err error) {
	level := slog.LevelInfo
	switch broken := new(violation); {
	case errors.As(err, &broken):
		level = slog.LevelError
	case errors.Is(err, errHungUp), errors.Is(err, errDone), errors.Is(err, ErrClosed):
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, "link: connection closed", "peer", node, "error", err)
}

// snapshot gives the wires there are now.
func (l *Link) snapshot() map[*wire]side {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.wires)
}

// now is the time since the link was made, in nanoseconds, for what goes into an atomic.
func (l *Link) now() int64 { return int64(time.Since(l.epoch)) }

// watch looks after the wires until the link is closed.
func (l *Link) watch() {
	every := max(l.config.Silence/8, time.Millisecond)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for last := l.now(); ; {
		select {
		case <-ticker.C:
		case <-l.ctx.Done():
			return
		}
		now := l.now()
		late := now-last > int64(l.config.Silence/2)
		last = now
		for w := range l.snapshot() {
			if late { // This process was stopped, or the machine slept: that is not the peers' silence.
				w.excuse(now)
			} else {
				w.tick(now)
			}
		}
	}
}
