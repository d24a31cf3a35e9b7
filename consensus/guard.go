package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// logStore is what raft keeps on disk: the log, and its term and vote. Tests put faults behind it.
type logStore interface {
	raft.LogStore
	raft.StableStore
	io.Closer
}

var (
	_ raft.LogStore          = (*guard)(nil)
	_ raft.MonotonicLogStore = (*guard)(nil)
	_ raft.StableStore       = (*guard)(nil)
)

// guard stands between raft and its store on disk, and turns what a bad disk does into what raft can bear.
//
// A write to the log that fails or takes too long poisons the store: raft gets an error, steps down, and gets errors
// until the session is over and the log is opened anew. What that write left on disk is found then, as after a crash.
//
// A term or vote that can't be written would be a panic in raft. The guard tries until it can, and raft stands still
// meanwhile, which is what a server without a disk must do.
type guard struct {
	store logStore
	stall time.Duration // how long a write to the log may take
	retry time.Duration // between two tries to write a term or vote
	// trouble is told about the disk: an error that begins, nil when it is over.
	trouble func(error)
	// began is called after each write to the log, before it counts. Nil: nothing is.
	began func() error

	poisoned chan struct{} // closed once err is set
	writes   sync.WaitGroup
	recent   recent

	mu     sync.Mutex
	err    error  // guarded by mu; why no write is let through
	closed bool   // guarded by mu
	term   uint64 // guarded by mu; the current term as it is on disk, 0 if not known

	done chan struct{} // closed by close
}

// errStalled is what a poisoned store says after a write that took too long.
var errStalled = errors.New("a write to the log did not return in time")

var keyCurrentTerm = []byte("CurrentTerm")

func newGuard(store logStore, stall, retry time.Duration, trouble func(error)) *guard {
	return &guard{
		store: store, stall: stall, retry: retry, trouble: trouble,
		poisoned: make(chan struct{}), done: make(chan struct{}),
	}
}

// poison keeps all later writes out. The first reason counts.
func (g *guard) poison(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = fmt.Errorf("%w: %w", ErrStorage, err)
		close(g.poisoned)
	}
	return g.err
}

// failure returns why no write is let through; nil while they are.
func (g *guard) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// close lets no write through any more and ends the tries to write a term or vote: the raft goroutine that asked for
// one ends there, for it must not act on a term that is not on disk.
func (g *guard) close() {
	_ = g.poison(ErrClosed)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		close(g.done)
	}
}

// wait returns when no write is under way, given up or not. Until then the store must not be closed, let alone opened
// again. It is called after close.
func (g *guard) wait() { g.writes.Wait() }

// write runs one write to the log under the watchdog.
func (g *guard) write(do func() error) error {
	result := make(chan error, 1)
	g.mu.Lock()
	if err := g.err; err != nil {
		g.mu.Unlock()
		return err
	}
	g.writes.Go(func() { result <- do() })
	g.mu.Unlock()
	timer := time.NewTimer(g.stall)
	defer timer.Stop()
	select {
	case err := <-result:
		if err != nil {
			return g.poison(err)
		}
		return nil
	case <-timer.C:
		return g.poison(errStalled)
	}
}

// StoreLog implements raft.LogStore.
func (g *guard) StoreLog(entry *raft.Log) error { return g.StoreLogs([]*raft.Log{entry}) }

// StoreLogs implements raft.LogStore.
func (g *guard) StoreLogs(entries []*raft.Log) error {
	return g.write(func() error {
		err := g.store.StoreLogs(entries)
		if err == nil && g.began != nil {
			err = g.began()
		}
		if err == nil {
			g.recent.add(entries)
		}
		return err
	})
}

// DeleteRange implements raft.LogStore. It deletes files, which may take a while, and raft calls it beside its main
// loop to shorten the log; a write that has to wait for it is under the watchdog.
func (g *guard) DeleteRange(first, last uint64) error {
	if err := g.failure(); err != nil {
		return err
	}
	g.recent.forget()
	if err := g.store.DeleteRange(first, last); err != nil {
		return g.poison(err)
	}
	return nil
}

// FirstIndex implements raft.LogStore.
func (g *guard) FirstIndex() (uint64, error) { return g.store.FirstIndex() }

// LastIndex implements raft.LogStore.
func (g *guard) LastIndex() (uint64, error) { return g.store.LastIndex() }

// GetLog implements raft.LogStore.
func (g *guard) GetLog(index uint64, entry *raft.Log) error {
	if g.recent.get(index, entry) {
		return nil
	}
	return g.store.GetLog(index, entry)
}

// IsMonotonic implements raft.MonotonicLogStore.
func (g *guard) IsMonotonic() bool {
	m, ok := g.store.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// Set implements raft.StableStore. It returns once the value is on disk.
func (g *guard) Set(key, value []byte) error {
	g.persist(func() error { return g.store.Set(key, value) })
	return nil
}

// Get implements raft.StableStore.
func (g *guard) Get(key []byte) ([]byte, error) { return g.store.Get(key) }

// SetUint64 implements raft.StableStore. It returns once the value is on disk.
func (g *guard) SetUint64(key []byte, value uint64) error {
	term := bytes.Equal(key, keyCurrentTerm)
	if term && g.isTerm(value) {
		return nil // raft writes the term that it has just read, at each start
	}
	g.persist(func() error { return g.store.SetUint64(key, value) })
	if term {
		g.setTerm(value)
	}
	return nil
}

// GetUint64 implements raft.StableStore.
func (g *guard) GetUint64(key []byte) (uint64, error) {
	value, err := g.store.GetUint64(key)
	if err == nil && bytes.Equal(key, keyCurrentTerm) {
		g.setTerm(value)
	}
	return value, err
}

func (g *guard) isTerm(value uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return value != 0 && value == g.term
}

func (g *guard) setTerm(value uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.term = value
}

func (g *guard) persist(do func() error) {
	err := do()
	if err == nil {
		return
	}
	for {
		g.trouble(fmt.Errorf("%w: %w", ErrStorage, err))
		select {
		case <-time.After(g.retry):
		case <-g.done:
			runtime.Goexit()
		}
		if err = do(); err == nil {
			g.trouble(nil)
			return
		}
	}
}
