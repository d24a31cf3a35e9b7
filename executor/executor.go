package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/executor/wasmtime"
)

// Config configures an Executor.
type Config struct {
	// Dir holds the cache of compiled code. It is created, private to the user, if it does not exist. No two processes
	// may share it.
	Dir string
	// Slots is how many calls run at once on this node. Zero: one per core.
	Slots int
	// Log is given every line that functions print or log. It must not block and may be called from many goroutines.
	// Nil drops them.
	Log func(Line)
	// Outgoing makes the calls of guests through Revision.Imports. Nil: revisions with such imports do not load.
	Outgoing Outgoing
	// Host are the interfaces that guests may import besides those of WASI 0.2. Nobody may change them any more.
	Host []HostInterface
	// Waiting is how many guests may wait for calls that they make, beyond those that run. Each keeps its memory and a
	// thread. Default: DefaultWaiting.
	Waiting int
	// FreshInstances has each call get a new instance, in place of one that was put back after another call to what it was like when it
	// was new.
	FreshInstances bool
	// Registerer is given the metrics. Nil: they are not exported.
	Registerer prometheus.Registerer

	// Describe gives a revision that was loaded or admitted once, to load it again when a call comes. Without it, loaded
	// revisions stay in memory. Its context ends with the executor; it may not call the executor.
	Describe func(context.Context, Key) (Revision, error)
	// Idle is how long a revision stays in memory without a call; after that it is dormant until the next one. Zero: for ever,
	// as long as all of them fit in LoadedMemory.
	Idle time.Duration
	// LoadedMemory is how many bytes loaded revisions may take, by estimate: their code and 256 KiB each. Beyond that, those
	// that were called longest ago become dormant. Those with calls stay. Default: DefaultLoadedMemory.
	LoadedMemory int64
	// Dormant is told of each revision that became dormant, and whether that was the last one in memory of its function. Failed is
	// told of each that is forgotten because it could not be loaded again. Both may be nil.
	Dormant func(k Key, last bool)
	Failed  func(Key, error)
	// Transcoded is told of each revision that a transcoder was made for, with nil, or could not be, with the reason. It may be nil.
	Transcoded func(Key, error)
	// Unusable is told of each file of compiled code that is damaged, can't be read or is refused by the engine. The component
	// is compiled again. It may be nil.
	Unusable func(path string, why error)

	// CompileMemory and CompileTimeout bound one compile. Defaults: 2 GiB and 2 minutes. A component of 19 MB (Python)
	// takes about 400 MiB on two cores; less than 256 MiB is refused.
	CompileMemory  uint64
	CompileTimeout time.Duration
	// Compiles is how many compiles run at once. Default: 1.
	Compiles int
}

const (
	// maxMemory and maxMessage bound the Limits of a revision.
	maxMemory  = 1 << 30
	maxMessage = 1 << 30
	// instanceSlack is how many more instances may exist than calls run: an instance is dropped after its answer.
	instanceSlack = 8
	// maxSlots bounds Config.Slots, and maxWaiting Config.Waiting.
	maxSlots   = 1024
	maxWaiting = 4096
)

// DefaultWaiting is the default of Config.Waiting.
const DefaultWaiting = 256

// DefaultLoadedMemory is the default of Config.LoadedMemory: room for some 4,000 small revisions.
const DefaultLoadedMemory = 1 << 30

// Executor runs calls. All its methods are safe for concurrent use.
type Executor struct {
	config      Config
	engine      *wasmtime.Engine
	fingerprint string
	cache       *cache
	compiler    *compiler
	queue       *queue
	lookout     *lookout
	ticker      *ticker
	metronome   *wasmtime.Metronome
	trimmer     *trimmer
	bulks       sync.WaitGroup // makes revisions' second forms
	hosts       *hosts
	metrics     *metrics
	nesting     int // guests on one thread
	sleeping    atomic.Int64
	pools       *pools

	// residents holds what is ready for calls, by Key; loading guards that it does not grow any more once closed is set.
	residents sync.Map // Key → *resident
	residency *residency
	wakes     sync.WaitGroup // loads of dormant revisions
	waken     chan struct{}  // has an element for each of them that has its turn
	loading   sync.Mutex
	loads     map[Key]*load
	closed    bool
	code      atomic.Int64 // bytes of code that are mapped

	aborting atomic.Bool // calls are refused even if they have waited
	// stopping ends when running calls are interrupted.
	stopping context.Context //nolint:containedctx // it ends calls of guests, whose own contexts are their callers'
	stop     context.CancelFunc
}

