package lean

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

const (
	// readSize is how much is read at once.
	readSize = 32 << 10
	// maxFrame is the largest payload of a frame that is taken, the smallest that HTTP/2 lets a server ask for.
	maxFrame = 16 << 10
	// maxControl is how many bytes of frames that answer a client's may wait before nothing more is read from it.
	maxControl = 256 << 10
	// finalWrite is how long the last words to a client may take, and lingering how long it may then take to close the connection.
	finalWrite = time.Second
	lingering  = time.Second
)

// conn is a connection.
type conn struct {
	server *Server
	net    net.Conn
	values context.Context //nolint:containedctx // it gives values only
	alive  *time.Timer     // asks a silent client for a sign of life
	heard  atomic.Bool     // since alive last fired
	probed atomic.Bool     // it was asked and has not answered
	reader reader

	mu      sync.Mutex
	wake    sync.Cond          // the writer waits for something to write
	space   sync.Cond          // the reader waits for control to shrink or for a handler to end
	streams map[uint32]*Stream // those that are open
	running int                // handlers that have not ended
	control []byte             // frames that go before all others
	ready   []*Stream          // those with something to write, in turn
	starved []*Stream          // those of them that wait for the connection's window
	window  int64              // what the client takes on the connection, in bytes
	initial int64              // what it takes on a new stream
	largest int                // the largest frame that it takes
	encoder encoder
	relay   *relay // nil until a stream needs it
	unread  int64  // bytes of data that nobody has read yet, here and as far as is known behind the relay
	shared  int64  // of server.unread

	writing   bool   // somebody writes: the writer, or one who answers
	batch     []byte // what is being written; of whoever writes
	unwritten []byte // the end of it that the system did not take at once
	now       attempt

	err     error  // why it is over
	dying   bool   // it ends once control is written
	leaving bool   // the client was told to make no more calls
	last    uint32 // the highest stream that was taken; once left is set, none is taken any more
	left    bool
	quiet   atomic.Bool   // nothing but control was written since the last ping
	heeded  chan struct{} // closed when nothing more is read
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{
		server: s, net: nc, values: context.Background(), streams: map[uint32]*Stream{},
		window: 65535, initial: 65535, largest: maxFrame, // RFC 9113, sections 6.9.2 and 6.5.2
		heeded: make(chan struct{}),
	}
	if s.config.Context != nil {
		c.values = s.config.Context(nc)
	}
	c.wake.L, c.space.L = &c.mu, &c.mu
	c.now.init(nc)
	c.encoder.init()
	c.reader.init(c)
	return c
}

// serve runs the connection until it is over and all that it has started has ended.
func (c *conn) serve() {
	c.control = appendSettings(c.control, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(c.server.config.Streams)},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(c.server.config.Window)},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(c.server.config.HeaderList)})
	if more := c.server.config.ConnectionWindow - 65535; more > 0 {
		c.control = appendWindowUpdate(c.control, 0, uint32(more))
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	if c.end(c.reader.run()) {
		_, _ = io.Copy(io.Discard, c.net) // until the client closes it, or the writer has waited for that
	}
	close(c.heeded)
	<-written
	c.fail(net.ErrClosed)
	c.reader.dispatch() // Nobody wants those that are left.
	if c.alive != nil {
		c.alive.Stop()
	}
	c.mu.Lock()
	r := c.relay
	for c.running > 0 {
		c.space.Wait()
	}
	c.server.unread.Add(-c.shared)
	c.shared = 0
	c.mu.Unlock()
	if r != nil {
		r.wait()
	}
}

// end says why the connection is over, if the client can hear it, and has the writer close it. Otherwise, it closes the connection.
func (c *conn) end(err error) (heard bool) {
	code, ok := errors.AsType[http2.ConnectionError](err)
	if !ok {
		c.fail(err)
		return false
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(finalWrite)) // If it can't be set, it was closed.
	c.mu.Lock()
	defer c.mu.Unlock()
	debug := ""
	switch {
	case errors.Is(err, errPings):
		debug = "too_many_pings"
	case errors.Is(err, errContinuations):
		debug = "too_many_continuations"
	}
	c.control = appendGoAway(c.control, c.last, http2.ErrCode(code), debug)
	c.dying = true
	c.wake.Signal()
	return true
}

