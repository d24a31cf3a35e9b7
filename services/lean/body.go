package lean

import (
	"io"
	"sync"

	"google.golang.org/grpc/mem"
)

// body is the data of a request that came and was not read yet. It is guarded by the connection's mutex.
type body struct {
	held    []byte
	into    []byte // a message that is being read; data goes there first
	filled  int    // of into
	arrived *sync.Cond
	err     error // why there will be no more, other than the request's end
	counted int64 // of what is held, in conn.unread
}

func (b *body) add(data []byte) {
	n := copy(b.into[b.filled:], data)
	b.filled += n
	if n < len(data) {
		b.held = append(b.held, data[n:]...)
	}
}

// countBody counts what a stream holds. It is false if that is more than the node has room for. c.mu is held.
func (c *conn) countBody(s *Stream, held int64) bool {
	more := held - s.body.counted
	if more == 0 {
		return true
	}
	s.body.counted = held
	return c.countUnread(more)
}

// unreadStep is how much a connection takes at once of what connections share, in bytes.
const unreadStep = 64 << 10

// countUnread counts data that nobody has read, or that somebody has. A connection has room for one window of its own; what is over
// that, it takes from what all share, as long as it leaves as much as it has. c.mu is held.
func (c *conn) countUnread(more int64) bool {
	c.unread += more
	over := c.unread - int64(c.server.config.Window)
	switch {
	case over > c.shared:
		step := (over - c.shared + unreadStep - 1) / unreadStep * unreadStep
		if c.shared+step > c.server.config.Unread-c.server.unread.Add(step) {
			c.server.unread.Add(-step)
			return false
		}
		c.shared += step
	case c.shared > 0 && (over <= 0 || over < c.shared-2*unreadStep):
		step := c.shared - max(over+unreadStep-1, 0)/unreadStep*unreadStep
		c.server.unread.Add(-step)
		c.shared -= step
	}
	return true
}

// take moves what is held into a buffer.
func (b *body) take(to []byte) int {
	n := copy(to, b.held)
	if b.held = b.held[n:]; len(b.held) == 0 {
		b.held = nil // so that it is not kept for what was read
	}
	return n
}

// tell wakes whoever reads.
func (b *body) tell() {
	if b.arrived != nil {
		b.arrived.Broadcast()
	}
}

// wait waits until something changes. The connection's mutex is held.
func (s *Stream) wait() {
	if s.body.arrived == nil {
		s.body.arrived = sync.NewCond(&s.conn.mu)
	}
	s.body.arrived.Wait()
}

// ReadMessageHeader fills the five bytes before a message. io.EOF means that the client sends no more.
func (s *Stream) ReadMessageHeader(header []byte) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	for len(s.body.held) < len(header) {
		switch {
		case s.body.err != nil:
			return s.body.err
		case s.ended && len(s.body.held) == 0:
			return io.EOF
		case s.ended:
			return io.ErrUnexpectedEOF
		}
		s.wait()
	}
	s.body.take(header)
	s.conn.countBody(s, int64(len(s.body.held)))
	return nil
}

// Read gives the next size bytes, which the caller frees. The client may send all of them at once.
func (s *Stream) Read(size int) (mem.BufferSlice, error) {
	if size == 0 {
		return nil, nil
	}
	buffer := mem.DefaultBufferPool().Get(size)
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &s.body
	b.filled = b.take(*buffer)
	b.into = *buffer
	c.countBody(s, int64(len(b.held)))
	defer func() { b.into, b.filled = nil, 0 }()
	if more := int64(size-b.filled) - s.room; more > 0 && !s.ended && c.err == nil {
		s.room += more
		c.say(appendWindowUpdate(c.control, s.id, uint32(more)))
	}
	for b.filled < size {
		err := b.err
		if err == nil && s.ended {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			mem.DefaultBufferPool().Put(buffer)
			return nil, err
		}
		s.wait()
	}
	return mem.BufferSlice{mem.NewBuffer(buffer, mem.DefaultBufferPool())}, nil
}

// RecvCompress is how the request is compressed: not at all, as Handler is not given others.
func (s *Stream) RecvCompress() string { return "" }
