package link

import (
	"encoding/binary"
	"errors"
	"runtime"
)

// writer is what a wire has to write. Its fields are guarded by wire.mu.
//
// Frames are appended to one buffer. Whoever finds the wire idle may write it out himself, so that a single call needs no
// other goroutine; what comes meanwhile is written by the wire's own, many frames at once. Large messages wait beside the buffer
// and add a piece each in turn, behind all that is small.
type writer struct {
	busy  bool   // somebody writes
	queue []byte // frames that come next
	spare []byte // the buffer that is not the queue
	large []*outgoing
	space chan struct{} // closed when the queue has room again; nil if nobody waits

	credit    int64  // bytes of pieces that the peer takes
	taken     uint64 // bytes that were taken from the queue, in all
	written   uint64 // bytes that surely may have reached the peer, in all
	ponged    bool   // a pong is in the queue
	exhausted bool   // the queue is over its bound for good
}

// outgoing is a message that goes in pieces.
type outgoing struct {
	stream     uint32
	head, body []byte
	sent       int
	end        uint64 // the position of its last byte; neverSent until that is taken
	taken      func() // called with wire.mu held once all of it was taken; may be nil
}

// neverSent is the position of the last byte of what is not in the queue yet.
const neverSent = ^uint64(0)

// The bounds of what is queued, in bytes.
const (
	batchSize  = 64 << 10  // written at once, if large messages add to it
	queueSize  = 256 << 10 // from there on, messages wait
	queueLimit = 1 << 20   // from there on, the wire fails: the peer asks for much and takes nothing
	// directSize is how much may be written by whoever wants to, without a sign of life from the peer: it fits any socket
	// buffer, so the write does not block.
	directSize = 16 << 10
)

var errFlood = errors.New("the peer takes nothing of what it asks for")

// frame queues a small frame and lets the writer know. w.mu is held.
func (w *wire) frame(k kind, stream uint32, payload []byte) {
	q := &w.writer
	q.queue = append(appendHeader(q.queue, k, stream, len(payload)), payload...)
	if len(q.queue) > queueLimit && !q.exhausted {
		q.exhausted = true
		w.link.running.Go(func() { w.fail(errFlood) })
	}
	w.nudge()
}

// whole queues a frame of head and body, and gives the position of its last byte. w.mu is held.
func (w *wire) whole(k kind, stream uint32, head, body []byte) uint64 {
	q := &w.writer
	q.queue = appendHeader(q.queue, k, stream, len(head)+len(body))
	q.queue = append(append(q.queue, head...), body...)
	return q.taken + uint64(len(q.queue))
}

// announce tells the peer of a message, which is sent once it is granted. w.mu is held.
func (w *wire) announce(o *outgoing) {
	w.going[o.stream] = o
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], uint64(len(o.head)+len(o.body)))
	w.frame(kindAnnounce, o.stream, payload[:])
}

// granted begins to send the pieces of a message. A message that nobody sends any more is granted in vain.
func (w *wire) granted(stream uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.going[stream]; o != nil {
		delete(w.going, stream)
		w.writer.large = append(w.writer.large, o)
		w.nudge()
	}
}

// drop stops to send a message, whose bytes are not read from then on. w.mu is held.
func (w *wire) drop(o *outgoing) {
	if w.going[o.stream] == o {
		delete(w.going, o.stream)
	}
	q := &w.writer
	for i, other := range q.large {
		if other == o {
			q.large = append(q.large[:i], q.large[i+1:]...)
			return
		}
	}
}

// nudge makes sure that what is queued gets written. w.mu is held.
func (w *wire) nudge() {
	if w.writer.busy {
		return // Whoever writes looks again.
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// flush makes sure that what is queued gets written, by this goroutine if that is quick. w.mu is held, and is released.
func (w *wire) flush(direct bool) {
	q := &w.writer
	if !direct || q.busy || w.err != nil || w.unheard.Load()+int64(len(q.queue)) > directSize || len(q.large) > 0 {
		w.nudge()
		w.mu.Unlock()
		return
	}
	w.put(q.batch())
	if q.pending() {
		w.nudge()
	}
	w.mu.Unlock()
}

// room waits until the queue takes another message. It returns false when the wire has failed or stop is closed, and with
// w.mu held in any case.
func (w *wire) room(stop <-chan struct{}) bool {
	w.mu.Lock()
	for w.err == nil && len(w.writer.queue) > queueSize {
		if w.writer.space == nil {
			w.writer.space = make(chan struct{})
		}
		space := w.writer.space
		w.mu.Unlock()
		select {
		case <-space:
		case <-w.done:
		case <-stop:
			w.mu.Lock()
			return false
		}
		w.mu.Lock()
	}
	return w.err == nil
}

// write is the goroutine that writes.
func (w *wire) write() {
	for {
		select {
		case <-w.wake:
		case <-w.done:
			return
		}
		runtime.Gosched() // Others that are about to send something can join.
		w.mu.Lock()
		for w.err == nil && !w.writer.busy && w.writer.pending() {
			w.put(w.writer.batch())
		}
		w.mu.Unlock()
	}
}

// pending tells whether there is something that may be written.
func (q *writer) pending() bool {
	return len(q.queue) > 0 || len(q.large) > 0 && q.credit >= pieceSize
}

// batch takes what is to be written next: all that is small, and pieces of large messages in turn.
func (q *writer) batch() []byte {
	b := q.queue
	q.queue, q.spare = q.spare[:0], nil
	q.ponged = false
	for first := true; len(q.large) > 0 && q.credit >= pieceSize && (first || len(b) < batchSize); first = false {
		o := q.large[0]
		b = q.piece(b, o)
		copy(q.large, q.large[1:])
		q.large[len(q.large)-1] = o
		if o.sent == len(o.head)+len(o.body) {
			q.large[len(q.large)-1] = nil
			q.large = q.large[:len(q.large)-1]
			o.end = q.taken + uint64(len(b))
			if o.taken != nil {
				o.taken()
			}
		}
	}
	q.taken += uint64(len(b))
	return b
}

// piece appends the next piece of a message.
func (q *writer) piece(b []byte, o *outgoing) []byte {
	n := min(pieceSize, len(o.head)+len(o.body)-o.sent)
	b = appendHeader(b, kindData, o.stream, n)
	q.credit -= int64(n)
	for from := o.sent; n > 0; {
		part := o.body[max(from-len(o.head), 0):]
		if from < len(o.head) {
			part = o.head[from:]
		}
		part = part[:min(n, len(part))]
		b = append(b, part...)
		from, n = from+len(part), n-len(part)
		o.sent = from
	}
	return b
}

// put writes a batch. w.mu is held, but not while it writes.
func (w *wire) put(b []byte) {
	q := &w.writer
	q.busy = true
	w.mu.Unlock()
	w.unheard.Add(int64(len(b)))
	w.stalled.Store(w.link.now())
	n, err := w.raw.Write(b)
	w.stalled.Store(0)
	w.link.metrics.sent.Add(float64(n))
	w.mu.Lock()
	q.busy = false
	q.written += uint64(n)
	if cap(b) <= 2*batchSize {
		q.spare = b[:0]
	}
	if q.space != nil && len(q.queue) <= queueSize/2 {
		close(q.space)
		q.space = nil
	}
	if w.err == nil && err == nil {
		return
	}
	failed, written := w.err != nil, q.written
	w.mu.Unlock()
	if failed {
		w.ended(written) // fail left it to this goroutine.
	} else {
		w.fail(err)
	}
	w.mu.Lock()
}