// linger closes the connection when the client has, or a moment later. If it was closed with something unread, the system would
// drop what is still on its way to the client.
func (c *conn) linger() {
	late := time.NewTimer(lingering)
	defer late.Stop()
	select {
	case <-c.heeded:
	case <-late.C:
	}
	c.fail(net.ErrClosed)
}

// fail ends the connection now.
func (c *conn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	open := c.streams
	c.streams = nil
	c.ready, c.starved, c.control, c.unwritten = nil, nil, nil, nil
	calls := make([]abandoner, 0, len(open))
	for _, s := range open {
		if call := s.drop(errBroken); call != nil {
			calls = append(calls, call)
		}
	}
	r := c.relay
	c.wake.Broadcast()
	c.space.Broadcast()
	c.mu.Unlock()
	_ = c.net.Close()
	if r != nil {
		r.close()
	}
	for _, call := range calls {
		call.Abandon()
	}
}

var errBroken = errors.New("the connection broke")

// drain tells the client to make no more calls, and closes the connection when those that it has made have ended. What it
// sent before it heard of that is taken: the client is asked for an answer, and what comes before it counts.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.leaving {
		return
	}
	c.leaving = true
	c.control = appendGoAway(c.control, 1<<31-1, http2.ErrCodeNo, "")
	c.control = appendPing(c.control, false, drainPing)
	c.wake.Signal()
	time.AfterFunc(drainWait, c.leave)
}

// drainPing is the ping that a client answers after it has heard that it is to go, and drainWait how long it may take.
var drainPing = [8]byte{'d', 'r', 'a', 'i', 'n'}

const drainWait = time.Second

// leave takes no more streams.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.left {
		return
	}
	c.left = true
	c.control = appendGoAway(c.control, c.last, http2.ErrCodeNo, "")
	c.wake.Signal()
}

// watch asks a silent client for a sign of life, and gives it up if it gives none.
func (c *conn) watch() {
	switch {
	case c.heard.Swap(false):
		c.probed.Store(false)
		c.alive.Reset(c.server.config.Idle)
	case c.probed.Swap(true):
		c.fail(errSilent)
	default:
		c.mu.Lock()
		c.control = appendPing(c.control, false, [8]byte{})
		c.wake.Signal()
		c.mu.Unlock()
		c.alive.Reset(c.server.config.Alive)
	}
}

var errSilent = errors.New("the client gives no sign of life")

// shake reads what a client of HTTP/2 sends first.
func (r *reader) shake() error {
	c := r.conn
	if err := c.net.SetReadDeadline(time.Now().Add(c.server.config.Handshake)); err != nil {
		return err
	}
	var preface [len(http2.ClientPreface)]byte
	if _, err := io.ReadFull(r.in, preface[:]); err != nil {
		return err
	}
	if string(preface[:]) != http2.ClientPreface {
		return errors.New("the client does not speak HTTP/2")
	}
	f, err := r.frames.ReadFrame()
	if err != nil {
		return err
	}
	settings, ok := f.(*http2.SettingsFrame)
	if !ok || settings.IsAck() {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if err := r.settings(settings); err != nil {
		return err
	}
	return c.net.SetReadDeadline(time.Time{})
}

// reader is what the goroutine that reads has for itself.
type reader struct {
	conn    *conn
	in      *bufio.Reader
	frames  *http2.Framer
	decoder *decoder
	opened  []*Stream // those without a handler, which came with what was read last

	head    *http2.HeadersFrame // of the block that is being gathered, if it has several frames
	block   []byte
	pieces  int    // frames that have continued it
	highest uint32 // of all streams
	credit  int64  // what came since the connection's window was opened again
	room    int64  // what the client may send on the connection

	pinged  time.Time
	strikes int
}

func (r *reader) init(c *conn) {
	r.conn = c
	r.in = bufio.NewReaderSize(c.net, readSize)
	r.frames = http2.NewFramer(io.Discard, r.in)
	r.frames.SetReuseFrames()
	r.frames.SetMaxReadFrameSize(maxFrame)
	r.decoder = newDecoder(c.server.config.HeaderList)
	r.room = int64(c.server.config.ConnectionWindow)
}
