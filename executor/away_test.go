package executor

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

// comesBack lets a job come back in a goroutine of its own, and tells when it has.
func (q *queueTest) comesBack(j *job, left chan struct{}) <-chan bool {
	back := make(chan bool, 1)
	go func() { back <- q.comeBack(j, left) }()
	synctest.Wait()
	return back
}

// has tells whether a job has come back, and is given up where not.
func has(back <-chan bool) string {
	synctest.Wait()
	select {
	case slot := <-back:
		return fmt.Sprint(slot)
	default:
		return "waits"
	}
}

// end ends a running job.
func (q *queueTest) end(j *job) {
	close(j.done)
	synctest.Wait()
}

// TestAwayFreesSlot expects a job that is away to make room for another, and to come back before any that waits.
func TestAwayFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		l := q.join(Limits{Concurrency: 10, Queue: 10})
		caller, callee := q.put(t, l, "caller"), q.put(t, l, "callee")
		q.put(t, l, "late")
		if got := q.order(); !slices.Equal(got, []string{"caller"}) {
			t.Fatalf("%v run", got)
		}
		if !q.depart(caller) {
			t.Fatal("the caller can't leave")
		}
		if got := q.order(); !slices.Equal(got, []string{"caller", "callee"}) {
			t.Fatalf("%v run", got)
		}
		back := q.comesBack(caller, nil)
		if got := has(back); got != "waits" {
			t.Errorf("the caller came back beside the callee: %s", got)
		}
		q.end(callee)
		if got := has(back); got != "true" {
			t.Errorf("the caller did not come back: %s", got)
		}
		if got := q.order(); len(got) != 2 {
			t.Errorf("%v run, where the caller has the slot", got)
		}
		q.end(caller)
		if got := q.order(); !slices.Equal(got, []string{"caller", "callee", "late"}) {
			t.Errorf("%v run", got)
		}
		q.finishAll()
		q.rests(t, 1)
	})
}

// rests checks that a queue without jobs has as many workers as it should, and closes it.
func (q *queueTest) rests(t *testing.T, slots int) {
	t.Helper()
	synctest.Wait()
	q.mu.Lock()
	if q.workers > slots || q.busy+q.away+q.parked+q.lost+q.stuck+q.returning+len(q.front.turns)+len(q.front.holding)+q.front.taken+q.behind.taken+len(q.compared) != 0 {
		t.Errorf("at rest there are %d workers, %d busy, %d away, %d parked, %d lost, %d stuck, %d coming back, "+
			"%d functions that wait, %d with slots", q.workers, q.busy, q.away, q.parked, q.lost, q.stuck, q.returning,
			len(q.front.turns), len(q.front.holding))
	}
	q.mu.Unlock()
	q.close()
	<-q.empty
}

// TestAwayLeft has jobs give up coming back: they end without a slot.
func TestAwayLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		l := q.join(Limits{Concurrency: 10, Queue: 10})
		a, b, c := q.put(t, l, "a"), q.put(t, l, "b"), q.put(t, l, "c")
		synctest.Wait()
		for _, j := range []*job{a, b} {
			if !q.depart(j) {
				t.Fatal("no room")
			}
			synctest.Wait()
		}
		left := make(chan struct{})
		first, second := q.comesBack(a, left), q.comesBack(b, nil)
		close(left)
		if got := has(first); got != "false" {
			t.Errorf("a: %s", got)
		}
		q.end(a)
		if got := has(second); got != "waits" {
			t.Errorf("b has a slot that c holds: %s", got)
		}
		q.end(c)
		if got := has(second); got != "true" {
			t.Errorf("b: %s", got)
		}
		q.end(b)
		q.rests(t, 1)
	})
}

// TestAwayBound lets as many jobs be away as may be, and no more.
func TestAwayBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(2)
		l := q.join(Limits{Concurrency: 20, Queue: 20})
		var jobs []*job
		for i := range 6 {
			jobs = append(jobs, q.put(t, l, fmt.Sprint(i)))
		}
		for i, j := range jobs {
			synctest.Wait()
			if got := q.depart(j); got != (i < q.maxAway) {
				t.Fatalf("job %d: %v", i, got)
			}
		}
		var backs []<-chan bool
		for _, j := range jobs[:4] {
			backs = append(backs, q.comesBack(j, nil))
		}
		for _, j := range jobs[4:] {
			q.end(j)
		}
		for i, want := range []string{"true", "true", "waits", "waits"} {
			if got := has(backs[i]); got != want {
				t.Errorf("job %d: %s, want %s", i, got, want)
			}
		}
		q.end(jobs[0])
		q.end(jobs[1])
		for i := range 2 {
			if got := has(backs[i+2]); got != "true" {
				t.Errorf("job %d: %s", i+2, got)
			}
		}
		q.end(jobs[2])
		q.end(jobs[3])
		q.rests(t, 2)
	})
}

// TestAwayLost loses a job that is away, which holds no slot that could be lost, and one that can not be interrupted before
// it leaves.
func TestAwayLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		l := q.join(Limits{Concurrency: 10, Queue: 10})
		a := q.put(t, l, "a")
		synctest.Wait()
		if !q.depart(a) {
			t.Fatal("no room")
		}
		b := q.put(t, l, "b")
		synctest.Wait()
		left := make(chan struct{})
		back := q.comesBack(a, left)
		q.lose(a)
		if _, _, lost := q.counts(); lost != 0 {
			t.Errorf("%d slots are lost", lost)
		}
		q.end(b)
		if got := has(back); got != "waits" {
			t.Errorf("what is lost got a slot: %s", got)
		}
		close(left)
		if got := has(back); got != "false" {
			t.Errorf("a: %s", got)
		}
		if q.comeBack(a, left) {
			t.Error("what is lost can come back")
		}
		c := q.put(t, l, "c")
		synctest.Wait()
		q.lose(c)
		if !q.depart(c) || c.away {
			t.Error("a lost job is away")
		}
		if !q.comeBack(c, left) {
			t.Error("a lost job can't come back from nowhere")
		}
		q.close()
		synctest.Wait()
		select {
		case <-q.empty:
		default:
			t.Error("the queue waits for lost jobs")
		}
		q.end(a)
		q.end(c)
	})
}
