package slack

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurn(t *testing.T) {
	const mib = 1 << 20
	for name, c := range map[string]struct {
		busy uint64 // allocated since the turn before
		now  usage
		want bool
	}{
		"after a burst":               {now: usage{live: 60 * mib, held: 310 * mib}, want: true},
		"after a burst, little to do": {busy: 30 * mib, now: usage{live: 60 * mib, held: 310 * mib}, want: true},
		"in a burst":                  {busy: 100 * mib, now: usage{live: 60 * mib, held: 310 * mib}},
		"nothing to give":             {now: usage{live: 60 * mib, held: 80 * mib}},
		"a small heap":                {now: usage{live: 5 * mib, held: 30 * mib}},
		"what is between objects":     {now: usage{live: 1000 * mib, held: 1300 * mib}},
		"a collection has just ended": {now: usage{live: 60 * mib, held: 50 * mib}},
	} {
		released := false
		c.now.allocated = 7000*mib + c.busy
		k := &Keeper{look: func() usage { return c.now }, release: func() { released = true }, before: 7000 * mib}
		if k.turn(); released != c.want {
			t.Errorf("%s: released: %t", name, released)
		}
		if k.before != c.now.allocated {
			t.Errorf("%s: the next turn counts from %d", name, k.before)
		}
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		turns := 0
		k := &Keeper{look: func() usage { turns++; return usage{} }}
		ended := make(chan struct{})
		go func() { k.Run(ctx); close(ended) }()
		time.Sleep(5*every + time.Millisecond)
		cancel()
		<-ended
		if turns != 5 {
			t.Errorf("%d turns", turns)
		}
	})
}

// TestHeap leaves garbage that no collection is due for, and has it given back.
func TestHeap(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	keep := make([]byte, 1<<20)
	for range 64 {
		keep = append(make([]byte, 0, 2<<20), keep[:1<<20]...)
	}
	k := New(nil)
	before := k.look()
	if before.held < before.live+worth {
		t.Fatalf("%+v, with 64 times 2 MiB of garbage", before)
	}
	k.before = before.allocated
	k.turn()
	if after := k.look(); after.held > before.held-worth || after.live == 0 {
		t.Errorf("%+v, and %+v before", after, before)
	}
	runtime.KeepAlive(keep)
}
