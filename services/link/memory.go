package link

import (
	"container/list"
	"sync"
)

// smallMessage is the size up to which messages are not counted: their number is bounded by that of the calls.
const smallMessage = 4 << 10

// memory bounds the bytes of messages: total in all, half of it for one peer. A message that is larger than that half counts
// as half; Config.Message bounds it.
//
// A message that was announced waits for its turn, in order of arrival. Those of a peer that has its share let others pass.
// A message that comes whole is there already, so it does not wait: it is refused.
type memory struct {
	total int64

	mu      sync.Mutex
	held    int64     // guarded by mu
	waiting list.List // guarded by mu; of *claim
}

// share is what one peer holds. Its field is guarded by memory.mu.
type share struct{ held int64 }

// claim is a part of the memory. A nil claim is one of nothing.
type claim struct {
	memory *memory
	share  *share
	size   int64
	grant  func()        // called once, when a claim that waited is given; no lock of a memory is held
	place  *list.Element // guarded by memory.mu; nil unless it waits
	held   bool          // guarded by memory.mu
}

func (m *memory) fits(c *claim) bool {
	return m.held+c.size <= m.total && c.share.held+c.size <= m.total/2
}

// take gives a claim what it wants. m.mu is held.
func (m *memory) take(c *claim) {
	c.held = true
	m.held += c.size
	c.share.held += c.size
}

// try claims memory now or not at all.
func (m *memory) try(s *share, size int) (c *claim, ok bool) {
	if size <= smallMessage {
		return nil, true
	}
	c = &claim{memory: m, share: s, size: min(int64(size), m.total/2)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.fits(c) {
		return nil, false
	}
	m.take(c)
	return c, true
}

// wait claims memory. c.grant is called when the claim is given, by wait or by some goroutine that releases memory.
func (m *memory) wait(c *claim) {
	c.memory, c.size = m, min(c.size, m.total/2)
	m.mu.Lock()
	c.place = m.waiting.PushBack(c)
	given := m.serve() // c or nobody: the others were looked at when memory was last released
	m.mu.Unlock()
	for _, c := range given {
		c.grant()
	}
}

// release gives the memory back, or stops waiting for it. It may be called more than once.
func (c *claim) release() {
	if c == nil {
		return
	}
	m := c.memory
	m.mu.Lock()
	if c.place != nil {
		m.waiting.Remove(c.place)
		c.place = nil
	}
	if c.held {
		c.held = false
		m.held -= c.size
		c.share.held -= c.size
	}
	given := m.serve()
	m.mu.Unlock()
	for _, c := range given {
		c.grant()
	}
}

// serve takes those out of the line who get their memory now. m.mu is held.
func (m *memory) serve() []*claim {
	var given []*claim
	for e := m.waiting.Front(); e != nil; {
		c, next := e.Value.(*claim), e.Next()
		if m.held+c.size > m.total {
			break // Whoever comes later waits longer, or large messages would never get their turn.
		}
		if m.fits(c) {
			m.take(c)
			m.waiting.Remove(e)
			c.place = nil
			given = append(given, c)
		}
		e = next
	}
	return given
}

// inUse is what is held now.
func (m *memory) inUse() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}
