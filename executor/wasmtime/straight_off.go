//go:build weft_engine_values

package wasmtime

// mayGoStraight says that values go straight where they can; the build tag weft_engine_values has all take the engine's own form, to compare.
const mayGoStraight = false
