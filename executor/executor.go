package executor

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/wit"
)

// Config configures an Executor.
type Config struct {
	// Dir holds the cache of compiled code. It is created, private to the user, if it does not exist.
	Dir string
	// Slots is how many calls run at once on this node. Zero: one per core.
	Slots int
	// Log is given every line that functions print or log. It must not block and may be called from many goroutines.
	// Nil drops them.
	Log func(Line)
	// Registerer is given the metrics. Nil: they are not exported.
	Registerer prometheus.Registerer

	// CompileMemory and CompileTimeout bound one compile. Defaults: 2 GiB and 2 minutes.
	CompileMemory  uint64
	CompileTimeout time.Duration
	// Compiles is how many compiles run at once. Default: 1.
	Compiles int
}

// Executor runs calls. All its methods are safe for concurrent use.
type Executor struct{}

var errNotBuilt = errors.New("executor: not built yet")

// New starts an executor. It must be closed.
func New(Config) (*Executor, error) { return nil, errNotBuilt }

// Fingerprint names the engine: equal fingerprints run each other's compiled code.
func (x *Executor) Fingerprint() string { return "" }

// CheckImports tells whether this executor can run a component: its error names the first import that nobody provides,
// or the first export that weft can not serve, with its path, and says what to do. Its errors have Reason Unsupported.
func (x *Executor) CheckImports(world *wit.World) error { return errNotBuilt }

// Compile makes sure that the cache holds the compiled code of a component. It compiles in a child process, within
// the limits of Config. Compiles of one digest that run at once are one. Its errors have Reason CompileFailed.
func (x *Executor) Compile(ctx context.Context, digest [32]byte, path string) error {
	return errNotBuilt
}

// Load makes a revision ready for calls: its code is mapped from the cache, or compiled first. It does nothing if the
// key is loaded already.
func (x *Executor) Load(ctx context.Context, r Revision) error { return errNotBuilt }

// Unload forgets a revision. It waits for nothing: running calls finish, and what they use is freed after the last.
func (x *Executor) Unload(k Key) {}

// Sweep removes compiled code whose component keep does not want. Loaded revisions are not affected.
func (x *Executor) Sweep(keep func(digest [32]byte) bool) {}

// Call runs one call. Its errors are *Error and *FunctionError; it returns when ctx is done, at the latest.
func (x *Executor) Call(ctx context.Context, r Request) (Response, error) {
	return Response{}, errNotBuilt
}

// Close refuses new calls and waits for those that run until ctx is done; then it interrupts them.
func (x *Executor) Close(ctx context.Context) error { return errNotBuilt }

// RunCompileChild does the work of a compile child and exits, if this process is one; otherwise it returns at once. It
// must be the first thing in main, and in TestMain of each package whose tests load components.
func RunCompileChild() {}
