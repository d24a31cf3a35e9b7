package executor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// A queueTest runs jobs that end when they are told to.
type queueTest struct {
	*queue
	list    sync.Mutex // of what was started; not named mu, as that is the queue's
	started []*job

	functions int
	ticks     atomic.Int32
}

func newQueueTest(slots int) *queueTest {
	q := &queueTest{}
	q.queue = newQueue(slots, 4, func(j *job) {
		q.list.Lock()
		q.started = append(q.started, j)
		q.list.Unlock()
		<-j.done
	}, func() { q.ticks.Add(1) })
	return q
}

// join makes the line of a function of its own.
func (q *queueTest) join(l Limits) *line {
	q.functions++
	return q.queue.join(function{"default", fmt.Sprint("f", q.functions)}, l)
}

// newTestJob makes a job without a guest.
func newTestJob(l *line, name string) *job {
	return &job{line: l, callID: name, method: &method{name: name}, interrupt: wasmtime.NewInterrupt(), done: make(chan struct{}),
		entered: time.Now()}
}

// put adds a job to a line.
func (q *queueTest) put(t *testing.T, l *line, name string) *job {
	t.Helper()
	j := newTestJob(l, name)
	if result, _ := q.add(j); result != admitted {
		t.Fatalf("no room for %s", name)
	}
	return j
}

// order gives the names of the jobs that were started, once all goroutines rest.
func (q *queueTest) order() []string {
	synctest.Wait()
	q.list.Lock()
	defer q.list.Unlock()
	var names []string
	for _, j := range q.started {
		names = append(names, j.callID)
	}
	return names
}

// finishAll ends jobs one after the other until none is left.
func (q *queueTest) finishAll() {
	for i := 0; ; i++ {
		synctest.Wait()
		q.list.Lock()
		if i == len(q.started) {
			q.list.Unlock()
			return
		}
		j := q.started[i]
		q.list.Unlock()
		select {
		case <-j.done:
		default:
			close(j.done)
		}
	}
}

func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		busy, rare := q.join(Limits{Concurrency: 4, Queue: 10}), q.join(Limits{Concurrency: 4, Queue: 10})
		q.put(t, busy, "b0")
		synctest.Wait()
		for i := 1; i <= 4; i++ {
			q.put(t, busy, fmt.Sprintf("b%d", i))
		}
		q.put(t, rare, "r0")
		q.put(t, rare, "r1")
		q.finishAll()
		if got, want := q.order(), []string{"b0", "b1", "r0", "b2", "r1", "b3", "b4"}; !slices.Equal(got, want) {
			t.Errorf("order is %v, want %v", got, want)
		}
		q.close()
		<-q.empty
	})
}

func TestQueueLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(8)
		l := q.join(Limits{Concurrency: 2, Queue: 3})
		var jobs []*job
		for i := range 5 {
			jobs = append(jobs, q.put(t, l, fmt.Sprint(i)))
		}
		if result, _ := q.add(newTestJob(l, "5")); result != full {
			t.Errorf("a sixth job: %v", result)
		}
		if got := len(q.order()); got != 2 {
			t.Errorf("%d jobs run, want 2", got)
		}
		if q.remove(jobs[0]) {
			t.Error("a running job was removed")
		}
		if !q.remove(jobs[3]) || q.remove(jobs[3]) {
			t.Error("a waiting job is removed once")
		}
		q.put(t, l, "5")
		q.finishAll()
		if got, want := q.order(), []string{"2", "4", "5"}; len(got) != 5 || !slices.Equal(got[2:], want) {
			t.Errorf("order is %v, want it to end in %v", got, want)
		}
		q.close()
		<-q.empty
		if result, _ := q.add(newTestJob(l, "6")); result != closed {
			t.Errorf("a closed queue took a job: %v", result)
		}
	})
}

