package executor

import (
	"fmt"
	"math"
	"time"
)

// clockStart is the zero of the monotonic clock of guests.
var clockStart = time.Now()

// pollable is what a guest waits for: the time from which on it is ready. The zero pollable is ready at once.
type pollable struct{ at time.Time }

func (p pollable) ready(now time.Time) bool { return !p.at.After(now) }

// wasiMonotonicClock is wasi:clocks/monotonic-clock.
func wasiMonotonicClock() map[string]HostFunc {
	return map[string]HostFunc{
		"now":        func(c *HostCall) error { c.Result().U64(uint64(time.Since(clockStart))); return nil },
		"resolution": func(c *HostCall) error { c.Result().U64(1); return nil },
		"subscribe-instant": func(c *HostCall) error {
			return c.Result().Resource(pollable{clockStart.Add(nanoseconds(c.Arg(0).U64()))})
		},
		"subscribe-duration": func(c *HostCall) error {
			return c.Result().Resource(pollable{time.Now().Add(nanoseconds(c.Arg(0).U64()))})
		},
	}
}

// nanoseconds is a duration of a guest, 290 years at most.
func nanoseconds(n uint64) time.Duration { return time.Duration(min(n, math.MaxInt64)) }

// wasiWallClock is wasi:clocks/wall-clock.
func wasiWallClock() map[string]HostFunc {
	datetime := func(c *HostCall, seconds int64, nanoseconds int) error {
		fields := c.Result().Record()
		fields.At(0).U64(uint64(seconds))
		fields.At(1).U32(uint32(nanoseconds))
		return nil
	}
	return map[string]HostFunc{
		"now": func(c *HostCall) error {
			now := time.Now()
			return datetime(c, now.Unix(), now.Nanosecond())
		},
		"resolution": func(c *HostCall) error { return datetime(c, 0, 1) },
	}
}

// wasiPoll is wasi:io/poll. A guest that waits has no slot.
func wasiPoll() map[string]HostFunc {
	return map[string]HostFunc{
		"[method]pollable.ready": func(c *HostCall) error {
			c.Result().Bool(c.Resource(0).(pollable).ready(time.Now()))
			return nil
		},
		"[method]pollable.block": func(c *HostCall) error { return c.sleep(c.Resource(0).(pollable).at) },
		"poll": func(c *HostCall) error {
			all := c.Resources(0)
			if len(all) == 0 {
				return fmt.Errorf("it is given nothing to wait for")
			}
			first := all[0].(pollable).at
			for _, p := range all[1:] {
				if at := p.(pollable).at; at.Before(first) {
					first = at
				}
			}
			if err := c.sleep(first); err != nil {
				return err
			}
			now := time.Now()
			var ready []int
			for i, p := range all {
				if p.(pollable).ready(now) {
					ready = append(ready, i)
				}
			}
			list := c.Result().List(len(ready))
			for i, index := range ready {
				list.At(i).U32(uint32(index))
			}
			return nil
		},
	}
}
