package executor

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// simulation is a queue whose calls take time by a clock that only they move. Threads take no time to wake up, and a parked
// call does not go on.
type simulation struct {
	*queue
	over chan struct{}
}

// run has a slot for as long as the call needs; 0: until the end of the simulation.
func (s *simulation) run(j *job) {
	defer close(j.done)
	need := time.Duration(len(j.message)) * time.Microsecond
	if need == 0 {
		<-s.over
		return
	}
	const steps = 4
	for range steps {
		time.Sleep(need / steps)
		for !s.has(j) {
			time.Sleep(need / steps)
		}
	}
}

func (s *simulation) has(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.hasSlot()
}

// call makes a call and waits for its answer.
func (s *simulation) call(t *testing.T, l *line, need time.Duration) time.Duration {
	t.Helper()
	j := newTestJob(l, "")
	j.message = make([]byte, need/time.Microsecond)
	if result, _ := s.add(j); result != admitted {
		t.Error(result)
		return 0
	}
	<-j.done
	return time.Since(j.entered)
}

// simulate gives how long calls took that come at random, for a part of what the slots can do, beside a function of which so many
// calls are always under way, each of which needs so much.
func simulate(t *testing.T, service time.Duration, load float64, burners int, burn time.Duration) (took []time.Duration) {
	t.Helper()
	const slots, calls, warmup = 2, 2000, 50 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		s := &simulation{over: make(chan struct{})}
		s.queue = newQueue(slots, 4, s.run, func() {})
		limits := Limits{Concurrency: 64, Queue: calls}
		victim, burner := s.join(function{"default", "victim"}, limits), s.join(function{"default", "burner"}, limits)
		var burning, all sync.WaitGroup
		random := rand.New(rand.NewPCG(1, 2))
		arrive := func(answered func(time.Duration)) {
			time.Sleep(time.Duration(random.ExpFloat64() * float64(service) / slots / load))
			all.Go(func() { answered(s.call(t, victim, service)) })
		}
		for i := range burners + 1 {
			for range warmup / service {
				arrive(func(time.Duration) {})
			}
			if i < burners {
				burning.Go(func() {
					for s.isOpen() {
						s.call(t, burner, burn)
					}
				})
			}
		}
		all.Wait() // what piled up while the others came is done
		took = make([]time.Duration, calls)
		for i := range calls {
			arrive(func(d time.Duration) { took[i] = d })
		}
		all.Wait()
		close(s.over)
		burning.Wait()
		s.close()
		<-s.empty
		s.sleep()
	})
	return took
}

func (s *simulation) isOpen() bool {
	select {
	case <-s.over:
		return false
	default:
		return true
	}
}

// TestFairShare expects a function to have its calls answered nearly as soon beside one that burns all slots, whatever its calls
// take, as far as that depends on turns. Where the processors are half busy slots are less than that, as a call also costs its node
// what is done before and after it has one.
func TestFairShare(t *testing.T) {
	for _, c := range []struct {
		service time.Duration
		load    float64
	}{{20 * time.Microsecond, .4}, {time.Millisecond, .4}, {10 * time.Millisecond, .35}} {
		alone := simulate(t, c.service, c.load, 0, 0)
		for _, burn := range []time.Duration{0, c.service / 4, c.service, 5 * c.service, 50 * c.service} {
			beside := simulate(t, c.service, c.load, 6, burn)
			for _, p := range []float64{.5, .9, .99} {
				a, z := percentile(alone, p), percentile(beside, p)
				if z > 2*a {
					t.Errorf("calls of %v beside those of %v: p%v is %v alone and %v beside", c.service, burn, 100*p, a, z)
				}
				t.Logf("calls of %v beside those of %v: p%v is %v alone and %v beside", c.service, burn, 100*p, a, z)
			}
		}
	}
}

func percentile(all []time.Duration, p float64) time.Duration {
	slices.Sort(all)
	return all[min(len(all)-1, int(p*float64(len(all))))]
}
