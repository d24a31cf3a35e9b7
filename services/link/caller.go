package link

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/executor"
)

// caller is the side of a connection that this node has opened: it sends requests and gets responses.
type caller struct {
	*wire
	load atomic.Int32 // calls that are open

	calls map[uint32]*call // guarded by mu
	last  uint32           // guarded by mu; the stream of the last call
	away  bool             // guarded by mu; no more calls: the peer said so, or this node is done with it
}

// call is one call on its way.
type call struct {
	answered chan struct{} // has one element once the fields below are set
	response []byte
	claim    *claim
	err      error

	stream uint32
	head   []byte
	end    uint64    // the position of the last byte of a request that goes whole
	large  *outgoing // a request that goes in pieces
}

// newCall gives a call, which is to be released.
func (l *Link) newCall() *call {
	if k, ok := l.calls.Get().(*call); ok {
		return k
	}
	return &call{answered: make(chan struct{}, 1)}
}

// release makes a call ready for its next use. Nobody else knows it any more.
func (l *Link) release(k *call) {
	*k = call{answered: k.answered, head: reusable(k.head)}
	l.calls.Put(k)
}

// errNoStream is why a connection takes no call now. Another may.
var errNoStream = errors.New("the connection takes no more calls")

// errBusy is why no connection takes a call now.
var errBusy = errors.New("too many calls to it are open")

// directStreams is up to how many open calls a request or a response is written by its own goroutine. With more, it is
// better that one goroutine writes what many have.
const directStreams = 2

// call runs a call. Its errors are those of Link.Call, and errNoStream.
func (c *caller) call(ctx context.Context, r *Request) (Response, error) {
	k := c.link.newCall()
	var left time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		left = max(time.Until(deadline), time.Microsecond)
	}
	k.head = appendRequest(k.head[:0], r, left)
	if err := c.fits(k.head, r); err != nil {
		c.link.release(k)
		return Response{}, err
	}
	if err := c.begin(ctx, k, r.Message); err != nil {
		c.link.release(k)
		return Response{}, err
	}
	select {
	case <-k.answered:
	case <-ctx.Done():
		if c.cancel(k) {
			c.link.release(k)
			return Response{}, ctx.Err()
		}
		<-k.answered // It came at the same time.
	}
	b, err := k.response, k.err
	k.claim.release()
	c.link.release(k)
	if err != nil {
		return Response{}, err
	}
	response, failure, err := parseResponse(b, c.peer.node)
	if err != nil {
		c.fail(err)
		return Response{}, &LostError{Node: c.peer.node, Err: err}
	}
	return response, failure
}

// fits tells whether the peer accepts a request of this size.
func (c *caller) fits(head []byte, r *Request) error {
	switch size := int64(len(head) + len(r.Message)); {
	case len(head) > maxHead:
		return faultf(executor.RequestTooLarge, "the metadata has %d bytes; between nodes %d are allowed", len(head), maxHead)
	case size > c.theirs.message:
		return faultf(executor.RequestTooLarge, "the request has %d bytes; node %s accepts %d", size, c.peer.node, c.theirs.message)
	default:
		return nil
	}
}

// begin sends a request.
func (c *caller) begin(ctx context.Context, k *call, message []byte) error {
	if !c.room(ctx.Done()) || c.away || len(c.calls) >= int(c.theirs.streams) {
		c.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		return errNoStream
	}
	k.stream = c.next()
	c.calls[k.stream] = k
	c.load.Store(int32(len(c.calls)))
	if len(k.head)+len(message) > maxPayload {
		k.large = &outgoing{stream: k.stream, head: k.head, body: message, end: neverSent}
		c.announce(k.large)
		c.mu.Unlock()
		return nil
	}
	k.end = c.whole(kindRequest, k.stream, k.head, message)
	c.flush(len(c.calls) <= directStreams)
	return nil
}

// next gives a stream that is not in use. c.mu is held.
func (c *caller) next() uint32 {
	for {
		c.last++
		if _, used := c.calls[c.last]; c.last != 0 && !used {
			return c.last
		}
	}
}

// cancel gives a call up. It is false if the call is answered already.
func (c *caller) cancel(k *call) bool {
	c.mu.Lock()
	if c.calls[k.stream] != k {
		c.mu.Unlock()
		return false
	}
	claim := c.close(k)
	if c.err == nil {
		c.frame(kindCancel, k.stream, nil)
	}
	c.mu.Unlock()
	claim.release()
	c.rest()
	return true
}

// close ends a stream. The claim is to be released without c.mu, which is held.
func (c *caller) close(k *call) *claim {
	delete(c.calls, k.stream)
	c.load.Store(int32(len(c.calls)))
	if k.large != nil {
		c.drop(k.large)
	}
	return c.forget(k.stream)
}

// handle implements side.
func (c *caller) handle(h header) error {
	payload, err := c.payload(h)
	if err != nil {
		return err
	}
	switch h.kind {
	case kindResponse:
		// The message belongs to the caller, so this is the one copy that is made for it.
		return c.answer(h.stream, append(make([]byte, 0, len(payload)), payload...), nil)
	case kindGoAway:
		c.leave()
		return nil
	default:
		return violationf("a frame of type %d from the side that answers", h.kind)
	}
}

// arrived implements side.
func (c *caller) arrived(stream uint32, a *assembly) error { return c.answer(stream, a.bytes, a.claim) }

// answer gives a call its response. One that is not open was canceled.
func (c *caller) answer(stream uint32, response []byte, claimed *claim) error {
	c.mu.Lock()
	k := c.calls[stream]
	if k == nil {
		c.mu.Unlock()
		claimed.release()
		return nil
	}
	unused := c.close(k)
	over := c.away && len(c.calls) == 0
	c.mu.Unlock()
	unused.release()
	k.response, k.claim = response, claimed
	k.answered <- struct{}{}
	if over {
		return errDone
	}
	return nil
}

// expects implements side.
func (c *caller) expects(stream uint32) (bool, error) { return c.calls[stream] != nil, nil }

// share and memory implement side.
func (c *caller) share() *share   { return &c.peer.responses }
func (c *caller) memory() *memory { return &c.link.responses }

// leave lets the calls that are open end, takes no more, and then closes the connection.
func (c *caller) leave() {
	c.peer.remove(c)
	c.mu.Lock()
	c.away = true
	c.mu.Unlock()
	c.rest()
}

// rest closes the connection if it is of no more use.
func (c *caller) rest() {
	c.mu.Lock()
	over := c.away && len(c.calls) == 0
	c.mu.Unlock()
	if over {
		c.fail(errDone)
	}
}

// errDone is a connection that was closed because nobody needs it.
var errDone = errors.New("the connection is not needed any more")

// failed implements side.
func (c *caller) failed(err error, written uint64) {
	c.peer.remove(c)
	c.mu.Lock()
	open := c.calls
	c.calls = nil
	c.load.Store(0)
	c.mu.Unlock()
	for _, k := range open {
		end := k.end
		if k.large != nil {
			end = k.large.end
		}
		if end > written {
			k.err = &NotStartedError{Node: c.peer.node, Err: err}
		} else {
			k.err = &LostError{Node: c.peer.node, Err: err}
		}
		k.answered <- struct{}{}
	}
	c.link.gone(c.wire, err)
}
