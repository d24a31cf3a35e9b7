package wasmtime

// #include "weft.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"strings"
	"unsafe"
)

// HostFunc is a function that guests call. It runs in the goroutine that called the guest, so it can run many times
// at once. An error that it returns traps the guest with that message, and the [Trap] wraps it. A panic becomes such
// an error, a [*PanicError]. It must not call runtime.Goexit.
type HostFunc func(call *HostCall) error

// HostCall is one call of a [HostFunc]. It and all its values are valid until that returns.
type HostCall struct {
	of      *handle
	context *C.wasmtime_context_t
	args    Values
	arena   *Arena
	result  Value
	made    []*C.wasmtime_component_resource_any_t
}

// Data returns the Data of the instance's [InstanceConfig].
func (c *HostCall) Data() any { return c.of.config.Data }

// Args returns the arguments.
func (c *HostCall) Args() Values { return c.args }

// Arena returns the arena that writes the result.
func (c *HostCall) Arena() *Arena { return c.arena }

// Result returns the value to be set, by the setters of [HostCall.Arena]. It panics if the function returns none.
func (c *HostCall) Result() Value {
	if c.result.s == nil {
		panic("wasmtime: the function has no result")
	}
	return c.result
}

// PanicError is the error of a call in which a callback panicked.
type PanicError struct {
	// Value is what was passed to panic.
	Value any
	// Stack is the stack of the goroutine.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// guard runs f and turns a panic, which must not cross C, into an error.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

//export weft_go_host
func weft_go_host(data, handle C.uintptr_t, context *C.wasmtime_context_t, args *C.weft_val, nargs C.size_t, results *C.weft_val,
	nresults C.size_t) *C.wasmtime_error_t {
	h := handleOf(handle)
	err := guard(func() error {
		call := &HostCall{of: h, context: context, arena: NewArena()}
		defer call.free()
		if nargs > 0 {
			call.args = Values{unsafe.Pointer(args), int(nargs), slotSize}
		}
		if nresults > 0 {
			call.result = call.arena.row(1).At(0)
		}
		if err := cgo.Handle(data).Value().(definition).values(call); err != nil {
			return err
		}
		if nresults > 0 {
			// The engine frees the result with its own allocator, so it gets a copy that it made itself.
			C.wasmtime_component_val_clone(cval(call.result.s), cval((*slot)(unsafe.Pointer(results))))
		}
		return nil
	})
	return h.trapped(err)
}

// trapped makes the engine's error of the failure of a callback, NULL of none.
func (h *handle) trapped(err error) *C.wasmtime_error_t {
	if err == nil {
		return nil
	}
	h.blame(err)
	message := C.CString(strings.ReplaceAll(err.Error(), "\x00", ""))
	defer C.free(unsafe.Pointer(message))
	return C.wasmtime_error_new(message)
}

func cval(s *slot) *C.wasmtime_component_val_t {
	return (*C.wasmtime_component_val_t)(unsafe.Pointer(s))
}

//export weft_go_drop
func weft_go_drop(data C.uintptr_t) { cgo.Handle(data).Delete() }

//export weft_go_write
func weft_go_write(handle C.uintptr_t, stream C.int, data *C.uchar, size C.size_t) C.ptrdiff_t {
	h := handleOf(handle)
	write := h.config.Stdout
	if stream == 2 {
		write = h.config.Stderr
	}
	err := guard(func() error {
		if size > 0 {
			write(unsafe.Slice((*byte)(unsafe.Pointer(data)), size))
		}
		return nil
	})
	if err != nil {
		h.blame(err)
		return -5 // EIO
	}
	return C.ptrdiff_t(size)
}

// blame keeps the first failure of a callback.
func (h *handle) blame(err error) {
	if h.fault == nil {
		h.fault = err
	}
}
