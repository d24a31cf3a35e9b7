package executor

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/weft-run/weft/executor/wasmtime"
)

const (
	// maxBacktrace is how many functions of the guest the message of a trap names, and maxTrap its size in bytes.
	maxBacktrace = 20
	maxTrap      = 2 << 10
)

// guestError says why a guest did not answer. When tells at which stage, if that was not the call itself.
func (x *Executor) guestError(j *job, out *output, err error, when string) error {
	if own, ok := errors.AsType[*Error](err); ok { // a call that the guest made could not be waited for
		if own.Reason == WaitLimit {
			j.rev.journal.weft(j.callID, "error", own.Message)
		}
		return own
	}
	if errors.Is(err, wasmtime.ErrUnfolding) {
		x.overflow(j)
	}
	e := classify(err, out.stderr.tail, j.rev.limits.Memory)
	where := j.method.name
	if when != "" {
		where += ": " + when
	}
	if j.interrupted() { // nobody waits for this answer
		return e
	}
	backtrace := j.backtrace(err)
	if _, panicked := errors.AsType[*wasmtime.PanicError](err); !panicked {
		for _, f := range backtrace {
			e.Backtrace = append(e.Backtrace, f.String())
		}
	}
	e.Summary = cutMiddle(where+": "+j.inPart(backtrace)+e.Summary, maxTrap)
	e.Message = traceText(e.Summary, e.Backtrace)
	j.rev.journal.weft(j.callID, "error", e.Message)
	return e
}

// classify turns an error of the engine into a reason and a summary. The tail is what the guest printed last to stderr.
func classify(err error, tail []byte, limit uint64) *Error {
	e := &Error{Err: err}
	trap, trapped := errors.AsType[*wasmtime.Trap](err)
	if _, panicked := errors.AsType[*wasmtime.PanicError](err); !trapped || panicked {
		failed, _ := errors.AsType[*wasmtime.Error](err)
		switch {
		case errors.Is(err, wasmtime.ErrMemory):
			e.Reason, e.Summary = MemoryLimit, overLimit(limit)
		case errors.Is(err, wasmtime.ErrUnfolding):
			e.Reason, e.Summary = ResponseTooLarge, "the result has "+tooMany("return")
		case errors.Is(err, wasmtime.ErrBusy):
			e.Reason, e.Summary = Internal, "all instances of this node are in use, by calls that can't be interrupted"
		case failed != nil && failed.Op == "call": // arguments were made for its types, so what does not fit is the guest's
			e.Reason, e.Summary = Trap, "trap: "+failed.Message
		default:
			e.Reason, e.Summary = Internal, strings.TrimPrefix(err.Error(), "wasmtime: ")
		}
		return e
	}
	exit, _ := errors.AsType[*exitError](err)
	switch {
	case outOfMemory(trap, exit, tail):
		e.Reason, e.Summary = MemoryLimit, overLimit(limit)
	case errors.Is(err, wasmtime.ErrUnfolding):
		e.Reason, e.Summary = Trap, "trap: what the guest passed to an import has "+tooMany("pass")
	case exit != nil:
		e.Reason, e.Summary = Trap, fmt.Sprintf("the guest ended itself: %v", exit)
	case trap.Kind == wasmtime.TrapStackOverflow:
		e.Reason, e.Summary = Trap, "trap: the guest's stack is exhausted, by too deep a recursion or too large a frame"
	default:
		e.Reason, e.Summary = Trap, "trap: "+trap.Message
	}
	return e
}

func overLimit(limit uint64) string {
	return fmt.Sprintf("out of memory: the guest may use %s; deploy it with a larger --memory, or make it use less",
		sizeText(limit))
}

// tooMany says what is wrong with values that are to be returned or passed, and what to do. What it names last the engine takes of a
// guest as it is, of any size.
func tooMany(verb string) string {
	advice := "%s less, or %[1]s a string"
	if wasmtime.HasBytes {
		advice = "the method's calls take the compiled transcoder from now on, if it has one; if not, %s less, or %[1]s bytes"
	}
	return "too many values: unfolding them would take over 128 MiB of this node; " + fmt.Sprintf(advice, verb)
}

// sizeText writes a number of bytes for people.
func sizeText(n uint64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}

// The long-term-support engine tells that it refused to grow a memory. With the stock one the guest's allocator gets -1
// and the guest aborts, like it does for any other reason, and allocators give up by themselves on what no memory could
// hold. So allocators are recognised by what they call last, and by what they print.
var (
	// allocators are parts of the names of functions that run when an allocation has failed.
	allocators = []string{
		"rust_oom", "handle_alloc_error", "alloc_error_handler", "capacity_overflow_oom", // Rust
		"__cxa_throw_bad_alloc", "throw_bad_alloc", "bad_alloc", // C++
		"runtime.__mcache_.allocLarge", "runtime.__mcache_.refill", "runtime.__mheap_.sysAlloc", // Go, whose name section has no parentheses
		"cabi_realloc_oom", "out_of_memory", "OutOfMemory", "fatal_oom", "malloc_fail", "abort_on_oom",
		"PyErr_NoMemory", "ReportOutOfMemory", "MOZ_CrashOOM", "mozalloc_handle_oom", "AutoEnterOOMUnsafeRegion", // Python, JavaScript
	}
	// laments are what runtimes print.
	laments = []string{
		"memory allocation of ", "out of memory", "Out of memory", "MemoryError", "cannot allocate memory", "std::bad_alloc",
		"[unhandlable oom]", // JavaScript, where its collector needs memory
	}
)

// outOfMemory tells whether a guest trapped because it could get no memory.
func outOfMemory(trap *wasmtime.Trap, exit *exitError, tail []byte) bool {
	switch trap.Kind {
	case wasmtime.TrapMemory:
		return true
	case wasmtime.TrapUnreachable, wasmtime.TrapOther, wasmtime.TrapMemoryOutOfBounds:
	default:
		if exit == nil {
			return false
		}
	}
	for _, f := range trap.Frames {
		for _, name := range allocators {
			if strings.Contains(f.Function, name) {
				return true
			}
		}
	}
	for _, text := range laments {
		if bytes.Contains(tail, []byte(text)) {
			return true
		}
	}
	return false
}

// traceText adds a backtrace to the message of a trap, as far as it fits.
func traceText(summary string, backtrace []string) string {
	var b strings.Builder
	b.WriteString(summary)
	for i, name := range backtrace[:min(len(backtrace), maxBacktrace)] {
		line := "\n  at " + name
		if b.Len()+len(line) > maxTrap {
			if room := maxTrap - b.Len(); i == 0 {
				b.WriteString(cutText(line, room))
			}
			break
		}
		b.WriteString(line)
	}
	return b.String()
}
