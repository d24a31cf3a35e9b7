package wasmtime

// #include "weft.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"runtime/cgo"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// Linker holds what the host provides to guests. It is filled first and then used: the first [Linker.Prepare] ends
// the filling. Filling is for one goroutine; Prepare is safe for concurrent use.
type Linker struct {
	refs
	c      *C.wasmtime_component_linker_t
	engine *C.wasm_engine_t
	// limit is the engine's MaxMemory.
	limit uint64
	wasi  bool

	mu     sync.Mutex
	funcs  map[string]map[string]definition // by interface and name; nil once they are defined
	types  map[string]map[string]*ResourceType
	failed error
}

// NewLinker returns an empty linker, to be closed with [Linker.Close].
func (e *Engine) NewLinker() *Linker {
	if !e.acquire() {
		return &Linker{failed: ErrClosed}
	}
	defer e.release(e.free)
	l := &Linker{
		c:      C.wasmtime_component_linker_new(e.c),
		engine: C.wasmtime_engine_clone(e.c),
		limit:  e.maxMemory,
		funcs:  map[string]map[string]definition{},
		types:  map[string]map[string]*ResourceType{},
	}
	l.own()
	return l
}

// AddWASI provides the wasi:cli, io, clocks, random, filesystem and sockets interfaces of version 0.2. Guests have no
// files and no network; their environment, stdout and stderr are those of [InstanceConfig]. Nodes don't use it, as the executor
// answers WASI by itself: it is for tests and benchmarks of the engine without one.
func (l *Linker) AddWASI() error {
	if err := l.filling(); err != nil {
		return err
	}
	defer l.mu.Unlock()
	if err := C.wasmtime_component_linker_add_wasip2(l.c); err != nil {
		return takeError("link", err)
	}
	l.wasi = true
	return nil
}

// Define provides a function of an interface, such as "wasi:logging/logging@0.1.0-draft"; the empty interface is
// the world itself. The types of its parameters and results are whatever the component declares, so f must agree with
// them. An interface that AddWASI provides can't be added to.
func (l *Linker) Define(iface, name string, f HostFunc) error {
	return l.define(iface, name, definition{values: f})
}

// DefineBytes provides a function whose parameters, so many, and results are bytes, list<u8> or string, where the engine has
// that ([HasBytes]). A component that imports it with other types fits none of the linker's templates.
func (l *Linker) DefineBytes(iface, name string, params int, returns Returns, f BytesFunc) error {
	if params > MaxBytes {
		return &Error{Op: "link", Message: fmt.Sprintf("interface %q, function %q has %d parameters of bytes; %d are the most", iface, name,
			params, MaxBytes)}
	}
	return l.define(iface, name, definition{bytes: f, params: params, returns: returns})
}

// definition is a function of the host: of values or of bytes.
type definition struct {
	values  HostFunc
	bytes   BytesFunc
	params  int
	returns Returns
}

func (d definition) empty() bool { return d.values == nil && d.bytes == nil }

func (l *Linker) define(iface, name string, d definition) error {
	if err := l.filling(); err != nil {
		return err
	}
	defer l.mu.Unlock()
	switch {
	case name == "" || d.empty():
		return &Error{Op: "link", Message: fmt.Sprintf("interface %q: a function without a name or a body", iface)}
	case !utf8.ValidString(iface) || !utf8.ValidString(name):
		return fmt.Errorf("%w: interface %q, function %q", ErrNotUTF8, iface, name)
	case !l.funcs[iface][name].empty():
		return &Error{Op: "link", Message: fmt.Sprintf("interface %q, function %q is defined twice", iface, name)}
	case l.funcs[iface] == nil:
		l.funcs[iface] = map[string]definition{}
	}
	l.funcs[iface][name] = d
	return nil
}

// filling locks mu if the linker may still be changed.
func (l *Linker) filling() error {
	l.mu.Lock()
	switch {
	case l.failed != nil:
		l.mu.Unlock()
		return l.failed
	case l.funcs == nil:
		l.mu.Unlock()
		return &Error{Op: "link", Message: "the linker is in use and can't change any more"}
	}
	return nil
}

// finish defines the functions, once: the C API can only define an interface as a whole.
func (l *Linker) finish() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.funcs == nil || l.failed != nil {
		return l.failed
	}
	funcs, types := l.funcs, l.types
	l.funcs, l.types = nil, nil
	for iface := range types {
		if _, ok := funcs[iface]; !ok {
			funcs[iface] = nil // it has resources only
		}
	}
	root := C.wasmtime_component_linker_root(l.c)
	defer C.wasmtime_component_linker_instance_delete(root)
	for iface, fs := range funcs {
		if l.failed = defineInterface(root, iface, fs, types[iface]); l.failed != nil {
			return l.failed
		}
	}
	return nil
}

func defineInterface(root *C.wasmtime_component_linker_instance_t, iface string, fs map[string]definition,
	types map[string]*ResourceType,
) error {
	in := root
	if iface != "" {
		name := C.CString(iface)
		defer C.free(unsafe.Pointer(name))
		if err := C.wasmtime_component_linker_instance_add_instance(root, name, C.size_t(len(iface)), &in); err != nil {
			return takeError("link", err)
		}
		defer C.wasmtime_component_linker_instance_delete(in)
	}
	for r, t := range types {
		name := C.CString(r)
		err := C.weft_linker_define_resource(in, name, C.size_t(len(r)), C.uint32_t(t.id))
		C.free(unsafe.Pointer(name))
		if err != nil {
			return takeError("link", err)
		}
	}
	for fn, d := range fs {
		name := C.CString(fn)
		// weft_go_drop deletes the handle, when the last instance that can call it is gone or if this fails.
		handle := C.uintptr_t(cgo.NewHandle(d))
		var err *C.wasmtime_error_t
		if d.bytes != nil {
			err = C.weft_linker_define_bytes(in, name, C.size_t(len(fn)), C.size_t(d.params), C.uint8_t(d.returns), handle)
		} else {
			err = C.weft_linker_define(in, name, C.size_t(len(fn)), handle)
		}
		C.free(unsafe.Pointer(name))
		if err != nil {
			return takeError("link", err)
		}
	}
	return nil
}

// Close releases the linker. Templates and instances made with it keep working.
func (l *Linker) Close() {
	if l.c != nil {
		l.close(l.free)
	}
}

func (l *Linker) free() {
	C.wasmtime_component_linker_delete(l.c)
	C.wasm_engine_delete(l.engine)
}
