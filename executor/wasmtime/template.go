package wasmtime

// #include "weft.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"unicode/utf8"
	"unsafe"
)

// Export names an exported function.
type Export struct {
	// Interface is the exported interface, such as "demo:orders/orders@1.2.0"; empty for a function that the world
	// itself exports.
	Interface string
	// Function is its name, in kebab case.
	Function string
}

func (e Export) String() string {
	if e.Interface == "" {
		return e.Function
	}
	return e.Interface + "#" + e.Function
}

// Template is a component with its imports provided and its exports resolved, from which instances are made. It is
// safe for concurrent use.
type Template struct {
	refs
	linker    *Linker
	component *C.wasmtime_component_t
	pre       *C.weft_pre
	// unlinked says why there is no pre.
	unlinked error
	exports  []export
	names    []Export // what exports was found by
}

// export is a resolved [Export].
type export = C.weft_export

// Prepare resolves exports; [Instance.Call] names them by their index in the slice. Whether the component's imports
// are all provided is seen when an instance is made.
func (l *Linker) Prepare(c *Component, exports []Export) (*Template, error) {
	if err := l.finish(); err != nil {
		return nil, err
	}
	if !l.acquire() {
		return nil, ErrClosed
	}
	return l.prepare(c, exports)
}

// Again prepares a component in the way that t was: another one of the same code, that [Engine.Load] gave. Threads that make instances of one
// component take turns at counting who uses it; those that have one each do not.
func (t *Template) Again(c *Component) (*Template, error) {
	if !t.acquire() {
		return nil, ErrClosed
	}
	defer t.release(t.free)
	t.linker.users.Add(1) // t is one, so there is somebody to be counted beside even when it is closed
	return t.linker.prepare(c, t.names)
}

// prepare makes a template that takes over one use of the linker.
func (l *Linker) prepare(c *Component, exports []Export) (*Template, error) {
	if !c.acquire() {
		l.release(l.free)
		return nil, ErrClosed
	}
	defer c.release(c.free)
	t := &Template{linker: l, component: C.wasmtime_component_clone(c.c), names: exports}
	t.own()
	if err := C.weft_pre_new(l.c, t.component, &t.pre); err != nil {
		t.unlinked = takeError("instantiate", err)
	}
	for _, e := range exports {
		found, err := t.find(e)
		if err != nil {
			t.Close()
			return nil, err
		}
		t.exports = append(t.exports, found)
	}
	return t, nil
}

func (t *Template) find(e Export) (export, error) {
	if e.Function == "" || !utf8.ValidString(e.Interface) || !utf8.ValidString(e.Function) {
		return export{}, &Error{Op: "prepare", Message: fmt.Sprintf("%q can not be the name of an export", e)}
	}
	iface, name := C.CString(e.Interface), C.CString(e.Function)
	defer C.free(unsafe.Pointer(iface))
	defer C.free(unsafe.Pointer(name))
	found := C.weft_func_find(t.component, t.linker.engine, iface, C.size_t(len(e.Interface)),
		name, C.size_t(len(e.Function)))
	if found.index == nil {
		return export{}, &Error{Op: "prepare", Message: fmt.Sprintf("the component does not export a function %s", e)}
	}
	if !mayGoStraight {
		found.straight = false
	}
	return found, nil
}

// Close releases the template. Instances made from it keep working.
func (t *Template) Close() { t.close(t.free) }

func (t *Template) free() {
	for _, e := range t.exports {
		C.wasmtime_component_export_index_delete(e.index)
	}
	if t.pre != nil {
		C.weft_pre_delete(t.pre)
	}
	C.wasmtime_component_delete(t.component)
	t.linker.release(t.linker.free)
}
