package lean

import (
	"errors"
	"net"
	"syscall"
)

// smallAnswer is up to how much data, in bytes, an answer may have to be written by the one who gives it.
const smallAnswer = 4 << 10

// attempt writes to a connection without waiting for it. It belongs to whoever writes.
type attempt struct {
	raw     syscall.RawConn // nil if the connection has no descriptor
	write   func(fd uintptr) (done bool)
	bytes   []byte
	written int
	err     error
}

func (a *attempt) init(nc net.Conn) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return // It is closed already.
	}
	a.raw = raw
	a.write = func(fd uintptr) bool {
		a.written, a.err = syscall.Write(int(fd), a.bytes)
		return true // what is left is for the writer, which may wait
	}
}

// of writes as many of the bytes as the system takes at once, and gives the others.
func (a *attempt) of(bytes []byte) (rest []byte, err error) {
	a.bytes, a.written, a.err = bytes, 0, nil
	err = a.raw.Write(a.write)
	a.bytes = nil
	if err == nil && !errors.Is(a.err, syscall.EAGAIN) && !errors.Is(a.err, syscall.EINTR) {
		err = a.err
	}
	return bytes[max(a.written, 0):], err
}

// takesNow tells whether an answer is written by the one who gives it, who is the one that writes from then on: if it is small, and nothing would go
// out with it. To wake the writer takes longer than to write, and it runs only when a core is free: not before the instance was dropped, if all are
// busy. With other calls under way, one batch for several answers costs less. c.mu is held.
func (c *conn) takesNow(parts []part) bool {
	if c.now.raw == nil || c.writing || c.err != nil || c.dying || c.running > 0 || len(c.ready) > 0 || len(c.unwritten) > 0 {
		return false
	}
	size := 0
	for i := range parts {
		size += len(parts[i].data)
	}
	c.writing = size <= smallAnswer
	return c.writing
}

// writeNow writes what there is to write, and leaves to the writer what it would have to wait for. c.mu is held, but not while it writes.
func (c *conn) writeNow() {
	c.fill()
	if len(c.batch) > 0 { // else the client does not want the answer
		c.mu.Unlock()
		rest, err := c.now.of(c.batch)
		if err != nil {
			c.fail(err)
		}
		c.mu.Lock()
		if c.err == nil {
			c.unwritten = rest
		}
	}
	c.writing = false
	if c.hasWords() || c.dying || c.left || c.err != nil {
		c.wake.Signal()
	}
}
