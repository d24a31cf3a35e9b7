package executor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// isParked tells whether a job is, once all goroutines rest.
func (q *queueTest) isParked(j *job) bool {
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	return j.parked
}

// parkLimits are those of the functions of these tests.
var parkLimits = Limits{Concurrency: 10, Queue: 10}

// newRunning makes a queue with one slot, which b has had for a second.
func newRunning(t *testing.T) (q *queueTest, b *job) {
	t.Helper()
	q = newQueueTest(1)
	b = q.put(t, q.join(parkLimits), "b")
	q.order()
	time.Sleep(time.Second)
	return q, b
}

// newBurning makes a queue with one slot, which b has had for a second while another call of its function waits, and the line of
// another function.
func newBurning(t *testing.T) (q *queueTest, b *job, victim *line) {
	t.Helper()
	q, b = newRunning(t)
	q.put(t, b.line, "b2")
	time.Sleep(time.Second)
	return q, b, q.join(parkLimits)
}

// TestParkGivesWay has a call that runs give way to one of another function at once, and go on after it.
func TestParkGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b, victim := newBurning(t)
		if q.isParked(b) || q.ticks.Load() != 0 {
			t.Error("a call gave way to one of its own function")
		}
		q.put(t, victim, "v")
		if got := q.order(); !slices.Equal(got, []string{"b", "v"}) {
			t.Fatalf("%v run", got)
		}
		if !q.isParked(b) || q.ticks.Load() == 0 {
			t.Error("its guest does not hear of it")
		}
		q.end(q.job("v"))
		if q.isParked(b) {
			t.Error("it has no slot again")
		}
		if got := q.order(); !slices.Equal(got, []string{"b", "v"}) {
			t.Errorf("%v run, where one that has begun is to go on", got)
		}
		q.finishAll()
		q.rests(t, 1)
	})
}

// TestParkSecond has a call wait that is behind a parked one of the function that runs: it gets its turn when that function has
// used more than its own, though another function than the one that runs is never first meanwhile.
func TestParkSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b, victim := newBurning(t)
		v := q.put(t, victim, "v")
		q.order()
		time.Sleep(credit + slice/2)
		q.end(v)
		if q.isParked(b) {
			t.Fatal("the burner does not go on")
		}
		q.put(t, victim, "v2")
		if got := q.order(); !slices.Equal(got, []string{"b", "v"}) {
			t.Errorf("%v run", got)
		}
		time.Sleep(2 * slice)
		if got := q.order(); !slices.Equal(got, []string{"b", "v", "v2"}) {
			t.Errorf("%v run", got)
		}
		q.finishAll()
		q.rests(t, 1)
	})
}

// TestParkSlices has two calls that never end share a slot.
func TestParkSlices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		a, b := q.put(t, q.join(parkLimits), "a"), q.put(t, q.join(parkLimits), "b")
		turns, was := 0, false
		for range 1000 {
			time.Sleep(time.Millisecond)
			if is := q.isParked(a); is != was {
				turns, was = turns+1, is
			}
		}
		q.mu.Lock()
		now := time.Now()
		q.count(a.line.account, now)
		q.count(b.line.account, now)
		if diff := (a.line.account.spent - b.line.account.spent).Abs(); diff > 2*credit || turns < 20 {
			t.Errorf("one had %v and the other %v, in %d turns", a.line.account.spent, b.line.account.spent, turns)
		}
		q.mu.Unlock()
		q.finishAll()
		q.rests(t, 1)
	})
}

// TestParkReminds expects a guest that is parked for long to be told to rest, to be reminded as long as it does not, ever more
// seldom, and to be left alone when it has its slot again.
func TestParkReminds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b := newRunning(t)
		ticksIn := func(d time.Duration) int32 {
			before := q.ticks.Load()
			time.Sleep(d)
			synctest.Wait()
			return q.ticks.Load() - before
		}
		v := q.put(t, q.join(parkLimits), "v")
		synctest.Wait()
		if n := ticksIn(linger / 2); n != 0 {
			t.Errorf("%d ticks at first", n)
		}
		if n := ticksIn(credit); n < 3 || n > 5 {
			t.Errorf("%d ticks in %v", n, credit)
		}
		q.end(v)
		if q.isParked(b) {
			t.Error("it has no slot again")
		}
		if n := ticksIn(time.Minute); n > 1 {
			t.Errorf("%d more ticks", n)
		}
		q.end(b)
		q.rests(t, 1)
	})
}

// TestParkCanceled expects a parked call for which nobody waits to get no slot again.
func TestParkCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b := newRunning(t)
		v := q.put(t, q.join(parkLimits), "v")
		q.order()
		b.interrupt.Cancel(causeCanceled)
		q.end(v)
		if !q.isParked(b) {
			t.Error("it has a slot")
		}
		q.end(b)
		q.rests(t, 1)
	})
}

