package membership

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is the pauses between tries: each about twice the one before.
type backoff struct {
	first, last time.Duration
	next        time.Duration
}

// pause returns how long to wait now: up to a quarter less than the schedule, so that nodes that failed together do not
// come back together.
func (b *backoff) pause() time.Duration {
	b.next = min(max(2*b.next, b.first), b.last)
	return b.next - rand.N(b.next/4+1) //nolint:gosec // no secret
}

func (b *backoff) reset() { b.next = 0 }

// wait sleeps; the error is that of ctx.
func (b *backoff) wait(ctx context.Context) error { return sleep(ctx, b.pause()) }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
