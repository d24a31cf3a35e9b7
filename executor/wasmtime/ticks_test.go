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

func (g captive) close() {
	if g.instance != nil {
		g.instance.Close()
	}
	g.it.Close()
}

// newCaptives makes a template of such guests, of an engine that can have so many.
func newCaptives(t *testing.T, instances int) (*Engine, *Template) {
	t.Helper()
	e, err := NewEngine(Config{MaxInstances: instances})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e, prepareOn(t, e, core(endless))
}

// tickUntilEnded ticks until that many calls have ended, and expects each to have been cancelled.
func tickUntilEnded(t *testing.T, e *Engine, ended <-chan error, calls int) {
	t.Helper()
	late := time.After(time.Minute)
	for calls > 0 {
		select {
		case err := <-ended:
			if trap := trapOf(t, err); trap.Kind != TrapInterrupted {
				t.Fatalf("trap is %d, %s", trap.Kind, trap.Message)
			}
			calls--
		case <-late:
			t.Fatalf("%d calls have not ended", calls)
		case <-time.After(100 * time.Microsecond):
			e.Tick()
		}
	}
}

// TestTicksReachAll has many instances at once, some in place of others that were dropped, and cancels calls of them all.
func TestTicksReachAll(t *testing.T) {
	const many = 1200
	e, tmpl := newCaptives(t, many)
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
	for _, g := range guests {
		defer g.close()
	}
	for first := 0; first < many; first += 40 {
		ended := make(chan error, 2)
		for _, g := range []captive{guests[first], guests[many-1-first]} {
			go func() { ended <- call0(g.instance) }()
			g.it.Cancel(1)
		}
		tickUntilEnded(t, e, ended, 2)
	}
}

// TestTicksMeanwhile makes and drops instances, whose calls are cancelled, while there are ticks.
func TestTicksMeanwhile(t *testing.T) {
	const threads, turns = 4, 200
	e, tmpl := newCaptives(t, threads)
	ended := make(chan error, threads*turns)
	var all sync.WaitGroup
	for range threads {
		all.Go(func() {
			for range turns {
				g, err := newCaptive(tmpl)
				if err == nil {
					g.it.Cancel(1)
					err = call0(g.instance)
				}
				g.close()
				ended <- err
			}
		})
	}
	tickUntilEnded(t, e, ended, threads*turns)
	all.Wait()
}
