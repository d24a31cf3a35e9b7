package placement

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/executor"
)

// TestWhatWasCompiledIsAdmitted expects what an earlier process has compiled to be ready at once, and not to be loaded.
func TestWhatWasCompiledIsAdmitted(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.runner.compiled(b.digest)
		k := b.deploy("calc")
		synctest.Wait()
		if !b.Ready(k) || b.runner.count(k) != 0 {
			t.Errorf("it is %s after %d loads", b.state(k), b.runner.count(k))
		}
		b.delete("calc")
		synctest.Wait()
		if b.runner.has(k) {
			t.Error("the executor still has it")
		}
	})
}

// TestDescribe expects a revision to be described to the executor as long as it is placed here, and its description to be dropped
// while it is dormant.
func TestDescribe(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		kept := func() bool {
			b.Table.mu.Lock()
			defer b.Table.mu.Unlock()
			return b.entries[k].revision != nil
		}
		if !kept() {
			t.Error("nothing is known of what is in memory")
		}
		b.Dormant(k)
		if kept() {
			t.Error("what is dormant has a description")
		}
		r, err := b.Describe(t.Context(), k)
		if err != nil || r.Key != k || len(r.Services) == 0 {
			t.Errorf("described as %v, %v", r, err)
		}
		b.Dormant(k)
		if _, err := b.Revision(t.Context(), k); err != nil || kept() {
			t.Errorf("a question about it: %v; kept: %v", err, kept())
		}
		b.delete("calc")
		synctest.Wait()
		if _, err := b.Describe(t.Context(), k); !errors.Is(err, ErrUnknown) {
			t.Errorf("after its deletion: %v", err)
		}
		b.Dormant(k)
		b.Failed(k, errors.New("too late"))
	})
}

// TestFailed expects a revision that the executor could not load again to be tried again, and not to take calls until then.
func TestFailed(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		broken := errors.New("the disk is broken")
		b.runner.fails(k, broken)
		b.runner.Unload(k)
		changed := b.Changed()
		b.Failed(k, broken)
		if state, reason := b.State(k); state != StateFailed || reason != broken.Error() || b.Ready(k) {
			t.Errorf("it is %s: %s", state, reason)
		}
		select {
		case <-changed:
		default:
			t.Error("nobody was told")
		}
		if err := b.Ensure(t.Context(), k); !errors.Is(err, broken) {
			t.Errorf("a call gets %v", err)
		}
		b.runner.fails(k, nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !b.Ready(k) || !b.runner.has(k) {
			t.Errorf("it is %s in the end", b.state(k))
		}
		b.Failed(executor.Key{Namespace: "default", Function: "other", Revision: 1}, broken)
	})
}
