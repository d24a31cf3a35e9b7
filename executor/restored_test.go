package executor

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// restoring starts an executor with a component whose instances are restored after a call, and none is made in advance.
func restoring(t *testing.T, config Config, limits Limits) *guest {
	t.Helper()
	g := newExecutor(t, config)
	g.pools.mu.Lock()
	g.pools.pays = time.Hour
	g.pools.mu.Unlock()
	g.counter("counter", fmt.Sprintf(countForm, "(memory 1)"), limits, 0)
	for range 3 {
		g.count()
		g.idle()
	}
	if g.loaded().pool.lasting.Load() {
		t.Skip("neither this engine nor a kernel before Linux 6.7 restores instances")
	}
	if n := g.waiting(); n != 1 {
		t.Fatalf("%d instances wait", n)
	}
	return g
}

// TestRestored has calls change the instances that others were answered by before, and find them as new.
func TestRestored(t *testing.T) {
	g := restoring(t, Config{Slots: 2}, Limits{Queue: 1000})
	fresh := g.series("weft_instances_total", "fresh")
	const workers, calls = 16, 50
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range calls {
				m, _ := g.start(t.Context(), "Echo", 1)
				if a := <-m; a.err != nil || string(a.Message) != "\x08\x01" {
					t.Errorf("%x, %v", a.Message, a.err)
				}
			}
		})
	}
	for range calls {
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times", n)
		}
	}
	all.Wait()
	g.idle()
	const total = (workers + 1) * calls
	if n := g.series("weft_instances_total", "restored"); n < total/2 {
		t.Errorf("%v of %d calls had an instance that was restored", n, total)
	}
	if n := g.series("weft_instances_total", "fresh") - fresh; n > total/2 {
		t.Errorf("%v of %d calls had a new instance", n, total)
	}
	if n := g.waiting(); n < 1 || n > 2 {
		t.Errorf("%d instances wait where two calls run at once", n)
	}
}

// TestNotRestored has guests trap and run into their deadlines: their instances don't come back.
func TestNotRestored(t *testing.T) {
	g := restoring(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	for _, end := range []func(){
		func() {
			_, err := g.call(t.Context(), "Trap", 0)
			refused(t, err, Trap)
		},
		func() { refused(t, g.overdue(g.runs, "Loop", 0), Deadline) },
	} {
		g.count()
		g.idle()
		end()
		g.idle()
		if n := g.waiting(); n != 0 {
			t.Errorf("%d instances wait", n)
		}
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times", n)
		}
	}
}

// TestNotTriedForEver has calls leave what can't be undone, until it is not tried any more.
func TestNotTriedForEver(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(countForm, "(table $t 1 funcref)"), "(param i32) (result i32)",
		"(param i32) (result i32) (drop (table.grow $t (ref.null func) (i32.const 1)))", 1)
	g := restoring(t, Config{Slots: 1}, Limits{}).counter("grows", text, Limits{}, 0)
	for range 2 + mostFailed { // it isn't restored after the first call, and the second is hot
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times", n)
		}
		g.idle()
	}
	p := g.loaded().pool
	if n := p.failed.Load(); n != mostFailed || !p.lasting.Load() {
		t.Errorf("it was tried %d times", n)
	}
}

// TestRestoredRoom has more functions than instances may wait: no function takes the place of another that is called, but one that has its
// instances made in advance does, and all go after a while without calls.
func TestRestoredRoom(t *testing.T) {
	a := restoring(t, Config{Slots: 1}, Limits{})
	a.pools.mu.Lock()
	a.pools.room = 2
	a.pools.mu.Unlock()
	b, c := a.another("b", DefaultMemory, 0), a.another("c", DefaultMemory, 0)
	for range 3 {
		for _, g := range []*guest{a, b, c} {
			if n := g.count(); n != 1 {
				t.Errorf("the instance was called %d times", n)
			}
			g.idle()
		}
	}
	want := func(counts map[*guest]int) {
		t.Helper()
		for g, want := range counts {
			if n := g.waiting(); n != want {
				t.Errorf("%d instances of %s wait, want %d", n, g.rev.Function, want)
			}
		}
	}
	want(map[*guest]int{a: 1, b: 1, c: 0})
	kept := a.another("kept", DefaultMemory, 100)
	kept.count()
	a.idle()
	want(map[*guest]int{a: 0, b: 1, kept: 1})
	a.pools.sweep(time.Now().Add(idleAfter + time.Second))
	if n := a.ready(); n != 0 {
		t.Errorf("%d instances wait long after the last call", n)
	}
}
