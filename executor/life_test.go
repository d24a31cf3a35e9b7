package executor

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// TestUnload expects running calls to finish, later ones to be refused, and everything to be freed after the last.
func TestUnload(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := g.call(ctx, "Loop", 0)
		done <- err
	}()
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 1 })
	g.Unload(g.rev.Key)
	g.Unload(g.rev.Key)
	if g.Loaded(g.rev.Key) {
		t.Error("it is still loaded")
	}
	_, err := g.call(t.Context(), "Echo", 1)
	refused(t, err, NotLoaded)
	if g.metric("weft_code_bytes") == 0 {
		t.Error("the code of a running call is gone")
	}
	cancel()
	refused(t, <-done, Canceled)
	until(t, func() bool { return g.metric("weft_code_bytes") == 0 })
	if n := g.metric("weft_revisions_loaded"); n != 0 {
		t.Errorf("%v revisions are loaded", n)
	}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.works()
}

func TestLoadTwice(t *testing.T) {
	g := newExecutor(t, Config{})
	g.rev = guestRevision(t, Limits{})
	var loads sync.WaitGroup
	for range 4 {
		loads.Go(func() {
			if err := g.Load(t.Context(), g.rev); err != nil {
				t.Error(err)
			}
		})
	}
	loads.Wait()
	if n := g.metric("weft_revisions_loaded"); n != 1 {
		t.Errorf("%v revisions are loaded", n)
	}
	g.works()
}

// TestCloseWaits shuts down while a guest sleeps, which has its answer.
func TestCloseWaits(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{})
	done := make(chan error, 1)
	go func() {
		_, err := g.call(context.Background(), "Sleep", uint64(50*time.Millisecond))
		done <- err
	}()
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 1 || len(done) > 0 })
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the call that ran: %v", err)
	}
}

