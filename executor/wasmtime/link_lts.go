//go:build wasmtime_lts

package wasmtime

// This links the long-term-support engine, which lts/install.sh builds from the crate beside it and whose
// directory CGO_LDFLAGS=-L names: make build ENGINE=lts does both. The C functions are declared in api.h and lts.h, which
// TestDeclarations holds against the headers beside the library.

// #cgo CFLAGS: -DWEFT_LTS
// #cgo LDFLAGS: -lweft_wasmtime -lm -ldl -pthread
import "C"

// What the linked engine is. DESIGN.md says how the two differ.
const (
	// Name is what make knows it by.
	Name = "lts"
	// Version is wasmtime's.
	Version = "48.0.8"

	longTerm = true
)