// TestParkBound parks as many calls as may be, and no more: then a call waits until another ends.
func TestParkBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		for i := range maxParked + 1 {
			q.put(t, q.join(parkLimits), fmt.Sprint(i))
			q.order()
			time.Sleep(time.Second)
		}
		if got := len(q.order()); got != maxParked+1 || q.parkedCount() != maxParked {
			t.Fatalf("%d have begun and %d are parked", got, q.parkedCount())
		}
		q.put(t, q.join(parkLimits), "last")
		time.Sleep(time.Second)
		if got := len(q.order()); got != maxParked+1 {
			t.Fatalf("%d have begun", got)
		}
		q.end(q.started[maxParked])
		if got := q.order(); got[len(got)-1] != "last" {
			t.Error("it does not run when another has ended")
		}
		q.finishAll()
		q.rests(t, 1)
	})
}

// TestParkDeparts has a parked guest make a call before it notices that it is parked, lose its slot, and end.
func TestParkDeparts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		park := func(name string) (b, v *job) {
			b = q.put(t, q.join(parkLimits), "b"+name)
			q.order()
			time.Sleep(time.Second)
			v = q.put(t, q.join(parkLimits), "v"+name)
			q.order()
			if !b.parked {
				t.Fatal("it is not parked")
			}
			return b, v
		}
		b, v := park("1")
		if !q.depart(b) || b.parked || !b.away || len(b.at.account.returning) > 0 {
			t.Error("it is not away")
		}
		back := q.comesBack(b, nil)
		q.end(v)
		if got := has(back); got != "true" {
			t.Errorf("it did not come back: %s", got)
		}
		q.end(b)

		b, v = park("2") // it ends before it has a slot again
		q.end(b)
		q.end(v)

		b, v = park("3") // it is in the host, and nobody waits for it
		q.lose(b)
		if _, _, lost := q.counts(); lost != 0 {
			t.Errorf("%d slots are lost", lost)
		}
		if len(b.at.account.returning) > 0 {
			t.Error("what is lost waits for a slot")
		}
		q.end(v)
		q.end(b)
		q.rests(t, 1)
	})
}

// burner is a guest beside the first one, of another function, whose calls never end.
func (g *guest) burner(ctx context.Context, calls int) (stop func()) {
	g.t.Helper()
	r := guestRevision(g.t, Limits{Timeout: time.Hour})
	r.Function = "burner"
	if err := g.Load(ctx, r); err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for range calls {
		running.Go(func() {
			_, err := g.Call(ctx, Request{Key: r.Key, Service: guestService, Method: "Loop"})
			refused(g.t, err, Canceled)
		})
	}
	until(g.t, func() bool { waiting, busy, _ := g.queue.counts(); return waiting+busy == calls && busy > 0 })
	return func() {
		cancel()
		running.Wait()
	}
}

// TestParkGuests has guests that spin in all slots give way to others, one after the other, and end when they are told to.
func TestParkGuests(t *testing.T) {
	g := newGuest(t, Config{Slots: 2}, Limits{})
	stop := g.burner(t.Context(), 8)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range 50 {
				g.works()
			}
		})
	}
	callers.Wait()
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 2 || g.queue.parkedCount() > 0 })
	stop()
	g.idle()
	until(t, func() bool { return g.metric("weft_instances_parked") == 0 })
	if g.metric("weft_slot_seconds_total") <= 0 {
		t.Error("no slot time is counted")
	}
	g.works()
	if lines := g.lines.all(); len(lines) > 0 {
		t.Errorf("logged %v", lines)
	}
}

// TestParkEnds has calls end while they are parked: by their deadlines, by their callers, and with the node.
func TestParkEnds(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Hour})
	spin := func(ctx context.Context, name string) <-chan error {
		r := guestRevision(t, Limits{Timeout: time.Hour})
		r.Function = name
		if err := g.Load(ctx, r); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := g.Call(ctx, Request{Key: r.Key, Service: guestService, Method: "Loop"})
			done <- err
		}()
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	a, b := spin(ctx, "a"), spin(ctx, "b")
	until(t, func() bool { return g.queue.parkedCount() == 1 })
	short, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	refused(t, <-spin(short, "a"), Deadline)
	g.works()
	cancel()
	refused(t, <-a, Canceled)
	refused(t, <-b, Canceled)
	g.idle()

	a, b = spin(context.Background(), "a"), spin(context.Background(), "b")
	until(t, func() bool { return g.queue.parkedCount() == 1 })
	ended, end := context.WithCancel(t.Context())
	end()
	if err := g.Close(ended); err == nil {
		t.Error("it closed in time")
	}
	refused(t, <-a, Closing)
	refused(t, <-b, Closing)
}

// TestParkInPlace parks guests that run in the place of others.
func TestParkInPlace(t *testing.T) {
	n := newNeighbours(t, Limits{Timeout: time.Hour}, Limits{Timeout: time.Hour})
	n.method = "Loop"
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := n.pays(ctx)
		done <- err
	}()
	<-n.entered
	until(t, func() bool { _, busy, _ := n.queue.counts(); return busy == 2 })
	other := guestRevision(t, Limits{})
	other.Function = "other"
	if err := n.Load(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := n.Executor.Call(t.Context(), Request{Key: other.Key, Service: guestService, Method: "Echo"}); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	refused(t, <-done, Canceled)
	n.rested()
}
