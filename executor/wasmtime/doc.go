// Package wasmtime runs WebAssembly components in the wasmtime engine. It is weft's only use of cgo, and nothing
// outside it depends on which version of the engine is linked.
//
// A server makes one [Engine], compiles or loads a [Component] per revision, links it with what the host provides
// ([Linker]), and prepares the exports that callers may reach ([Template]). Each call then makes an [Instance], fills
// an [Arena] with arguments, calls, reads the [Result], and closes both. DESIGN.md in this directory says what the
// engine's C API does with bad input and how this package keeps such input away from it.
//
// # Values
//
// Arguments and results are trees of [Value], slots in C memory that Go reads and writes directly: no value costs a
// cgo call. The writers of an [Arena] build a tree from the outside in:
//
//	args := arena.Args(1)
//	fields := arena.SetRecord(args.At(0), names) // names of the record's fields, made once per plan
//	arena.SetU32(fields.At(0), 7)
//	err := arena.SetString(fields.At(1), []byte("seven"))
//
// The readers are methods of [Value]. They panic with a [*KindError] when the value is of another kind, like
// package reflect: a caller that reads by the component's own types never sees that.
//
// # Ownership
//
// Every object that has Close or Free owns C memory, and nothing is freed by finalizers. Closing twice is allowed.
// Objects keep what they need alive: a component may be closed while instances of it run.
package wasmtime
