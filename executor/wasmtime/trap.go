package wasmtime

// #include "weft.h"
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/ianlancetaylor/demangle"
)

var (
	// ErrBusy is wrapped by the [Error] of an instance for which the engine's pool has no room.
	ErrBusy = errors.New("wasmtime: all instances are in use")
	// ErrMemory is wrapped by the [Error] of an instance whose memory starts larger than it may be.
	ErrMemory = errors.New("wasmtime: memory limit")
	// ErrUnfolding is wrapped by the [Error] of a call whose result would take over 128 MiB of the host as values, by the engine's
	// count, and by the [Trap] of one whose guest passed such a value to an import. The stock engine leaves out the fields of records.
	ErrUnfolding = errors.New("wasmtime: too many values")
)

// TrapKind says why a guest trapped.
type TrapKind uint8

// The kinds of traps. Those up to TrapDiscriminant have the engine's numbers.
const (
	TrapStackOverflow     TrapKind = 0
	TrapMemoryOutOfBounds TrapKind = 1
	TrapHeapMisaligned    TrapKind = 2
	TrapTableOutOfBounds  TrapKind = 3
	TrapIndirectCallNull  TrapKind = 4
	TrapBadSignature      TrapKind = 5
	TrapIntegerOverflow   TrapKind = 6
	TrapDivisionByZero    TrapKind = 7
	TrapBadConversion     TrapKind = 8
	// TrapUnreachable is what an abort, a panic or a failed allocation of the guest ends in.
	TrapUnreachable TrapKind = 9
	// TrapInterrupted is the work of [Interrupt.Cancel].
	TrapInterrupted       TrapKind = 10
	TrapAllocationTooBig  TrapKind = 15
	TrapCannotEnter       TrapKind = 17
	TrapCannotLeave       TrapKind = 23
	TrapInvalidChar       TrapKind = 25
	TrapStringOutOfBounds TrapKind = 30
	TrapListOutOfBounds   TrapKind = 31
	TrapDiscriminant      TrapKind = 32
	TrapUnalignedPointer  TrapKind = 33

	// TrapMemory is that the guest wanted more memory than it may have. Only the long-term-support engine has it; with
	// the other, memory.grow fails and the guest does what it will.
	TrapMemory TrapKind = C.WEFT_TRAP_MEMORY
	// TrapHost is the failure of a callback into Go, which the Trap wraps.
	TrapHost TrapKind = 253
	// TrapExit is the guest's call of wasi:cli/exit.
	TrapExit TrapKind = 254
	// TrapOther is any other failure while the guest ran; the message says which.
	TrapOther TrapKind = 255
)

var trapNames = map[TrapKind]string{
	TrapStackOverflow: "stack overflow", TrapMemoryOutOfBounds: "memory out of bounds",
	TrapHeapMisaligned: "misaligned access", TrapTableOutOfBounds: "table out of bounds",
	TrapIndirectCallNull: "call to null", TrapBadSignature: "bad signature", TrapIntegerOverflow: "integer overflow",
	TrapDivisionByZero: "division by zero", TrapBadConversion: "bad conversion", TrapUnreachable: "unreachable",
	TrapInterrupted: "interrupted", TrapAllocationTooBig: "allocation too big", TrapCannotEnter: "cannot enter component",
	TrapCannotLeave: "cannot leave component", TrapInvalidChar: "invalid char",
	TrapStringOutOfBounds: "string out of bounds", TrapListOutOfBounds: "list out of bounds",
	TrapDiscriminant: "invalid discriminant", TrapUnalignedPointer: "unaligned pointer",
	TrapMemory: "memory limit", TrapHost: "host error", TrapExit: "exit", TrapOther: "other",
}

// String returns a short name, for logs and metrics.
func (k TrapKind) String() string {
	if name, ok := trapNames[k]; ok {
		return name
	}
	return fmt.Sprintf("trap %d", uint8(k))
}

// maxFrames bounds a backtrace, whatever the engine records.
const maxFrames = 64

// Frame is one function of a guest's backtrace.
type Frame struct {
	// Module is the name of the core module, empty if it has none.
	Module string
	// Function is the demangled name of the function, empty if the binary has no name for it.
	Function string
	// Index is the function's index in its module, and Offset that of the instruction in the module's binary.
	Index  uint32
	Offset uint64
}

func (f Frame) String() string {
	if f.Function != "" {
		return f.Function
	}
	return fmt.Sprintf("function %d", f.Index)
}

// Trap is the error of a call in which the guest trapped, or in which a callback into Go failed.
type Trap struct {
	Kind TrapKind
	// Message is one sentence or more, without the backtrace. It may quote the guest.
	Message string
	// Status is the status of TrapExit.
	Status int
	// Frames is the guest's backtrace, innermost first. The engine records 20.
	Frames []Frame

	cause error
}

func (t *Trap) Error() string { return "wasmtime: trap: " + t.Message }

// Unwrap returns the error of the callback for TrapHost, [ErrMemory] for TrapMemory, [ErrUnfolding] where the guest passed too many
// values to an import.
func (t *Trap) Unwrap() error { return t.cause }

