package lean

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/test/bufconn"
)

const (
	// pipeSize is how many bytes each direction of a connection in memory holds.
	pipeSize = 64 << 10
	// maxOutbox is how many bytes may wait for the other server before nothing more is read from the client.
	maxOutbox = 256 << 10
	// relayWindow is how much of answers may be here and not yet sent to the client, for a connection.
	relayWindow = 1 << 20
)

// relay is a connection to the other server, for those streams of a client's connection that the Handler does not take. Streams
// have the same numbers on both. The windows of streams are those of the two ends; that of the connection is each hop's own.
//
// Two goroutines belong to it: one reads what the other server says, and never waits for the client; one writes.
type relay struct {
	conn   *conn
	net    net.Conn
	frames *http2.Framer
	ended  sync.WaitGroup

	mu      sync.Mutex
	wake    sync.Cond // the writer waits
	space   sync.Cond // the reader of the client's connection waits
	out     []byte
	hpack   *hpack.Encoder
	block   bytes.Buffer
	window  int64  // what the other server takes on the connection
	held    []held // data that waits for that
	credits int64  // what was sent to the client and not yet told
	closed  bool
}

// held is data that the other server does not take yet.
type held struct {
	stream uint32
	data   []byte
	ended  bool
}

// named is a connection in memory that comes from where the client's does.
type named struct {
	net.Conn
	from net.Addr
}

func (n named) RemoteAddr() net.Addr { return n.from }

// relayFor gives the relay for a new stream, or the one that a stream has.
func (c *conn) relayFor(s *Stream) (*relay, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.way != nil {
		return s.way, nil
	}
	if c.err != nil {
		return nil, c.err
	}
	if c.relay == nil {
		var err error
		if c.relay, err = c.newRelay(); err != nil {
			return nil, err
		}
	}
	s.way = c.relay
	return s.way, nil
}

// newRelay connects to the other server. c.mu is held.
func (c *conn) newRelay() (*relay, error) {
	near, far, err := pipe()
	if err != nil {
		return nil, err
	}
	r := &relay{conn: c, net: near, window: 65535}
	r.wake.L, r.space.L = &r.mu, &r.mu
	r.hpack = hpack.NewEncoder(&r.block)
	r.frames = http2.NewFramer(io.Discard, near)
	r.frames.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	r.frames.MaxHeaderListSize = 1 << 20 // of answers
	r.out = append(r.out, http2.ClientPreface...)
	r.out = appendSettings(r.out, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(c.initial)})
	r.out = appendWindowUpdate(r.out, 0, relayWindow-65535)
	c.server.config.Other(named{far, c.net.RemoteAddr()})
	r.ended.Go(r.write)
	r.ended.Go(r.read)
	return r, nil
}

// pipe makes a connection in memory.
func pipe() (near, far net.Conn, err error) {
	l := bufconn.Listen(pipeSize)
	defer func() { _ = l.Close() }() // Connections outlive it.
	accepted := make(chan net.Conn, 1)
	go func() {
		defer close(accepted)
		if nc, err := l.Accept(); err == nil {
			accepted <- nc
		}
	}()
	if near, err = l.Dial(); err != nil {
		return nil, nil, err
	}
	return near, <-accepted, nil
}

func (r *relay) close() {
	r.mu.Lock()
	r.closed = true
	r.out, r.held = nil, nil
	r.wake.Broadcast()
	r.space.Broadcast()
	r.mu.Unlock()
	_ = r.net.Close()
}

func (r *relay) wait() { r.ended.Wait() }

// put adds frames for the other server. r.mu is held.
func (r *relay) put(out []byte) {
	if !r.closed {
		r.out = out
		r.wake.Signal()
	}
}

// throttle waits while the other server does not read. It is called by the reader of the client's connection, with r.mu held.
func (r *relay) throttle() {
	for !r.closed && len(r.out) > maxOutbox {
		r.space.Wait()
	}
}

// headers begins a stream.
func (r *relay) headers(stream uint32, fields []hpack.HeaderField, ended bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flushHeld()
	r.block.Reset()
	for _, f := range fields {
		_ = r.hpack.WriteField(f) // A buffer takes everything.
	}
	r.put(appendBlock(r.out, stream, r.block.Bytes(), ended, maxFrame))
	r.throttle()
	return nil
}

func (r *relay) data(stream uint32, data []byte, ended bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) > 0 || int64(len(data)) > r.window {
		r.hold(stream, bytes.Clone(data), ended)
		return nil
	}
	r.putData(stream, data, ended)
	r.throttle()
	return nil
}

func (r *relay) hold(stream uint32, data []byte, ended bool) {
	if !r.closed {
		r.held = append(r.held, held{stream, data, ended})
	}
}

func (r *relay) putData(stream uint32, data []byte, ended bool) {
	var flags http2.Flags
	if ended {
		flags = http2.FlagDataEndStream
	}
	r.window -= int64(len(data))
	r.put(append(appendFrame(r.out, http2.FrameData, flags, stream, len(data)), data...))
}

