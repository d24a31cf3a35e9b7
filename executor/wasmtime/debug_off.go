//go:build !debug

package wasmtime

// collect does nothing; the build tag debug makes it run the garbage collector.
func collect() {}
