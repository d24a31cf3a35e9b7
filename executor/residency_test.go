package executor

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// describing is a Describe that knows revisions by key, and what it was asked.
type describing struct {
	revisions sync.Map // Key → Revision
	hold      chan struct{}
	asked     atomic.Int64
}

func (d *describing) describe(ctx context.Context, k Key) (Revision, error) {
	d.asked.Add(1)
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-ctx.Done():
			return Revision{}, ctx.Err()
		}
	}
	r, ok := d.revisions.Load(k)
	if !ok {
		return Revision{}, fmt.Errorf("no revision %s", k)
	}
	return r.(Revision), nil
}

// newSleepy starts an executor that can make revisions dormant, with the test guest loaded.
func newSleepy(t *testing.T, config Config) (*guest, *describing) {
	t.Helper()
	d := &describing{}
	config.Describe = d.describe
	g := newGuest(t, config, Limits{})
	d.revisions.Store(g.rev.Key, g.rev)
	return g, d
}

func (g *guest) dormant() int {
	_, dormant := g.counts()
	return dormant
}

// sleep makes the test guest dormant.
func (g *guest) sleep() {
	g.t.Helper()
	until(g.t, func() bool { g.rest(g.resident(g.rev.Key), unloadedIdle); return g.dormant() == 1 })
}

// TestIdleRevisionsRest expects revisions that nobody calls to leave memory with all that they have there, and to come back with
// the next call.
func TestIdleRevisionsRest(t *testing.T) {
	slept := make(chan bool, 64)
	g, d := newSleepy(t, Config{Idle: 20 * time.Millisecond, Dormant: func(_ Key, last bool) { slept <- last }})
	sleeps := 0
	for round := range 3 {
		g.works()
		for ; sleeps < 1+int(d.asked.Load()); sleeps++ { // it was loaded once more than it was described
			if last := <-slept; !last {
				t.Error("another revision of the function is said to be in memory")
			}
		}
		if !g.Loaded(g.rev.Key) || g.CodeBytes(g.rev.Key) == 0 {
			t.Fatal("a dormant revision does not count as ready")
		}
		if g.metric("weft_code_bytes") != 0 || g.metric("weft_revisions_dormant") != 1 {
			t.Errorf("%v bytes of code, %v dormant", g.metric("weft_code_bytes"), g.metric("weft_revisions_dormant"))
		}
		if n := int(d.asked.Load()); n > round+1 { // works may find it awake
			t.Errorf("described %d times in %d rounds", n, round+1)
		}
	}
	if n := g.metric("weft_code_cache_misses_total"); n > 1 {
		t.Errorf("compiled %v times", n)
	}
	if g.metric("weft_revision_unloads_total") < 3 {
		t.Errorf("%v unloads", g.metric("weft_revision_unloads_total"))
	}
}

// TestCallsKeepRevisionsAwake expects a revision with a call not to rest, however long that takes.
func TestCallsKeepRevisionsAwake(t *testing.T) {
	g, _ := newSleepy(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := g.call(ctx, "Loop", 0)
		done <- err
	}()
	until(t, func() bool { _, busy, _ := g.queue.counts(); return busy == 1 })
	if g.rest(g.resident(g.rev.Key), unloadedIdle) {
		t.Error("it rests while it has a call")
	}
	cancel()
	refused(t, <-done, Canceled)
	g.sleep()
	g.works()
}