// TestClose expects running calls to finish within the time for it, also one that is stuck in the host meanwhile, and no new ones.
func TestClose(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{})
	stuck, end := g.stuck()
	done, over := make(chan error), make(chan error)
	go func() {
		_, err := g.call(context.Background(), "Sleep", hour)
		done <- err
	}()
	until(t, func() bool { return stuck.Load() == 1 })
	go func() { over <- g.Close(context.Background()) }()
	until(t, func() bool {
		g.loading.Lock()
		defer g.loading.Unlock()
		return g.closed
	})
	end()
	if err := <-done; err != nil {
		t.Errorf("the call that ran: %v", err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
	_, err := g.call(t.Context(), "Echo", 1)
	refused(t, err, NotLoaded)
	refused(t, g.Load(t.Context(), g.rev), Closing)
}

// TestCloseInTime expects all callers to have an answer at the end of the time for it, even that of a guest that can't be
// interrupted, which is left behind.
func TestCloseInTime(t *testing.T) {
	g := newGuest(t, Config{Slots: 2}, Limits{Timeout: time.Minute})
	g.stuck()
	var calls sync.WaitGroup
	for i, method := range []string{"Loop", "Sleep", "Loop", "Loop"} {
		calls.Go(func() {
			var arg uint64
			if method == "Sleep" {
				arg = hour
			}
			_, err := g.call(context.Background(), method, arg)
			refused(t, err, Closing, "shutting down")
		})
		until(t, func() bool { waiting, busy, _ := g.queue.counts(); return waiting+busy == i+1 })
	}
	if waiting, busy, _ := g.queue.counts(); waiting != 2 || busy != 2 {
		t.Errorf("%d calls wait, %d run", waiting, busy)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := g.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	calls.Wait()
}

// TestCloseBesideTheTicker has the executor interrupt a guest at its end while the ticker looks at others, for which that asks the queue.
func TestCloseBesideTheTicker(t *testing.T) {
	g := newGuest(t, Config{Slots: 1}, Limits{Timeout: time.Minute})
	called := make(chan error, 1)
	go func() {
		_, err := g.call(context.Background(), "Loop", 0)
		called <- err
	}()
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 1 })
	var running *job
	g.queue.mu.Lock()
	for j := range g.queue.running {
		running = j
	}
	g.queue.mu.Unlock()

	g.ticker.mu.Lock()
	closed := make(chan error, 1)
	go func() {
		ended, end := context.WithCancel(context.Background())
		end()
		closed <- g.Close(ended)
	}()
	until(t, func() bool { return running.interrupt.Cause() != 0 })
	until(t, func() bool {
		free := g.queue.mu.TryLock()
		if free {
			g.queue.mu.Unlock()
		}
		return free
	})
	g.ticker.mu.Unlock()
	refused(t, <-called, Closing)
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// residentBytes gives the memory that the process has in use.
func residentBytes(t *testing.T) int {
	t.Helper()
	releaseMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// TestMemoryComesBack runs guests that use all they may, many times over.
func TestMemoryComesBack(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps shadows of what was freed")
	}
	g := newGuest(t, Config{Slots: 2}, Limits{Memory: 64 << 20, Message: 32 << 20})
	abuse := func(times int) {
		for range times {
			var calls sync.WaitGroup
			for range 4 {
				calls.Go(func() {
					_, err := g.call(context.Background(), "Grow", 0)
					refused(t, err, MemoryLimit)
					_, err = g.call(context.Background(), "Recurse", 0)
					refused(t, err, Trap)
					if got, err := g.call(context.Background(), "Big", 16<<20); err != nil || len(got) < 16<<20 {
						t.Errorf("%d bytes, %v", len(got), err)
					}
				})
			}
			calls.Wait()
		}
		g.idle()
	}
	most := 128 << 20
	if wasmtime.Name == "stock" { // whose allocator is that of C, which keeps little
		most = 64 << 20
	}
	abuse(2)
	before := residentBytes(t)
	abuse(10)
	until(t, func() bool { // what one thread has freed for another comes back when that asks for memory next
		g.works()
		grown := residentBytes(t) - before
		t.Logf("memory has grown by %d MiB", grown>>20)
		return grown <= most
	})
	g.works()
}

// TestTry makes sure that trying leaves nothing behind but compiled code, and finds what would keep a revision from
// running.
func TestTry(t *testing.T) {
	g := newExecutor(t, Config{})
	r := guestRevision(t, Limits{})
	if err := g.Try(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if g.Loaded(r.Key) {
		t.Error("what was tried is loaded")
	}
	path, digest := component(t, `(component (core module $m (memory 32)) (core instance (instantiate $m)))`)
	large := Revision{Key: r.Key, Digest: digest, Path: path, Limits: Limits{Memory: 1 << 20}}
	refused(t, g.Try(t.Context(), large), MemoryLimit, "1 MiB")
	path, digest = component(t, `(component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))`)
	refused(t, g.Try(t.Context(), Revision{Key: r.Key, Digest: digest, Path: path}), Trap, "while it started")
	if lines := g.lines.all(); len(lines) > 0 {
		t.Errorf("trying has logged %v", lines)
	}
}

// TestTryBesideCalls expects a new revision to be tried although calls of an old one never end and others wait, as it may be there to
// mend that.
func TestTryBesideCalls(t *testing.T) {
	g := newGuest(t, Config{Slots: 2}, Limits{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	defer calls.Wait()
	defer cancel()
	for range 4 {
		calls.Go(func() {
			_, err := g.call(ctx, "Loop", 0)
			refused(t, err, Canceled)
		})
	}
	until(t, func() bool { waiting, busy, _ := g.queue.counts(); return waiting == 2 && busy == 2 })
	next := guestRevision(t, Limits{Timeout: time.Hour})
	next.Revision++
	trying, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	if err := g.Try(trying, next); err != nil {
		t.Fatal(err)
	}
	if waiting, _, _ := g.queue.counts(); waiting != 2 {
		t.Errorf("%d calls of the old one wait, not 2", waiting)
	}
}
