// Package component decodes the types of a WebAssembly component: what it imports and exports, by name.
//
// A component binary has no list of its interfaces. It is a program that builds them: types are defined, aliased out of instances,
// passed to nested components and exported again under other names. [Decode] runs that program on types alone. Each component and each
// instance type is evaluated where it is used, with the arguments it is given, so that a type keeps its identity on its way
// through the shims that wit-component writes and through compositions. Then the imports and exports of the outermost
// component, in their order, give each type its name and owner: the first interface that holds it.
//
// The format is that of the Component Model's Binary.md (layer 1, version 13), with the encodings that
// wasm-tools 1.263 reads: async functions, map, fixed-length lists, names with options (implements, version suffix,
// external ID). Core modules and core instances are skipped, not read. This is no validator: a component that
// breaks a rule of typing decodes to something or to an error; the engine refuses it when it compiles.
package component

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/weft-run/weft/wit"
)

var (
	// ErrNotWasm means that the data is no WebAssembly binary.
	ErrNotWasm = errors.New("not a WebAssembly binary")
	// ErrCoreModule means that the data is a core module, which has no types to speak of.
	ErrCoreModule = errors.New("a core WebAssembly module, not a component")
)

// Error says what is wrong with a component binary, and where. Its text is a sentence for the component's author.
type Error struct {
	// Section is the kind of section: "type", "import", …; "preamble" for the first eight bytes.
	Section string
	// Offset counts bytes from the start of the file.
	Offset int64
	Msg    string

	cause error
}

func (e *Error) Error() string {
	return fmt.Sprintf("component: %s (%s section, offset %#x)", e.Msg, e.Section, e.Offset)
}

// Unwrap returns ErrNotWasm, ErrCoreModule or nil.
func (e *Error) Unwrap() error { return e.cause }

// Decode returns what a component imports and exports. Types that weft has no representation for are decoded like others, so
// that they can be named. An error is an *[Error], and [ErrNotWasm] or [ErrCoreModule] where that is so.
//
// Time and memory are bounded whatever the data is: they grow with what is defined, up to a limit that no real component
// comes near, at some 100 MiB and half a second. The result keeps no reference to data.
func Decode(data []byte) (world *wit.World, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			world, err = nil, e
		}
	}()
	d := &decoder{budget: maxWork, foreign: map[any]place{}}
	r := &reader{d: d, data: data, end: len(data), section: "preamble"}
	r.preamble()
	root := &scope{}
	d.component(r, root)
	return d.world(root), nil
}

const (
	// maxWork bounds what is evaluated: each byte counts 1 each time that it is, each definition defCost, each part of one
	// partCost. Core modules do not count. A component from componentize-py, with all of WASI, comes to 3% of it.
	maxWork  = 4 << 20
	defCost  = 16
	partCost = 8
	// maxDepth bounds the nesting of components, of instance types, and of types in types.
	maxDepth = 100
	// maxTypeSize bounds the size of a type as a tree, with shared parts counted wherever they are used.
	maxTypeSize = 1_000_000
)

// decoder holds what is common to the evaluation of all parts of a binary. Its methods fail by panicking with *Error.
type decoder struct {
	budget int
	depth  int
	// foreign names types by the interfaces that nested components import them from.
	foreign map[any]place
}

const (
	// magic begins every WebAssembly binary.
	magic = "\x00asm"
	// componentPreamble begins every component.
	componentPreamble = magic + "\x0d\x00\x01\x00"
)

// enter counts a level of nesting; the caller calls leave.
func (d *decoder) enter(r *reader) {
	if d.depth++; d.depth > maxDepth {
		r.failAt(r.pos, "components and types are nested more than %d deep", maxDepth)
	}
}

func (d *decoder) leave() { d.depth-- }

// preamble checks the first eight bytes.
func (r *reader) preamble() {
	switch {
	case !bytes.HasPrefix(r.data, []byte(magic)):
		msg := ErrNotWasm.Error()
		switch {
		case len(r.data) == 0:
			msg = "the file is empty"
		case len(r.data) < len(magic) && string(r.data) == magic[:len(r.data)]:
			msg = "the file ends after a part of the preamble"
		case bytes.HasPrefix(bytes.TrimSpace(r.data[:min(len(r.data), 64)]), []byte("(")):
			msg = "this is WebAssembly text; convert it with `wasm-tools parse`"
		}
		panic(&Error{Section: r.section, Msg: msg, cause: ErrNotWasm})
	case len(r.data) < 8:
		r.failAt(len(r.data), "the file ends after %d bytes", len(r.data))
	}
	version, layer := r.data[4:6], r.data[6:8]
	switch {
	case layer[0] == 0 && layer[1] == 0:
		panic(&Error{
			Section: r.section, Offset: 4, cause: ErrCoreModule,
			Msg: ErrCoreModule.Error() + "; make a component of it with `wasm-tools component new`, or use your toolchain's target for components, such as wasm32-wasip2",
		})
	case layer[0] != 1 || layer[1] != 0:
		r.failAt(6, "layer %d is neither a core module nor a component", int(layer[0])|int(layer[1])<<8)
	case version[0] != 0x0d || version[1] != 0:
		r.failAt(4, "version %d of the component format is not supported, only 13; build it with newer tools", int(version[0])|int(version[1])<<8)
	}
	r.pos = 8
}
