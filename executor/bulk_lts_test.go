//go:build wasmtime_lts

package executor

import (
	"strings"
	"testing"
)

// TestBulkChoice has the size of what comes and goes decide.
func TestBulkChoice(t *testing.T) {
	g := bulkGuest(t, Limits{})
	want := 0.0
	for n, tt := range []struct {
		size int
		bulk bool
	}{{1, true}, {1, false}, {100, true}, {1, true}, {1, false}} {
		if _, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: "demo.bulk.Api", Method: "Same", Message: pairs(tt.size)}); err != nil {
			t.Fatal(err)
		}
		if tt.bulk {
			want++
		}
		if got := counted(t, g, "answered"); got != want {
			t.Fatalf("call %d: %v calls went through the transcoder, want %v", n, got, want)
		}
	}
}

// second tells whether the cache has the code of a second form.
func (g *guest) second() bool {
	g.cache.mu.Lock()
	defer g.cache.mu.Unlock()
	for _, file := range g.cache.files {
		if file.within == g.rev.Digest {
			return true
		}
	}
	return false
}

// TestBulkSweep expects a sweep to keep the code of both forms while their component is wanted, loaded or not.
func TestBulkSweep(t *testing.T) {
	g := bulkGuest(t, Limits{})
	g.Unload(g.rev.Key)
	for _, wanted := range []bool{true, false} {
		if err := g.Sweep(func(d [32]byte) bool { return wanted && d == g.rev.Digest }); err != nil {
			t.Fatal(err)
		}
		path, _, err := g.cache.find(g.rev.Digest)
		if err != nil || (path != "") != wanted || g.second() != wanted {
			t.Errorf("wanted %v: the cache has %q, %v, and the second form: %v", wanted, path, err, g.second())
		}
	}
}

// TestBulkAfterRest expects a revision that comes back for a call to have its second form again once a large message came, out of
// the cache.
func TestBulkAfterRest(t *testing.T) {
	d := &describing{}
	g := bulkOf(t, Config{Describe: d.describe}, bulkText, Limits{})
	d.revisions.Store(g.rev.Key, g.rev)
	g.sleep()
	misses := g.metric("weft_code_cache_misses_total")
	call := func(message []byte) {
		t.Helper()
		if _, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: "demo.bulk.Api", Method: "Same", Message: message}); err != nil {
			t.Fatal(err)
		}
		g.bulks.Wait()
	}
	call(pairs(1))
	if g.loaded().bulk.Load() != nil {
		t.Error("it is made for a small message")
	}
	call(pairs(100))
	if g.loaded().bulk.Load() == nil {
		t.Error("it is not made for a large message")
	}
	if n := g.metric("weft_code_cache_misses_total"); n != misses {
		t.Errorf("%v compiles", n-misses)
	}
}

// TestBulkMemory expects the reason where there is too little memory for a transcoder.
func TestBulkMemory(t *testing.T) {
	g := bulkGuest(t, Limits{Memory: 8 << 20})
	g.lines.wait(t, func(l Line) bool {
		return strings.Contains(l.Message, "large messages take the plain path: a memory limit of 8 MiB")
	})
	if _, _, err, _ := g.ways("Same", pairs(100)); err != nil {
		t.Fatal(err)
	}
}