// load is one load that goes on.
type load struct {
	done chan struct{}
	err  error
}

// New starts an executor. It must be closed.
func New(config Config) (*Executor, error) {
	if config.Slots == 0 {
		config.Slots = runtime.GOMAXPROCS(0)
	}
	if config.Slots < 1 || config.Slots > maxSlots {
		return nil, fmt.Errorf("executor: %d slots; there must be between 1 and %d", config.Slots, maxSlots)
	}
	if config.Waiting == 0 {
		config.Waiting = DefaultWaiting
	}
	if config.Waiting < 1 || config.Waiting > maxWaiting {
		return nil, fmt.Errorf("executor: room for %d guests that wait; there must be between 1 and %d", config.Waiting, maxWaiting)
	}
	if config.CompileMemory == 0 {
		config.CompileMemory = defaultCompileMemory
	}
	if config.CompileMemory < minCompileMemory {
		return nil, fmt.Errorf("executor: %d bytes of memory to compile; it takes at least %s", config.CompileMemory,
			sizeText(minCompileMemory))
	}
	if config.CompileTimeout <= 0 {
		config.CompileTimeout = defaultCompileTimeout
	}
	if config.Compiles <= 0 {
		config.Compiles = defaultCompiles
	}
	hosts, err := newHosts(slices.Concat(wasiInterfaces(), []HostInterface{logging()}, config.Host)...)
	if err != nil {
		return nil, err
	}
	if config.LoadedMemory <= 0 {
		config.LoadedMemory = DefaultLoadedMemory
	}
	if config.Transcoded == nil {
		config.Transcoded = func(Key, error) {}
	}
	x := &Executor{config: config, hosts: hosts, loads: make(map[Key]*load), waken: make(chan struct{}, config.Slots)}
	x.engine, err = wasmtime.NewEngine(wasmtime.Config{
		MaxInstances: 2*config.Slots + spareSlots + maxParked + config.Waiting + waitingRoom(config.Slots) + instanceSlack,
		MaxMemory:    maxMemory,
	})
	if err != nil {
		return nil, fmt.Errorf("executor: %w", err)
	}
	if config.Unusable == nil {
		config.Unusable = func(string, error) {}
	}
	made := sha256.Sum256([]byte(x.engine.Fingerprint() + " of " + compiledForm))
	x.fingerprint = hex.EncodeToString(made[:])
	if x.cache, err = newCache(config.Dir, x.fingerprint, config.Unusable); err != nil {
		x.engine.Close()
		return nil, err
	}
	if x.metrics, err = newMetrics(config.Registerer, x); err != nil {
		x.engine.Close()
		return nil, fmt.Errorf("executor: %w", err)
	}
	x.compiler = &compiler{cache: x.cache, memory: config.CompileMemory, timeout: config.CompileTimeout,
		slots: make(chan struct{}, config.Compiles), metrics: x.metrics, flights: make(map[[32]byte]*flight)}
	x.stopping, x.stop = context.WithCancel(context.Background())
	x.queue = newQueue(config.Slots, config.Waiting, x.run, x.engine.Tick)
	x.lookout = newLookout(x.queue)
	x.metronome = x.engine.NewMetronome()
	x.queue.lowers, x.queue.beat = wasmtime.Lowers(), x.metronome.Beat
	x.ticker = newTicker(x.engine.Tick, x.queue)
	x.trimmer = newTrimmer()
	x.pools = newPools(x)
	x.nesting = x.engine.Nesting()
	x.residency = newResidency(config.Idle, config.LoadedMemory, x.rest)
	if config.Describe != nil {
		x.residency.start()
	}
	return x, nil
}

// Engine is the version of the engine that is linked, such as "wasmtime 48.0.8 lts".
const Engine = "wasmtime " + wasmtime.Version + " " + wasmtime.Name

// Fingerprint names the engine and what it compiles: equal fingerprints run each other's compiled code.
func (x *Executor) Fingerprint() string { return x.fingerprint }

