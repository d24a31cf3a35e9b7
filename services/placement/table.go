package placement

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// The states of a revision on this node.
const (
	StateLoading = "loading"
	StateReady   = "ready"
	StateFailed  = "failed"
	// StateIdle is that of a revision that is not placed on this node and not loaded; a call that names it loads it.
	StateIdle = "idle"
)

// ErrUnknown says that the catalog has no such function or revision.
var ErrUnknown = errors.New("no such revision")

// LoadError says why a revision is not ready.
type LoadError struct {
	Key executor.Key
	Err error
}

func (e *LoadError) Error() string { return fmt.Sprintf("load %s: %v", e.Key, e.Err) }

func (e *LoadError) Unwrap() error { return e.Err }

// Executor is what the table needs of executor.Executor.
type Executor interface {
	Load(context.Context, executor.Revision) error
	// Admit makes a revision ready for calls without loading it, if it was compiled before.
	Admit(k executor.Key, digest [32]byte) bool
	Unload(executor.Key)
	// CodeBytes is how much compiled code a loaded revision has.
	CodeBytes(executor.Key) int64
}

// Catalog is what the table needs of catalog.Catalog.
type Catalog interface{ View() *catalog.View }

// Artifacts is what the table needs of artifacts.Fetcher.
type Artifacts interface {
	// Fetch gives the file of a component, which comes from another node if it is not here.
	Fetch(ctx context.Context, digest [32]byte) (path string, err error)
}

// Code is what the table needs of artifacts.CodeFetcher.
type Code interface {
	// FetchCode brings compiled code of a component into the executor's cache, unless it is there. If it can't, the executor
	// compiles.
	FetchCode(ctx context.Context, digest [32]byte) error
}

// Config configures a Table.
type Config struct {
	// Node is this node's ID.
	Node      string
	Catalog   Catalog
	Artifacts Artifacts
	// Code may be nil.
	Code     Code
	Executor Executor
	// Logger is told of loads that fail. Nil: slog.Default.
	Logger *slog.Logger
	// Workers is how many revisions load at once in the background, and how many on demand. Default: 2.
	Workers int
	// Idle is how long a revision that was loaded for a call stays after its last use. Default: 5 minutes.
	Idle time.Duration
	// Linger is how long a revision stays loaded that is placed here no longer. Default: 10 s.
	Linger time.Duration
	// Gone is called after a function was deleted and unloaded. It may be nil.
	Gone func(namespace, function string)
}

// The pauses between attempts to load a revision.
const (
	minPause = time.Second
	maxPause = time.Minute
)

// Table is this node's placements. All its methods are safe for concurrent use.
type Table struct {
	config Config
	ctx    context.Context //nolint:containedctx // loads live as long as the table, not as whoever asks for them
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	// background and demand have a place for each load that may run.
	background, demand chan struct{}

	// settled wakes the follower when an attempt has ended, so that it looks what is due next.
	settled chan struct{}

	// ready holds the entries that are ready, by executor.Key. Every call of a function looks here.
	ready sync.Map

	// mu is held while a view of the catalog is taken to change entries, so that they follow newer views only.
	mu      sync.Mutex
	entries map[executor.Key]*entry           // guarded by mu
	of      map[catalog.FunctionName][]*entry // guarded by mu: the entries by function
	timed   map[*entry]struct{}               // guarded by mu: what is placed nowhere here, or is to be tried again: time alone changes it
	view    *catalog.View                     // guarded by mu: the one that the follower has looked at last; nil at first
	news    map[executor.Key]struct{}         // guarded by mu: revisions that News tells of next
	changed chan struct{}                     // guarded by mu: closed when there is more news; replaced then
	closed  bool                              // guarded by mu
}

// entry is one revision that is loaded, or is to be.
type entry struct {
	key executor.Key
	row *catalogv1.Revision
	// used is when the revision was last asked for, Unix nanoseconds.
	used atomic.Int64

	state    string             // guarded by Table.mu
	code     int64              // guarded by Table.mu: bytes of compiled code, once it was ready
	err      error              // guarded by Table.mu: why the last attempt failed
	attempt  *attempt           // guarded by Table.mu: the one that runs or is to run; nil otherwise
	plain    string             // guarded by Table.mu: why the executor made no transcoder of it, when it tried last
	failures int                // guarded by Table.mu: attempts that failed in a row
	retry    time.Time          // guarded by Table.mu: not before
	revision *executor.Revision // guarded by Table.mu: what it is, while it is in memory; may be nil
	placed   bool               // guarded by Table.mu: placed here when the follower looked last
	until    time.Time          // guarded by Table.mu: when to unload what was placed here; zero for all else
}

func (e *entry) function() catalog.FunctionName {
	return catalog.FunctionName{Namespace: e.key.Namespace, Function: e.key.Function}
}

func (e *entry) lastUse() time.Time { return time.Unix(0, e.used.Load()) }

// attempt is one try to load an entry. Whoever claims it runs it.
type attempt struct {
	claimed atomic.Bool
	done    chan struct{} // closed at its end
}

// New makes a table. It loads revisions on demand, and follows the catalog after Start. It must be closed.
func New(c Config) *Table {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Workers <= 0 {
		c.Workers = 2
	}
	if c.Idle <= 0 {
		c.Idle = 5 * time.Minute
	}
	if c.Linger <= 0 {
		c.Linger = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Table{
		config:     c,
		ctx:        ctx,
		cancel:     cancel,
		background: make(chan struct{}, c.Workers),
		demand:     make(chan struct{}, c.Workers),
		settled:    make(chan struct{}, 1),
		entries:    map[executor.Key]*entry{},
		of:         map[catalog.FunctionName][]*entry{},
		timed:      map[*entry]struct{}{},
		news:       map[executor.Key]struct{}{},
		changed:    make(chan struct{}),
	}
}

// Start begins to follow the catalog. It is called once.
func (t *Table) Start() { t.tasks.Go(t.follow) }

// Close stops the table and waits for the loads that run. Loaded revisions stay in the executor.
func (t *Table) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.tasks.Wait()
}

