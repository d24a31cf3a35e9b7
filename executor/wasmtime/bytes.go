package wasmtime

// #include "weft.h"
import "C"

import "unsafe"

// HasBytes tells whether the engine has [Instance.CallBytes].
const HasBytes = longTerm

// CallBytes calls an export that takes bytes and returns bytes ([Template.TakesBytes]), at the speed of memory where
// [Instance.Call] takes a list apart. The argument is read until CallBytes returns. It fails like Call; the result is to
// be closed with [Bytes.Close].
func (i *Instance) CallBytes(export int, argument []byte) (*Bytes, error) {
	if i.c == nil {
		return nil, ErrClosed
	}
	if i.dead {
		return nil, &Error{Op: "call", Message: "the instance failed before"}
	}
	collect()
	result := &Bytes{}
	err := C.weft_call_bytes(i.c, i.template.exports[export].index, (*C.uint8_t)(unsafe.SliceData(argument)),
		C.size_t(len(argument)), &result.c)
	if err != nil || i.fault != nil {
		if err == nil {
			result.Close()
		}
		return nil, i.failed("call", err)
	}
	return result, nil
}

// Bytes is what CallBytes returned: C memory that is valid until it is closed, even after its instance is.
type Bytes struct{ c C.weft_bytes }

// Value returns the bytes, which must not be used after Close.
func (b *Bytes) Value() []byte {
	collect()
	if b.c.size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(b.c.data)), b.c.size)
}

// Close frees the bytes.
func (b *Bytes) Close() {
	if b.c.size != 0 {
		C.wasm_byte_vec_delete(vec(&b.c))
		b.c = C.weft_bytes{}
	}
}
