// Package slack says how much Go's heap may hold that is not needed, and gives it back to the system.
//
// With a collector that is set to run seldom, a burst of work leaves several times the memory that is in use: garbage that no
// collection is due for, and pages that are kept for the next burst. Where none comes they stay, as the runtime gives back only what
// is beyond the heap's next goal. A [Keeper] collects once it is quiet.
package slack

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	every = 10 * time.Second
	// worth is what is given back at least, in bytes.
	worth = 32 << 20
	// quiet is the part of the slack that may be allocated between two looks. With it a collection gives back what lasts for as many
	// times every, so it costs little beside the work that uses it up again.
	quiet = 8
)

// Keeper looks at the heap of this process from time to time.
type Keeper struct {
	look    func() usage
	release func()
	before  uint64 // allocated at the last look
}

// usage is what the runtime says of the heap, in bytes.
type usage struct {
	live      uint64 // at the end of the last collection
	held      uint64 // from the system, whatever it is used for
	allocated uint64 // ever
}

// New makes a keeper. It calls release to collect and give back what is free: debug.FreeOSMemory where that is nil.
func New(release func()) *Keeper {
	if release == nil {
		release = debug.FreeOSMemory
	}
	return &Keeper{look: heap, release: release}
}

// Run looks until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			k.turn()
		case <-ctx.Done():
			return
		}
	}
}

// turn gives back what there is if that is worth it and little was allocated since the last turn.
func (k *Keeper) turn() {
	now := k.look()
	busy := now.allocated - k.before
	k.before = now.allocated
	slack := now.held - min(now.held, now.live)
	if slack >= worth && slack > now.live/2 && busy < slack/quiet {
		k.release()
		k.before = k.look().allocated
	}
}

var samples = []string{
	"/gc/heap/live:bytes", "/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/free:bytes",
	"/gc/heap/allocs:bytes",
}

func heap() usage {
	read := make([]metrics.Sample, len(samples))
	for i, name := range samples {
		read[i].Name = name
	}
	metrics.Read(read)
	n := func(i int) uint64 {
		if read[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return read[i].Value.Uint64()
	}
	return usage{live: n(0), held: n(1) + n(2) + n(3), allocated: n(4)}
}
