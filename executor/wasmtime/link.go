//go:build !wasmtime_lts

package wasmtime

import (
	// This links the engine: wasmtime-go carries the static library and its linker flags. The C functions are declared in
	// api.h, which TestDeclarations holds against the headers of the same module.
	_ "github.com/bytecodealliance/wasmtime-go/v44"
)

// What the linked engine is. DESIGN.md says how the two differ.
const (
	// Name is what make knows it by.
	Name = "stock"
	// Version is wasmtime's.
	Version = "44.0.0"

	longTerm = false
)
