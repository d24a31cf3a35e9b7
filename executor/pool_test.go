package executor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

// countText is a component that counts its calls: count gives how many there were, trap traps, and spin does not return. Its elements are
// one of the things that are not restored.
var countText = fmt.Sprintf(countForm, "(table 1 funcref) (elem $passive funcref (ref.null func))")

const countForm = `(component
  (core module $m
    %s
    (global $n (mut i32) (i32.const 0))
    (func (export "count") (param i32) (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func (export "trap") unreachable)
    (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m))
  (func $count (param "n" u32) (result u32) (canon lift (core func $i "count")))
  (func $trap (canon lift (core func $i "trap")))
  (func $spin (canon lift (core func $i "spin")))
  (instance $api (export "echo" (func $count)) (export "trap" (func $trap)) (export "loop" (func $spin)))
  (export "test:guest/api" (instance $api)))`

// counting starts an executor with countText, whose instances are made in advance whatever they cost.
func counting(t *testing.T, config Config, limits Limits, reuse int) *guest {
	t.Helper()
	g := newExecutor(t, config)
	g.pools.mu.Lock()
	g.pools.pays = 0
	g.pools.mu.Unlock()
	return g.counter("counter", countText, limits, reuse)
}

// counter loads a component that counts its calls.
func (g *guest) counter(name, text string, limits Limits, reuse int) *guest {
	t := g.t
	t.Helper()
	path, digest := component(t, text)
	services := guestServices()
	all := services[0].Methods
	services[0].Methods = nil
	for _, m := range all {
		if slices.Contains([]string{"Echo", "Trap", "Loop"}, m.Name) {
			services[0].Methods = append(services[0].Methods, m)
		}
	}
	g.rev = Revision{Key: Key{Namespace: "default", Function: name, Revision: 1}, Digest: digest, Path: path, Limits: limits,
		Services: services, Reuse: reuse}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.idle()
	return g
}

// count calls a guest that counts, and gives what it says.
func (g *guest) count() byte {
	g.t.Helper()
	got, err := g.call(context.Background(), "Echo", 1)
	if err != nil || len(got) != 2 {
		g.t.Fatalf("%x, %v", got, err)
	}
	return got[1]
}

func (g *guest) ready() int {
	n, _ := g.pools.counts()
	return n
}

// fill makes a revision hot, and waits until so many instances are ready.
func (g *guest) fill(n int) {
	g.t.Helper()
	count := func() {
		if n := g.count(); n != 1 {
			g.t.Errorf("the instance was called %d times", n)
		}
	}
	count()
	count()
	p := g.loaded().pool
	until(g.t, func() bool {
		g.pools.mu.Lock()
		wanted, waiting := p.wanted, len(p.waiting)
		g.pools.mu.Unlock()
		if !wanted && waiting < n { // all slots were taken for so long that they are not waited for any more
			count()
		}
		return waiting == n
	})
}

// runs tells whether a call runs.
func (g *guest) runs() bool {
	_, busy, _ := g.queue.counts()
	return busy > 0
}

// TestPool has calls take instances that were made in advance, each of them only once.
func TestPool(t *testing.T) {
	g := counting(t, Config{Slots: 2}, Limits{}, 0)
	if n := g.ready(); n != 0 {
		t.Errorf("%d instances are ready before any call", n)
	}
	g.fill(2)
	for range 10 {
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times", n)
		}
	}
	if n := g.series("weft_instances_total", "ready"); n == 0 {
		t.Error("no call took an instance that was ready")
	}
	if n := g.metric("weft_instance_fill_seconds"); n < 2 {
		t.Errorf("%v instances were made in advance", n)
	}
	g.fill(2)
	if n := g.metric("weft_instances_ready_bytes"); n != 2*DefaultMemory {
		t.Errorf("they may have %v bytes", n)
	}

	g.pools.sweep(time.Now())
	if n := g.ready(); n != 2 {
		t.Errorf("%d instances are ready right after a call", n)
	}
	g.pools.sweep(time.Now().Add(idleAfter + time.Second))
	if n := g.ready(); n != 0 {
		t.Errorf("%d instances are ready long after the last call", n)
	}
	g.fill(2)
	rev := g.here(g.rev.Key, time.Now())
	until(t, func() bool { return rev.refs.Load() == 2 }) // no call has it any more, nor who fills the pool
	rev.release()
	g.Unload(g.rev.Key)
	if n := g.ready(); n != 0 {
		t.Errorf("%d instances are ready of what is not loaded", n)
	}
}

