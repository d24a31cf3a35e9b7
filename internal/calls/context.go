package calls

import (
	"context"
	"sync"
	"time"
)

// Context is the context of one call that somebody else makes. It costs one allocation until somebody asks for Done: most
// handlers wait for a single thing, and context.WithDeadline costs a timer, a channel and a place in its parent. Its zero
// value has no deadline.
type Context struct {
	deadline time.Time // zero for none

	mu    sync.Mutex
	err   error         // guarded by mu; why it is done
	done  chan struct{} // guarded by mu; nil until it is asked for
	timer *time.Timer   // guarded by mu; nil until Done is asked for
	after []*func()     // guarded by mu; run once it is done
}

var _ context.Context = (*Context)(nil)

// closedChannel is the Done of contexts that were done before anybody asked.
var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Until sets the deadline, zero for none, before the context is used.
func (c *Context) Until(deadline time.Time) { c.deadline = deadline }

// Deadline implements context.Context.
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Value implements context.Context. What a call brings along is in its request.
func (c *Context) Value(any) any { return nil }

// Err implements context.Context.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.check()
	return c.err
}

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.check()
	if c.done == nil {
		if c.err != nil {
			c.done = closedChannel
		} else {
			c.done = make(chan struct{})
			c.watch()
		}
	}
	return c.done
}

// AfterFunc is what package context looks for when it derives a context: without it, each costs a goroutine.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.check()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	c.watch()
	entry := &f
	c.after = append(c.after, entry)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, e := range c.after {
			if e == entry {
				c.after = append(c.after[:i], c.after[i+1:]...)
				return true
			}
		}
		return false
	}
}

// watch starts the timer. c.mu is held.
func (c *Context) watch() {
	if c.timer == nil && !c.deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.End(context.DeadlineExceeded) })
	}
}

// check notices that the deadline is over. c.mu is held.
func (c *Context) check() {
	if c.err == nil && !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.finish(context.DeadlineExceeded)
	}
}

// End makes the context done, unless it is already.
func (c *Context) End(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.finish(err)
	}
}

// finish makes the context done. c.mu is held.
func (c *Context) finish(err error) {
	c.err = err
	if c.done != nil {
		close(c.done)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, f := range c.after {
		go (*f)()
	}
	c.after = nil
}
