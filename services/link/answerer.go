package link

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/calls"
)

// answerer is the side of a connection that a peer has opened: it gets requests and sends responses.
type answerer struct {
	*wire

	streams map[uint32]*served // guarded by mu; nil once the wire has failed
	away    bool               // guarded by mu; what comes is refused
}

// served is one call of a peer.
type served struct {
	answerer *answerer
	stream   uint32
	began    time.Time // when its request or its announcement came
	ctx      *calls.Context
	message  []byte
	claim    *claim // of the request
	handed   bool   // to a worker; guarded by wire.mu

	head    []byte
	large   *outgoing // a response that goes in pieces; guarded by wire.mu
	sending *claim    // of that response; guarded by wire.mu
}

// newServed gives a call of a peer.
func (l *Link) newServed() *served {
	if s, ok := l.served.Get().(*served); ok {
		return s
	}
	return new(served)
}

// release makes s ready for its next use. Nobody else knows it any more.
func (s *served) release() {
	l := s.answerer.link
	*s = served{message: reusable(s.message), head: reusable(s.head)}
	l.served.Put(s)
}

// handle implements side.
func (a *answerer) handle(h header) error {
	payload, err := a.payload(h)
	if err != nil {
		return err
	}
	switch h.kind {
	case kindRequest:
		return a.request(h.stream, payload)
	case kindCancel:
		a.cancel(h.stream)
		return nil
	default:
		return violationf("a frame of type %d from the side that calls", h.kind)
	}
}

// request takes a request that came whole.
func (a *answerer) request(stream uint32, payload []byte) error {
	claimed, room := a.link.requests.try(a.share(), len(payload))
	a.mu.Lock()
	s, err := a.open(stream, room)
	if s != nil {
		s.handed = true
	}
	a.mu.Unlock()
	if s == nil {
		claimed.release()
		return err
	}
	s.claim = claimed
	s.message = append(s.message, payload...)
	a.link.workers.Run(s)
	return nil
}

// open makes a call. It gives none if the call is refused, or breaks a rule. a.mu is held.
func (a *answerer) open(stream uint32, room bool) (*served, error) {
	_, used := a.streams[stream]
	switch {
	case used || stream == 0:
		return nil, violationf("stream %d is used again", stream)
	case len(a.streams) >= int(a.ours.streams):
		return nil, violationf("more than %d calls on a connection", a.ours.streams)
	case a.streams == nil:
		return nil, a.err
	case a.away:
		a.refuse(stream, refusal(executor.Closing, "node %s is about to stop", a.link.id))
		return nil, nil //nolint:nilnil // refused
	case !room:
		a.refuse(stream, refusal(executor.QueueFull, "node %s holds too many large requests", a.link.id))
		return nil, nil //nolint:nilnil // refused
	case a.link.handling.Add(1) > int64(a.link.config.Calls):
		a.link.handling.Add(-1)
		a.refuse(stream, refusal(executor.QueueFull, "node %s answers %d calls of peers already", a.link.id, a.link.config.Calls))
		return nil, nil //nolint:nilnil // refused
	}
	s := a.link.newServed()
	s.answerer, s.stream, s.began, s.ctx = a, stream, time.Now(), new(calls.Context)
	a.streams[stream] = s
	return s, nil
}

// refuse answers a call that is not started. a.mu is held.
func (a *answerer) refuse(stream uint32, why error) {
	a.link.metrics.refused.Inc()
	head, body := appendResponse(nil, new(Response), why)
	a.frame(kindResponse, stream, append(head, body...))
}

// expects implements side.
func (a *answerer) expects(stream uint32) (bool, error) {
	s, err := a.open(stream, true)
	return s != nil, err
}

// arrived implements side.
func (a *answerer) arrived(stream uint32, whole *assembly) error {
	a.mu.Lock()
	s := a.streams[stream]
	if s != nil {
		s.handed = true
	}
	a.mu.Unlock()
	if s == nil {
		whole.claim.release()
		return nil
	}
	s.message, s.claim = whole.bytes, whole.claim
	a.link.workers.Run(s)
	return nil
}

