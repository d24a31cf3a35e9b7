package executor

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// A heavyTest is a queue whose calls use a core for as long as they have a slot.
type heavyTest struct {
	*queueTest

	t     *testing.T
	gets  float64 // which part of a core a call gets that has a slot, of the time for which it does not nap
	beats bool
}

func newBurners(t *testing.T, q *queueTest) *heavyTest {
	t.Helper()
	h := &heavyTest{queueTest: q, t: t, gets: 1}
	q.lowers = true
	q.beat = func(on bool) { h.beats = on }
	type count struct {
		use
		held time.Duration
	}
	soFar := make(map[*job]count)
	q.uses = func(j *job) use {
		c, held := soFar[j], j.held
		if j.hasSlot() {
			held += time.Since(j.granted)
		}
		more := held - c.held
		if j.nap > 0 {
			naps := time.Duration(float64(more) * float64(j.nap) / float64(j.nap+wasmtime.Spell))
			c.naps += naps
			more = time.Duration(float64(more-naps) * h.gets)
		}
		c.cpu += more
		c.held = held
		soFar[j] = c
		return c.use
	}
	return h
}

// heavy runs a test with such a queue of two slots.
func heavy(t *testing.T, test func(q *heavyTest)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		q := newBurners(t, newQueueTest(2))
		test(q)
		q.finishAll()
		time.Sleep(behindAlone + 2*window)
		q.rests(t, 2)
		if q.heavies != 0 || q.comparing {
			t.Errorf("at rest %d functions are behind, and being compared: %t", q.heavies, q.comparing)
		}
	})
}

// call makes a call and ends it after some time, if it runs then.
func (q *heavyTest) call(l *line, name string, takes time.Duration) (ran bool) {
	j := q.put(q.t, l, name)
	time.Sleep(takes)
	synctest.Wait()
	q.mu.Lock()
	ran = !j.inLine && time.Since(j.started) == takes
	j.used.cpu = takes
	q.mu.Unlock()
	q.end(j)
	return ran
}

// burn has calls of a function under way that don't end.
func (q *heavyTest) burn(l *line, calls int) {
	for range calls {
		q.put(q.t, l, "burn")
	}
}

// light makes a call of a short time every millisecond, and tells how many of the last of them ran at once.
func (q *heavyTest) light(l *line, calls, last int) (atOnce int) {
	for i := range calls {
		if q.call(l, "light", 10*time.Microsecond) && i >= calls-last {
			atOnce++
		}
		time.Sleep(time.Millisecond)
	}
	return atOnce
}

func (q *heavyTest) isBehind(l *line) bool {
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	return l.account.tier == &q.behind
}

// newBehind makes two functions, one of which burns two slots and is behind the other.
func (q *heavyTest) newBehind() (burner, light *line) {
	q.t.Helper()
	burner, light = q.join(heavyLimits), q.join(heavyLimits)
	q.burn(burner, 2)
	q.light(light, 200, 0)
	if !q.isBehind(burner) {
		q.t.Fatal("it is not behind")
	}
	return burner, light
}

var heavyLimits = Limits{Concurrency: 100, Queue: 100}

// TestHeavyIsBehind has a function burn all slots: soon it has slots of its own, and the calls of another one run at once. It is
// in front again when there are no others.
func TestHeavyIsBehind(t *testing.T) {
	heavy(t, func(q *heavyTest) {
		burner, light := q.join(heavyLimits), q.join(heavyLimits)
		q.burn(burner, 4)
		time.Sleep(time.Second)
		if q.isBehind(burner) {
			t.Error("it is behind where there are no others")
		}
		if n := q.light(light, 200, 100); n != 100 {
			t.Errorf("of 100 calls %d ran at once", n)
		}
		if !q.isBehind(burner) || q.isBehind(light) {
			t.Fatal("it is not behind, or the other one is")
		}
		if n := strings.Count(strings.Join(q.order(), " "), "burn"); n != 2 {
			t.Errorf("%d of its calls run", n)
		}
		q.mu.Lock()
		for j := range q.running {
			if j.nap == 0 || !j.hasSlot() {
				t.Errorf("%s: naps for %v, with a slot %t", j.callID, j.nap, j.hasSlot())
			}
		}
		q.mu.Unlock()
		if !q.beats {
			t.Error("its guests do not give way to others")
		}
		q.end(q.job("burn"))
		if n := strings.Count(strings.Join(q.order(), " "), "burn"); n != 3 {
			t.Errorf("%d of its calls have run once one of two has ended", n)
		}
		time.Sleep(behindAlone + 2*window)
		if q.isBehind(burner) {
			t.Error("it is behind, long after the others have gone")
		}
		q.mu.Lock()
		for j := range q.running {
			if j.nap > 0 {
				t.Error("its calls have a low priority")
			}
		}
		q.mu.Unlock()
		if q.beats {
			t.Error("it is as if one were behind")
		}
	})
}

