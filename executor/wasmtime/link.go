package wasmtime

import (
	// This links the engine: wasmtime-go carries the static library and its linker flags. The C functions are declared in
	// api.h, which TestDeclarations holds against the headers of the same module.
	_ "github.com/bytecodealliance/wasmtime-go/v44"
)