// cancel ends a call whose caller does not wait any more.
func (a *answerer) cancel(stream uint32) {
	a.mu.Lock()
	s := a.streams[stream]
	if s == nil { // It is answered.
		a.mu.Unlock()
		return
	}
	delete(a.streams, stream)
	if s.large != nil {
		a.drop(s.large)
		s.sending.release()
	}
	claimed := a.forget(stream)
	ctx := s.ctx
	if !s.handed {
		a.link.handling.Add(-1)
	}
	a.mu.Unlock()
	claimed.release()
	ctx.End(context.Canceled)
}

// share and memory implement side.
func (a *answerer) share() *share   { return &a.peer.requests }
func (a *answerer) memory() *memory { return &a.link.requests }

// leave refuses what comes from now on, and asks the peer to close the connection when it has its answers.
func (a *answerer) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.away && a.err == nil {
		a.away = true
		a.frame(kindGoAway, 0, nil)
	}
}

// failed implements side.
func (a *answerer) failed(err error, _ uint64) {
	a.mu.Lock()
	open := a.streams
	a.streams = nil
	contexts := make([]*calls.Context, 0, len(open))
	for _, s := range open {
		contexts = append(contexts, s.ctx)
		if s.large != nil {
			s.sending.release()
		}
		if !s.handed {
			a.link.handling.Add(-1)
		}
	}
	a.mu.Unlock()
	for _, ctx := range contexts {
		ctx.End(context.Canceled)
	}
	a.peer.answerers.Add(-1)
	a.link.gone(a.wire, err)
}

// Run answers a call. It is called on a worker.
func (s *served) Run() {
	a := s.answerer
	request, left, err := parseRequest(s.message)
	if err != nil {
		s.claim.release()
		a.link.handling.Add(-1)
		a.fail(err)
		return
	}
	if left > 0 {
		s.ctx.Until(s.began.Add(left))
	}
	response, err := s.call(request)
	s.ctx.End(context.Canceled)
	s.claim.release()
	a.link.handling.Add(-1) // before the caller has its answer and makes the next call
	s.answer(&response, err)
}

// call calls the handler.
func (s *served) call(request Request) (response Response, err error) {
	a := s.answerer
	defer func() {
		if p := recover(); p != nil {
			a.link.log.Error("panic in a call of a peer", "peer", a.peer.node, "service", request.Service, "method", request.Method,
				"call", request.CallID, "panic", p, "stack", string(debug.Stack()))
			response, err = Response{}, &executor.Error{Reason: executor.Internal,
				Message: "a fault of weft; the log of node " + a.link.id + " says more under call " + request.CallID}
		}
	}()
	return a.link.config.Handler(s.ctx, a.peer.node, request)
}

// answer sends the response, unless the caller does not wait any more.
func (s *served) answer(r *Response, err error) {
	a := s.answerer
	head, body := appendResponse(s.head[:0], r, err)
	size := len(head) + len(body)
	sending, held := a.link.sending.try(&a.peer.sending, size)
	switch {
	case int64(size) > a.theirs.message || len(head) > maxHead:
		err = faultf(executor.ResponseTooLarge, "the response has %d bytes and %d of trailers; the calling node accepts %d and %d",
			len(body), len(head), a.theirs.message, maxHead)
	case !held:
		err = faultf(executor.QueueFull, "node %s holds too many responses that callers have not taken; the function did run", a.link.id)
	default:
		s.send(head, body, sending)
		return
	}
	sending.release()
	head, body = appendResponse(head[:0], &Response{Load: r.Load}, err)
	s.send(head, body, nil)
}

// send queues the response and ends the stream, or begins to send its pieces.
func (s *served) send(head, body []byte, sending *claim) {
	a := s.answerer
	if !a.room(nil) || a.streams[s.stream] != s {
		if a.streams[s.stream] == s { // the connection has just broken, and failed must not find what is used again
			delete(a.streams, s.stream)
		}
		a.mu.Unlock()
		sending.release()
		s.release()
		return
	}
	if len(head)+len(body) > maxPayload {
		s.sending = sending
		s.large = &outgoing{stream: s.stream, head: head, body: body, taken: func() {
			delete(a.streams, s.stream)
			sending.release()
		}}
		a.announce(s.large)
		a.mu.Unlock()
		return
	}
	delete(a.streams, s.stream)
	a.whole(kindResponse, s.stream, head, body)
	a.flush(len(a.streams) < directStreams)
	sending.release()
	s.head = head
	s.release()
}
