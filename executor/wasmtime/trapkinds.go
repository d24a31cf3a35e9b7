package wasmtime

// The kinds of traps. Those up to TrapListOutOfBounds have the numbers of the engine's C API.
const (
	TrapStackOverflow     TrapKind = 0
	TrapMemoryOutOfBounds TrapKind = 1
	TrapUnreachable       TrapKind = 9
	TrapInterrupted       TrapKind = 10
)
