//go:build debug

package wasmtime

import "runtime"

// debugging says that collect does something.
const debugging = true

// collect runs the garbage collector before every use of a C pointer, so that an object that is freed too early
// shows up in the tests.
func collect() { runtime.GC() }