// Error is any failure that is no trap: a component that is not valid, an import that is missing, arguments of the
// wrong type, a result that the guest's own type does not allow.
type Error struct {
	// Op is what was being done: "compile", "load", "instantiate", "call" and so on.
	Op      string
	Message string

	cause error
}

func (e *Error) Error() string { return "wasmtime: " + e.Op + ": " + e.Message }

// Unwrap returns [ErrBusy], [ErrMemory], [ErrUnfolding] or nil.
func (e *Error) Unwrap() error { return e.cause }

// takeError turns an error that no guest has to do with into a Go error, and frees it.
func takeError(op string, err *C.wasmtime_error_t) error {
	defer C.wasmtime_error_delete(err)
	return &Error{Op: op, Message: message(err)}
}

// describe turns the error of an instance into a Go error, and frees it. The fault is that of a callback, if one
// failed.
func describe(op string, err *C.wasmtime_error_t, interrupted bool, fault error) error {
	defer C.wasmtime_error_delete(err)
	t := &Trap{Frames: frames(err)}
	var status C.int
	code := C.weft_trap_code(err)
	switch {
	case interrupted:
		t.Kind, t.Message = TrapInterrupted, "interrupted"
	case fault != nil:
		t.Kind, t.Message, t.cause = TrapHost, valid(fault.Error()), fault
	case bool(C.wasmtime_error_exit_status(err, &status)):
		t.Kind, t.Status, t.Message = TrapExit, int(status), fmt.Sprintf("exit with status %d", status)
	case code == C.WEFT_TRAP_MEMORY && len(t.Frames) == 0: // it starts with too much
		return &Error{Op: op, Message: message(err), cause: ErrMemory}
	case code == C.WEFT_TRAP_MEMORY:
		t.Kind, t.Message, t.cause = TrapMemory, causes(err), ErrMemory
	case code >= 0:
		t.Kind, t.Message = TrapKind(code), causes(err)
	case len(t.Frames) > 0:
		t.Kind, t.Message = TrapOther, causes(err)
		if strings.Contains(t.Message, unfolding) {
			t.cause = ErrUnfolding
		}
	default:
		return plain(op, message(err))
	}
	return t
}

// unfolding is what the engine says of too many values.
const unfolding = "fuel allocated for hostcalls has been exhausted"

// plain makes an [*Error], recognising by its text what callers must tell apart.
func plain(op, text string) *Error {
	e := &Error{Op: op, Message: text}
	switch {
	case strings.Contains(text, "maximum concurrent"):
		e.cause = ErrBusy
	case strings.Contains(text, "exceeds memory limits"):
		e.cause = ErrMemory
	case strings.Contains(text, unfolding):
		e.cause = ErrUnfolding
	}
	return e
}

// message returns the engine's text for an error: what failed, then its causes.
func message(err *C.wasmtime_error_t) string {
	head, causes := split(err)
	return strings.Join(append([]string{head}, causes...), ": ")
}

// causes returns only the causes, where the engine's text begins with a backtrace of the guest.
func causes(err *C.wasmtime_error_t) string {
	head, causes := split(err)
	if len(causes) == 0 {
		return head
	}
	return strings.Join(causes, ": ")
}

// split takes the engine's text for an error apart. The engine prints what failed, then the causes, outermost first,
// each indented and numbered if there are several, then a backtrace of its own where RUST_BACKTRACE asks for that.
func split(err *C.wasmtime_error_t) (head string, causes []string) {
	var out C.weft_bytes
	C.wasmtime_error_message(err, vec(&out))
	text, _, _ := strings.Cut(valid(string(takeBytes(&out))), "\n\nStack backtrace:\n")
	head, below, _ := strings.Cut(text, "\n\nCaused by:\n")
	for line := range strings.Lines(below) {
		line = strings.TrimSpace(line)
		if n, rest, ok := strings.Cut(line, ": "); ok && strings.Trim(n, "0123456789") == "" {
			line = rest
		}
		if line != "" {
			causes = append(causes, strings.TrimPrefix(line, "wasm trap: "))
		}
	}
	return head, causes
}

// valid replaces what is not UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// frames returns the backtrace of an error.
func frames(err *C.wasmtime_error_t) []Frame {
	var out C.weft_frames
	all := (*C.wasm_frame_vec_t)(unsafe.Pointer(&out))
	C.wasmtime_error_wasm_trace(err, all)
	defer C.wasm_frame_vec_delete(all)
	n := min(int(out.size), maxFrames)
	if n == 0 {
		return nil
	}
	list := make([]Frame, n)
	for i, f := range unsafe.Slice(out.data, n) {
		list[i] = Frame{
			Module:   text(C.wasmtime_frame_module_name(f)),
			Function: demangle.Filter(text(C.wasmtime_frame_func_name(f))),
			Index:    uint32(C.wasm_frame_func_index(f)),
			Offset:   uint64(C.wasm_frame_module_offset(f)),
		}
	}
	return list
}

// text copies a name, which the guest's binary chose, to Go.
func text(n *C.wasm_byte_vec_t) string {
	if n == nil {
		return ""
	}
	b := (*C.weft_bytes)(unsafe.Pointer(n))
	if b.size == 0 {
		return ""
	}
	return valid(C.GoStringN(b.data, C.int(b.size)))
}
