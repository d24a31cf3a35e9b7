package executor

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestQueueDeadlines expects the call with the earliest deadline first, of those that wait for one function.
func TestQueueDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		f := function{"default", "f"}
		old, fresh := q.queue.join(f, Limits{Concurrency: 10, Queue: 10}), q.queue.join(f, Limits{Concurrency: 10, Queue: 10})
		q.put(t, old, "first")
		q.order()
		now := time.Now()
		for _, c := range []struct {
			line *line
			name string
			left int
		}{{old, "30s", 30}, {old, "5s", 5}, {fresh, "20s", 20}, {old, "5s too", 5}, {fresh, "1s", 1}, {fresh, "40s", 40}} {
			j := newTestJob(c.line, c.name)
			j.due = now.Add(time.Duration(c.left) * time.Second)
			if result, _ := q.add(j); result != admitted {
				t.Fatal(result)
			}
		}
		q.finishAll()
		if got, want := q.order(), []string{"first", "1s", "5s", "5s too", "20s", "30s", "40s"}; !slices.Equal(got, want) {
			t.Errorf("order is %q, want %q", got, want)
		}
		q.rests(t, 1)
	})
}

// TestQueueLate expects calls to be refused at once that can't begin before their deadlines, as far as that is known.
func TestQueueLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		l := q.join(Limits{Concurrency: 10, Queue: 100})
		add := func(left time.Duration) admission {
			j := newTestJob(l, left.String())
			j.due = j.entered.Add(left)
			result, wait := q.add(j)
			if (wait > 0) != (result == late) {
				t.Errorf("%v: %v", result, wait)
			}
			return result
		}
		for range 20 { // nothing is known, so everything may be in time
			if got := add(time.Nanosecond); got != admitted {
				t.Fatal(got)
			}
		}
		for i := range 20 {
			q.order()
			time.Sleep(time.Second)
			q.end(q.started[i])
		}
		for i, c := range []struct {
			left time.Duration
			want admission
		}{
			{time.Millisecond, admitted}, // it runs
			{time.Millisecond, admitted}, // nobody is before it
			{time.Millisecond, late}, {time.Minute, admitted}, {100 * time.Second, admitted}, {1500 * time.Millisecond, admitted},
			{1600 * time.Millisecond, late}, {10 * time.Second, admitted},
		} {
			if got := add(c.left); got != c.want {
				t.Errorf("call %d, with %v: %v, want %v", i, c.left, got, c.want)
			}
			q.order()
		}
		q.finishAll()
		q.rests(t, 1)
	})
}

// TestLateVaries expects estimates to be careful where calls differ.
func TestLateVaries(t *testing.T) {
	l := &line{concurrency: 10}
	for i := range 100 {
		l.measure(time.Duration(1+i%2*100) * time.Millisecond)
	}
	now := time.Now()
	for range 10 {
		l.put(&job{due: now})
	}
	if wait, tooLate := l.late(&job{due: now.Add(200 * time.Millisecond)}, 1, now); tooLate {
		t.Errorf("refused for %v", wait)
	}
}
