package link

import (
	"encoding/binary"
	"errors"
	"io"
)

// assembly is a message that comes in pieces.
type assembly struct {
	total int
	bytes []byte // the reader's
	claim *claim

	granted bool  // guarded by wire.mu; there is memory, and the peer knows
	last    int64 // guarded by wire.mu; when it was granted or its last piece came, by link.now
}

// firstPieces is what is allocated for an announced message when its first piece comes. It grows by what has come, not by what
// was announced.
const firstPieces = 64 << 10

// control handles the wire's own frames.
func (w *wire) control(h header, payload []byte) error {
	sizes := [...]int{kindAnnounce: 8, kindGrant: 0, kindCredit: 4, kindPing: 8, kindPong: 8}
	if len(payload) != sizes[h.kind] {
		return violationf("a frame of type %d with %d bytes", h.kind, len(payload))
	}
	switch h.kind {
	case kindAnnounce:
		return w.announced(h.stream, binary.BigEndian.Uint64(payload))
	case kindGrant:
		w.granted(h.stream)
	case kindCredit:
		return w.credited(int64(binary.BigEndian.Uint32(payload)))
	case kindPing:
		w.mu.Lock()
		if !w.writer.ponged { // One is enough, however often it asks.
			w.writer.ponged = true
			w.frame(kindPong, 0, payload)
		}
		w.mu.Unlock()
	default: // kindPong: it was heard
	}
	return nil
}

func (w *wire) credited(n int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writer.credit += n; w.writer.credit > w.theirs.window {
		return violationf("a credit of %d bytes, more than it owes", n)
	}
	w.nudge()
	return nil
}

// announced gets memory for a message, sooner or later.
func (w *wire) announced(stream uint32, size uint64) error {
	if size > uint64(w.ours.message) {
		return violationf("a message of %d bytes; %d are allowed", size, w.ours.message)
	}
	a := &assembly{total: int(size)}
	a.claim = &claim{share: w.side.share(), size: int64(size), grant: func() { w.grant(stream, a) }}
	w.mu.Lock()
	wanted, err := w.side.expects(stream)
	switch {
	case err != nil:
	case w.coming[stream] != nil:
		err = violationf("stream %d announces two messages", stream)
	case wanted && w.coming != nil:
		w.coming[stream] = a
	}
	w.mu.Unlock()
	if err != nil || !wanted {
		return err
	}
	w.side.memory().wait(a.claim)
	return nil
}

// grant lets a message come: there is memory for it. If nobody wants it any more, whoever dropped it releases its claim.
func (w *wire) grant(stream uint32, a *assembly) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.coming[stream] == a && w.err == nil {
		a.granted, a.last = true, w.link.now()
		w.frame(kindGrant, stream, nil)
	}
}

// data takes a piece of a message.
func (w *wire) data(h header) error {
	w.mu.Lock()
	a := w.coming[h.stream]
	allowed := a == nil || a.granted
	w.mu.Unlock()
	switch {
	case a == nil: // It was canceled or refused while this was on its way.
		if _, err := w.payload(h); err != nil {
			return err
		}
		w.consumed(h.length)
		return nil
	case !allowed:
		return violationf("a piece of a message that was not granted")
	case h.length == 0 || h.length > a.total-len(a.bytes):
		return violationf("a piece of %d bytes, where %d are missing", h.length, a.total-len(a.bytes))
	}
	if err := a.read(w.in, h.length); err != nil {
		return err
	}
	w.consumed(h.length)
	w.mu.Lock()
	a.last = w.link.now()
	complete := len(a.bytes) == a.total && w.coming[h.stream] == a
	if complete {
		delete(w.coming, h.stream)
	}
	w.mu.Unlock()
	if !complete {
		return nil
	}
	return w.side.arrived(h.stream, a)
}

// read appends n bytes.
func (a *assembly) read(r io.Reader, n int) error {
	have := len(a.bytes)
	if cap(a.bytes)-have < n {
		grown := make([]byte, have, min(a.total, max(4*cap(a.bytes), firstPieces, have+n)))
		copy(grown, a.bytes)
		a.bytes = grown
	}
	_, err := io.ReadFull(r, a.bytes[have:have+n])
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	a.bytes = a.bytes[:have+n]
	return nil
}

// consumed gives the peer credit for pieces that were read.
func (w *wire) consumed(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unread += int64(n); w.unread >= w.ours.window/4 {
		var payload [4]byte
		binary.BigEndian.PutUint32(payload[:], uint32(w.unread))
		w.unread = 0
		w.frame(kindCredit, 0, payload[:])
	}
}

// forget drops a message that is coming, if there is one, and gives its claim, to be released without w.mu. w.mu is held.
func (w *wire) forget(stream uint32) *claim {
	a := w.coming[stream]
	if a == nil {
		return nil
	}
	delete(w.coming, stream)
	return a.claim
}