// TestHeavyNaps has guests that are behind nap for longer, the less of the cores they get.
func TestHeavyNaps(t *testing.T) {
	heavy(t, func(q *heavyTest) {
		_, light := q.newBehind()
		naps := func(gets float64, least, most time.Duration) {
			t.Helper()
			q.gets = gets
			q.light(light, 1500, 0)
			q.mu.Lock()
			defer q.mu.Unlock()
			for j := range q.running {
				if j.callID == "burn" && (j.nap < least || j.nap > most) {
					t.Errorf("a guest that gets %v of a core naps for %v, not %v to %v", gets, j.nap, least, most)
				}
			}
		}
		naps(0, 18*time.Millisecond, 20*time.Millisecond)
		naps(0.4, 800*time.Microsecond, 1200*time.Microsecond)
		naps(0.7, leastNap, leastNap)
		naps(0.1, 18*time.Millisecond, 20*time.Millisecond)
	})
}

// TestHeavyTogether has two functions burn one slot, which are put behind another one at once: there, too, one of them has the slot.
func TestHeavyTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newBurners(t, newQueueTest(1))
		a, b, light := q.join(heavyLimits), q.join(heavyLimits), q.join(heavyLimits)
		q.burn(a, 1)
		q.burn(b, 1)
		time.Sleep(time.Second)
		q.light(light, 200, 0)
		if !q.isBehind(a) || !q.isBehind(b) {
			t.Error("they are not behind")
		}
		if n := q.light(light, 100, 100); n != 100 {
			t.Errorf("of 100 calls %d ran at once", n)
		}
		q.mu.Lock()
		if q.behind.taken != 1 || q.parked != 1 {
			t.Errorf("behind there are %d slots taken, and %d calls are parked", q.behind.taken, q.parked)
		}
		q.mu.Unlock()
		q.finishAll()
		time.Sleep(behindAlone + 2*window)
		q.rests(t, 1)
	})
}

// TestHeavyAfterShortCalls has a function burn whose calls were short so far, so that few of them are measured.
func TestHeavyAfterShortCalls(t *testing.T) {
	heavy(t, func(q *heavyTest) {
		burner, light := q.join(heavyLimits), q.join(heavyLimits)
		for range 10 * oneIn {
			q.call(burner, "short", longCall/10)
		}
		q.burn(burner, 4)
		q.light(light, 200, 0)
		if q.ticks.Load() == 0 {
			t.Error("the guests do not hear that they are measured")
		}
		if !q.isBehind(burner) {
			t.Error("it is not behind")
		}
	})
}

// TestHeavyFewCalls has a function that has burnt all slots call less: it is in front again.
func TestHeavyFewCalls(t *testing.T) {
	heavy(t, func(q *heavyTest) {
		burner, light := q.newBehind()
		q.end(q.job("burn"))
		q.light(light, 200, 0)
		if q.isBehind(burner) {
			t.Error("it is behind with one call on two slots")
		}
	})
}

