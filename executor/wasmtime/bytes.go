package wasmtime

// #include "weft.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// HasBytes tells whether the engine has [Instance.CallBytes].
const HasBytes = longTerm

// MaxBytes is how many arguments CallBytes passes at most.
const MaxBytes = int(C.WEFT_MOST_ARGUMENTS)

// Returns is what a function of bytes returns. In the engine, lts/src/bytes.rs reads the numbers.
type Returns uint8

// Functions return nothing, bytes, or a result, whose cases have bytes or nothing.
const (
	ReturnsNothing Returns = iota
	ReturnsBytes
	ReturnsEither  // result<bytes, bytes>
	ReturnsOK      // result<bytes>
	ReturnsErr     // result<_, bytes>
	ReturnsNeither // result
)

// CallBytes calls an export whose parameters are bytes, list<u8> or string, at the speed of memory where [Instance.Call]
// takes lists apart. An export of another type is an error, as are bytes for a string that are not UTF-8. The arguments are
// read until CallBytes returns. It fails like Call; the result is to be closed with [Bytes.Close].
func (i *Instance) CallBytes(export int, returns Returns, arguments ...[]byte) (*Bytes, error) {
	return i.callBytes(export, returns, arguments, false)
}

// CallBytesApart is CallBytes for calls that take long, as [Instance.CallApart] is Call.
func (i *Instance) CallBytesApart(export int, returns Returns, arguments ...[]byte) (*Bytes, error) {
	return i.callBytes(export, returns, arguments, true)
}

func (i *Instance) callBytes(export int, returns Returns, arguments [][]byte, apart bool) (*Bytes, error) {
	if i.c == nil {
		return nil, ErrClosed
	}
	if i.dead {
		return nil, &Error{Op: "call", Message: "the instance failed before"}
	}
	if len(arguments) > MaxBytes {
		return nil, &Error{Op: "call", Message: fmt.Sprintf("%d arguments of bytes; %d are the most", len(arguments), MaxBytes)}
	}
	collect()
	args := C.weft_arguments{count: C.size_t(len(arguments))}
	var pinner runtime.Pinner // of what a thread reads that has no part in this call to C
	defer pinner.Unpin()
	for n, a := range arguments {
		if apart && len(a) > 0 {
			pinner.Pin(unsafe.SliceData(a))
		}
		args.of[n] = C.weft_bytes{size: C.size_t(len(a)), data: (*C.char)(unsafe.Pointer(unsafe.SliceData(a)))}
	}
	result := &Bytes{}
	index := i.template.exports[export].index
	var err *C.wasmtime_error_t
	apart = apart && i.mayEnd()
	if apart && bool(C.weft_call_bytes_apart(i.c, index, args, C.uint8_t(returns))) {
		<-i.ended
		err = C.weft_called_bytes_apart(i.c, &result.c)
	} else {
		err = C.weft_call_bytes(i.c, index, args, C.uint8_t(returns), &result.c)
	}
	if err != nil || i.fault != nil {
		if err == nil {
			result.Close()
		}
		return nil, i.failed("call", err)
	}
	return result, nil
}

// Bytes is what CallBytes returned: C memory that is valid until it is closed, even after its instance is.
type Bytes struct{ c C.weft_answer }

// Value returns the bytes, which must not be used after Close.
func (b *Bytes) Value() []byte {
	collect()
	if b.c.bytes.size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(b.c.bytes.data)), b.c.bytes.size)
}

// Failed tells whether they are those of a result's err.
func (b *Bytes) Failed() bool { return bool(b.c.failed) }

// Close frees the bytes.
func (b *Bytes) Close() {
	if b.c.bytes.size != 0 {
		C.wasm_byte_vec_delete(vec(&b.c.bytes))
		b.c.bytes = C.weft_bytes{}
	}
}
