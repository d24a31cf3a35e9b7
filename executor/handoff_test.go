package executor

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// handed is the code that an executor gives away.
func (g *guest) handed() (code []byte, sum [32]byte) {
	g.t.Helper()
	path, size, sum, ok := g.Code(g.rev.Digest)
	if !ok {
		g.t.Fatal("there is no code")
	}
	code, err := os.ReadFile(path)
	if err != nil || int64(len(code)) != size || sha256.Sum256(code) != sum {
		g.t.Fatalf("%d bytes of %d, %v", len(code), size, err)
	}
	return code, sum
}

// TestHandOff loads what another executor has compiled, and compiles nothing.
func TestHandOff(t *testing.T) {
	from := newGuest(t, Config{}, Limits{})
	code, sum := from.handed()
	to := newExecutor(t, Config{Dir: t.TempDir()})
	to.rev = from.rev
	if _, _, _, ok := to.Code(to.rev.Digest); ok {
		t.Fatal("there is code already")
	}
	for range 2 { // a second time changes nothing
		if err := to.TakeCode(to.rev.Digest, bytes.NewReader(code), int64(len(code)), sum); err != nil {
			t.Fatal(err)
		}
	}
	if again, same := to.handed(); same != sum || !bytes.Equal(again, code) {
		t.Error("it gives away something else than it took")
	}
	to.rev.Path = "/nonexistent"
	if err := to.Load(t.Context(), to.rev); err != nil {
		t.Fatal(err)
	}
	to.works()
	if n := to.CodeBytes(to.rev.Key); n != int64(len(code)) {
		t.Errorf("%d bytes of code are loaded, not %d", n, len(code))
	}
	if n := to.CodeBytes(Key{}); n != 0 {
		t.Errorf("%d bytes of code of what is not loaded", n)
	}
	if n, misses := to.metric("weft_code_taken_total"), to.metric("weft_code_cache_misses_total"); n != 2 || misses != 0 {
		t.Errorf("taken %v times, compiled %v times", n, misses)
	}
	to.cached()
}

// TestHandOffRefusals: what is not what was announced is not taken, and leaves nothing.
func TestHandOffRefusals(t *testing.T) {
	from := newGuest(t, Config{}, Limits{})
	code, sum := from.handed()
	size := int64(len(code))
	flipped := bytes.Clone(code)
	flipped[len(code)/2] ^= 4
	gone := errors.New("the peer went away")
	for name, tt := range map[string]struct {
		r    io.Reader
		size int64
		want error
	}{
		"one bit":       {bytes.NewReader(flipped), size, ErrChecksum},
		"cut off":       {bytes.NewReader(code[:size-1]), size, ErrChecksum},
		"empty":         {bytes.NewReader(nil), size, ErrChecksum},
		"too long":      {io.MultiReader(bytes.NewReader(code), strings.NewReader("x")), size, ErrChecksum},
		"endless":       {endless{}, size, ErrChecksum},
		"other size":    {bytes.NewReader(code), size - 1, ErrChecksum},
		"negative size": {bytes.NewReader(code), -1, ErrChecksum},
		"too large":     {bytes.NewReader(code), MaxCode + 1, ErrChecksum},
		"broken":        {io.MultiReader(bytes.NewReader(code[:size/2]), iotest.ErrReader(gone)), size, gone},
	} {
		t.Run(name, func(t *testing.T) {
			to := newExecutor(t, Config{Dir: t.TempDir()})
			if err := to.TakeCode(from.rev.Digest, tt.r, tt.size, sum); !errors.Is(err, tt.want) {
				t.Errorf("error %v", err)
			}
			if left, err := os.ReadDir(to.cache.home); err != nil || len(left) != 0 {
				t.Errorf("the cache holds %v, %v", left, err)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestRefusedCode: what the engine does not take is compiled here, even if its checksum is right.
func TestRefusedCode(t *testing.T) {
	garbage := []byte("\x7fELF, of another kind")
	for name, code := range map[string][]byte{"garbage": garbage, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			g := newExecutor(t, Config{Dir: t.TempDir()})
			g.rev = guestRevision(t, Limits{})
			if err := g.TakeCode(g.rev.Digest, bytes.NewReader(code), int64(len(code)), sha256.Sum256(code)); err != nil {
				t.Fatal(err)
			}
			if err := g.Load(t.Context(), g.rev); err != nil {
				t.Fatal(err)
			}
			g.works()
			if n := g.metric("weft_compile_seconds"); n != 1 {
				t.Errorf("compiled %v times", n)
			}
			g.cached()
		})
	}
}

// TestUnfinishedHandOff: what a crash has left of one is removed.
func TestUnfinishedHandOff(t *testing.T) {
	dir := t.TempDir()
	g := newExecutor(t, Config{Dir: dir})
	left := filepath.Join(g.cache.home, strings.Repeat("0", 64)+"-123"+temporary)
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, ok := g.Code([32]byte{}); ok {
		t.Error("half of it counts as code")
	}
	newExecutor(t, Config{Dir: dir})
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// BenchmarkHandOff is how long it takes until the compiled code of a component of 18 MB is there: by compiling, or taken
// from a file as another executor gives it. The component is the Python example, which `make examples` builds.
func BenchmarkHandOff(b *testing.B) {
	path, err := filepath.Abs("../build/components/stats.wasm")
	if err != nil {
		b.Fatal(err)
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		b.Skipf("no component; run make examples: %v", err)
	}
	digest := sha256.Sum256(wasm)
	from := newExecutor(b, Config{Dir: b.TempDir()})
	b.Run("compile", func(b *testing.B) {
		for range b.N {
			if err := from.Sweep(func([32]byte) bool { return false }); err != nil {
				b.Fatal(err)
			}
			if _, _, err := from.compiled(b.Context(), digest, path); err != nil {
				b.Fatal(err)
			}
		}
	})
	code, size, sum, ok := from.Code(digest)
	if !ok {
		b.Fatal("nothing was compiled")
	}
	to := newExecutor(b, Config{Dir: b.TempDir()})
	b.Run("take", func(b *testing.B) {
		b.SetBytes(size)
		for range b.N {
			f, err := os.Open(code)
			if err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			if err := to.TakeCode(digest, f, size, sum); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms")
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
