package gateway

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// asked is a request for memory. Its fields are set once done is.
type asked struct {
	done  atomic.Bool
	claim *claim
	err   error
}

// ask asks for memory in a goroutine and returns when that has it or waits.
func ask(ctx context.Context, m *memory, from *origin, size int64) *asked {
	a := new(asked)
	go func() {
		a.claim, a.err = m.request(ctx, from, size)
		a.done.Store(true)
	}()
	synctest.Wait()
	return a
}

func TestRequestsWaitForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(100 << 10)
		a, b, c := new(origin), new(origin), new(origin)
		first := ask(t.Context(), m, a, 40<<10)
		second := ask(t.Context(), m, a, 20<<10) // over the share of a
		third := ask(t.Context(), m, b, 50<<10)
		fourth := ask(t.Context(), m, c, 20<<10) // over the total
		if !first.done.Load() || second.done.Load() || !third.done.Load() || fourth.done.Load() {
			t.Fatalf("done: %t, %t, %t, %t", first.done.Load(), second.done.Load(), third.done.Load(), fourth.done.Load())
		}
		fifth := ask(t.Context(), m, c, 5<<10) // fits, but the fourth was first
		if fifth.done.Load() {
			t.Error("the fifth overtook the fourth")
		}
		first.claim.release()
		synctest.Wait()
		if !second.done.Load() || !fourth.done.Load() || !fifth.done.Load() {
			t.Errorf("after a release: %t, %t, %t", second.done.Load(), fourth.done.Load(), fifth.done.Load())
		}
		for _, x := range []*asked{second, third, fourth, fifth} {
			x.claim.release()
			x.claim.release() // does nothing
		}
		if held := m.inUse(); held != 0 || a.held != 0 || b.held != 0 || c.held != 0 {
			t.Errorf("%d are held", held)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(100 << 10)
		big := ask(t.Context(), m, new(origin), 50<<10)
		other := ask(t.Context(), m, new(origin), 40<<10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := ask(ctx, m, new(origin), 20<<10)
		behind := ask(t.Context(), m, new(origin), 10<<10)
		if late.done.Load() || behind.done.Load() {
			t.Fatal("nobody had to wait")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !late.done.Load() || !errors.Is(late.err, context.DeadlineExceeded) {
			t.Errorf("who waited for too long: %v, %v", late.claim, late.err)
		}
		if !behind.done.Load() || behind.err != nil {
			t.Errorf("who waited behind: %v, %v", behind.claim, behind.err)
		}
		big.claim.release()
		other.claim.release()
		behind.claim.release()
		if held := m.inUse(); held != 0 {
			t.Errorf("%d are held", held)
		}
	})
}

func TestResponsesDoNotWait(t *testing.T) {
	m := newMemory(100)
	slow, other := new(origin), new(origin)
	for range 3 {
		if _, ok := m.response(slow, 25); !ok {
			t.Fatal("a response within one and a half shares was refused")
		}
	}
	if _, ok := m.response(slow, 25); ok {
		t.Error("one connection got more than one and a half shares")
	}
	if _, ok := m.response(other, 50); !ok {
		t.Error("another connection got nothing")
	}
	if _, ok := m.response(new(origin), 26); ok {
		t.Error("all got more than one and a half of the total")
	}
}

func TestSmallMessagesAndHugeOnes(t *testing.T) {
	m := newMemory(1 << 20)
	if c, err := m.request(t.Context(), new(origin), smallMessage); c != nil || err != nil {
		t.Errorf("a small message claimed %v, %v", c, err)
	}
	huge, err := m.request(t.Context(), new(origin), 1<<30)
	if err != nil || m.inUse() != 512<<10 {
		t.Errorf("a message over a share holds %d, %v", m.inUse(), err)
	}
	huge.shrink(1 << 10)
	if m.inUse() != 1<<10 {
		t.Errorf("after shrinking: %d", m.inUse())
	}
	huge.release()
	var none *claim
	none.shrink(1)
	none.release()
	if m.inUse() != 0 {
		t.Errorf("at the end: %d", m.inUse())
	}
}

// TestMemoryIsNeverLost does random things in random order: what is held is the sum of the claims at any time, and
// nothing is when all have gone.
func TestMemoryIsNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory(1 << 20)
		origins := []*origin{{}, {}, {}}
		live := map[*claim]*origin{}
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		pick := func() (*claim, bool) {
			for c := range live {
				return c, true
			}
			return nil, false
		}
		t.Repeat(map[string]func(*rapid.T){
			"request": func(t *rapid.T) {
				o := rapid.SampledFrom(origins).Draw(t, "origin")
				size := rapid.Int64Range(smallMessage+1, 1<<20).Draw(t, "size")
				if c, err := m.request(canceled, o, size); err == nil {
					live[c] = o
				}
			},
			"response": func(t *rapid.T) {
				o := rapid.SampledFrom(origins).Draw(t, "origin")
				if c, ok := m.response(o, rapid.Int64Range(1, 1<<20).Draw(t, "size")); ok {
					live[c] = o
				}
			},
			"shrink": func(t *rapid.T) {
				if c, ok := pick(); ok {
					c.shrink(rapid.Int64Range(0, 1<<20).Draw(t, "size"))
				}
			},
			"release": func(*rapid.T) {
				if c, ok := pick(); ok {
					c.Put(nil)
					delete(live, c)
				}
			},
			"close": func(t *rapid.T) {
				i := rapid.IntRange(0, len(origins)-1).Draw(t, "origin")
				m.forget(origins[i])
				origins[i] = new(origin)
			},
			"": func(t *rapid.T) {
				sum := int64(0)
				for c, o := range live {
					if !o.closed {
						sum += c.size
					}
				}
				if m.inUse() != sum || m.waiting.Len() != 0 {
					t.Fatalf("held %d, claims %d, waiting %d", m.inUse(), sum, m.waiting.Len())
				}
			},
		})
		for c := range live {
			c.release()
		}
		if m.inUse() != 0 {
			t.Fatalf("%d left", m.inUse())
		}
	})
}
