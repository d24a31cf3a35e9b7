package executor

import (
	"sync"
	"time"
)

const (
	// tick is how often the epoch advances while an interrupted call still runs: guests look at their interrupt when
	// it does. No time is spent on it while nothing is interrupted.
	tick = 5 * time.Millisecond
	// slowTick is the same while all of those calls are lost: they are blocked in the host.
	slowTick = 100 * time.Millisecond
	// lostAfter is how long an interrupted call may go on before its slot counts as lost.
	lostAfter = 100 * time.Millisecond
)

// ticker advances the epoch as long as a call that was interrupted has not ended.
type ticker struct {
	advance func()
	queue   *queue

	mu    sync.Mutex
	calls map[*job]time.Time // since when
	work  chan struct{}      // holds one token when calls may have grown
	stop  chan struct{}
	done  chan struct{}
}

func newTicker(advance func(), q *queue) *ticker {
	t := &ticker{advance: advance, queue: q, calls: make(map[*job]time.Time),
		work: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go t.loop()
	return t
}

// kick makes the guest of an interrupted call notice.
func (t *ticker) kick(j *job) {
	t.mu.Lock()
	t.calls[j] = time.Now()
	t.mu.Unlock()
	select {
	case t.work <- struct{}{}:
	default:
	}
}

func (t *ticker) loop() {
	defer close(t.done)
	for {
		select {
		case <-t.work:
		case <-t.stop:
			return
		}
		for wait := t.step(); wait > 0; wait = t.step() {
			select {
			case <-time.After(wait):
			case <-t.work: // a guest to interrupt at once
			case <-t.stop:
				return
			}
		}
	}
}

// step advances the epoch once, and gives how long to wait for the next step: 0 when no call is left to notice.
func (t *ticker) step() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := slowTick
	for j, since := range t.calls {
		switch {
		case t.queue.ended(j):
			delete(t.calls, j)
		case time.Since(since) < lostAfter:
			wait = tick
		default:
			t.queue.lose(j)
		}
	}
	if len(t.calls) == 0 {
		return 0
	}
	t.advance()
	return wait
}

func (t *ticker) close() {
	close(t.stop)
	<-t.done
}
