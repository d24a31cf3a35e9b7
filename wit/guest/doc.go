// Package guest is the runtime of Go components: what the code that `weft bindgen go` writes stands on. A copy of it
// lies beside that code, so a project needs no module of weft's.
//
// People who write components use [Tuple2] and its relatives, [Result], [OK], [Err] and [Error]. The rest moves values
// between Go and the canonical ABI of the Component Model and is called by generated code only.
//
// # Memory
//
// The host writes the arguments of exports and the results of imports into memory that it asks cabi_realloc for. In a
// component, no import may be called while the host asks. But Go's allocator may start a collection, which reads the
// clock, which is an import: a component whose cabi_realloc allocates with Go traps under load. So cabi_realloc is a bump
// allocator of its own, outside of the Go heap, with memory from the break that the runtime also takes its memory
// from. It runs no Go code that could allocate, block or collect.
//
// Generated code copies what it receives into Go values at once. [Enter] and [Leave] bracket each use of the arena, and
// the last one to leave sets it back to its start. Its memory is kept and reused, so it grows to the largest call and no
// further. Calls of imports from several goroutines may overlap, since a copy may start a collection and that lets
// another goroutine run; that is why users are counted.
//
// Before Go's packages are initialized, cabi_realloc is asked for the state of the adapter between WASI's preview 1 and
// preview 2, which lives as long as the component does. It comes from a static array and is never reused.
//
// # Calls
//
// An export runs on the main goroutine. While it is blocked others run; when it has returned nothing does, until the
// next call. A panic that nobody recovers ends in its message and Go's traceback on stderr, then in a trap.
package guest
