package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The defaults of Config.
const (
	defaultCompileMemory  = 2 << 30
	defaultCompileTimeout = 2 * time.Minute
	defaultCompiles       = 1
)

// minCompileMemory is what a compile is given at least. With a tenth of it the compiler's threads do not start, and what
// has started of them waits for ever.
const minCompileMemory = 256 << 20

// compiler compiles components in child processes, a few at once, each component once.
type compiler struct {
	cache   *cache
	memory  uint64
	timeout time.Duration
	slots   chan struct{}
	metrics *metrics

	mu      sync.Mutex
	flights map[[32]byte]*flight
	wg      sync.WaitGroup
}

// flight is one compile and who waits for it.
type flight struct {
	waiters int // guarded by compiler.mu
	cancel  context.CancelFunc
	done    chan struct{}
	err     error
}

// compiled gives the compiled code of a component: from the cache, or compiled in a child process within the limits of
// Config. Compiles of one digest that run at once are one. Its errors have Reason CompileFailed, DiskFull or Internal, or
// are that of ctx.
func (x *Executor) compiled(ctx context.Context, digest [32]byte, path string) (code string, size int64, err error) {
	code, size, err = x.cache.find(digest)
	if err != nil {
		return "", 0, &Error{Reason: Internal, Message: err.Error(), Err: err}
	}
	if code != "" {
		x.metrics.cacheHits.Inc()
		return code, size, nil
	}
	x.metrics.cacheMisses.Inc()
	if err := x.compiler.compile(ctx, digest, path); err != nil {
		return "", 0, err
	}
	code, size, err = x.cache.find(digest)
	if err == nil && code == "" {
		err = errors.New("executor: compiled code vanished from the cache")
	}
	if err != nil {
		return "", 0, &Error{Reason: Internal, Message: err.Error(), Err: err}
	}
	return code, size, nil
}

// compile waits for the compile of a component, which it starts unless it runs already. A compile that nobody waits
// for any more is cancelled.
func (c *compiler) compile(ctx context.Context, digest [32]byte, path string) error {
	c.mu.Lock()
	f := c.flights[digest]
	if f == nil {
		run, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{cancel: cancel, done: make(chan struct{})}
		c.flights[digest] = f
		c.wg.Go(func() {
			f.err = c.run(run, digest, path)
			c.forget(digest, f)
			cancel()
			close(f.done)
		})
	}
	f.waiters++
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	f.waiters--
	last := f.waiters == 0
	if last && c.flights[digest] == f {
		delete(c.flights, digest)
	}
	c.mu.Unlock()
	if last {
		f.cancel()
	}
	return ctx.Err()
}

func (c *compiler) forget(digest [32]byte, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[digest] == f {
		delete(c.flights, digest)
	}
}

// close cancels all compiles and waits for them.
func (c *compiler) close() {
	c.mu.Lock()
	for _, f := range c.flights {
		f.cancel()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

// run waits for its turn and compiles.
func (c *compiler) run(ctx context.Context, digest [32]byte, path string) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	start := time.Now()
	err := c.child(ctx, path, c.cache.scratch(digest))
	if err == nil {
		if err = c.cache.publish(digest); err != nil {
			err = fileError(err)
		}
	}
	if err != nil {
		err = c.discard(digest, err)
	}
	c.metrics.compile(time.Since(start), err)
	return err
}

// discard removes what a failed compile has written.
func (c *compiler) discard(digest [32]byte, failed error) error {
	if err := os.Remove(c.cache.scratch(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(failed, err)
	}
	return failed
}

// child has a child process compile the component at path to the file code.
func (c *compiler) child(ctx context.Context, path, code string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errCompileTime)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return fileError(err)
	}
	report, trouble := &head{max: 64 << 10}, &head{max: 16 << 10}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{childName, path, code, strconv.FormatUint(c.memory, 10)}
	cmd.Stdout, cmd.Stderr = report, trouble
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.WaitDelay = time.Second
	// The kernel kills the child when the thread that started it ends, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it ended well, and nobody has read yet that it printed nothing
		return nil
	case errors.Is(context.Cause(ctx), errCompileTime):
		return &Error{Reason: CompileFailed, Err: err, Message: fmt.Sprintf(
			"compiling the component took longer than %v and was stopped; make it smaller", c.timeout)}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return c.childError(err, strings.TrimSpace(report.String()), strings.TrimSpace(trouble.String()))
}

var errCompileTime = errors.New("compile timeout")

// childError says why a compile child ended without its work done.
func (c *compiler) childError(err error, report, trouble string) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fileError(err)
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	switch exit.ExitCode() {
	case exitInvalid:
		return &Error{Reason: CompileFailed, Err: err, Message: "the component does not compile: " +
			strings.TrimPrefix(report, "wasmtime: compile: ")}
	case exitFile:
		return fileError(errors.New(report))
	case exitFull:
		return &Error{Reason: DiskFull, Err: err, Message: "no room on disk for the compiled code: " + report}
	}
	for _, text := range []string{"memory allocation of", "out of memory", "cannot allocate memory", "ThreadPoolBuildError", "failed to spawn thread"} {
		if strings.Contains(trouble, text) {
			return c.outOfMemory(err)
		}
	}
	if status.Signaled() && status.Signal() == syscall.SIGKILL {
		return c.outOfMemory(err) // the kernel's doing, when the machine has no memory left
	}
	last := trouble
	if i := strings.IndexByte(last, '\n'); i >= 0 {
		last = last[:i]
	}
	return &Error{Reason: CompileFailed, Err: err, Message: fmt.Sprintf(
		"the compiler crashed on the component (%v): %s", err, last)}
}

func (c *compiler) outOfMemory(err error) error {
	return &Error{Reason: CompileFailed, Err: err, Message: fmt.Sprintf(
		"compiling the component took more than %s of memory and was stopped; make it smaller", sizeText(c.memory))}
}

// fileError is the error of a compile that failed for no fault of the component.
func fileError(err error) error {
	reason, text := Internal, "compiling: "
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		reason, text = DiskFull, "no room on disk for the compiled code: "
	}
	return &Error{Reason: reason, Message: text + err.Error(), Err: err}
}

// head keeps the first bytes that are written to it.
type head struct {
	bytes.Buffer
	max int
}

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(0, h.max-h.Len()))])
	return len(p), nil
}
