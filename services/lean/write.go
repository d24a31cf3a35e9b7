package lean

import (
	"context"
	"runtime"

	"google.golang.org/grpc/mem"

	"golang.org/x/net/http2"
)

// batchSize is about how much is written at once, in bytes.
const batchSize = 64 << 10

// part is a piece of an answer: headers, or data.
type part struct {
	header *Header
	data   []byte
	buffer mem.Buffer // that data is of; nil if it is nobody's
	prefix [prefix]byte
	ahead  uint8 // how many bytes at the end of prefix go before data
	isData bool
	end    bool // nothing comes after it
}

func (p *part) free() {
	if p.buffer != nil {
		p.buffer.Free()
		p.buffer = nil
	}
}

// offer gives a stream its turn to be written, if it has anything to say. c.mu is held.
func (c *conn) offer(s *Stream) {
	if s.queued || len(s.parts) == 0 {
		return
	}
	s.queued = true
	c.ready = append(c.ready, s)
	if len(c.ready) == 1 && !c.writing {
		c.wake.Signal()
	}
}

// write writes what there is to write, until the connection is over.
func (c *conn) write() {
	for wrote := false; ; wrote = true {
		batch := c.gather(wrote)
		if batch == nil {
			c.linger()
			return
		}
		if _, err := c.net.Write(batch); err != nil {
			c.fail(err)
			return
		}
	}
}

// gather waits for something to write, and puts it into frames. It gives nil when there will be nothing more. The writer has written
// what it had from the last time, if there was one: before that, who answers may be at it.
func (c *conn) gather(wrote bool) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wrote {
		c.writing = false
	}
	for c.err == nil && (c.writing || !c.hasWords()) {
		if !c.writing && (c.dying || c.left && len(c.streams) == 0) {
			return nil
		}
		c.wake.Wait()
	}
	c.writing = true
	if c.err == nil && !c.dying {
		// Those that are about to answer do so, and go with this batch.
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	if c.err != nil {
		return nil
	}
	c.fill()
	return c.batch
}

// hasWords tells whether there is something to write. c.mu is held.
func (c *conn) hasWords() bool {
	return len(c.unwritten) > 0 || len(c.control) > 0 || len(c.ready) > 0 && !c.dying
}

// fill puts what there is to write into frames. c.mu is held.
func (c *conn) fill() {
	batch := append(append(c.batch[:0], c.unwritten...), c.control...)
	c.unwritten = nil
	if len(c.control) > maxControl {
		c.space.Broadcast()
	}
	c.control = c.control[:0]
	if c.dying {
		c.batch = batch
		return
	}
	next := 0
	for ; next < len(c.ready) && len(batch) < batchSize; next++ {
		batch = c.frames(batch, c.ready[next])
	}
	rest := copy(c.ready, c.ready[next:])
	clear(c.ready[rest:])
	c.ready = c.ready[:rest]
	c.batch = batch
}

// frames writes what a stream has to say, up to one frame of data that is not the last: then it is the turn of others. c.mu is
// held.
func (c *conn) frames(batch []byte, s *Stream) []byte {
	s.queued = false
	for len(s.parts) > 0 {
		p := &s.parts[0]
		c.quiet.Store(false)
		if !p.isData {
			batch = c.appendHeaders(batch, s.id, p)
		} else {
			var whole bool
			if batch, whole = c.appendData(batch, s, p); !whole {
				return batch
			}
			p.free()
		}
		end := p.end
		*p = part{}
		s.parts = s.parts[1:]
		if end {
			return c.close(batch, s)
		}
	}
	return batch
}

// close takes in that an answer is out. A client that still sends is told that nobody reads it.
func (c *conn) close(batch []byte, s *Stream) []byte {
	s.said, s.parts = true, nil
	if !s.relayed && !s.ended {
		batch = appendReset(batch, s.id, http2.ErrCodeNo)
		s.ended = true
		s.body.err = context.Canceled
		s.body.tell()
	}
	if s.resets {
		batch = appendReset(batch, s.id, s.resetCode)
		s.ended = true
	}
	c.forgetIfOver(s)
	return batch
}

// appendHeaders writes headers.
func (c *conn) appendHeaders(batch []byte, id uint32, p *part) []byte {
	return appendBlock(batch, id, c.encoder.encode(p.header), p.end, c.largest)
}

// appendData writes a frame of data, as much as both windows allow. It tells whether that was all of it; if not, the stream
// has its place where it waits for more.
func (c *conn) appendData(batch []byte, s *Stream, p *part) (_ []byte, whole bool) {
	size := int(p.ahead) + len(p.data)
	allowed := int(min(c.window, s.window))
	if size > 0 && allowed <= 0 {
		if s.window <= 0 {
			return batch, false // until the window of the stream opens
		}
		s.queued = true
		c.starved = append(c.starved, s)
		return batch, false
	}
	rest := size - min(size, allowed, c.largest)
	size -= rest
	c.window -= int64(size)
	s.window -= int64(size)
	var flags http2.Flags
	if p.end && rest == 0 {
		flags = http2.FlagDataEndStream
	}
	batch = appendFrame(batch, http2.FrameData, flags, s.id, size)
	n := min(size, int(p.ahead))
	batch = append(batch, p.prefix[prefix-int(p.ahead):][:n]...)
	p.ahead -= uint8(n)
	batch = append(batch, p.data[:size-n]...)
	p.data = p.data[size-n:]
	if s.way != nil {
		s.way.credit(size)
	}
	if rest == 0 {
		return batch, true
	}
	c.offer(s)
	return batch, false
}
