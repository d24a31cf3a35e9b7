package executor

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestFairTurns has functions whose calls take different times: they get the same time, not the same number of calls.
func TestFairTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		limits := Limits{Concurrency: 100, Queue: 1000}
		long, short := q.join(limits), q.join(limits)
		q.put(t, long, "long")
		synctest.Wait()
		for range 100 {
			q.put(t, long, "long")
			q.put(t, short, "short")
		}
		spent := map[string]time.Duration{}
		for i := range 80 {
			q.order()
			q.list.Lock()
			j := q.started[i]
			q.list.Unlock()
			d := time.Millisecond
			if j.callID == "long" {
				d *= 4
			}
			time.Sleep(d)
			spent[j.callID] += d
			q.end(j)
		}
		if diff := (spent["long"] - spent["short"]).Abs(); diff > 2*credit {
			t.Errorf("they had %v", spent)
		}
		q.finishAll()
		q.rests(t, 1)
	})
}

// TestFairIdle expects a function that was idle for long to be ahead of one that ran by its credit and no more.
func TestFairIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueueTest(1)
		limits := Limits{Concurrency: 100, Queue: 1000}
		busy, idle := q.join(limits), q.join(limits)
		for i := range 200 {
			q.put(t, busy, "busy")
			q.order()
			time.Sleep(2 * time.Millisecond)
			q.end(q.started[i])
		}
		for range 100 {
			q.put(t, busy, "busy")
			q.put(t, idle, "idle")
		}
		counts := map[string]int{}
		for i := 200; i < 260; i++ {
			q.order()
			counts[q.started[i].callID]++
			time.Sleep(time.Millisecond)
			q.end(q.started[i])
		}
		if more := counts["idle"] - counts["busy"]; more < 0 || more > int(2*credit/time.Millisecond) {
			t.Errorf("of 60 calls after that each had %v", counts)
		}
		q.finishAll()
		q.rests(t, 1)
	})
}