// TestHeavyBesideMany has a function burn all slots beside one whose calls are short and always many.
func TestHeavyBesideMany(t *testing.T) {
	heavy(t, func(q *heavyTest) {
		burner, short := q.join(heavyLimits), q.join(heavyLimits)
		q.burn(burner, 2)
		ended := 0
		for range 4 {
			q.put(t, short, "short")
		}
		for range 10_000 {
			time.Sleep(longCall / 4)
			synctest.Wait()
			q.mu.Lock()
			var end []*job
			for j := range q.running {
				if j.callID == "short" && !j.inLine && time.Since(j.started) >= longCall/4 {
					j.used.cpu = longCall / 4
					end = append(end, j)
				}
			}
			q.mu.Unlock()
			for _, j := range end {
				q.put(t, short, "short")
				q.end(j)
				ended++
			}
		}
		if !q.isBehind(burner) || q.isBehind(short) {
			t.Error("it is not behind, or the other one is")
		}
		if ended < 18_000 {
			t.Errorf("%d short calls have ended on two slots", ended)
		}
	})
}

// TestHeavyNot has functions that are not to be behind another.
func TestHeavyNot(t *testing.T) {
	t.Run("one call", func(t *testing.T) {
		heavy(t, func(q *heavyTest) {
			one, light := q.join(heavyLimits), q.join(heavyLimits)
			q.burn(one, 1)
			q.light(light, 300, 0)
			if q.isBehind(one) {
				t.Error("with one call on two slots it is")
			}
		})
	})
	t.Run("all alike", func(t *testing.T) {
		heavy(t, func(q *heavyTest) {
			a, b := q.join(heavyLimits), q.join(heavyLimits)
			q.burn(a, 4)
			q.burn(b, 4)
			for range 100 {
				if time.Sleep(10 * time.Millisecond); q.isBehind(a) || q.isBehind(b) {
					t.Fatal("one that burns is behind another that does")
				}
			}
		})
	})
	t.Run("short calls", func(t *testing.T) {
		heavy(t, func(q *heavyTest) {
			short, light := q.join(heavyLimits), q.join(heavyLimits)
			for range 3000 {
				a, b := q.put(t, short, "short"), q.put(t, short, "short")
				c := q.put(t, light, "light")
				time.Sleep(longCall / 2)
				for _, j := range []*job{a, b, c} {
					synctest.Wait()
					q.mu.Lock()
					j.used.cpu = longCall / 2
					q.mu.Unlock()
					q.end(j)
				}
				if q.isBehind(short) {
					t.Fatal("it is")
				}
			}
		})
	})
	t.Run("without the right", func(t *testing.T) {
		heavy(t, func(q *heavyTest) {
			q.lowers = false
			burner, light := q.join(heavyLimits), q.join(heavyLimits)
			q.burn(burner, 4)
			q.light(light, 300, 0)
			if q.isBehind(burner) {
				t.Error("it is behind with guests that keep their priority")
			}
		})
	})
}

// TestHeavyGuests has guests burn until their callers leave, again and again, beside calls of another function.
func TestHeavyGuests(t *testing.T) {
	if !wasmtime.Lowers() {
		t.Skip("this process may not give a thread its priority back: it lacks CAP_SYS_NICE, or RLIMIT_NICE is too low")
	}
	g := newGuest(t, Config{Slots: 2}, Limits{})
	r := guestRevision(t, Limits{Timeout: time.Hour})
	r.Function = "burner"
	if err := g.Load(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var burning sync.WaitGroup
	for range 4 {
		burning.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				ctx, leave := context.WithCancel(t.Context())
				time.AfterFunc(20*time.Millisecond, leave)
				_, err := g.Call(ctx, Request{Key: r.Key, Service: guestService, Method: "Loop"})
				refused(t, err, Canceled)
			}
		})
	}
	until(t, func() bool {
		g.works()
		return g.metric("weft_functions_behind") == 1
	})
	until(t, func() bool {
		g.works()
		g.queue.mu.Lock()
		defer g.queue.mu.Unlock()
		for j := range g.queue.running {
			if j.apart && j.nap > 0 {
				return true
			}
		}
		return false
	})
	close(over)
	burning.Wait()
	g.idle()
	until(t, func() bool { return g.metric("weft_functions_behind") == 0 })
	g.works()
}

// TestHeavyLeaves takes the revisions of a function that is behind out of memory.
func TestHeavyLeaves(t *testing.T) {
	heavy(t, func(q *heavyTest) {
		burner, _ := q.newBehind()
		q.finishAll()
		q.leave(burner)
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.heavies != 0 || len(q.tiers()) != 1 {
			t.Errorf("%d functions are behind", q.heavies)
		}
	})
}
