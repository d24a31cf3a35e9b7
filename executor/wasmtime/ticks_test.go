package wasmtime

import (
	"sync"
	"testing"
	"time"
)

// captive is a guest that ends when it is cancelled only.
type captive struct {
	instance *Instance
	it       *Interrupt
}

func newCaptive(tmpl *Template) (captive, error) {
	it := NewInterrupt()
	i, err := tmpl.NewInstance(InstanceConfig{Interrupt: it})
	return captive{i, it}, err
}

func (c captive) close() {
	if c.instance != nil {
		c.instance.Close()
	}
	c.it.Close()
}

// expectCancelled waits until that many calls have ended, and expects each to have been cancelled.
func expectCancelled(t *testing.T, ended <-chan error, calls int) {
	t.Helper()
	late := time.After(time.Minute)
	for range calls {
		select {
		case err := <-ended:
			if trap := trapOf(t, err); trap.Kind != TrapInterrupted {
				t.Fatalf("trap is %d, %s", trap.Kind, trap.Message)
			}
		case <-late:
			t.Fatalf("of %d calls, some have not ended", calls)
		}
	}
}

// TestTicksReachAll makes many instances while there are ticks, some in place of others that are dropped, and then cancels calls of
// some from first to last.
func TestTicksReachAll(t *testing.T) {
	const many = 1200
	e, _ := restlessEngine(t, Config{MaxInstances: many})
	tmpl := prepareOn(t, e, core(endless))
	guests := make([]captive, many)
	for n := range guests {
		var err error
		if guests[n], err = newCaptive(tmpl); err != nil {
			t.Fatal(err)
		}
		if n%3 == 2 { // the one before it gives way
			guests[n-1].close()
			if guests[n-1], err = newCaptive(tmpl); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range guests {
		defer c.close()
	}
	for first := 0; first < many; first += 40 {
		ended := make(chan error, 2)
		for _, c := range []captive{guests[first], guests[many-1-first]} {
			go func() { ended <- call0(c.instance) }()
			c.it.Cancel(1)
		}
		expectCancelled(t, ended, 2)
	}
}

// TestTicksMeanwhile makes and drops instances, whose calls are cancelled, while there are ticks.
func TestTicksMeanwhile(t *testing.T) {
	const threads, turns = 4, 200
	e, _ := restlessEngine(t, Config{MaxInstances: threads})
	tmpl := prepareOn(t, e, core(endless))
	ended := make(chan error, threads*turns)
	var all sync.WaitGroup
	for range threads {
		all.Go(func() {
			for range turns {
				c, err := newCaptive(tmpl)
				if err == nil {
					c.it.Cancel(1)
					err = call0(c.instance)
				}
				c.close()
				ended <- err
			}
		})
	}
	expectCancelled(t, ended, threads*turns)
	all.Wait()
}