// flushHeld sends what waited for the window. r.mu is held.
func (r *relay) flushHeld() {
	n := 0
	for ; n < len(r.held) && int64(len(r.held[n].data)) <= r.window; n++ {
		h := r.held[n]
		r.putData(h.stream, h.data, h.ended)
	}
	r.held = append(r.held[:0], r.held[n:]...)
}

func (r *relay) reset(stream uint32, code http2.ErrCode) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.held[:0]
	for _, h := range r.held {
		if h.stream != stream {
			kept = append(kept, h)
		}
	}
	r.held = kept
	r.put(appendReset(r.out, stream, code))
	r.throttle()
	return nil
}

func (r *relay) windowUpdate(stream, increment uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(appendWindowUpdate(r.out, stream, increment))
	r.throttle()
}

// resize tells what the client takes on every stream.
func (r *relay) resize(initial int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(appendSettings(r.out, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(initial)}))
	r.throttle()
}

// credit tells the other server that data was sent to the client.
func (r *relay) credit(size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.credits += int64(size); r.credits >= relayWindow/4 {
		r.put(appendWindowUpdate(r.out, 0, uint32(r.credits)))
		r.credits = 0
	}
}

func (r *relay) write() {
	var batch []byte
	for {
		r.mu.Lock()
		for len(r.out) == 0 && !r.closed {
			r.wake.Wait()
		}
		if r.closed {
			r.mu.Unlock()
			return
		}
		batch, r.out = r.out, batch[:0]
		r.space.Broadcast()
		r.mu.Unlock()
		if _, err := r.net.Write(batch); err != nil {
			return // The one that reads ends, too, and tells.
		}
	}
}

// read takes what the other server says until its connection is over.
func (r *relay) read() {
	for {
		f, err := r.frames.ReadFrame()
		if err == nil {
			err = r.frame(f)
		}
		if err != nil {
			break
		}
	}
	r.close()
	r.conn.lost(r)
}

func (r *relay) frame(f http2.Frame) error {
	c := r.conn
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return c.relayed(f.StreamID, part{header: &Header{fields: f.Fields}, end: f.StreamEnded()})
	case *http2.DataFrame:
		return c.relayed(f.StreamID, part{isData: true, data: bytes.Clone(f.Data()), end: f.StreamEnded()})
	case *http2.RSTStreamFrame:
		c.relayedReset(f.StreamID, f.ErrCode)
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.window += int64(f.Increment)
			r.flushHeld()
			return nil
		}
		c.relayedWindow(f.StreamID, f.Increment)
	case *http2.SettingsFrame:
		if !f.IsAck() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.put(appendSettingsAck(r.out))
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.put(appendPing(r.out, true, f.Data))
		}
	case *http2.GoAwayFrame:
		c.goneAway(r, f.LastStreamID)
	}
	return nil
}

var errClosed = errors.New("the client's connection is over")

// relayed queues a piece of an answer.
func (c *conn) relayed(id uint32, p part) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return errClosed
	}
	s := c.streams[id]
	if s == nil || s.said {
		if p.isData && c.relay != nil {
			c.relay.credit(len(p.data)) // Nobody else will.
		}
		return nil
	}
	s.said = p.end
	s.parts = append(s.parts, p)
	c.offer(s)
	return nil
}

// relayedReset passes on that the other server wants nothing more of a stream.
func (c *conn) relayedReset(id uint32, code http2.ErrCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[id]
	if s == nil || c.err != nil {
		return
	}
	if s.said && len(s.parts) > 0 { // It goes after the answer.
		s.resets, s.resetCode = true, code
		return
	}
	c.say(appendReset(c.control, id, code))
	s.drop(errBroken)
	c.removed(s)
}

// relayedWindow passes on how much the other server takes on a stream.
func (c *conn) relayedWindow(id, increment uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[id]; s != nil && c.err == nil {
		s.room += int64(increment)
		c.countRelayed(s)
		c.say(appendWindowUpdate(c.control, id, increment))
	}
}

// countRelayed counts what the other server has not read of a stream: what its window lacks. Of a message that it has begun to read, it opens the
// window for all, and counts itself. c.mu is held.
func (c *conn) countRelayed(s *Stream) bool {
	return c.countBody(s, max(int64(c.server.config.Window)-s.room, 0))
}

// goneAway takes in that the other server takes no more streams than those up to last.
func (c *conn) goneAway(r *relay, last uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, s := range c.streams {
		if s.way == r && id > last {
			c.say(appendReset(c.control, id, http2.ErrCodeRefusedStream))
			s.drop(errBroken)
			c.removed(s)
		}
	}
}

// lost takes in that the connection to the other server is over, with all streams on it.
func (c *conn) lost(r *relay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.relay == r {
		c.relay = nil
	}
	for id, s := range c.streams {
		if s.way == r && (!s.said || len(s.parts) == 0) {
			c.say(appendReset(c.control, id, http2.ErrCodeInternal))
			s.drop(errBroken)
			c.removed(s)
		}
	}
}
