package placement

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/compose"
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
	t.settle(e, t.load(e))
}

// load brings to this node what it lacks of an entry, and loads it.
func (t *Table) load(e *entry) error {
	r, err := t.build(t.ctx, e)
	if err != nil {
		return err
	}
	if t.config.Code != nil {
		if err := t.config.Code.FetchCode(t.ctx, r.Digest); err != nil {
			t.config.Logger.Debug("no compiled code from other nodes", "revision", e.key.String(), "error", err)
		}
	}
	if err := t.config.Executor.Load(t.ctx, r); err != nil {
		t.mu.Lock()
		e.revision = nil // the component's file may be gone by the next attempt
		t.mu.Unlock()
		return err
	}
	return nil
}

// settle notes how an attempt ended.
func (t *Table) settle(e *entry, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended(e, err)
}

// ended is settle for those who hold mu.
func (t *Table) ended(e *entry, err error) {
	e.attempt = nil
	select {
	case t.settled <- struct{}{}:
	default:
	}
	switch {
	case t.entries[e.key] != e: // deleted meanwhile
		if err == nil {
			t.config.Executor.Unload(e.key)
		}
	case err == nil:
		e.err, e.failures, e.retry = nil, 0, time.Time{}
		t.becomeReady(e)
		t.announce(e)
	default:
		if e.state != StateFailed || e.err.Error() != err.Error() {
			t.announce(e)
		}
		e.state, e.err = StateFailed, err
		t.timed[e] = struct{}{}
		e.retry = time.Now().Add(min(minPause<<min(e.failures, 10), maxPause))
		e.failures++
		if t.ctx.Err() == nil {
			t.config.Logger.Error("revision failed to load", "revision", e.key.String(), "attempt", e.failures, "error", err)
		}
	}
}

// becomeReady has calls of an entry answered, which the executor has. It is called with mu held.
func (t *Table) becomeReady(e *entry) {
	e.state, e.code = StateReady, t.config.Executor.CodeBytes(e.key)
	t.ready.Store(e.key, e)
}

// Revision describes a revision to the executor, whether it is loaded or not. Its component is fetched if this node does
// not have it. Its Services are bound to the contracts as they were when it was loaded. The error is ErrUnknown,
// that of ctx, or says what is wrong with the artifact.
func (t *Table) Revision(ctx context.Context, k executor.Key) (executor.Revision, error) {
	view := t.config.Catalog.View()
	stored := row(view, k)
	if stored == nil {
		return executor.Revision{}, ErrUnknown
	}
	t.mu.Lock()
	e := t.entries[k]
	if e != nil && e.revision != nil {
		defer t.mu.Unlock()
		return *e.revision, nil
	}
	t.mu.Unlock()
	return describe(ctx, view, t.config.Artifacts, k, stored)
}

// build describes the revision of an entry that is to be loaded, and keeps that as long as it is.
func (t *Table) build(ctx context.Context, e *entry) (executor.Revision, error) {
	t.mu.Lock()
	built := e.revision
	t.mu.Unlock()
	if built != nil {
		return *built, nil
	}
	r, err := describe(ctx, t.config.Catalog.View(), t.config.Artifacts, e.key, e.row)
	if err != nil {
		return executor.Revision{}, err
	}
	t.mu.Lock()
	e.revision = &r
	t.mu.Unlock()
	return r, nil
}

func describe(ctx context.Context, view *catalog.View, artifacts Artifacts, k executor.Key, row *catalogv1.Revision) (
	executor.Revision, error,
) {
	if len(row.GetDigest()) != 32 {
		return executor.Revision{}, fmt.Errorf("the catalog has a digest of %d bytes", len(row.GetDigest()))
	}
	digest := [32]byte(row.GetDigest())
	path, err := artifacts.Fetch(ctx, digest)
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
	imports, err := Imports(row.GetBindings(), world, contracts)
	if err != nil {
		return executor.Revision{}, err
	}
	r := Runnable(k, row, path, world, services, imports)
	r.Parts, err = parts(row, path)
	return r, err
}

// parts tells what the component of a revision was composed of, if it was.
func parts(row *catalogv1.Revision, path string) ([]executor.Part, error) {
	if !catalog.Linked(row) {
		return nil, nil
	}
	var placed []compose.Placed
	err := mapped(path, func(data []byte) (err error) {
		placed, err = compose.Read(data)
		return err
	})
	all := make([]executor.Part, 0, len(placed))
	for _, p := range placed {
		all = append(all, executor.Part(p))
	}
	return all, err
}

// Imports binds those imports of a component that have bindings to the contracts, in the order of the bindings. Those that are
// linked are imports of the component no more.
func Imports(bindings []*catalogv1.Binding, world *wit.World, contracts map[string]*weftv1.Contract) ([]*contract.Service, error) {
	var imports []*contract.Service
	for _, b := range bindings {
		if b.GetLink() != nil {
			continue
		}
		at := slices.IndexFunc(world.Imports, func(i *wit.Interface) bool { return i.ID == b.GetImport() })
		if at < 0 {
			return nil, fmt.Errorf("the catalog binds the import %s, which the component does not have", b.GetImport())
		}
		s, err := contract.BindImport(world.Imports[at], contracts)
		if err != nil {
			return nil, err
		}
		imports = append(imports, s)
	}
	return imports, nil
}

// Runnable is a revision of the catalog with its component as the executor wants it. Path is the component's file, world
// what was read from that, and services what it exports and imports what other functions or services
// answer, both bound to the contracts.
func Runnable(k executor.Key, row *catalogv1.Revision, path string, world *wit.World, services, imports []*contract.Service) executor.Revision {
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
		Reuse:       int(row.GetReuse()),
		Environment: row.GetEnvironment(),
		World:       world,
		Services:    services,
		Imports:     imports,
	}
}

// ReadWorld decodes the component in a file. The file must not shrink meanwhile.
func ReadWorld(path string) (world *wit.World, err error) {
	err = mapped(path, func(data []byte) (err error) {
		world, err = component.Decode(data)
		return err
	})
	return world, err
}

// mapped calls f with the bytes of a file. It maps the file, so that a large one takes no memory of its own.
func mapped(path string, f func([]byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return f(nil)
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("map %s: %w", path, err)
	}
	return errors.Join(f(data), syscall.Munmap(data))
}

var _ Executor = (*executor.Executor)(nil)

var _ Catalog = (*catalog.Catalog)(nil)
