package link

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wire is one connection as frames: what callers and answerers have in common. It has a goroutine that reads and one that
// writes. Its mutex guards the state of both, and that of the side on top.
type wire struct {
	link *Link
	peer *peer
	raw  net.Conn
	side side
	// theirs is what the peer allows; ours what it may expect.
	theirs, ours settings

	in   *bufio.Reader // the reader's
	done chan struct{} // closed when the wire fails
	wake chan struct{} // has one element when the writer has something to do

	heard   atomic.Int64 // when the peer was last heard, by link.now
	unheard atomic.Int64 // bytes written since
	stalled atomic.Int64 // since when a write has been going on; zero for none

	mu     sync.Mutex
	err    error // why it failed
	writer writer
	going  map[uint32]*outgoing // messages that were announced and wait to be granted
	coming map[uint32]*assembly // messages that come in pieces
	unread int64                // bytes of pieces that were read and not credited
}

// side is what a wire carries calls for: caller or answerer.
type side interface {
	// handle takes a frame that is about calls.
	handle(h header) error
	// expects tells whether a message may come in pieces on a stream; an error is a violation. wire.mu is held.
	expects(stream uint32) (bool, error)
	// arrived takes a message that came in pieces, and its claim. It is no longer in wire.coming.
	arrived(stream uint32, a *assembly) error
	// memory and share are where messages that come are counted.
	memory() *memory
	share() *share
	// failed is called once, when the wire has failed and nothing is written any more. Of all bytes that were queued, so
	// many were written.
	failed(err error, written uint64)
	// leave ends the wire once the calls that are open have ended; new ones are not taken. It may be called again.
	leave()
}

func newWire(l *Link, p *peer, conn net.Conn, theirs settings) *wire {
	w := &wire{
		link: l, peer: p, raw: conn, theirs: theirs, ours: l.settings(),
		done: make(chan struct{}), wake: make(chan struct{}, 1), going: make(map[uint32]*outgoing), coming: make(map[uint32]*assembly),
	}
	w.in = bufio.NewReaderSize(hearing{w}, headerSize+maxPayload)
	w.writer.credit = theirs.window
	w.heard.Store(l.now())
	return w
}

// start begins to read and write. Whoever calls it is one of the link's goroutines.
func (w *wire) start() {
	w.link.running.Go(w.read)
	w.link.running.Go(w.write)
}

// hearing notes when the peer was heard.
type hearing struct{ w *wire }

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.w.raw.Read(p)
	if n > 0 {
		h.w.heard.Store(h.w.link.now())
		h.w.unheard.Store(0)
		h.w.link.metrics.received.Add(float64(n))
	}
	return n, err
}

// fail ends the wire. What waits for an answer learns about it once nothing is written any more.
func (w *wire) fail(err error) {
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return
	}
	w.err = err
	close(w.done)
	writing, written := w.writer.busy, w.writer.written
	w.mu.Unlock()
	hangUp(w.raw)
	if !writing {
		w.ended(written)
	}
}

// ended tells everybody that the wire has failed.
func (w *wire) ended(written uint64) {
	w.mu.Lock()
	coming := w.coming
	w.coming = nil
	w.mu.Unlock()
	for _, a := range coming {
		a.claim.release()
	}
	w.side.failed(w.err, written)
}

// hangUp closes a connection at once: TLS would wait for a peer that reads nothing to take its farewell.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		_ = secure.NetConn().Close()
	}
	_ = conn.Close()
}

// read is the goroutine that reads.
func (w *wire) read() {
	for {
		b, err := w.in.Peek(headerSize)
		if err == nil {
			var h header
			if h, err = parseHeader(b); err == nil {
				_, _ = w.in.Discard(headerSize)
				err = w.take(h)
			}
		}
		if err != nil {
			w.fail(ended(err, w.in.Buffered() > 0))
			return
		}
	}
}

var (
	errHungUp = errors.New("the peer closed the connection")
	errCutOff = errors.New("the connection ended within a frame")
)

func ended(err error, inside bool) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF) && inside:
		return errCutOff
	case errors.Is(err, io.EOF):
		return errHungUp
	default:
		return err
	}
}

// take handles a frame whose header was read.
func (w *wire) take(h header) error {
	switch h.kind {
	case kindData:
		return w.data(h)
	case kindAnnounce, kindGrant, kindCredit, kindPing, kindPong:
		payload, err := w.payload(h)
		if err != nil {
			return err
		}
		return w.control(h, payload)
	case kindRequest, kindResponse, kindCancel, kindGoAway:
		return w.side.handle(h)
	default:
		if h.kind&kindSkip == 0 {
			return violationf("a frame of type %d", h.kind)
		}
		_, err := w.payload(h)
		return err
	}
}

// payload reads the payload of a frame. It is good until the next frame is read.
func (w *wire) payload(h header) ([]byte, error) {
	b, err := w.in.Peek(h.length)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	_, _ = w.in.Discard(h.length)
	return b, nil
}

// tick looks after the wire now and then: asks a silent peer for a sign of life, and gives up one that is silent or takes
// nothing for too long.
func (w *wire) tick(now int64) {
	silence := int64(w.link.config.Silence)
	switch since := w.stalled.Load(); {
	case now-w.heard.Load() > silence:
		w.fail(errSilent)
		return
	case since != 0 && now-since > silence:
		w.fail(errStalled)
		return
	}
	w.mu.Lock()
	for _, a := range w.coming {
		if a.granted && now-a.last > int64(stallTimeout) {
			w.mu.Unlock()
			w.fail(errUnfinished)
			return
		}
	}
	if now-w.heard.Load() >= silence/4 && len(w.writer.queue) == 0 {
		w.frame(kindPing, 0, make([]byte, 8))
	}
	w.mu.Unlock()
}

// excuse forgives the peer its silence.
func (w *wire) excuse(now int64) {
	w.heard.Store(now)
	if since := w.stalled.Load(); since != 0 {
		w.stalled.CompareAndSwap(since, now)
	}
}

// stallTimeout is how long a message that was announced may make no progress.
const stallTimeout = 30 * time.Second

var (
	errSilent     = errors.New("the peer is silent")
	errStalled    = errors.New("the peer takes nothing")
	errUnfinished = violationf("a message that it announced does not come")
)
