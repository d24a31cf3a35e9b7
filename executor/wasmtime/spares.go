package wasmtime

import (
	"runtime"
	"slices"
	"sync"
)

// spares keeps what can be used again. Each of Go's processors has some of its own at hand: threads that took turns at one list would
// wait for each other, and for memory that another core had last. None of them is ever lost. What hands have comes on top of most.
type spares[T any] struct {
	more func() []T // makes some
	drop func(T)    // frees one; nil: all are kept
	most int        // how many are in the list, if drop is not nil

	hands sync.Pool // of *hand[T]
	mu    sync.Mutex
	list  []T
}

// handful is how many spares a hand has room for.
const handful = 32

// hand has spares for whoever has taken it out of the pool. Mostly a processor has one, but several where a goroutine had to pause with
// one, or goes on at another processor. The spares outlive it, as the collector empties pools.
type hand[T any] struct{ spares *[]T }

// get gives a spare that nobody else has.
func (s *spares[T]) get() T {
	h := s.hand()
	defer s.hands.Put(h)
	if len(*h.spares) == 0 {
		s.fill(h.spares)
	}
	last := len(*h.spares) - 1
	spare := (*h.spares)[last]
	*h.spares = slices.Delete(*h.spares, last, last+1)
	return spare
}

// put takes one back.
func (s *spares[T]) put(spare T) {
	h := s.hand()
	defer s.hands.Put(h)
	if len(*h.spares) == handful {
		s.keep((*h.spares)[:handful/2]) // those that were used last stay
		*h.spares = slices.Delete(*h.spares, 0, handful/2)
	}
	*h.spares = append(*h.spares, spare)
}

// hand takes one out of the pool.
func (s *spares[T]) hand() *hand[T] {
	if h, ok := s.hands.Get().(*hand[T]); ok {
		return h
	}
	own := make([]T, 0, handful)
	h := &hand[T]{&own}
	runtime.AddCleanup(h, func(left *[]T) { s.keep(*left) }, h.spares)
	return h
}

// fill takes some from the list.
func (s *spares[T]) fill(to *[]T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		s.list = append(s.list, s.more()...)
	}
	first := max(len(s.list)-handful/2, 0)
	*to = append(*to, s.list[first:]...)
	s.list = slices.Delete(s.list, first, len(s.list))
}

// keep puts some into the list.
func (s *spares[T]) keep(some []T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, spare := range some {
		if s.drop != nil && len(s.list) >= s.most {
			s.drop(spare)
		} else {
			s.list = append(s.list, spare)
		}
	}
}
