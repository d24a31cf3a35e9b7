package catalog

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// ErrLevel says that the log holds a command of a level that this build does not know. The catalog stays as it is,
// for nothing after that command may be applied either, until a newer build takes over.
var ErrLevel = errors.New("catalog: the log has commands of a newer weft; upgrade this node")

// Catalog applies commands and shows the result to readers. One goroutine at a time may apply, restore or replay;
// any number may read at the same time.
type Catalog struct {
	shown atomic.Pointer[View]

	mu     sync.Mutex // guards all below; held by whoever applies, restores, replays or copies
	state  state
	window window
	err    error
	held   *View // shown in place of the state until that has caught up; nil if the state is shown
	fork   error // how the state differed from held when it had caught up
}

// New returns an empty catalog at index 0.
func New() *Catalog {
	c := &Catalog{state: emptyState(), window: newWindow()}
	c.show()
	return c
}

// View returns the catalog as it is now, or, after Replay, the one before it while that is newer. It never blocks.
func (c *Catalog) View() *View { return c.shown.Load() }

// Changed returns a channel that is closed when there is a newer view. Take the channel first and the view after it,
// or use View.Changed, to miss nothing.
func (c *Catalog) Changed() <-chan struct{} { return c.View().Changed() }

// Apply applies the entry of the log at an index, which must be higher than all before. It keeps parts of
// the command, which must not be changed afterwards; nor must the result. A result with a refusal means that nothing but the index has changed.
//
// A command of a level above Level, when the catalog was raised to it, is not applied: the result is a refusal and
// Err is set.
func (c *Catalog) Apply(index uint64, cmd *catalogv1.Command) *catalogv1.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	if index <= c.state.index {
		return refuse(catalogv1.Refusal_REASON_INVALID, "log index %d is not after %d", index, c.state.index)
	}
	if level := cmd.GetLevel(); c.err != nil || level > Level && level <= c.state.level {
		c.err = ErrLevel
		return refuse(catalogv1.Refusal_REASON_LEVEL, "%s", ErrLevel.Error())
	}
	c.state.index = index
	result := c.apply(cmd)
	if held := c.held; held != nil && index > held.Index() {
		c.fork = fmt.Errorf("catalog: the log has no command at index %d, where the local copy ends", held.Index())
	}
	c.catchUp()
	return result
}

// apply runs a command once per request ID.
func (c *Catalog) apply(cmd *catalogv1.Command) *catalogv1.Result {
	if refusal := checkRequestID(cmd.GetRequestId()); refusal != nil {
		return refusal
	}
	if first := c.window.find(cmd.GetRequestId()); first != nil {
		return first
	}
	if refusal := checkCommand(cmd, c.state.level); refusal != nil {
		return refusal
	}
	next := c.state
	result := next.do(cmd)
	if result.GetRefusal() != nil {
		return result
	}
	result.Index = next.index
	c.state = next
	c.remember(&catalogv1.Applied{RequestId: cmd.GetRequestId(), Result: result})
	return result
}

func (c *Catalog) remember(a *catalogv1.Applied) {
	hash := appliedHash(a)
	c.state.addHash(hash)
	if gone, full := c.window.remember(remembered{a, hash}); full {
		c.state.dropHash(gone.hash)
	}
}

// Err returns ErrLevel once the log had a command that this build can't apply; nil until then.
func (c *Catalog) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Index returns the log index of the state, which is lower than that of the view during a replay.
func (c *Catalog) Index() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.index
}

// Position returns the log index of the state and its hash, which differ from those of the view during a replay.
func (c *Catalog) Position() (index uint64, hash []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.index, c.state.hash()
}

// Replay starts over from an empty state, for a log that will be applied again from its beginning or after a
// Restore. Readers keep the present view until the state has passed it.
func (c *Catalog) Replay() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if view := c.shown.Load(); view.Index() > 0 {
		c.held = view
	}
	c.state, c.window, c.err, c.fork = emptyState(), newWindow(), nil, nil
}

// Fork returns an error if the last replay came to another state at the index of the view it started from: the copy
// that the view was loaded from, or this build, is wrong. Readers have the replayed state then.
func (c *Catalog) Fork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fork
}

// catchUp shows the state, unless a newer view is held.
func (c *Catalog) catchUp() {
	if held := c.held; held != nil {
		if c.state.index < held.Index() {
			return
		}
		if got := c.state.hash(); c.state.index == held.Index() && string(got) != string(held.Hash()) {
			c.fork = fmt.Errorf("catalog: at index %d the log gives state %x, but the local copy had %x", held.Index(), got, held.Hash())
		}
		c.held = nil
	}
	c.show()
}

// show publishes the state. The caller holds mu, or nobody else has the catalog yet.
func (c *Catalog) show() {
	old := c.shown.Swap(&View{state: c.state, changed: make(chan struct{})})
	if old != nil {
		close(old.changed)
	}
}
