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
}

func (b *body) add(data []byte) {
	n := copy(b.into[b.filled:], data)
	b.filled += n
	if n < len(data) {
		b.held = append(b.held, data[n:]...)
	}
}

// take moves what is held into a buffer.
func (b *body) take(to []byte) int {
	n := copy(to, b.held)
	b.held = b.held[n:]
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
