//go:build !debug

package wasmtime

// debugging says that collect does something.
const debugging = false

// collect does nothing; the build tag debug makes it run the garbage collector.
func collect() {}