// TestOneLoadForAll expects calls of a dormant revision to share one load, and calls of others to go on meanwhile.
func TestOneLoadForAll(t *testing.T) {
	g, d := newSleepy(t, Config{})
	other := g.rev
	other.Function = "other"
	if err := g.Load(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	g.sleep()
	d.hold = make(chan struct{})
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() { g.works() })
	}
	p := g.resident(g.rev.Key)
	waiting := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waking == nil {
			return 0
		}
		return p.waking.waiting
	}
	until(t, func() bool { return waiting() == 20 })
	if _, err := g.Call(t.Context(), Request{Key: other.Key, Service: guestService, Method: "Echo"}); err != nil {
		t.Errorf("a call of another revision: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := g.call(ctx, "Echo", 1)
	refused(t, err, Canceled, "being loaded")
	close(d.hold)
	calls.Wait()
	if n := d.asked.Load(); n != 1 {
		t.Errorf("loaded %d times", n)
	}
}

// TestTooManyWaitForALoad expects calls beyond a bound to be refused rather than to wait for a load.
func TestTooManyWaitForALoad(t *testing.T) {
	g, d := newSleepy(t, Config{})
	g.sleep()
	d.hold = make(chan struct{})
	defer close(d.hold)
	p := g.resident(g.rev.Key)
	w, err := g.waking(p)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	w.waiting = maxWaking
	p.mu.Unlock()
	_, err = g.call(t.Context(), "Echo", 1)
	refused(t, err, QueueFull, "default/guest@1")
}

// TestLoadedMemory expects what was called longest ago to make room.
func TestLoadedMemory(t *testing.T) {
	const limit = 5 * loadedOverhead
	g, d := newSleepy(t, Config{LoadedMemory: limit})
	keys := []Key{g.rev.Key}
	for i := range 30 {
		r := g.rev
		r.Function = fmt.Sprint("guest-", i)
		d.revisions.Store(r.Key, r)
		if err := g.Load(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, r.Key)
		g.bulks.Wait()         // a revision whose second form is being made stays in memory
		until(t, func() bool { // as does one whose first instance is being dropped
			rev := g.resident(r.Key).rev.Load()
			return rev == nil || rev.refs.Load() <= 1
		})
		g.works() // the first one is called all the time
	}
	until(t, func() bool {
		loaded, _ := g.counts()
		return int64(loaded)*(loadedOverhead+g.CodeBytes(g.rev.Key)) <= limit
	})
	if g.resident(keys[0]).rev.Load() == nil {
		t.Error("what is called is dormant")
	}
	if g.resident(keys[1]).rev.Load() != nil {
		t.Error("what was called longest ago is in memory")
	}
	for _, k := range keys {
		if _, err := g.Call(t.Context(), Request{Key: k, Service: guestService, Method: "Echo"}); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
}

// TestAdmit expects a restarted executor to be ready for what an earlier one has compiled, without loading anything before it
// is called.
func TestAdmit(t *testing.T) {
	dir := t.TempDir()
	first, _ := newSleepy(t, Config{Dir: dir})
	if first.Admit(Key{Function: "twin"}, first.rev.Digest) {
		t.Error("what this process has compiled is admitted untried")
	}
	again, d := newSleepyAgain(t, dir, first.rev)
	if again.Admit(again.rev.Key, [32]byte{1}) {
		t.Error("what was never compiled is admitted")
	}
	if !again.Admit(again.rev.Key, again.rev.Digest) {
		t.Fatal("it is not admitted")
	}
	if d.asked.Load() != 0 || again.metric("weft_code_bytes") != 0 || again.CodeBytes(again.rev.Key) == 0 {
		t.Error("it is loaded already")
	}
	again.works()
	if n := again.metric("weft_code_cache_hits_total"); n != 1 {
		t.Errorf("%v hits", n)
	}
	again.Unload(again.rev.Key)
	_, err := again.call(t.Context(), "Echo", 1)
	refused(t, err, NotLoaded)
}

// newSleepyAgain starts an executor on the directory of another one, and loads nothing.
func newSleepyAgain(t *testing.T, dir string, r Revision) (*guest, *describing) {
	t.Helper()
	d := &describing{}
	d.revisions.Store(r.Key, r)
	g := newExecutor(t, Config{Dir: dir, Describe: d.describe})
	g.rev = r
	return g, d
}

// TestDamagedWhileDormant expects code that was damaged on disk meanwhile not to be executed, but compiled again.
func TestDamagedWhileDormant(t *testing.T) {
	g, _ := newSleepy(t, Config{Dir: t.TempDir()})
	g.sleep()
	path := g.cached()
	code, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	code[len(code)/2] ^= 4
	if err := os.WriteFile(path, code, 0o600); err != nil {
		t.Fatal(err)
	}
	g.works()
	if n := g.metric("weft_compile_seconds"); n != 2 {
		t.Errorf("compiled %v times", n)
	}
}

// TestFailedReload expects a dormant revision that can't be loaded again to be forgotten, and its owner told, so that it does not
// count as ready.
func TestFailedReload(t *testing.T) {
	failed := make(chan error, 1)
	g, d := newSleepy(t, Config{Failed: func(_ Key, err error) { failed <- err }})
	g.sleep()
	d.revisions.Delete(g.rev.Key)
	_, err := g.call(t.Context(), "Echo", 1)
	refused(t, err, NotLoaded, "no revision default/guest@1")
	if err := <-failed; err == nil {
		t.Error("no reason")
	}
	if g.Loaded(g.rev.Key) {
		t.Error("it counts as ready")
	}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.works()
}

// heldLoad puts a guest to sleep and calls it. Its load has begun then, and goes on once d.hold is closed; done is told the error.
func (g *guest) heldLoad(d *describing) (done <-chan error) {
	g.t.Helper()
	g.sleep()
	d.hold = make(chan struct{})
	told := make(chan error, 1)
	go func() {
		_, err := g.call(context.Background(), "Echo", 1)
		told <- err
	}()
	until(g.t, func() bool { return d.asked.Load() == 1 })
	return told
}

// TestUnloadWhileLoading expects a revision that is deleted while it comes back to be gone, and nothing to be left of it.
func TestUnloadWhileLoading(t *testing.T) {
	g, d := newSleepy(t, Config{Failed: func(k Key, err error) { t.Errorf("%s failed: %v", k, err) }})
	done := g.heldLoad(d)
	g.Unload(g.rev.Key)
	close(d.hold)
	refused(t, <-done, NotLoaded)
	until(t, func() bool { return g.metric("weft_code_bytes") == 0 })
}

// TestCloseWhileLoading expects the end of the executor to end loads, too.
func TestCloseWhileLoading(t *testing.T) {
	g, d := newSleepy(t, Config{})
	done := g.heldLoad(d)
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
	refused(t, <-done, Closing)
	_, err := g.call(t.Context(), "Echo", 1)
	if asError(t, err).Reason == Canceled {
		t.Errorf("after the end: %v", err)
	}
}

// TestManyRevisionsComeAndGo has hundreds of revisions called from many goroutines, with room for few, and expects all answers.
func TestManyRevisionsComeAndGo(t *testing.T) {
	g, d := newSleepy(t, Config{Idle: 10 * time.Millisecond, LoadedMemory: 16 * (loadedOverhead + 100<<10)})
	const count = 300
	key := func(i int) Key { return Key{Namespace: "default", Function: fmt.Sprint("guest-", i), Revision: 1} }
	for i := range count {
		r := g.rev
		r.Key = key(i)
		d.revisions.Store(r.Key, r)
		g.residents.Store(r.Key, &resident{key: r.Key, code: 1})
	}
	var callers sync.WaitGroup
	for c := range 8 {
		callers.Go(func() {
			for i := range count {
				k := key((i*7 + c*31) % count)
				if _, err := g.Call(t.Context(), Request{Key: k, Service: guestService, Method: "Echo"}); err != nil {
					t.Errorf("%s: %v", k, err)
					return
				}
			}
		})
	}
	callers.Wait()
	until(t, func() bool { return g.dormant() == count+1 })
	if n := g.metric("weft_code_bytes"); n != 0 {
		t.Errorf("%v bytes of code are left", n)
	}
}
