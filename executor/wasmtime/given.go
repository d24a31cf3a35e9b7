package wasmtime

// #include "weft.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// BytesFunc is a function of bytes that guests call ([Linker.DefineBytes]). What it returns is copied to the guest; failed says that
// those are the bytes of a result's err. Apart from that it is like a [HostFunc].
type BytesFunc func(call *BytesCall) (result []byte, failed bool, err error)

// BytesCall is one call of a [BytesFunc]. It is valid until that returns.
type BytesCall struct {
	of    *handle
	given *C.weft_arguments
}

// Data returns the Data of the instance's [InstanceConfig].
func (c *BytesCall) Data() any { return c.of.config.Data }

// Len returns the number of arguments.
func (c *BytesCall) Len() int { return int(c.given.count) }

// Arg returns an argument, which lies in the guest's memory: it is only to be read, and not after the function has returned. A
// string is UTF-8.
func (c *BytesCall) Arg(n int) []byte {
	b := &c.given.of[:c.given.count][n]
	if b.size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(b.data)), b.size)
}

//export weft_go_bytes
func weft_go_bytes(data, handle C.uintptr_t, given *C.weft_arguments, answer *C.weft_answer) *C.wasmtime_error_t {
	h := handleOf(handle)
	return h.trapped(guard(func() error {
		call := &BytesCall{of: h, given: given}
		result, failed, err := cgo.Handle(data).Value().(definition).bytes(call)
		*call = BytesCall{} // whoever keeps it has nothing of the next instance
		if err != nil {
			return err
		}
		answer.failed = C.bool(failed)
		if len(result) > 0 { // the engine frees the result with its own allocator, so it gets a copy that it made itself
			C.wasm_byte_vec_new(vec(&answer.bytes), C.size_t(len(result)), (*C.char)(unsafe.Pointer(unsafe.SliceData(result))))
		}
		return nil
	}))
}
