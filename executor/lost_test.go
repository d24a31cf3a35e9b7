package executor

import (
	"context"
	"sync"
	"testing"
	"time"
)

const hour = uint64(time.Hour)

// stuck has guests that sleep keep their slot, so that they can't be interrupted, as host functions do that block without Wait.
func (g *guest) stuck() {
	g.hosts.compatible["wasi:io/poll@0.2"].functions["[method]pollable.block"].answer = func(c *HostCall) error {
		time.Sleep(time.Until(c.Resource(0).(pollable).at))
		return nil
	}
}

// TestStuck has guests stuck in the host for an hour: their callers have the answer in time, and the only slot is replaced.
func TestStuck(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	g.stuck()
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
		t.Errorf("%v instances run, want the 3 that are stuck", busy)
	}
}

// TestStuckEnds has a guest be stuck past its deadline and come back: its slot is no longer lost, and no worker is left over.
func TestStuckEnds(t *testing.T) {
	g := newGuest(t, Config{Slots: 2}, Limits{})
	g.stuck()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := g.call(ctx, "Sleep", uint64(400*time.Millisecond))
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

// TestStuckDoNotStarve lets one function lose as many slots as it can get, and expects another to go on.
func TestStuckDoNotStarve(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: 300 * time.Millisecond, Concurrency: 64})
	g.stuck()
	other := g.rev
	other.Function = "other"
	other.Limits.Timeout = 20 * time.Second
	if err := g.Load(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	var stuck sync.WaitGroup
	for range 3 * lostPerLine {
		stuck.Go(func() {
			_, err := g.call(context.Background(), "Sleep", hour)
			refused(t, err, Deadline)
		})
	}
	stuck.Wait()
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
