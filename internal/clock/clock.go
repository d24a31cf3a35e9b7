//go:build !weft_faults

// Package clock tells the time of day where it leaves the node: in certificates, tokens, the log and reports to others.
// Builds with the tag weft_faults, which are for tests only, add the duration in the environment variable
// WEFT_TEST_CLOCK, "1h" or "-1h", as if the machine's clock were wrong.
package clock

import "time"

// Now is time.Now.
func Now() time.Time { return time.Now() }
