package lean

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/http2"
)

// streamError is an error that ends one stream.
func streamError(id uint32, code http2.ErrCode) error {
	return http2.StreamError{StreamID: id, Code: code}
}

// run reads frames until the connection is over. A ConnectionError is to be told to the client.
func (r *reader) run() error {
	c := r.conn
	if err := r.shake(); err != nil {
		return err
	}
	c.alive = time.AfterFunc(c.server.config.Idle, c.watch)
	for {
		if r.in.Buffered() == 0 {
			r.dispatch()
		}
		f, err := r.frames.ReadFrame()
		if err == nil {
			c.heard.Store(true)
			err = r.frame(f)
		}
		if fault, ok := errors.AsType[http2.StreamError](err); ok {
			err = c.refuse(fault.StreamID, fault.Code)
		}
		if err == nil {
			err = r.throttle()
		}
		if err != nil {
			if errors.Is(err, http2.ErrFrameTooLarge) {
				return http2.ConnectionError(http2.ErrCodeFrameSize)
			}
			return err
		}
	}
}

// throttle waits while the client does not read what it makes the node say, or has more handlers running than it may have
// streams: resetting streams as fast as they are opened ("rapid reset") gains it nothing.
func (r *reader) throttle() error {
	c := r.conn
	full := func() bool {
		return c.err == nil && (len(c.control) > maxControl || c.running > c.server.config.Streams)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if full() { // Streams that wait for their handlers count, too.
		c.mu.Unlock()
		r.dispatch()
		c.mu.Lock()
	}
	for full() {
		c.space.Wait()
	}
	return c.err
}

func (r *reader) frame(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.HeadersFrame:
		return r.headers(f)
	case *http2.ContinuationFrame:
		return r.continuation(f)
	case *http2.DataFrame:
		return r.data(f)
	case *http2.RSTStreamFrame:
		return r.reset(f)
	case *http2.WindowUpdateFrame:
		return r.windowUpdate(f)
	case *http2.SettingsFrame:
		return r.settings(f)
	case *http2.PingFrame:
		return r.ping(f)
	case *http2.PriorityFrame:
		if f.StreamDep == f.StreamID {
			return streamError(f.StreamID, http2.ErrCodeProtocol)
		}
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil // GOAWAY, and what nobody knows
}

// headers begins a stream, or ends its request.
func (r *reader) headers(f *http2.HeadersFrame) error {
	if f.HeadersEnded() {
		return r.whole(f.StreamID, f.StreamEnded(), f.Priority.StreamDep == f.StreamID && f.HasPriority(), f.HeaderBlockFragment())
	}
	head := *f
	r.head, r.pieces = &head, 0
	r.block = append(r.block[:0], f.HeaderBlockFragment()...)
	return nil
}

func (r *reader) continuation(f *http2.ContinuationFrame) error {
	if r.pieces++; r.pieces > maxContinuations {
		return errContinuations
	}
	if len(r.block)+len(f.HeaderBlockFragment()) > maxBlock*r.decoder.limit {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	r.block = append(r.block, f.HeaderBlockFragment()...)
	if !f.HeadersEnded() {
		return nil
	}
	h := r.head
	r.head = nil
	return r.whole(h.StreamID, h.StreamEnded(), h.HasPriority() && h.Priority.StreamDep == h.StreamID, r.block)
}

// maxContinuations is how many frames may continue a header block, each of them however small. Those of clients are full, so two are the most
// that the gateway's bound on headers lets them need.
const maxContinuations = 16

// errContinuations is why a client that sends more is sent away. Empty ones are never too many bytes, and cost time all the same: CVE-2023-45288
// and others of its kind.
var errContinuations = fmt.Errorf("too many CONTINUATION frames: %w", http2.ConnectionError(http2.ErrCodeEnhanceYourCalm))

// whole takes a header block.
func (r *reader) whole(id uint32, ended, circular bool, block []byte) error {
	if id%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if id <= r.highest {
		return r.trailer(id, ended, block)
	}
	r.highest = id
	known := r.decoder.recall(block)
	if known == nil {
		if err := r.decoder.decode(block); err != nil {
			return http2.ConnectionError(http2.ErrCodeCompression)
		}
		switch {
		case r.decoder.tooLarge():
			return streamError(id, http2.ErrCodeFrameSize)
		case !r.decoder.isRequest():
			return streamError(id, http2.ErrCodeProtocol)
		}
	}
	if circular {
		return streamError(id, http2.ErrCodeProtocol)
	}
	s, err := r.begin(id, known, block)
	if s == nil || err != nil {
		return err
	}
	if s.relayed {
		return r.relay(s, ended)
	}
	if ended {
		return s.endRequest()
	}
	return nil
}

// begin makes a stream. It is nil if the client will not hear of it: it was told to go.
func (r *reader) begin(id uint32, known *knownHead, block []byte) (*Stream, error) {
	c := r.conn
	s := &Stream{conn: c, id: id, room: int64(c.server.config.Window), declared: r.decoder.length}
	if known != nil {
		s.head, s.declared = known.head, known.length
	} else if h := r.decoder.head(); h != nil && c.server.config.Handler.Takes(h) {
		s.head = h
		r.decoder.remember(block, h)
	} else {
		s.relayed = true
	}
	if s.head != nil && s.head.Timeout > 0 {
		s.Until(time.Now().Add(s.head.Timeout))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return nil, c.err
	case c.left:
		return nil, nil //nolint:nilnil // as it is documented
	case len(c.streams) >= c.server.config.Streams:
		return nil, streamError(id, http2.ErrCodeRefusedStream)
	}
	c.last = id
	s.window = c.initial
	c.streams[id] = s
	if !s.relayed {
		c.running++ // until its handler has ended
		r.opened = append(r.opened, s)
	}
	return s, nil
}

// trailer takes a header block on a stream that has begun.
func (r *reader) trailer(id uint32, ended bool, block []byte) error {
	if err := r.decoder.decode(block); err != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	c := r.conn
	c.mu.Lock()
	s := c.streams[id]
	closed := s == nil || s.ended
	c.mu.Unlock()
	switch {
	case s == nil:
		return http2.ConnectionError(http2.ErrCodeStreamClosed)
	case closed:
		return streamError(id, http2.ErrCodeStreamClosed)
	case !ended || r.decoder.tooLarge() || !r.decoder.isTrailer():
		return streamError(id, http2.ErrCodeProtocol)
	case s.relayed:
		if err := s.count(0, true); err != nil {
			return err
		}
		return c.relayEnd(s)
	default:
		return s.endRequest()
	}
}

// relay passes the header block that was decoded last on.
func (r *reader) relay(s *Stream, ended bool) error {
	c := r.conn
	way, err := c.relayFor(s)
	if err != nil {
		return err
	}
	if ended {
		c.mu.Lock()
		s.ended = true
		c.forgetIfOver(s)
		c.mu.Unlock()
	}
	return way.headers(s.id, r.decoder.fields, ended)
}

// relayEnd passes on that a request has ended with trailers, but not those: gRPC has none in requests, and grpc-go takes them for an error of the
// connection, which others share.
func (c *conn) relayEnd(s *Stream) error {
	c.mu.Lock()
	way := s.way
	s.ended = true
	c.forgetIfOver(s)
	c.mu.Unlock()
	if way == nil {
		return nil
	}
	return way.data(s.id, nil, true)
}

func (r *reader) data(f *http2.DataFrame) error {
	size := int64(f.Length)
	if err := r.received(size); err != nil {
		return err
	}
	c := r.conn
	c.mu.Lock()
	s := c.streams[f.StreamID]
	if s == nil {
		c.mu.Unlock()
		if f.StreamID > r.highest {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		return streamError(f.StreamID, http2.ErrCodeStreamClosed) // It was reset, or answered before its end.
	}
	if s.ended {
		c.mu.Unlock()
		return streamError(s.id, http2.ErrCodeStreamClosed)
	}
	if s.room -= size; s.room < 0 {
		c.mu.Unlock()
		return streamError(s.id, http2.ErrCodeFlowControl)
	}
	if padding := size - int64(len(f.Data())); padding > 0 && !f.StreamEnded() {
		s.room += padding
		c.say(appendWindowUpdate(c.control, s.id, uint32(padding)))
	}
	c.mu.Unlock()
	if err := s.count(len(f.Data()), f.StreamEnded()); err != nil {
		return err
	}
	if s.relayed {
		return r.relayData(s, f)
	}
	return s.arrived(f.Data(), f.StreamEnded())
}

func (r *reader) relayData(s *Stream, f *http2.DataFrame) error {
	c := r.conn
	c.mu.Lock()
	way := s.way
	fits := c.countRelayed(s)
	if f.StreamEnded() {
		s.ended = true
		c.forgetIfOver(s)
	}
	c.mu.Unlock()
	if !fits {
		return errUnread(s.id)
	}
	if way == nil {
		return nil
	}
	return way.data(s.id, f.Data(), f.StreamEnded())
}

// received counts against the connection's window, which is opened again whatever becomes of the data: what is kept is bounded by
// the windows of streams.
func (r *reader) received(size int64) error {
	if r.room -= size; r.room < 0 {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	if r.credit += size; r.credit < int64(r.conn.server.config.ConnectionWindow)/4 {
		return nil
	}
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(appendWindowUpdate(c.control, 0, uint32(r.credit)))
	r.room += r.credit
	r.credit = 0
	return nil
}

func (r *reader) reset(f *http2.RSTStreamFrame) error {
	if f.StreamID > r.highest {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return r.conn.canceled(f.StreamID, f.ErrCode)
}

func (r *reader) windowUpdate(f *http2.WindowUpdateFrame) error {
	way, err := r.widen(f)
	if way != nil {
		way.windowUpdate(f.StreamID, f.Increment)
	}
	return err
}

// widen takes in that the client takes more, and gives the relay that is to be told.
func (r *reader) widen(f *http2.WindowUpdateFrame) (*relay, error) {
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > 1<<31-1 {
			return nil, http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.ready = append(c.ready, c.starved...)
		clear(c.starved)
		c.starved = c.starved[:0]
		c.wake.Signal()
		return nil, nil //nolint:nilnil // nobody is to be told
	}
	if f.StreamID > r.highest {
		return nil, http2.ConnectionError(http2.ErrCodeProtocol)
	}
	s := c.streams[f.StreamID]
	if s == nil {
		return nil, nil //nolint:nilnil // nobody is to be told
	}
	if s.window += int64(f.Increment); s.window > 1<<31-1 {
		return nil, streamError(s.id, http2.ErrCodeFlowControl)
	}
	c.offer(s)
	return s.way, nil
}

func (r *reader) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	way, err := r.set(f)
	if way != nil {
		way.resize(r.conn.initial)
	}
	return err
}

// set takes in the client's settings, and gives the relay that is to be told of the windows of streams.
func (r *reader) set(f *http2.SettingsFrame) (way *relay, err error) {
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	err = f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		switch s.ID {
		case http2.SettingInitialWindowSize:
			way = c.relay
			return c.resize(int64(s.Val))
		case http2.SettingMaxFrameSize:
			c.largest = int(min(s.Val, maxFrame))
		case http2.SettingHeaderTableSize:
			c.encoder.resize(s.Val)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.say(appendSettingsAck(c.control))
	return way, nil
}

// resize changes what the client takes on every stream. c.mu is held.
func (c *conn) resize(initial int64) error {
	more := initial - c.initial
	c.initial = initial
	for _, s := range c.streams {
		if s.window += more; s.window > 1<<31-1 {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.offer(s)
	}
	return nil
}

// ping answers a ping. A client that asks too often, with nothing that it would have to learn from it, is sent away.
func (r *reader) ping(f *http2.PingFrame) error {
	c := r.conn
	if f.IsAck() {
		if f.Data == drainPing {
			c.leave()
		}
		return nil
	}
	now := time.Now()
	if !c.quiet.Swap(true) {
		r.strikes, r.pinged = 0, now
	} else if r.pinged.Add(c.server.config.PingInterval).After(now) {
		if r.strikes++; r.strikes > maxStrikes {
			return errPings
		}
	}
	r.pinged = now
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(appendPing(c.control, true, f.Data))
	return nil
}

// maxStrikes is how many pings may come too early.
const maxStrikes = 2

// errPings is why a client that asks too often is sent away. Clients look for the text, and ask less often from then on.
var errPings = fmt.Errorf("too_many_pings: %w", http2.ConnectionError(http2.ErrCodeEnhanceYourCalm))

// say puts frames that answer the client's in front. c.mu is held.
func (c *conn) say(control []byte) {
	c.control = control
	c.wake.Signal()
}

// dispatch gives streams whose request is not here whole to handlers that wait for the rest.
func (r *reader) dispatch() {
	for _, s := range r.opened {
		s.serveIfNobodyDoes()
	}
	clear(r.opened)
	r.opened = r.opened[:0]
}

// prefix is the size of what precedes a message: a flag and its length (gRPC over HTTP2, "Length-Prefixed-Message").
const prefix = 5

// isWhole tells whether the data of a request is one message that is not compressed, and small.
func isWhole(data []byte, small int) bool {
	return len(data) >= prefix && data[0] == 0 && len(data)-prefix <= small && int(binary.BigEndian.Uint32(data[1:])) == len(data)-prefix
}