// TestPoolTraps has guests trap, and run into their deadlines, in instances that were ready.
func TestPoolTraps(t *testing.T) {
	g := counting(t, Config{Slots: 1}, Limits{Timeout: time.Minute}, 100)
	for range 3 {
		g.count()
		_, err := g.call(t.Context(), "Trap", 0)
		refused(t, err, Trap)
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times, as one that trapped", n)
		}
		g.idle()
		refused(t, g.overdue(g.runs, "Loop", 0), Deadline)
		g.idle()
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times, as one that was interrupted", n)
		}
		_, err = g.call(t.Context(), "Trap", 0)
		refused(t, err, Trap)
	}
}

// TestReuse has an instance answer several calls, and no more.
func TestReuse(t *testing.T) {
	g := counting(t, Config{Slots: 1}, Limits{}, 3)
	for i := range 7 {
		if n, want := g.count(), byte(i%3+1); n != want {
			t.Errorf("call %d: the instance was called %d times, want %d", i, n, want)
		}
	}
	if n := g.series("weft_instances_total", "reused"); n != 4 {
		t.Errorf("%v calls took an instance again, want 4", n)
	}
	if n := g.series("weft_instances_total", "fresh"); n != 3 {
		t.Errorf("%v calls took a fresh instance, want 3", n)
	}
}

// TestReusedAreDropped has an instance wait that may be called again, and nobody calls it: it goes without anything else having waited.
func TestReusedAreDropped(t *testing.T) {
	g := counting(t, Config{Slots: 1}, Limits{}, 100)
	rev := g.loaded()
	for range 2 { // the second time the loop has slept again
		g.count()
		g.pools.mu.Lock()
		rev.pool.used = rev.pool.used.Add(-idleAfter)
		g.pools.mu.Unlock()
		until(t, func() bool { return g.ready() == 0 })
	}
}

// TestPoolRoom has more instances than may wait.
func TestPoolRoom(t *testing.T) {
	g := counting(t, Config{Slots: 1}, Limits{}, 100)
	g.pools.mu.Lock()
	g.pools.memory = DefaultMemory - 1
	g.pools.mu.Unlock()
	for range 3 {
		if n := g.count(); n != 1 {
			t.Errorf("the instance was called %d times without room to wait", n)
		}
	}
	g.idle()
	if n := g.ready(); n != 0 {
		t.Errorf("%d instances wait", n)
	}
}

// another loads one more function, whose instances answer as many calls as it says.
func (g *guest) another(name string, memory uint64, reuse int) *guest {
	g.t.Helper()
	other := *g
	other.rev.Function, other.rev.Limits.Memory, other.rev.Reuse = name, memory, reuse
	if err := g.Load(g.t.Context(), other.rev); err != nil {
		g.t.Fatal(err)
	}
	g.idle()
	return &other
}

// waiting is how many instances of the function wait.
func (g *guest) waiting() int {
	g.t.Helper()
	return int(g.loaded().pool.count.Load())
}

// TestKeptGiveWay has kept instances use up the room for those that wait: what other functions need goes in their places, first in those
// of the functions that were called longest ago.
func TestKeptGiveWay(t *testing.T) {
	a := counting(t, Config{Slots: 1}, Limits{}, 100)
	a.pools.mu.Lock()
	a.pools.room, a.pools.memory = 4, 4*DefaultMemory
	a.pools.mu.Unlock()
	b, c, d := a.another("b", DefaultMemory, 100), a.another("c", DefaultMemory, 100), a.another("d", DefaultMemory, 100)
	e, hot := a.another("e", DefaultMemory, 100), a.another("hot", DefaultMemory, 1)
	want := func(functions []*guest, counts ...int) {
		t.Helper()
		for i, g := range functions {
			if n := g.waiting(); n != counts[i] {
				t.Errorf("%d instances of %s wait, want %d", n, g.rev.Function, counts[i])
			}
		}
		if n := int(a.metric("weft_instances_ready")); n > 4 {
			t.Errorf("%d instances wait", n)
		}
	}
	for _, g := range []*guest{a, b, c, d} {
		g.count()
	}
	if n := a.count(); n != 2 {
		t.Errorf("the instance was called %d times", n)
	}
	for i := range 2 { // b was called longest ago
		if n := e.count(); n != byte(i+1) {
			t.Errorf("the instance was called %d times", n)
		}
	}
	a.idle()
	want([]*guest{a, b, c, d, e}, 1, 0, 1, 1, 1)
	hot.fill(1)
	want([]*guest{a, b, c, d, e, hot}, 1, 0, 0, 1, 1, 1)
	for range 10 { // hot's was never called, and stays
		b.count()
		c.count()
		d.count()
		a.count()
	}
	a.idle()
	if n := hot.waiting(); n != 1 {
		t.Errorf("%d instances of hot wait", n)
	}
}

