package executor

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const hour = uint64(time.Hour)

// stuck has guests that sleep keep their slot until they are to end, so that they can't be interrupted, as host functions do that block
// without Wait. Count is how many have begun to.
func (g *guest) stuck() (count *atomic.Int32, end func()) {
	count = new(atomic.Int32)
	over := make(chan struct{})
	g.hosts.compatible["wasi:io/poll@0.2"].functions["[method]pollable.block"].answer = func(*HostCall) error {
		count.Add(1)
		<-over
		return nil
	}
	end = sync.OnceFunc(func() { close(over) })
	g.t.Cleanup(end)
	return count, end
}

// TestStuck has guests stuck in the host: their callers have the answer in time, and the only slot is replaced.
func TestStuck(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	stuck, _ := g.stuck()
	for i := range int32(3) {
		refused(t, g.overdue(func() bool { return stuck.Load() == i+1 }, "Sleep", hour), Deadline, "test.guest.Api/Sleep", "running")
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
	stuck, end := g.stuck()
	refused(t, g.overdue(func() bool { return stuck.Load() == 1 }, "Sleep", hour), Deadline)
	until(t, func() bool { return g.metric("weft_slots_lost") == 1 })
	end()
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