// Ready tells whether a revision answers calls on this node.
func (t *Table) Ready(k executor.Key) bool {
	found, _ := t.ready.Load(k)
	e, ok := found.(*entry)
	if ok {
		e.used.Store(time.Now().UnixNano())
	}
	return ok
}

// State is how a revision does on this node.
type State struct {
	Key executor.Key
	// State is StateLoading, StateReady or StateFailed, Reason why it failed.
	State, Reason string
	// CodeBytes is how much compiled code it has; zero if it is not ready.
	CodeBytes int64
	// Plain is why its large messages take the plain path, where no transcoder could be made; empty if one was, or nobody has tried.
	Plain string
}

// Snapshot lists every revision that is loaded, loading or failed here, in no order.
func (t *Table) Snapshot() []State {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]State, 0, len(t.entries))
	for _, e := range t.entries {
		all = append(all, e.now())
	}
	return all
}

// now is the state of an entry. It is called with Table.mu held.
func (e *entry) now() State {
	s := State{Key: e.key, State: e.state, Plain: e.plain}
	switch e.state {
	case StateReady:
		s.CodeBytes = e.code
	case StateFailed:
		s.Reason = e.err.Error()
	}
	return s
}

// News lists, in no order, how those revisions do for which that may have changed since it was called last; what is no longer
// loaded, loading or failed here is StateIdle. There is one caller, to whom each piece of news is given once.
func (t *Table) News() []State {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.news) == 0 {
		return nil
	}
	all := make([]State, 0, len(t.news))
	for k := range t.news {
		if e := t.entries[k]; e != nil {
			all = append(all, e.now())
		} else {
			all = append(all, State{Key: k, State: StateIdle})
		}
	}
	t.news = map[executor.Key]struct{}{}
	return all
}

// Changed returns a channel that is closed when Snapshot has changed, and there is News.
func (t *Table) Changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// announce makes news of how an entry does. It is called with mu held.
func (t *Table) announce(e *entry) {
	t.news[e.key] = struct{}{}
	close(t.changed)
	t.changed = make(chan struct{})
}

// State gives the state of a revision on this node and, for StateFailed, the reason.
func (t *Table) State(k executor.Key) (state, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[k]; e != nil {
		if e.err != nil {
			reason = e.err.Error()
		}
		return e.state, reason
	}
	if slices.Contains(t.config.Catalog.View().Placement(k.Namespace, k.Function, k.Revision), t.config.Node) {
		return StateLoading, "" // the table has not come to it yet
	}
	return StateIdle, ""
}

// Plain is that of the revision's State; empty for one that is not loaded here.
func (t *Table) Plain(k executor.Key) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[k]; e != nil {
		return e.plain
	}
	return ""
}

// Ensure returns once a revision is ready, loading it now if need be. Its errors are ErrUnknown, a *LoadError (at once,
// if an attempt has just failed and the next one is not due), and those of the context.
func (t *Table) Ensure(ctx context.Context, k executor.Key) error {
	if t.Ready(k) {
		return nil
	}
	e, a, err := t.want(k)
	if err != nil || a == nil {
		return err
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e.state == StateReady:
		return nil
	case e.err != nil:
		return &LoadError{Key: k, Err: e.err}
	default:
		return ErrUnknown // deleted meanwhile
	}
}

// want returns the entry of a revision and the attempt that loads it, which runs now. No attempt and no error means
// that the revision is ready.
func (t *Table) want(k executor.Key) (*entry, *attempt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, nil, &LoadError{Key: k, Err: errors.New("the node is shutting down")}
	}
	e := t.entries[k]
	if e == nil {
		stored := row(t.config.Catalog.View(), k)
		if stored == nil {
			return nil, nil, ErrUnknown
		}
		e = t.add(k, stored)
	}
	e.used.Store(time.Now().UnixNano())
	switch {
	case e.state == StateReady:
		return e, nil, nil
	case e.attempt == nil && time.Now().Before(e.retry):
		return nil, nil, &LoadError{Key: k, Err: e.err}
	case e.attempt == nil:
		t.try(e)
	}
	t.onDemand(e)
	return e, e.attempt, nil
}

// add makes an entry, which is placed nowhere as far as it knows. It is called with mu held.
func (t *Table) add(k executor.Key, row *catalogv1.Revision) *entry {
	e := &entry{key: k, row: row, state: StateLoading}
	e.used.Store(time.Now().UnixNano())
	t.entries[k] = e
	t.of[e.function()] = append(t.of[e.function()], e)
	t.timed[e] = struct{}{}
	t.announce(e)
	return e
}

// remove unloads an entry. It is called with mu held.
func (t *Table) remove(e *entry) {
	delete(t.entries, e.key)
	delete(t.timed, e)
	others := slices.DeleteFunc(t.of[e.function()], func(other *entry) bool { return other == e })
	if t.of[e.function()] = others; len(others) == 0 {
		delete(t.of, e.function())
	}
	t.ready.Delete(e.key)
	if e.state == StateReady {
		t.config.Executor.Unload(e.key)
	}
	t.announce(e)
	e.state = StateIdle
	e.err = nil
}

// row looks a revision up in the catalog; nil if there is none.
func row(view *catalog.View, k executor.Key) *catalogv1.Revision {
	return view.Revision(k.Namespace, k.Function, k.Revision)
}
