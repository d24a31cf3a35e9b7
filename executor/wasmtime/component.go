package wasmtime

// #include "weft.h"
// #include <stdlib.h>
import "C"

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Component is compiled code. It is safe for concurrent use.
type Component struct {
	refs
	c *C.wasmtime_component_t
}

// Compile compiles a component binary, using all cores. Hostile input can make this take very long and use much
// memory: do it in a process of its own.
func (e *Engine) Compile(wasm []byte) (*Component, error) {
	if !e.acquire() {
		return nil, ErrClosed
	}
	defer e.release(e.free)
	var c *C.wasmtime_component_t
	if err := C.wasmtime_component_new(e.c, (*C.uint8_t)(unsafe.SliceData(wasm)), C.size_t(len(wasm)), &c); err != nil {
		return nil, takeError("compile", err)
	}
	return newComponent(c), nil
}

// Load maps compiled code, the bytes of [Component.Serialize], from a file. The file must not change while the
// component or an instance of it lives: replace it by rename. It is executed, so its content must be trusted; a file
// that is cut off or from another engine is refused, but nothing here finds a byte changed in the middle.
func (e *Engine) Load(path string) (*Component, error) {
	if !e.acquire() {
		return nil, ErrClosed
	}
	defer e.release(e.free)
	if strings.ContainsRune(path, 0) || !utf8.ValidString(path) {
		return nil, &Error{Op: "load", Message: fmt.Sprintf("%q can not be the name of a file", path)}
	}
	if err := e.inspect(path); err != nil {
		return nil, err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var c *C.wasmtime_component_t
	if err := C.wasmtime_component_deserialize_file(e.c, name, &c); err != nil {
		return nil, takeError("load", err)
	}
	return newComponent(c), nil
}

func newComponent(c *C.wasmtime_component_t) *Component {
	out := &Component{c: c}
	out.own()
	return out
}

// Serialize returns the compiled code, for [Engine.Load].
func (c *Component) Serialize() ([]byte, error) {
	if !c.acquire() {
		return nil, ErrClosed
	}
	defer c.release(c.free)
	var out C.weft_bytes
	if err := C.wasmtime_component_serialize(c.c, vec(&out)); err != nil {
		return nil, takeError("serialize", err)
	}
	return takeBytes(&out), nil
}

// Close releases the component. Templates and instances made from it keep working.
func (c *Component) Close() { c.close(c.free) }

func (c *Component) free() { C.wasmtime_component_delete(c.c) }

// WatToWasm translates the text format of a component or a module to binary.
func WatToWasm(text string) ([]byte, error) {
	var out C.weft_bytes
	in := C.CString(text)
	defer C.free(unsafe.Pointer(in))
	if err := C.wasmtime_wat2wasm(in, C.size_t(len(text)), vec(&out)); err != nil {
		return nil, takeError("parse", err)
	}
	return takeBytes(&out), nil
}

// vec is the engine's type for the same memory.
func vec(b *C.weft_bytes) *C.wasm_byte_vec_t { return (*C.wasm_byte_vec_t)(unsafe.Pointer(b)) }

// takeBytes copies bytes to Go and frees them.
func takeBytes(b *C.weft_bytes) []byte {
	defer C.wasm_byte_vec_delete(vec(b))
	if b.size == 0 {
		return nil
	}
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(b.data)), b.size))
}

// engineSectionName is the section of compiled code, an ELF file, that says which engine made it.
const engineSectionName = ".wasmtime.engine"

// engineSection returns that section's content.
func engineSection(code []byte) ([]byte, error) {
	return readEngineSection(bytes.NewReader(code), int64(len(code)))
}

// readEngineSection also checks that all sections lie within the file: the engine trusts what it maps, and a page
// beyond the end of a file raises SIGBUS.
func readEngineSection(r io.ReaderAt, size int64) ([]byte, error) {
	file, err := elf.NewFile(r)
	if err != nil {
		return nil, &Error{Op: "load", Message: "not compiled code: " + err.Error()}
	}
	var id []byte
	for _, s := range file.Sections {
		if s.Type == elf.SHT_NOBITS || s.Type == elf.SHT_NULL {
			continue
		}
		if s.FileSize > uint64(size) || s.Offset > uint64(size)-s.FileSize {
			return nil, &Error{Op: "load", Message: "compiled code is cut off"}
		}
		if s.Name == engineSectionName {
			if id, err = s.Data(); err != nil {
				return nil, &Error{Op: "load", Message: err.Error()}
			}
		}
	}
	if id == nil {
		return nil, &Error{Op: "load", Message: "compiled code does not say which engine made it"}
	}
	return id, nil
}

// inspect refuses a file that this engine can not load.
func (e *Engine) inspect(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	id, err := readEngineSection(f, info.Size())
	if err != nil {
		return err
	}
	if fingerprint(id) != e.fingerprint {
		return &Error{Op: "load", Message: "compiled by another engine, or for another CPU"}
	}
	return nil
}
