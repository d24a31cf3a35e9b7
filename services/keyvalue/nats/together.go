package nats

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/weft-run/weft/services/keyvalue"
)

// together is how many operations of one batch are under way at once.
const together = 16

// each does something n times, a few at once, and stops with the first error.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	if n == 1 {
		return do(ctx, 0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// budget is how many bytes an answer may still have.
type budget struct {
	limit int
	left  atomic.Int64
}

func newBudget(limit int) *budget {
	b := &budget{limit: limit}
	b.left.Store(int64(limit))
	return b
}

func (b *budget) take(n int) error {
	if b.left.Add(-int64(n)) < 0 {
		return keyvalue.TooMuch(b.limit)
	}
	return nil
}

// turns lets those who change one thing wait for each other, instead of failing and trying again. A few things share one.
type turns struct {
	seed  maphash.Seed
	slots []chan struct{} // each holds one value while its turn is taken
}

func newTurns() turns {
	t := turns{seed: maphash.MakeSeed(), slots: make([]chan struct{}, 64)}
	for i := range t.slots {
		t.slots[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for the turn at a thing, which lasts until done is called.
func (t turns) take(ctx context.Context, thing string) (done func(), err error) {
	slot := t.slots[maphash.String(t.seed, thing)%uint64(len(t.slots))]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
