package wasmtime

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// spare counts its owners.
type spare struct{ owners atomic.Int32 }

// TestSpares has goroutines take spares and give them back, some to others, while the collector empties the pools: each has one owner
// at a time, and none is lost.
func TestSpares(t *testing.T) {
	var made atomic.Int32
	s := spares[*spare]{more: func() []*spare {
		made.Add(3)
		return []*spare{{}, {}, {}}
	}}
	const goroutines, held, rounds = 8, 50, 300
	passed := make(chan *spare, goroutines)
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			var mine []*spare
			for range rounds {
				for range held {
					one := s.get()
					if n := one.owners.Add(1); n != 1 {
						t.Errorf("a spare has %d owners", n)
					}
					mine = append(mine, one)
				}
				passed <- mine[0]
				mine[0] = <-passed
				for _, one := range mine {
					one.owners.Add(-1)
					s.put(one)
				}
				mine = mine[:0]
			}
		})
	}
	for range 20 {
		runtime.GC()
	}
	all.Wait()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		s.mu.Lock()
		kept := int32(len(s.list))
		s.mu.Unlock()
		if kept == made.Load() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d spares are in the list", kept, made.Load())
		}
	}
}

// TestSparesList gives back more than are to be kept, and has those taken first that are there.
func TestSparesList(t *testing.T) {
	var made, dropped int
	s := spares[int]{most: 10, drop: func(int) { dropped++ }, more: func() []int {
		made++
		return []int{0}
	}}
	s.keep(make([]int, 25))
	if len(s.list) != 10 || dropped != 15 {
		t.Errorf("%d of 25 are in the list and %d were dropped", len(s.list), dropped)
	}
	var taken []int
	if s.fill(&taken); len(taken) != 10 || made != 0 || len(s.list) != 0 {
		t.Errorf("of 10 %d were taken, %d were made and %d are left", len(taken), made, len(s.list))
	}
	if s.fill(&taken); len(taken) != 11 || made != 1 {
		t.Errorf("of none %d were taken and %d were made", len(taken)-10, made)
	}
}
