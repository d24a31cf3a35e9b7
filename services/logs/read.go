package logs

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/weft-run/weft/executor"
)

// batch is how many lines a reader takes out of the ring at a time.
const batch = 256

// Read yields the lines that are kept of a function, oldest first; the last tail ones, if tail is not 0.
func (s *Store) Read(namespace, function string, tail int) iter.Seq[executor.Line] {
	return func(yield func(executor.Line) bool) {
		r := s.ring(namespace, function)
		next := r.begin(tail)
		r.mu.Lock()
		end := r.first + uint64(r.count)
		r.mu.Unlock()
		for next < end {
			lines, missed, _ := r.read(next, int(min(batch, end-next)))
			next += missed
			for _, l := range lines {
				if next >= end || !yield(l) {
					return
				}
				next++
			}
			if len(lines) == 0 && missed == 0 {
				return
			}
		}
	}
}

// Follow yields what Read yields and then new lines as they come, until ctx is done or the log is dropped. When it waits
// for a new line for the first time, it calls caughtUp. Where it is too slow, a line of the stream "weft" says how many
// lines are missing.
func (s *Store) Follow(ctx context.Context, namespace, function string, tail int, caughtUp func()) iter.Seq[executor.Line] {
	return func(yield func(executor.Line) bool) {
		caughtUp := sync.OnceFunc(caughtUp)
		r := s.ring(namespace, function)
		next := r.begin(tail)
		for ctx.Err() == nil {
			lines, missed, more := r.read(next, batch)
			if more != nil {
				caughtUp()
				select {
				case <-more:
				case <-ctx.Done():
				}
				continue
			}
			if missed > 0 && !yield(missedLine(namespace, function, fmt.Sprintf("dropped %d lines: this reader was too slow", missed))) {
				return
			}
			if len(lines) == 0 && missed == 0 {
				return
			}
			for _, l := range lines {
				if !yield(l) {
					return
				}
			}
			next += missed + uint64(len(lines))
		}
	}
}
