//go:build race

package functions

// raceEnabled tells that the race detector slows everything down.
const raceEnabled = true
