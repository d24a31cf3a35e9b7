package wasmtime

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const spinner = `(func (export "run") (loop (br 0)))`

// spin runs a guest that never ends by itself.
func spin(t *testing.T, config InstanceConfig) <-chan error {
	t.Helper()
	return spinOn(t, testEngine(), config)
}

// spinOn does so on an engine that may have no ticker.
func spinOn(t *testing.T, e *Engine, config InstanceConfig) <-chan error {
	t.Helper()
	tmpl := prepareOn(t, e, core(spinner))
	ended := make(chan error, 1)
	go func() { ended <- run(t, tmpl, config) }()
	return ended
}

// tickUntil advances the epoch until a condition holds.
func tickUntil(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the guest does not notice")
		}
		testEngine().Tick()
	}
}

// stopped has a guest that runs, and would not end, rest and go on again and again, and cancels it. It returns the trap that ended it.
func stopped(t *testing.T, it *Interrupt, ended <-chan error) *Trap {
	t.Helper()
	for range 3 {
		it.Pause()
		tickUntil(t, it.Rests)
		it.Resume()
	}
	it.Cancel(1)
	tickUntil(t, func() bool { return len(ended) > 0 })
	return trapOf(t, <-ended)
}

// TestPause has a guest rest, go on, and rest again until it is cancelled.
func TestPause(t *testing.T) {
	it := NewInterrupt()
	defer it.Close()
	ended := spin(t, InstanceConfig{Interrupt: it})
	for range 3 {
		it.Pause()
		tickUntil(t, it.Rests)
		it.Resume()
		if it.Rests() {
			t.Error("it rests after Resume")
		}
	}
	it.Pause()
	tickUntil(t, it.Rests)
	it.Cancel(1) // this wakes it, without a tick
	if trap := trapOf(t, <-ended); trap.Kind != TrapInterrupted {
		t.Error(trap)
	}
	it.Pause()
	if trap := trapOf(t, run(t, prepare(t, core(spinner), nil, "run"), InstanceConfig{Interrupt: it})); trap.Kind != TrapInterrupted {
		t.Errorf("%v, where a guest that is cancelled is not to rest", trap)
	}
}

// again gives an interrupt that has the memory of one that was closed, which may be at hand for another processor, or in a hand that the
// collector has yet to find.
func again(t *testing.T, closed *Interrupt) *Interrupt {
	t.Helper()
	var others []*Interrupt
	defer func() {
		for _, it := range others {
			it.Close()
		}
	}()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); runtime.GC() {
		for range interruptsPerBlock {
			it := NewInterrupt()
			if it.words == closed.words {
				return it
			}
			others = append(others, it)
		}
	}
	t.Fatal("the memory was not used again")
	return nil
}

// TestPauseReuse expects an interrupt that was closed to do nothing to the guest that has its memory now.
func TestPauseReuse(t *testing.T) {
	late := NewInterrupt()
	late.Close()
	next := again(t, late)
	defer next.Close()
	late.Pause()
	late.Lower(time.Second)
	if w := next.words.turn.Load(); w != next.fresh() {
		t.Errorf("the flags are %x", w)
	}
	next.Pause()
	late.Resume()
	if w := next.words.turn.Load(); w == next.fresh() || late.Rests() {
		t.Error("it was resumed for another")
	}
}

// TestPauseOuter has a guest rest for one that waits for it.
func TestPauseOuter(t *testing.T) {
	it := NewInterrupt()
	defer it.Close()
	tmpl := prepare(t, diver, map[string]HostFunc{"f": func(*HostCall) error { return nil }}, "run")
	outer, err := tmpl.NewInstance(InstanceConfig{Interrupt: it})
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	ended := spin(t, InstanceConfig{Outer: outer})
	it.Pause()
	tickUntil(t, it.Rests)
	it.Cancel(1)
	if trap := trapOf(t, <-ended); trap.Kind != TrapInterrupted {
		t.Error(trap)
	}
}

// TestLower has a guest run with a low priority, and expects its thread to have its own back where Go runs.
func TestLower(t *testing.T) {
	if !Lowers() {
		t.Skip("this process may not give a thread its priority back: it lacks CAP_SYS_NICE, or RLIMIT_NICE is too low")
	}
	during := false
	tmpl := prepare(t, diver, map[string]HostFunc{"f": func(*HostCall) error {
		during = during || isLow(t)
		return nil
	}}, "run")
	it := NewInterrupt()
	defer it.Close()
	it.Lower(20 * time.Microsecond)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	i := instance(t, tmpl, InstanceConfig{Interrupt: it})
	a := NewArena()
	defer a.Free()
	a.SetU32(a.Args(1).At(0), 0)
	if _, err := i.Call(0, a); err != nil {
		t.Fatal(err)
	}
	if after := isLow(t); during || after {
		t.Errorf("the priority is low: in a host function %t, after the call %t", during, after)
	}

	spinning := spin(t, InstanceConfig{Interrupt: it})
	tickUntil(t, func() bool { return lowered(t) })
	it.Raise()
	tickUntil(t, func() bool { return !lowered(t) })
	it.Cancel(1)
	if trap := trapOf(t, <-spinning); trap.Kind != TrapInterrupted {
		t.Error(trap)
	}
}

