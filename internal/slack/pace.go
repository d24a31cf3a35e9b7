package slack

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// A Pace says how often Go's collector runs, which debug.SetGCPercent alone says in proportion to what is in use: where that is little, as on
// a node with a few small functions, it runs dozens of times a second to find as little each time.
type Pace struct {
	// Percent is how much is allocated between two collections, in percent of what is in use.
	Percent int
	// Least is how much is allocated at least, in bytes, whatever Percent says.
	Least uint64
}

// Set paces the collector from now on, until stop is called. It is for one at a time. A memory limit holds nevertheless.
func (p Pace) Set() (stop func()) {
	s := &pacing{pace: p, percent: p.Percent}
	before := debug.SetGCPercent(p.Percent)
	s.adjust()
	s.watch()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stopped = true
		debug.SetGCPercent(before)
	}
}

// smallest is what the runtime takes for in use where less is (runtime.defaultHeapMinimum).
const smallest = 4 << 20

// percent is what the collector is to be told while so many bytes are in use: of the heap, and of what else it looks through, as it counts that, too.
func (p Pace) percent(use uint64) int {
	return max(p.Percent, int(100*p.Least/max(use, smallest)))
}

// pacing adjusts the percentage after each collection.
type pacing struct {
	pace Pace

	mu      sync.Mutex
	percent int
	stopped bool
}

// mark is what a collection finds dead.
type mark struct{ _ *mark }

// watch has the percentage adjusted once the next collection has ended.
func (s *pacing) watch() {
	runtime.AddCleanup(new(mark), func(s *pacing) {
		if s.adjust() {
			s.watch()
		}
	}, s)
}

// adjust sets the percentage for what is in use now, unless that has hardly changed, as setting it stops the program for a moment. It is false once
// the pacing was stopped.
func (s *pacing) adjust() bool {
	use := inUse()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	percent := s.pace.percent(use)
	if difference := percent - s.percent; max(difference, -difference) > s.percent/8 || percent == s.pace.Percent && difference != 0 {
		debug.SetGCPercent(percent)
		s.percent = percent
	}
	return true
}

// inUse is what the collector's percentage is of: runtime/debug.SetGCPercent.
func inUse() (use uint64) {
	read := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(read)
	for _, s := range read {
		use += s.Value.Uint64()
	}
	return use
}
