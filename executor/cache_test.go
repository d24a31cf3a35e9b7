package executor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
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

// TestUnusableCode damages compiled code, some of it in ways that the engine would execute, and expects it to be compiled again and said once,
// whether it is loaded first or for a call.
func TestUnusableCode(t *testing.T) {
	dir := t.TempDir()
	first := newGuest(t, Config{Dir: dir}, Limits{})
	first.Unload(first.rev.Key)
	content := func(damage func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			t.Helper()
			code, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, damage(code), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	instead := func(put func(path string) error) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			t.Helper()
			if err := errors.Join(os.Remove(path), put(path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, damage := range map[string]func(*testing.T, string){
		"one bit":        content(func(b []byte) []byte { b[len(b)/2] ^= 4; return b }),
		"truncated":      content(func(b []byte) []byte { return b[:len(b)-1] }),
		"empty":          content(func([]byte) []byte { return nil }),
		"longer":         content(func(b []byte) []byte { return append(b, 0) }),
		"random":         content(func(b []byte) []byte { _, _ = rand.Read(b); return b }),
		"a directory":    instead(func(path string) error { return os.Mkdir(path, 0o700) }),
		"full directory": instead(func(path string) error { return os.MkdirAll(filepath.Join(path, "more"), 0o700) }),
		"a pipe":         instead(func(path string) error { return syscall.Mkfifo(path, 0o600) }),
		"forbidden": func(t *testing.T, path string) { // which means nothing to root
			t.Helper()
			content(func(b []byte) []byte { b[0]++; return b })(t, path)
			if err := os.Chmod(path, 0); err != nil {
				t.Fatal(err)
			}
		},
		"unreadable": instead(func(path string) error { return os.Symlink(filepath.Base(path), path) }),
		"other engine": func(t *testing.T, path string) {
			t.Helper()
			other := bytes.Repeat([]byte("other"), 1000)
			sum := sha256.Sum256(other)
			name := filepath.Base(path)[:2*sha256.Size+1] + hex.EncodeToString(sum[:]) + codeSuffix
			if err := errors.Join(os.Remove(path), os.WriteFile(filepath.Join(filepath.Dir(path), name), other, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			damage(t, first.cached())
			var unusable unusable
			g := newGuest(t, Config{Dir: dir, Unusable: unusable.note}, Limits{})
			g.works()
			unusable.once(t, first.cached())
			if misses := g.metric("weft_code_cache_misses_total"); misses != 1 {
				t.Errorf("%v misses", misses)
			}
		})
		t.Run(name+", dormant", func(t *testing.T) {
			damage(t, first.cached())
			var unusable unusable
			g := newExecutor(t, Config{Dir: dir, Unusable: unusable.note, Describe: func(context.Context, Key) (Revision, error) { return first.rev, nil }})
			g.rev = first.rev
			if !g.Admit(g.rev.Key, g.rev.Digest) { // "unreadable": its size is not known
				if err := g.Load(t.Context(), g.rev); err != nil {
					t.Fatal(err)
				}
			}
			g.works()
			g.works()
			unusable.once(t, first.cached())
		})
	}
}

// unusable notes what Config.Unusable is told.
type unusable struct {
	mu    sync.Mutex
	paths []string
	last  error
}

func (u *unusable) note(path string, why error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.paths, u.last = append(u.paths, path), why
}

// once fails the test unless it was one file of the component whose code is now in another.
func (u *unusable) once(t *testing.T, now string) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	const digest = 2 * sha256.Size
	if len(u.paths) != 1 || filepath.Base(u.paths[0])[:digest] != filepath.Base(now)[:digest] {
		t.Errorf("unusable: %q, of which %v", u.paths, u.last)
	}
}

// TestRefuseOnce refuses code twice, as those do who load it at once: the second time other code has taken its place, which stays.
func TestRefuseOnce(t *testing.T) {
	var told []string
	c, err := newCache(t.TempDir(), "engine", func(path string, _ error) { told = append(told, path) })
	if err != nil {
		t.Fatal(err)
	}
	digest := [32]byte{1}
	publish := func(code string) string {
		t.Helper()
		if err := errors.Join(os.WriteFile(c.scratch(digest), []byte(code), 0o600), c.publish(digest)); err != nil {
			t.Fatal(err)
		}
		path, _, err := c.find(digest)
		if err != nil || path == "" {
			t.Fatal(path, err)
		}
		return path
	}
	refused := publish("refused")
	c.refuse(digest, refused, errors.New("no code of this engine"))
	again := publish("compiled again")
	c.refuse(digest, refused, errors.New("no code of this engine"))
	if path, _, err := c.find(digest); err != nil || path != again {
		t.Errorf("there is %q, %v", path, err)
	}
	if !slices.Equal(told, []string{refused}) {
		t.Errorf("told of %q", told)
	}
}

// TestManyFiles expects code to stay that can't be read only because the process may open no more files.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	first := newGuest(t, Config{Dir: dir}, Limits{})
	path := first.cached()
	var unusable unusable
	g := newExecutor(t, Config{Dir: dir, Unusable: unusable.note})
	g.rev = first.rev
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err := g.Load(t.Context(), g.rev)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EMFILE) || first.cached() != path || len(unusable.paths) > 0 {
		t.Errorf("%v; unusable: %q", err, unusable.paths)
	}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.works()
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
