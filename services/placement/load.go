package placement

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

// try makes a new attempt for an entry that has none. It is called with mu held.
func (t *Table) try(e *entry) {
	e.attempt = &attempt{done: make(chan struct{})}
	if e.state != StateFailed {
		e.state = StateLoading
	}
}

// inBackground runs the attempt of an entry when its turn comes, unless somebody claims it first. It is called with mu
// held.
func (t *Table) inBackground(e *entry) {
	if t.closed {
		return
	}
	a := e.attempt
	t.tasks.Go(func() {
		select {
		case t.background <- struct{}{}:
			defer func() { <-t.background }()
		case <-a.done:
			return
		case <-t.ctx.Done():
			return
		}
		if a.claimed.CompareAndSwap(false, true) {
			t.run(e, a)
		}
	})
}

// onDemand runs the attempt of an entry now, unless it runs already. It is called with mu held.
func (t *Table) onDemand(e *entry) {
	a := e.attempt
	if !a.claimed.CompareAndSwap(false, true) {
		return
	}
	t.tasks.Go(func() {
		t.demand <- struct{}{}
		defer func() { <-t.demand }()
		t.run(e, a)
	})
}

// run loads an entry. The caller has claimed the attempt.
func (t *Table) run(e *entry, a *attempt) {
	defer close(a.done)
	r, err := t.build(e)
	if err == nil {
		err = t.config.Executor.Load(t.ctx, r)
	}
	t.settle(e, err)
}

// settle notes how an attempt ended.
func (t *Table) settle(e *entry, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.attempt = nil
	switch {
	case t.entries[e.key] != e: // deleted meanwhile
		if err == nil {
			t.config.Executor.Unload(e.key)
		}
	case err == nil:
		e.state, e.err, e.failures, e.retry = StateReady, nil, 0, time.Time{}
		t.ready.Store(e.key, e)
		t.announce()
	default:
		e.state, e.err = StateFailed, err
		e.retry = time.Now().Add(min(minPause<<min(e.failures, 10), maxPause))
		e.failures++
		select {
		case t.failed <- struct{}{}:
		default:
		}
		if t.ctx.Err() == nil {
			t.config.Logger.Error("revision failed to load", "revision", e.key.String(), "attempt", e.failures, "error", err)
		}
	}
}

// Revision describes a revision to the executor, whether it is loaded or not. Its Services are bound to the contracts
// as they were when it was first described. The error is ErrUnknown, or says what is wrong with the artifact.
func (t *Table) Revision(k executor.Key) (executor.Revision, error) {
	view := t.config.Catalog.View()
	stored := row(view, k)
	if stored == nil {
		return executor.Revision{}, ErrUnknown
	}
	t.mu.Lock()
	e := t.entries[k]
	t.mu.Unlock()
	if e != nil {
		return t.build(e)
	}
	return describe(view, t.config.Artifacts, k, stored)
}

// build describes the revision of an entry, once.
func (t *Table) build(e *entry) (executor.Revision, error) {
	t.mu.Lock()
	built := e.revision
	t.mu.Unlock()
	if built != nil {
		return *built, nil
	}
	r, err := describe(t.config.Catalog.View(), t.config.Artifacts, e.key, e.row)
	if err != nil {
		return executor.Revision{}, err
	}
	t.mu.Lock()
	e.revision = &r
	t.mu.Unlock()
	return r, nil
}

func describe(view *catalog.View, artifacts Artifacts, k executor.Key, row *catalogv1.Revision) (executor.Revision, error) {
	if len(row.GetDigest()) != 32 {
		return executor.Revision{}, fmt.Errorf("the catalog has a digest of %d bytes", len(row.GetDigest()))
	}
	digest := [32]byte(row.GetDigest())
	path, err := artifacts.Path(digest)
	if err != nil {
		return executor.Revision{}, err
	}
	world, err := ReadWorld(path)
	if err != nil {
		return executor.Revision{}, err
	}
	contracts := map[string]*weftv1.Contract{}
	for _, p := range row.GetPackages() {
		if c := view.Contract(k.Namespace, p); c != nil {
			contracts[p] = c
		}
	}
	services, err := contract.Bind(k.Function, world, contracts)
	if err != nil {
		return executor.Revision{}, err
	}
	return Runnable(k, row, path, world, services), nil
}

// Runnable is a revision of the catalog with its component as the executor wants it. Path is the component's file, world
// what was read from that, and services what it exports, bound to the contracts.
func Runnable(k executor.Key, row *catalogv1.Revision, path string, world *wit.World, services []*contract.Service) executor.Revision {
	return executor.Revision{
		Key:    k,
		Digest: [32]byte(row.GetDigest()),
		Path:   path,
		Limits: executor.Limits{
			Memory:      row.GetMemoryBytes(),
			Timeout:     time.Duration(row.GetTimeoutNanos()),
			Concurrency: int(row.GetConcurrency()),
			Queue:       int(row.GetQueue()),
			Message:     row.GetMessageBytes(),
		},
		Environment: row.GetEnvironment(),
		World:       world,
		Services:    services,
	}
}

// ReadWorld decodes the component in a file. It maps the file, so that a large one takes no memory of its own; the
// file must not shrink meanwhile.
func ReadWorld(path string) (*wit.World, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return component.Decode(nil)
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	world, err := component.Decode(data)
	return world, errors.Join(err, syscall.Munmap(data))
}

var _ Executor = (*executor.Executor)(nil)

var _ Catalog = (*catalog.Catalog)(nil)