// TestKeptGiveWayMemory has an instance that may have much memory need the room of several.
func TestKeptGiveWayMemory(t *testing.T) {
	const most = 8 << 20
	a := counting(t, Config{Slots: 1}, Limits{Memory: most / 4}, 100)
	a.pools.mu.Lock()
	a.pools.memory = most
	a.pools.mu.Unlock()
	b, c, d := a.another("b", most/4, 100), a.another("c", most/4, 100), a.another("d", most/4, 100)
	large, huge := a.another("large", most/2, 100), a.another("huge", most+1, 100)
	for _, g := range []*guest{a, b, c, d, large, huge} {
		g.count()
	}
	a.idle()
	for g, want := range map[*guest]int{a: 0, b: 0, c: 1, d: 1, large: 1, huge: 0} {
		if n := g.waiting(); n != want {
			t.Errorf("%d instances of %s wait, want %d", n, g.rev.Function, want)
		}
	}
	if n := a.metric("weft_instances_ready_bytes"); n != most {
		t.Errorf("they may have %v bytes", n)
	}
}

// TestKeptGiveWayEngine has instances that wait use up what the engine has: calls are answered all the same.
func TestKeptGiveWayEngine(t *testing.T) {
	a := counting(t, Config{Slots: 1, Waiting: 1}, Limits{}, 100)
	a.pools.mu.Lock()
	a.pools.room, a.pools.memory = 1<<20, 1<<60
	a.pools.mu.Unlock()
	const functions = 2*maxParked + 2*waitingAtFew
	for i := range functions {
		if n := a.another("f"+strconv.Itoa(i), DefaultMemory, 100).count(); n != 1 {
			t.Fatalf("the instance was called %d times", n)
		}
	}
	a.idle()
	if n := a.ready(); n >= functions {
		t.Errorf("the engine has room for %d instances, so this shows nothing", n)
	}
}

// TestPoolInterrupts has deadlines end guests in instances that were made for no call.
func TestPoolInterrupts(t *testing.T) {
	g := counting(t, Config{Slots: 1}, Limits{Timeout: time.Minute}, 0)
	g.fill(1)
	g.idle()
	refused(t, g.overdue(g.runs, "Loop", 0), Deadline)
	if n := g.series("weft_instances_total", "ready"); n == 0 {
		t.Error("no call took an instance that was ready")
	}
	g.idle()
	if lost := g.metric("weft_slots_lost"); lost != 0 {
		t.Errorf("%v slots are lost", lost)
	}
}

// TestPoolWaits has a call ask for an instance that takes the only slot and does not give it back: the revision is not kept for that.
func TestPoolWaits(t *testing.T) {
	g := counting(t, Config{Slots: 1}, Limits{Timeout: time.Minute}, 0)
	rev := g.loaded()
	g.count()
	until(t, func() bool { return rev.refs.Load() == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	_, running := g.start(ctx, "Loop", 0)
	if running == nil {
		t.Fatal("it was not started")
	}
	until(t, func() bool { return rev.refs.Load() == 4 }) // its place, the call, its worker, who waits to make an instance
	until(t, func() bool { return rev.refs.Load() == 3 })
	cancel()
	running.Abandon()
	g.idle()
}

// series is the value of a counter with a label of some value.
func (g *guest) series(name, label string) float64 {
	g.t.Helper()
	families, err := g.reg.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	g.t.Fatalf("there is no metric %s of %s", name, label)
	return 0
}
