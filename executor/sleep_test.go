package executor

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// TestSleep has guests sleep for an hour: the only slot is free meanwhile, their callers have the exact answer at their end, and so
// have the guests.
func TestSleep(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Hour})
	limited := g.rev
	limited.Function, limited.Limits.Timeout = "limited", 100*time.Millisecond
	g.load(limited)
	var calls sync.WaitGroup
	sleep := func(ctx context.Context, rev Revision, reason Reason, text ...string) {
		calls.Go(func() {
			_, err := g.Call(ctx, Request{Key: rev.Key, Service: guestService, Method: "Sleep",
				Message: protowire.AppendVarint([]byte("\x08"), hour)})
			refused(t, err, reason, append(text, "test.guest.Api/Sleep")...)
		})
	}
	ctx, leave := context.WithCancel(t.Context())
	sleep(ctx, g.rev, Canceled, "the caller left")
	until(t, func() bool { return g.metric("weft_guests_sleeping") == 1 })
	g.works()
	leave()
	calls.Wait()

	deadline, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	sleep(deadline, g.rev, Deadline, "the caller's deadline")
	sleep(t.Context(), limited, Deadline, "the time limit of default/limited@1")
	calls.Wait()
	until(t, func() bool { return g.metric("weft_instances_running") == 0 && g.metric("weft_guests_sleeping") == 0 })
	if lost := g.metric("weft_slots_lost"); lost != 0 {
		t.Errorf("%v slots were lost", lost)
	}
	g.works()
}

// TestSleepEnds has more guests sleep than there are slots, all at once, and wake up.
func TestSleepEnds(t *testing.T) {
	g := newGuest(t, Config{Slots: 1, Waiting: 4}, Limits{Timeout: time.Minute})
	var calls sync.WaitGroup
	for range 6 { // one more than may be away keeps the slot, and another waits for that
		calls.Go(func() {
			if _, err := g.call(t.Context(), "Sleep", uint64(50*time.Millisecond)); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	g.idle()
	if away := g.queue.awayCount(); away != 0 {
		t.Errorf("%d are away", away)
	}
	g.works()
}

// TestSleepCloses shuts the executor down while a guest sleeps.
func TestSleepCloses(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Hour})
	var calls sync.WaitGroup
	calls.Go(func() {
		_, err := g.call(context.Background(), "Sleep", hour)
		refused(t, err, Closing, "shutting down")
	})
	until(t, func() bool { return g.metric("weft_guests_sleeping") == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := g.Close(ctx); err == nil {
		t.Error("nothing was interrupted")
	}
	calls.Wait()
}
