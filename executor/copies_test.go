package executor

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// warm starts a guest on two slots that has nearly had enough calls for copies of its code.
func warm(t *testing.T, config Config) (*guest, *pool) {
	t.Helper()
	config.Slots = 2
	g := newExecutor(t, config)
	g.pools.mu.Lock()
	g.pools.pays = time.Hour
	g.pools.mu.Unlock()
	g.rev = guestRevision(t, Limits{})
	g.load(g.rev)
	g.idle()
	p := g.loaded().pool
	p.samples.Store(copyAfter - 1)
	return g, p
}

// needed is what the residency takes all revisions to need.
func (g *guest) needed() int64 {
	g.residency.mu.Lock()
	defer g.residency.mu.Unlock()
	return g.residency.used
}

// TestCopies expects a revision with many calls to have a template for each worker, and calls to be answered by both.
func TestCopies(t *testing.T) {
	g, p := warm(t, Config{})
	before := g.needed()
	until(t, func() bool { g.works(); return p.copies.Load() != nil })
	if p.of(0) != p.template || p.of(1) == p.template || g.needed() != before+loadedOverhead {
		t.Errorf("templates %p and %p beside %p, %d bytes more", p.of(0), p.of(1), p.template, g.needed()-before)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				g.works()
			}
		})
	}
	wg.Wait()
	for lane := range 2 {
		i, err := p.of(lane).NewInstance(wasmtime.InstanceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		i.Close()
	}
	g.Unload(g.rev.Key)
	until(t, func() bool {
		i, err := p.of(1).NewInstance(wasmtime.InstanceConfig{})
		if err == nil {
			i.Close()
		}
		return errors.Is(err, wasmtime.ErrClosed)
	})
	if n := g.needed(); n != 0 {
		t.Errorf("%d bytes are counted for what is gone", n)
	}
}

// TestCopiesOfNothing has the code be gone from the cache: workers go on with what was loaded.
func TestCopiesOfNothing(t *testing.T) {
	g, p := warm(t, Config{})
	p.path += ".gone"
	before := g.needed()
	g.works()
	g.lines.wait(t, func(l Line) bool { return strings.Contains(l.Message, "could not be loaded once more") })
	if g.works(); p.copies.Load() != nil || g.needed() != before {
		t.Errorf("copies %v, %d bytes more", p.copies.Load(), g.needed()-before)
	}
}

// TestCopiesWithoutRoom expects no copies where they would have others leave memory.
func TestCopiesWithoutRoom(t *testing.T) {
	g, p := warm(t, Config{})
	g.residency.mu.Lock()
	g.residency.limit = g.residency.used
	g.residency.mu.Unlock()
	for p.samples.Load() < copyAfter {
		g.works()
	}
	if g.works(); p.copies.Load() != nil {
		t.Error("there are copies")
	}
}

// TestLanes expects workers to spread over all lanes, those that replace others, too.
func TestLanes(t *testing.T) {
	q := newQueue(2, 4, func(*job) {}, func() {})
	defer q.close()
	q.mu.Lock()
	defer q.mu.Unlock()
	if fmt.Sprint(q.lanes) != "[1 1]" {
		t.Errorf("workers in lanes: %v", q.lanes)
	}
	q.lanes[0]--
	if lane := q.lane(); lane != 0 {
		t.Errorf("a new worker is in lane %d", lane)
	}
}
