package placement

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/executor"
)

func TestOnlyWhatIsPlacedHereIsLoaded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		here, there, nowhere := b.put("here"), b.put("there"), b.put("nowhere")
		b.place(here, node, elsewhere)
		b.place(there, elsewhere)
		synctest.Wait()
		for k, want := range map[executor.Key]string{here: StateReady, there: StateIdle, nowhere: StateIdle} {
			if b.state(k) != want || b.Ready(k) != (want == StateReady) {
				t.Errorf("%s is %s", k, b.state(k))
			}
		}
		want := []State{{Key: here, State: StateReady, CodeBytes: 1000}}
		if got := b.Snapshot(); !slices.Equal(got, want) {
			t.Errorf("snapshot %v", got)
		}
	})
}

func TestOlderRevisionThatIsPlacedIsLoaded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		first := b.deploy("calc")
		second := b.put("calc") // current, and not placed yet
		time.Sleep(time.Hour)
		synctest.Wait()
		if !b.Ready(first) || b.Ready(second) {
			t.Fatalf("the first is %s, the second %s", b.state(first), b.state(second))
		}
		b.place(second, node)
		synctest.Wait()
		if !b.Ready(first) || !b.Ready(second) {
			t.Errorf("the first is %s, the second %s", b.state(first), b.state(second))
		}
	})
}

func TestWhatIsNoLongerPlacedLingers(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		b.place(k, elsewhere)
		for range 9 {
			time.Sleep(time.Second)
			synctest.Wait()
			if !b.Ready(k) {
				t.Fatal("unloaded at once")
			}
		}
		changed := b.Changed()
		time.Sleep(time.Second) // although it was used until now
		synctest.Wait()
		if b.Ready(k) || b.runner.has(k) || b.state(k) != StateIdle || len(b.Snapshot()) != 0 {
			t.Errorf("it is %s", b.state(k))
		}
		select {
		case <-changed:
		default:
			t.Error("Changed says nothing")
		}
	})
}

func TestPlacedAgainWhileItLingers(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		b.place(k)
		time.Sleep(5 * time.Second)
		b.place(k, node)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !b.Ready(k) || b.runner.count(k) != 1 {
			t.Errorf("it is %s after %d loads", b.state(k), b.runner.count(k))
		}
	})
}

// TestPlacedAgainWhileItLoads: the load of a revision that is not placed any more must not end in unloading the one that
// is placed again.
func TestPlacedAgainWhileItLoads(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k, release := b.deploySlow("calc")
		synctest.Wait()
		b.place(k)
		time.Sleep(time.Minute)
		synctest.Wait()
		b.place(k, node)
		synctest.Wait()
		release()
		synctest.Wait()
		if !b.Ready(k) || !b.runner.has(k) || b.runner.count(k) != 1 {
			t.Errorf("it is %s after %d loads", b.state(k), b.runner.count(k))
		}
	})
}

func TestNoLongerPlacedWhileItLoads(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		slow, release := b.deploySlow("slow")
		synctest.Wait() // the one worker is busy now
		waiting := b.deploy("waiting")
		synctest.Wait()
		b.place(slow)
		b.place(waiting)
		time.Sleep(time.Minute)
		release()
		synctest.Wait()
		if b.runner.has(slow) || b.runner.count(waiting) != 0 || len(b.Snapshot()) != 0 {
			t.Errorf("slow is %s, waiting %s", b.state(slow), b.state(waiting))
		}
	})
}

func TestDeletedFunctionsAreUnloaded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		first := b.deploy("calc")
		synctest.Wait()
		second := b.deploy("calc")
		synctest.Wait()
		b.delete("calc")
		synctest.Wait()
		if b.runner.has(first) || b.runner.has(second) || b.Ready(second) {
			t.Error("still loaded")
		}
		if len(b.gone) != 1 || b.gone[0] != "default/calc" {
			t.Errorf("gone %v", b.gone)
		}
		if err := b.Ensure(t.Context(), second); !errors.Is(err, ErrUnknown) {
			t.Errorf("Ensure: %v", err)
		}
		if _, err := b.Revision(t.Context(), second); !errors.Is(err, ErrUnknown) {
			t.Errorf("Revision: %v", err)
		}
	})
}

func TestDeletedWhileItLoads(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k, release := b.deploySlow("calc")
		ensured := make(chan error)
		go func() { ensured <- b.Ensure(t.Context(), k) }()
		synctest.Wait()
		b.delete("calc")
		synctest.Wait()
		release()
		if err := <-ensured; !errors.Is(err, ErrUnknown) {
			t.Errorf("Ensure: %v", err)
		}
		synctest.Wait()
		if b.runner.has(k) || b.Ready(k) {
			t.Error("loaded although it is deleted")
		}
	})
}
