package placement

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/test/wat"
)

func TestLoadsTheCurrentRevision(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		changed := b.Changed()
		one, other := b.deploy("one"), b.deploy("other")
		synctest.Wait()
		for _, k := range []executor.Key{one, other} {
			if !b.Ready(k) || b.state(k) != StateReady || !b.runner.has(k) {
				t.Errorf("%s is %s", k, b.state(k))
			}
		}
		select {
		case <-changed:
		default:
			t.Error("Changed says nothing")
		}
		r, err := b.Revision(t.Context(), one)
		if err != nil || len(r.Services) != 1 || r.World == nil {
			t.Errorf("revision %v, %v", r, err)
		}
	})
}

func TestFailuresAreTriedAgain(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
		b.runner.fail[k] = errors.New("no memory left")
		b.deploy("calc")
		synctest.Wait()
		state, reason := b.State(k)
		if state != StateFailed || reason != "no memory left" || b.Ready(k) {
			t.Errorf("state %s, reason %q", state, reason)
		}
		var failed *LoadError
		if err := b.Ensure(t.Context(), k); !errors.As(err, &failed) || b.runner.count(k) != 1 {
			t.Errorf("Ensure did not fail at once: %v, %d loads", err, b.runner.count(k))
		}
		time.Sleep(time.Hour) // of the bubble's clock
		synctest.Wait()
		// 1, 2, 4, … 32 s and then every minute.
		if n := b.runner.count(k); n < 60 || n > 70 {
			t.Errorf("%d loads in an hour", n)
		}
		b.runner.mu.Lock()
		delete(b.runner.fail, k)
		b.runner.mu.Unlock()
		time.Sleep(maxPause)
		synctest.Wait()
		if !b.Ready(k) {
			t.Errorf("state %s", b.state(k))
		}
	})
}

func TestOnDemand(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.put("calc")
		if err := b.Ensure(t.Context(), k); err != nil || !b.Ready(k) {
			t.Fatalf("on demand: %v", err)
		}
		for range 3 { // in use
			time.Sleep(4 * time.Minute)
			if !b.Ready(k) {
				t.Fatal("unloaded while in use")
			}
		}
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if b.state(k) != StateIdle || b.runner.has(k) {
			t.Errorf("it is %s", b.state(k))
		}
		if err := b.Ensure(t.Context(), k); err != nil || !b.Ready(k) {
			t.Errorf("on demand: %v", err)
		}
		b.place(k, node)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !b.Ready(k) {
			t.Error("unloaded although it is placed")
		}
	})
}

// TestOtherNodesHelp: compiled code is asked for before a load, and a load does without.
func TestOtherNodesHelp(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.absent = errors.New("no node gave it")
		k := b.deploy("calc")
		synctest.Wait()
		if state, reason := b.State(k); state != StateFailed || reason != "no node gave it" || b.coded != 0 {
			t.Errorf("state %s, reason %q", state, reason)
		}
		if got := b.Snapshot(); len(got) != 1 || got[0].State != StateFailed || got[0].Reason != "no node gave it" {
			t.Errorf("snapshot %v", got)
		}
		b.mu.Lock()
		b.absent, b.noCode = nil, errors.New("nobody has code")
		b.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !b.Ready(k) || b.coded != 1 {
			t.Errorf("it is %s; code was asked for %d times", b.state(k), b.coded)
		}
	})
}

func TestEnsureGoesAheadOfTheQueue(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		_, release := b.deploySlow("slow")
		synctest.Wait() // the one worker is busy now
		k := b.deploy("wanted")
		synctest.Wait()
		if b.state(k) != StateLoading || b.runner.count(k) != 0 {
			t.Fatalf("state %s", b.state(k))
		}
		for range 3 {
			if err := b.Ensure(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		if b.runner.count(k) != 1 {
			t.Errorf("%d loads", b.runner.count(k))
		}
		release()
		synctest.Wait()
		if b.runner.count(k) != 1 {
			t.Errorf("%d loads after the queue came to it", b.runner.count(k))
		}
	})
}

func TestEnsureLeavesWithItsCaller(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k, release := b.deploySlow("calc")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Ensure(ctx, k); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ensure: %v", err)
		}
		release()
		synctest.Wait()
		if !b.Ready(k) {
			t.Error("the load was given up with its caller")
		}
	})
}

func TestCloseInterruptsLoads(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		b.t = t
		b.start()
		k, _ := b.deploySlow("calc")
		synctest.Wait()
		b.Close()
		if err := b.Ensure(t.Context(), k); err == nil {
			t.Error("Ensure after Close succeeds")
		}
	})
}

func TestBrokenArtifact(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		if err := os.WriteFile(b.path, []byte("\x00asm"), 0o600); err != nil {
			t.Fatal(err)
		}
		k := b.deploy("calc")
		synctest.Wait()
		if state, reason := b.State(k); state != StateFailed || reason == "" {
			t.Errorf("state %s, reason %q", state, reason)
		}
	})
}

func TestReadWorld(t *testing.T) {
	path := wat.Guest{}.File(t)
	world, err := ReadWorld(path)
	if err != nil || len(world.Exports) != 1 {
		t.Fatalf("%v, %v", world, err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if world, err := ReadWorld(path); err == nil {
			t.Errorf("%s: %v", path, world)
		}
	}
}
