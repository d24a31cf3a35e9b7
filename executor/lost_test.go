package executor

import (
	"context"
	"sync"
	"testing"
	"time"
)

const hour = uint64(time.Hour)

// TestSleep has guests sleep for an hour in WASI: their callers have the answer in time, and the only slot is replaced.
func TestSleep(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		start := time.Now()
		_, err := g.call(ctx, "Sleep", hour)
		refused(t, err, Deadline, "test.guest.Api/Sleep", "running")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("the caller waited %v", took)
		}
		cancel()
		g.works()
	}
	until(t, func() bool { return g.metric("weft_slots_lost") == 3 })
	g.idle()
	if busy := g.metric("weft_instances_running"); busy != 3 {
		t.Errorf("%v instances run, want the 3 that sleep", busy)
	}
}

// TestSleepEnds has a guest sleep past its deadline and come back: its slot is no longer lost, and no worker is left over.
func TestSleepEnds(t *testing.T) {
	g := newGuest(t, Config{Slots: 2}, Limits{Timeout: 10 * time.Millisecond})
	_, err := g.call(t.Context(), "Sleep", uint64(400*time.Millisecond))
	refused(t, err, Deadline)
	until(t, func() bool { return g.metric("weft_slots_lost") == 1 })
	until(t, func() bool { return g.metric("weft_slots_lost") == 0 })
	until(t, func() bool {
		g.queue.mu.Lock()
		defer g.queue.mu.Unlock()
		return g.queue.workers == 2 && g.queue.busy == 0
	})
	g.works()
}

// TestSleepersDoNotStarve lets one function lose as many slots as it can get, and expects another to go on.
func TestSleepersDoNotStarve(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: 300 * time.Millisecond, Concurrency: 64})
	other := g.rev
	other.Function = "other"
	other.Limits.Timeout = 20 * time.Second
	if err := g.Load(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	var sleepers sync.WaitGroup
	for range 3 * lostPerLine {
		sleepers.Go(func() {
			_, err := g.call(context.Background(), "Sleep", hour)
			refused(t, err, Deadline)
		})
	}
	sleepers.Wait()
	for range lostPerLine {
		_, err := g.call(t.Context(), "Sleep", hour)
		refused(t, err, Deadline)
	}
	if lost := g.metric("weft_slots_lost"); lost > lostPerLine {
		t.Errorf("%v slots are lost to one function, want at most %d", lost, lostPerLine)
	}
	g.rev = other
	g.works()
}