// TestQueueCloses expects a closed queue to finish what waits.
func TestQueueCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(2)
		l := q.join(Limits{Concurrency: 1, Queue: 10})
		for i := range 4 {
			q.put(t, l, fmt.Sprint(i))
		}
		q.close()
		synctest.Wait()
		select {
		case <-q.empty:
			t.Fatal("empty while jobs wait")
		default:
		}
		q.finishAll()
		<-q.empty
		if got := q.order(); len(got) != 4 {
			t.Errorf("%v were run", got)
		}
	})
}

// TestQueueLost expects spares for lost slots, up to a bound, and none of them left in the end.
func TestQueueLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		var stuck []*job
		for len(stuck) < spareSlots {
			l := q.join(Limits{Concurrency: 100, Queue: 100})
			for range lostPerLine + 2 {
				q.put(t, l, "stuck")
			}
			for range lostPerLine {
				synctest.Wait()
				q.list.Lock()
				j := q.started[len(q.started)-1]
				q.list.Unlock()
				if slices.Contains(stuck, j) {
					t.Fatalf("nothing runs after %d lost slots", len(stuck))
				}
				stuck = append(stuck, j)
				q.lose(j)
			}
		}
		healthy := q.join(Limits{Concurrency: 1, Queue: 1})
		q.put(t, healthy, "healthy")
		if got := q.order(); got[len(got)-1] != "healthy" {
			t.Error("a healthy call does not run")
		}
		q.finishAll()
		q.mu.Lock()
		if q.lost != 0 || q.busy != 0 || q.workers != 1 {
			t.Errorf("in the end %d slots are lost, %d busy, %d workers", q.lost, q.busy, q.workers)
		}
		q.mu.Unlock()
		q.close()
		<-q.empty
	})
}

// TestQueueLostNoMore expects a revision that waited for want of spares to go on when one is there again, of whomever.
func TestQueueLostNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		loses := func(l *line) *job {
			j := q.put(t, l, "stuck")
			synctest.Wait()
			q.lose(j)
			return j
		}
		waits := q.join(Limits{Concurrency: 10, Queue: 10})
		loses(waits)
		var other *job
		for n := 1; n < spareSlots; n += lostPerLine {
			l := q.join(Limits{Concurrency: 10, Queue: 10})
			for range min(lostPerLine, spareSlots-n) {
				other = loses(l)
			}
		}
		q.put(t, waits, "waits")
		if got := q.order(); len(got) != spareSlots {
			t.Fatalf("%d have begun, want %d", len(got), spareSlots)
		}
		close(other.done)
		if got := q.order(); got[len(got)-1] != "waits" {
			t.Error("it does not run when there is a spare")
		}
		q.finishAll()
		q.close()
		<-q.empty
	})
}

func TestQueueFull(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Concurrency: 1, Queue: 2})
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() {
			_, err := g.call(ctx, "Loop", 0)
			refused(t, err, Canceled)
		})
	}
	until(t, func() bool { waiting, busy, _ := g.queue.counts(); return waiting == 2 && busy == 1 })
	_, err := g.call(t.Context(), "Echo", 1)
	refused(t, err, QueueFull, "3 calls", "concurrency 1 and queue 2", "default/guest@1")
	cancel()
	calls.Wait()
	g.works()
}

// TestQueueDeadline expects a waiting call to leave the line at its deadline.
func TestQueueDeadline(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	var first sync.WaitGroup
	first.Go(func() {
		_, err := g.call(ctx, "Loop", 0)
		refused(t, err, Canceled)
	})
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 1 })
	waits := func() bool { waiting, _, _ := g.queue.counts(); return waiting == 1 }
	refused(t, g.overdue(waits, "Echo", 1), Deadline, "waiting in line")
	if waits() {
		t.Error("the call still waits")
	}
	cancel()
	first.Wait()
	g.works()
}

// TestQueueClosesBehindATurn closes a queue in which a line has its turn and no call, as that has left.
func TestQueueClosesBehindATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		running := q.put(t, q.join(Limits{Concurrency: 1}), "running")
		synctest.Wait()
		waiting := q.put(t, q.join(Limits{Concurrency: 1}), "waiting")
		if !q.remove(waiting) {
			t.Fatal("the call does not wait")
		}
		q.close()
		close(running.done)
		<-q.empty
	})
}
