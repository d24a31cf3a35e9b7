package lean

import (
	"context"
	"slices"
	"time"

	"golang.org/x/net/http2"

	"github.com/weft-run/weft/internal/calls"
)

// abandoner is a call that nobody may want any more.
type abandoner interface{ Abandon() }

// Stream is one request and its answer. It is the context of the call, too: done when the caller's deadline is over, when
// the caller has gone away, and when the request was answered.
type Stream struct {
	calls.Context
	conn    *conn
	id      uint32
	head    *Head
	relayed bool
	way     *relay // guarded by conn.mu; nil until the stream needs it

	// Of the goroutine that reads.
	declared int64 // content-length; -1 if absent
	came     int64 // bytes of data

	// Guarded by conn.mu.
	ended  bool  // the client sends no more
	served bool  // a handler has it
	room   int64 // what the client may send
	body   body
	err    error     // why nothing more can be read, or said
	call   abandoner // what runs for it
	over   bool      // the handler has ended

	window int64  // what the client takes
	parts  []part // of the answer, that are still to be sent
	first  [3]part
	queued bool // in conn.ready or conn.starved
	said   bool // the answer is complete

	// resets says that the other server wants the stream reset once the answer is out.
	resets    bool
	resetCode http2.ErrCode
}

// Value implements context.Context.
func (s *Stream) Value(key any) any { return s.conn.values.Value(key) }

// Head gives what the request's headers say.
func (s *Stream) Head() *Head { return s.head }

// Runs says what runs for the stream: it is abandoned when the client has gone away.
func (s *Stream) Runs(call abandoner) {
	c := s.conn
	c.mu.Lock()
	gone := s.err != nil && !s.over
	if !s.over { // else it has answered already
		s.call = call
	}
	c.mu.Unlock()
	if gone {
		call.Abandon()
	}
}

// count checks the data against what content-length says: RFC 9113, section 8.1.1.
func (s *Stream) count(size int, ended bool) error {
	s.came += int64(size)
	if s.declared >= 0 && (s.came > s.declared || ended && s.came < s.declared) {
		return streamError(s.id, http2.ErrCodeProtocol)
	}
	return nil
}

// endRequest takes the end of a request that comes without data.
func (s *Stream) endRequest() error {
	if err := s.count(0, true); err != nil {
		return err
	}
	return s.arrived(nil, true)
}

// arrived takes data of a request. A small message that is here whole goes to the handler at once.
func (s *Stream) arrived(data []byte, ended bool) error {
	c := s.conn
	c.mu.Lock()
	s.body.add(data)
	s.ended = s.ended || ended
	whole := s.ended && !s.served && s.err == nil && isWhole(s.body.held, c.server.config.Small)
	serve := s.ended && !s.served && !whole
	message := s.body.held
	fits := whole || s.err != nil || c.countBody(s, int64(len(message)))
	if s.ended {
		s.served = true
	}
	s.body.tell()
	c.mu.Unlock()
	switch {
	case whole && !c.server.config.Handler.Start(s, message[prefix:]), serve:
		c.server.workers.Run(s)
	}
	if !fits {
		return errUnread(s.id)
	}
	return nil
}

// errUnread resets a stream for whose data there is no room. Clients of gRPC make RESOURCE_EXHAUSTED of it.
func errUnread(id uint32) error { return streamError(id, http2.ErrCodeEnhanceYourCalm) }

// serveIfNobodyDoes gives the stream to a handler that reads the request, if anybody wants that.
func (s *Stream) serveIfNobodyDoes() {
	c := s.conn
	c.mu.Lock()
	serve := !s.served && s.err == nil
	if !s.served && !serve {
		c.handlerEnded(s) // The client does not want it any more.
	}
	s.served = true
	c.mu.Unlock()
	if serve {
		c.server.workers.Run(s)
	}
}

// Run implements calls.Call.
func (s *Stream) Run() {
	if deadline, ok := s.Deadline(); ok {
		// Whoever reads is woken.
		defer time.AfterFunc(time.Until(deadline), func() { s.stopReading(context.DeadlineExceeded) }).Stop()
	}
	s.conn.server.config.Handler.Serve(s)
}

func (s *Stream) stopReading(err error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.err == nil {
		s.body.err = err
	}
	s.body.tell()
}

// cancel takes in that the client wants no answer.
func (s *Stream) cancel() {
	c := s.conn
	c.mu.Lock()
	call := s.drop(context.Canceled)
	c.removed(s)
	c.mu.Unlock()
	if call != nil {
		call.Abandon()
	}
}

// drop ends what the stream holds, and gives the call to be abandoned. c.mu is held.
func (s *Stream) drop(err error) abandoner {
	if s.err == nil {
		s.err = err
	}
	s.End(context.Canceled) // before the call is abandoned, which asks why
	for i := range s.parts {
		if s.way != nil {
			s.way.credit(len(s.parts[i].data)) // It will not be sent.
		}
		s.parts[i].free()
	}
	s.parts = nil
	if s.queued { // Whoever resets streams must not make the lines longer.
		is := func(other *Stream) bool { return other == s }
		s.conn.ready, s.conn.starved = slices.DeleteFunc(s.conn.ready, is), slices.DeleteFunc(s.conn.starved, is)
		s.queued = false
	}
	s.body.err, s.body.held = s.err, nil
	s.conn.countBody(s, 0)
	s.body.tell()
	call := s.call
	s.call = nil
	return call
}

// refuse resets a stream, whether it is open or not.
func (c *conn) refuse(id uint32, code http2.ErrCode) error {
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	c.say(appendReset(c.control, id, code))
	c.mu.Unlock()
	return c.canceled(id, http2.ErrCodeCancel)
}

// canceled takes in that a stream was reset, if it is open, and tells the other server.
func (c *conn) canceled(id uint32, code http2.ErrCode) error {
	c.mu.Lock()
	s := c.streams[id]
	var way *relay
	if s != nil {
		way = s.way
	}
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	s.cancel()
	if way != nil {
		return way.reset(id, code)
	}
	return nil
}

// removed forgets a stream. c.mu is held.
func (c *conn) removed(s *Stream) {
	if c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	s.body.held = nil // Nobody reads it any more.
	c.countBody(s, 0)
	if len(c.streams) == 0 && c.left {
		c.wake.Signal()
	}
}

// forgetIfOver forgets a stream that both sides have ended. c.mu is held.
func (c *conn) forgetIfOver(s *Stream) {
	if s.ended && s.said && len(s.parts) == 0 {
		c.removed(s)
	}
}

// handlerEnded takes in that the handler of a stream has ended, by answering it. c.mu is held.
func (c *conn) handlerEnded(s *Stream) {
	if s.over {
		return
	}
	s.over = true
	s.call = nil
	c.running--
	c.space.Broadcast()
}
