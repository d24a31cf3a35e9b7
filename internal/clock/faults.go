//go:build weft_faults

// Package clock tells the time of day of a machine whose clock is wrong.
package clock

import (
	"os"
	"sync"
	"time"
)

var offset = sync.OnceValue(func() time.Duration {
	d, _ := time.ParseDuration(os.Getenv("WEFT_TEST_CLOCK"))
	return d
})

// Now is time.Now of a machine whose clock is wrong.
func Now() time.Time { return time.Now().Add(offset()) }
