package router

import (
	"context"
	"sync"
	"time"
)

const (
	// catchUpTime bounds how long a call waits for the catalog to catch up.
	catchUpTime = time.Second
	// catchUpPause is what lies between two questions to the leader, catchUpRest how long none is asked after one that
	// failed.
	catchUpPause = 100 * time.Millisecond
	catchUpRest  = time.Second
)

// catchUp lets calls of what this node does not know wait until its catalog shows all that was acknowledged before they
// came: a deploy on another node a moment ago, most likely. Calls share one question to the leader; however many come, it
// is asked ten times a second at most. While there is no leader, one call in a second finds that out, and the others do
// not wait.
type catchUp struct {
	linearize func(context.Context) error // nil: the catalog is never behind
	turn      chan struct{}               // has an element while a flight is on its way

	mu   sync.Mutex
	next *flight   // guarded by mu: one that has not begun; nil if there is none
	rest time.Time // guarded by mu: no question is asked before, and none waited for
	last time.Time // guarded by mu: when the last one was answered
}

// flight is one question to the leader, for all calls that came before it began.
type flight struct{ done chan struct{} }

func newCatchUp(linearize func(context.Context) error) *catchUp {
	return &catchUp{linearize: linearize, turn: make(chan struct{}, 1)}
}

// wait returns once the catalog has caught up, or could not. It tells whether there may be something new.
func (c *catchUp) wait(ctx context.Context) bool {
	if c.linearize == nil {
		return false
	}
	c.mu.Lock()
	if time.Now().Before(c.rest) {
		c.mu.Unlock()
		return false
	}
	f := c.next
	first := f == nil
	if first {
		f = &flight{done: make(chan struct{})}
		c.next = f
	}
	c.mu.Unlock()
	if first {
		c.fly(ctx, f)
		return true
	}
	select {
	case <-f.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// fly asks the leader, for others too: so it goes on if this caller goes away.
func (c *catchUp) fly(ctx context.Context, f *flight) {
	defer close(f.done)
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.mu.Lock()
	pause := catchUpPause - time.Since(c.last)
	c.mu.Unlock()
	if pause > 0 {
		time.Sleep(pause)
	}
	c.mu.Lock()
	c.next = nil
	resting := time.Now().Before(c.rest)
	c.mu.Unlock()
	if resting {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), catchUpTime)
	defer cancel()
	err := c.linearize(limited)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now()
	if err != nil {
		c.rest = c.last.Add(catchUpRest)
	}
}