// Load makes a revision ready for calls: its code is mapped from the cache, or compiled first, and an instance is made
// to see that it starts. It does nothing if the key is ready already. Its errors are *Error, or that of ctx.
func (x *Executor) Load(ctx context.Context, r Revision) error {
	for {
		x.loading.Lock()
		if x.closed {
			x.loading.Unlock()
			return closingError()
		}
		if x.resident(r.Key) != nil {
			x.loading.Unlock()
			return nil
		}
		l := x.loads[r.Key]
		if l == nil {
			l = &load{done: make(chan struct{})}
			x.loads[r.Key] = l
			x.loading.Unlock()
			l.err = x.first(ctx, r)
			x.loading.Lock()
			delete(x.loads, r.Key)
			x.loading.Unlock()
			close(l.done)
			return l.err
		}
		x.loading.Unlock()
		select {
		case <-l.done:
			if l.err == nil || !isContext(l.err) {
				return l.err
			}
			// Whoever loaded has given up; that is no reason for this caller to.
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// first loads a revision that has no place yet.
func (x *Executor) first(ctx context.Context, r Revision) error {
	began := time.Now()
	rev, err := x.build(ctx, r, x.config.Log)
	if err != nil {
		return err
	}
	p := &resident{key: r.Key, code: rev.code}
	x.loading.Lock()
	defer x.loading.Unlock()
	if x.closed {
		rev.release()
		return closingError()
	}
	x.take(p, rev)
	x.residents.Store(r.Key, p)
	x.makeBulk(r, rev)
	x.metrics.loads.WithLabelValues(loadedFirst).Observe(time.Since(began).Seconds())
	return nil
}

// Try finds out whether a revision could run here, as Load does, and keeps nothing but its compiled code. What the guest
// prints on the way is dropped. Its errors are those of Load.
func (x *Executor) Try(ctx context.Context, r Revision) error {
	rev, err := x.build(ctx, r, nil)
	if err == nil {
		rev.release()
	}
	return err
}

// build makes a revision that is ready for calls, and one instance to see that it starts.
func (x *Executor) build(ctx context.Context, r Revision, log func(Line)) (*revision, error) {
	rev, err := x.construct(ctx, r, log)
	if err != nil {
		return nil, err
	}
	if err := x.try(ctx, rev); err != nil {
		rev.release()
		return nil, err
	}
	return rev, nil
}

// construct makes a revision that is ready for calls. Nobody knows yet whether it starts.
func (x *Executor) construct(ctx context.Context, r Revision, log func(Line)) (*revision, error) {
	code, size, err := x.compiled(ctx, r.Digest, r.Path)
	if err != nil {
		return nil, err
	}
	rev, err := x.prepare(r, code, size, log)
	if refused, ok := errors.AsType[*refusedCode](err); ok && !scarce(err) {
		// A peer may have sent it. What this node compiles by itself is the engine's own.
		if code, size, err = x.recompiled(ctx, r.Digest, r.Path, refused); err != nil {
			return nil, err
		}
		rev, err = x.prepare(r, code, size, log)
	}
	if err == nil {
		return rev, nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return nil, err
	}
	return nil, &Error{Reason: Internal, Message: fmt.Sprintf("%s: %v", r.Key, err), Err: err}
}

// counts gives how many revisions are in memory, and how many are dormant.
func (x *Executor) counts() (loaded, dormant int) {
	all := 0
	for range x.residents.Range {
		all++
	}
	loaded = x.residency.count()
	return loaded, max(0, all-loaded)
}

// Sweep removes compiled code whose component keep does not want, and all of other engines. Loaded revisions are not
// affected. What keep tells of a component is true of its code with a transcoder, too.
func (x *Executor) Sweep(keep func(digest [32]byte) bool) error { return x.cache.sweep(keep) }

// Close refuses new calls and waits for those that wait and run until ctx is done; then it interrupts them. Calls that
// can't be interrupted are left behind. The error is that of ctx if calls were interrupted.
func (x *Executor) Close(ctx context.Context) error {
	x.loading.Lock()
	if x.closed {
		x.loading.Unlock()
		return nil
	}
	x.closed = true
	x.loading.Unlock()
	x.queue.close()
	var err error
	select {
	case <-x.queue.empty:
	case <-ctx.Done():
		err = ctx.Err()
		x.aborting.Store(true)
		x.stop()
		for _, j := range x.queue.abort() {
			j.answer(nil, j.closing())
			j.interrupt.Cancel(causeClosing)
			x.ticker.kick(j)
		}
		<-x.queue.empty // what can't be interrupted is lost soon, and not waited for
	}
	x.stop()
	x.wakes.Wait()
	if x.config.Describe != nil {
		x.residency.close()
	}
	x.pools.close()
	x.ticker.close()
	x.queue.sleep()
	x.metronome.Close()
	x.trimmer.close()
	x.compiler.close()
	x.bulks.Wait()
	for _, p := range x.residents.Range {
		x.evict(p.(*resident)) //nolint:forcetypeassert // nothing else is put in
	}
	x.engine.Close()
	return err
}
