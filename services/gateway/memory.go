package gateway

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
)

// smallMessage is the size up to which messages are not counted: their number is bounded by that of the calls.
const smallMessage = 4 << 10

// memory bounds the bytes of the messages that the node holds.
//
// A request waits for its turn before it is read, in order of arrival; one whose connection holds its share already lets
// others pass. A response exists when it is claimed, so it does not wait: it may go half over the bound, and is refused
// beyond. Requests then wait until that is read or given up.
//
// A response that grpc-go compresses is counted until it is compressed, and not while the result waits for its caller:
// grpc-go does not tell when that is sent. Config.Streams and the revision's limit bound it for each connection.
type memory struct {
	total, share int64

	mu      sync.Mutex
	held    int64      // guarded by mu
	waiting *list.List // guarded by mu; of *waiter
}

// waiter is a request that waits. A waiter that was given its claim is no longer in the list.
type waiter struct {
	claim *claim
	ready chan struct{}
}

// claim is a part of the memory. It is released once, by whoever comes first.
type claim struct {
	memory   *memory
	origin   *origin
	size     int64
	released atomic.Bool
}

func newMemory(total int64) *memory {
	return &memory{total: total, share: total / 2, waiting: list.New()}
}

// request claims memory for a request, and waits for it until ctx is done. A claim of nil is one of nothing.
func (m *memory) request(ctx context.Context, from *origin, size int64) (*claim, error) {
	if size <= smallMessage {
		return nil, nil //nolint:nilnil // a claim of nothing
	}
	c := &claim{memory: m, origin: from, size: min(size, m.share)}
	m.mu.Lock()
	if m.waiting.Len() == 0 && m.fits(c) {
		m.take(c)
		m.mu.Unlock()
		return c, nil
	}
	w := &waiter{claim: c, ready: make(chan struct{})}
	place := m.waiting.PushBack(w)
	m.serve()
	m.mu.Unlock()
	select {
	case <-w.ready:
		return c, nil
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-w.ready: // It came at the same time.
		return c, nil
	default:
		m.waiting.Remove(place)
		m.serve()
		return nil, ctx.Err()
	}
}

// response claims memory for a response, now or not at all.
func (m *memory) response(from *origin, size int64) (*claim, bool) {
	c := &claim{memory: m, origin: from, size: min(size, m.share)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if from.closed || m.held+c.size > m.total+m.total/2 || from.held+c.size > m.share+m.share/2 {
		return nil, false
	}
	m.take(c)
	return c, true
}

// forget releases all that a connection holds.
func (m *memory) forget(o *origin) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held -= o.held
	o.held, o.closed = 0, true
	m.serve()
}

// inUse is what is held now.
func (m *memory) inUse() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

// serve gives waiters what fits. It is called with mu held.
func (m *memory) serve() {
	for e := m.waiting.Front(); e != nil; {
		next := e.Next()
		w := e.Value.(*waiter) //nolint:forcetypeassert // nothing else is put in
		if m.held+w.claim.size > m.total {
			return // Whoever comes later waits longer, or large requests would never get their turn.
		}
		if m.fits(w.claim) {
			m.take(w.claim)
			m.waiting.Remove(e)
			close(w.ready)
		}
		e = next
	}
}

func (m *memory) fits(c *claim) bool {
	return m.held+c.size <= m.total && c.origin.held+c.size <= m.share
}

// take counts a claim. What a closed connection holds is not counted: its calls are ending.
func (m *memory) take(c *claim) {
	if c.origin.closed {
		c.released.Store(true)
		return
	}
	m.held += c.size
	c.origin.held += c.size
}

// shrink gives a part back when less is needed than was claimed.
func (c *claim) shrink(size int64) {
	if c == nil || size >= c.size || c.released.Load() {
		return
	}
	m := c.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if !c.origin.closed {
		m.held -= c.size - size
		c.origin.held -= c.size - size
		m.serve()
	}
	c.size = size
}

// release gives it back. It may be called on nil, and more than once.
func (c *claim) release() {
	if c == nil || c.released.Swap(true) {
		return
	}
	m := c.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if !c.origin.closed {
		m.held -= c.size
		c.origin.held -= c.size
		m.serve()
	}
}

// Get and Put make a claim the pool of a mem.Buffer, which calls Put once all of it is sent or dropped.
func (c *claim) Get(length int) *[]byte {
	data := make([]byte, length)
	return &data
}

// Put releases the claim.
func (c *claim) Put(*[]byte) { c.release() }
