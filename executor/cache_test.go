package executor

import (
	"os"
	"path/filepath"
	"testing"
)

// cached gives the one file in the cache of a guest.
func (g *guest) cached() string {
	g.t.Helper()
	files, err := filepath.Glob(filepath.Join(g.cache.home, "*"))
	if err != nil || len(files) != 1 {
		g.t.Fatalf("the cache holds %v, %v", files, err)
	}
	return files[0]
}

// TestRestart loads from the cache what another executor has compiled, without the component.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	g := newGuest(t, Config{Dir: dir}, Limits{})
	r := g.rev
	r.Path = "/nonexistent"
	again := newExecutor(t, Config{Dir: dir})
	again.rev = r
	if err := again.Load(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	again.works()
	if hits := again.metric("weft_code_cache_hits_total"); hits != 1 {
		t.Errorf("%v hits", hits)
	}
}

// TestCorruptCache damages compiled code in ways that the engine would execute, and expects it to be compiled again.
func TestCorruptCache(t *testing.T) {
	dir := t.TempDir()
	first := newGuest(t, Config{Dir: dir}, Limits{})
	first.Unload(first.rev.Key)
	for name, damage := range map[string]func([]byte) []byte{
		"one bit":   func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"truncated": func(b []byte) []byte { return b[:len(b)-1] },
		"empty":     func([]byte) []byte { return nil },
		"longer":    func(b []byte) []byte { return append(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			path := first.cached()
			code, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(code), 0o600); err != nil {
				t.Fatal(err)
			}
			g := newGuest(t, Config{Dir: dir}, Limits{})
			g.works()
			if misses := g.metric("weft_code_cache_misses_total"); misses != 1 {
				t.Errorf("%v misses", misses)
			}
			g.cached()
		})
	}
}

func TestCacheIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Config{Dir: dir}, Limits{})
	for _, path := range []string{dir, g.cache.home, g.cached()} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
	foreign := filepath.Join(dir, "notes")
	for _, d := range []string{old, foreign} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(old, "code.cwasm")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Config{Dir: dir}, Limits{})
	path := g.cached()
	if err := g.Sweep(func(d [32]byte) bool { return d == g.rev.Digest }); err != nil {
		t.Fatal(err)
	}
	if g.cached() != path {
		t.Error("what is wanted is gone")
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the code of another engine: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("what is not the cache's: %v", err)
	}
	if err := g.Sweep(func([32]byte) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("what is not wanted: %v", err)
	}
	g.works()
}

// TestScratch expects what a crash has left of a compile to be removed.
func TestScratch(t *testing.T) {
	dir := t.TempDir()
	g := newExecutor(t, Config{Dir: dir})
	left := g.cache.scratch([32]byte{1})
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	newExecutor(t, Config{Dir: dir})
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}
