//go:build !weft_engine_values

package wasmtime

// mayGoStraight says that values go straight where they can.
const mayGoStraight = true
