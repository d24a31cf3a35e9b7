//go:build race

package executor

// raceEnabled tells that the race detector slows everything down.
const raceEnabled = true