// TestNap has a guest with a low priority nap for most of its time.
func TestNap(t *testing.T) {
	if !Lowers() {
		t.Skip("this process may not give a thread its priority back: it lacks CAP_SYS_NICE, or RLIMIT_NICE is too low")
	}
	it := NewInterrupt()
	defer it.Close()
	it.Measure()
	it.Lower(20 * time.Millisecond)
	m := testEngine().NewMetronome()
	defer m.Close()
	m.Beat(true)
	began := time.Now()
	spinning := spin(t, InstanceConfig{Interrupt: it})
	for time.Since(began) < time.Second || it.Napped() == 0 && time.Since(began) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	used, napped, took := it.Used(), it.Napped(), time.Since(began)
	it.Cancel(1)
	if trap := trapOf(t, <-spinning); trap.Kind != TrapInterrupted {
		t.Error(trap)
	}
	if used == 0 || used > took/5 {
		t.Errorf("it has used %v of a processor in %v, although it naps for 20 of 21 ms", used, took)
	}
	if napped == 0 || napped > took {
		t.Errorf("it has napped for %v in %v", napped, took)
	}
}

// TestNapEnds cancels a guest that naps for long, and one that is to have its own priority again.
func TestNapEnds(t *testing.T) {
	if !Lowers() {
		t.Skip("this process may not give a thread its priority back: it lacks CAP_SYS_NICE, or RLIMIT_NICE is too low")
	}
	m := testEngine().NewMetronome()
	defer m.Close()
	m.Beat(true)
	for _, raise := range []bool{false, true} {
		it := NewInterrupt()
		defer it.Close()
		it.Measure()
		it.Lower(mostNap)
		began := time.Now()
		spinning := spin(t, InstanceConfig{Interrupt: it})
		for used := time.Duration(-1); used != it.Used() || used == 0; time.Sleep(20 * time.Millisecond) {
			used = it.Used()
		}
		if raise {
			before := it.Used()
			it.Raise()
			tickUntil(t, func() bool { return it.Used() > before })
		}
		it.Cancel(1)
		if trap := trapOf(t, <-spinning); trap.Kind != TrapInterrupted {
			t.Error(trap)
		}
		if took := time.Since(began); took > mostNap {
			t.Errorf("raised %t: its nap took %v", raise, took)
		}
	}
}

// TestNapNot cancels a guest before it has its first nap, which it does not have then, whether it or the one that waits for it was to nap.
func TestNapNot(t *testing.T) {
	if !Lowers() {
		t.Skip("this process may not give a thread its priority back: it lacks CAP_SYS_NICE, or RLIMIT_NICE is too low")
	}
	for _, nested := range []bool{false, true} {
		it := NewInterrupt()
		defer it.Close()
		config, naps := InstanceConfig{Interrupt: it}, it
		if nested {
			naps = NewInterrupt()
			defer naps.Close()
			outer, err := prepareOn(t, testEngine(), core(spinner)).NewInstance(InstanceConfig{Interrupt: naps})
			if err != nil {
				t.Fatal(err)
			}
			defer outer.Close()
			config.Outer = outer
		}
		naps.Lower(mostNap)
		began := time.Now()
		spinning := spin(t, config)
		it.Cancel(1)
		tickUntil(t, func() bool { return len(spinning) > 0 })
		if trap := trapOf(t, <-spinning); trap.Kind != TrapInterrupted {
			t.Error(trap)
		}
		if took := time.Since(began); took > mostNap {
			t.Errorf("nested %t: it took %v", nested, took)
		}
	}
}

// stillEngine is an engine without a ticker.
func stillEngine(t *testing.T) *Engine {
	t.Helper()
	e, err := NewEngine(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// spins waits until a guest that is measured has begun to spin, for which it looks at the epoch.
func spins(it *Interrupt) {
	for it.Used() < time.Millisecond {
		time.Sleep(time.Millisecond)
	}
}

// TestMetronome has guests notice without ticks, while a metronome beats.
func TestMetronome(t *testing.T) {
	e := stillEngine(t)
	m := e.NewMetronome()
	defer m.Close()
	for range 3 {
		it := NewInterrupt()
		defer it.Close()
		it.Measure()
		m.Beat(false)
		spinning := spinOn(t, e, InstanceConfig{Interrupt: it})
		spins(it)
		it.Cancel(1)
		m.Beat(true)
		if trap := trapOf(t, <-spinning); trap.Kind != TrapInterrupted {
			t.Error(trap)
		}
	}
}

// TestMetronomeClosed expects a metronome that is closed not to beat for another, which has its memory now: an executor has its own beat no
// more when it forgets a function that is behind others, and that is after it has closed it.
func TestMetronomeClosed(t *testing.T) {
	runtime.LockOSThread() // C keeps what each thread has freed for that
	defer runtime.UnlockOSThread()
	e := stillEngine(t)
	all := make([]*Metronome, 16) // and the first of them for what need not be zero
	for i := range all {
		all[i] = e.NewMetronome()
	}
	for _, m := range all {
		m.Close()
	}
	next := e.NewMetronome()
	defer next.Close()
	used := slices.IndexFunc(all, func(m *Metronome) bool { return m.c == next.c })
	if used < 0 {
		t.Skip("the memory was not used again")
	}
	it := NewInterrupt()
	defer it.Close()
	it.Measure()
	spinning := spinOn(t, e, InstanceConfig{Interrupt: it})
	spins(it)
	it.Cancel(1)
	all[used].Beat(true)
	select {
	case err := <-spinning:
		t.Errorf("the next one beats: %v", err)
	case <-time.After(20 * time.Millisecond):
		next.Beat(true)
		if trap := trapOf(t, <-spinning); trap.Kind != TrapInterrupted {
			t.Error(trap)
		}
	}
}

// isLow tells whether the thread has a low priority.
func isLow(t *testing.T) bool {
	t.Helper()
	attributes, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return attributes.Policy == unix.SCHED_IDLE
}

// lowered tells whether a thread of the process has a low priority.
func lowered(t *testing.T) bool {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(threads, func(thread os.DirEntry) bool {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		attributes, err := unix.SchedGetAttr(id, 0)
		return err == nil && attributes.Policy == unix.SCHED_IDLE // else the thread has ended
	})
}
