package router

import "sync/atomic"

// The budget of further tries. Units are twentieths of a try.
const (
	perTry   = 20
	perCall  = perTry / 5  // what a call adds: one try for five calls
	maxSaved = 10 * perTry // what may be saved up
)

// budget bounds how many calls are tried again, so that a cluster in trouble gets 20% more calls, not three times as many.
// It is safe for concurrent use. The zero value is empty.
type budget struct{ saved atomic.Int64 }

func newBudget() *budget {
	b := new(budget)
	b.saved.Store(maxSaved)
	return b
}

// called adds what a call earns.
func (b *budget) called() {
	if b.saved.Load() < maxSaved {
		b.saved.Add(perCall)
	}
}

// take takes a try, if there is one.
func (b *budget) take() bool {
	if b.saved.Add(-perTry) >= 0 {
		return true
	}
	b.saved.Add(perTry)
	return false
}
