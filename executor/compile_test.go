package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// bigComponent takes the compiler a while: n functions of some size.
func bigComponent(n, size int) string {
	body := strings.Repeat("(local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 3)) (i64.xor (local.get 0) (i64.const 5))))", size)
	var b strings.Builder
	b.WriteString("(component (core module $m\n")
	for i := range n {
		fmt.Fprintf(&b, "(func (export \"f%d\") (param i64) (result i64) %s (local.get 0))\n", i, body)
	}
	b.WriteString(") (core instance $i (instantiate $m)))")
	return b.String()
}

func TestCompile(t *testing.T) {
	g := newExecutor(t, Config{Dir: t.TempDir()})
	path, digest := component(t, guestText)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := compile(t.Context(), g, digest, path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := g.metric("weft_compile_seconds"); n != 1 {
		t.Errorf("it was compiled %v times", n)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := compile(t.Context(), g, digest, path); err != nil {
		t.Errorf("what is in the cache was compiled again: %v", err)
	}
	if misses := g.metric("weft_code_cache_misses_total"); misses > 4 {
		t.Errorf("%v misses", misses)
	}
}

// TestCompileMerges has a component of more core modules than the engine makes instances of for one.
func TestCompileMerges(t *testing.T) {
	g := newExecutor(t, Config{Dir: t.TempDir()})
	text := `(component (core module $m0 (func (export "f"))) (core instance $i0 (instantiate $m0))`
	for n := 1; n < 300; n++ {
		text += fmt.Sprintf(`(core module $m%d (import "" "f" (func $f)) (func (export "f") (call $f)))
			(core instance $i%[1]d (instantiate $m%[1]d (with "" (instance $i%d))))`, n, n-1)
	}
	path, digest := component(t, text+")")
	code, _, err := g.compiled(t.Context(), digest, path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.engine.Load(code)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestCompileInvalid(t *testing.T) {
	g := newExecutor(t, Config{Dir: t.TempDir()})
	whole, err := os.ReadFile(guestRevision(t, Limits{}).Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "the component does not compile: "},
		{"not wasm", []byte("#!/bin/sh\n"), "the component does not compile: "},
		{"core module", []byte("\x00asm\x01\x00\x00\x00"), "the component does not compile: "},
		{"truncated", whole[:len(whole)/2], "the component does not compile: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.wasm")
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			err := compile(t.Context(), g, [32]byte{1}, path)
			refused(t, err, CompileFailed, c.want)
			if e := asError(t, err); strings.Contains(e.Message, "wasmtime:") || len(e.Message) <= len(c.want) {
				t.Errorf("message is %q", e.Message)
			}
		})
	}
	err = compile(t.Context(), g, [32]byte{1}, "/nonexistent")
	refused(t, err, Internal, "/nonexistent")
	if strings.Contains(err.Error(), "exit status") {
		t.Errorf("message is %q", err)
	}
	left, err := os.ReadDir(g.cache.home)
	if err != nil || len(left) != 0 {
		t.Errorf("the cache holds %v, %v", left, err)
	}
}

func TestCompileTime(t *testing.T) {
	g := newExecutor(t, Config{Dir: t.TempDir(), CompileTimeout: 50 * time.Millisecond})
	path, digest := component(t, bigComponent(300, 200))
	start := time.Now()
	refused(t, compile(t.Context(), g, digest, path), CompileFailed, "longer than 50ms")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestCompileMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes more memory than the limit by itself")
	}
	g := newExecutor(t, Config{Dir: t.TempDir(), CompileMemory: minCompileMemory})
	path, digest := component(t, bigComponent(1, 80_000)) // two of half the size fit one after the other, as on one core
	refused(t, compile(t.Context(), g, digest, path), CompileFailed, "256 MiB", "memory")
	if _, err := New(Config{Dir: t.TempDir(), CompileMemory: minCompileMemory - 1}); err == nil || !strings.Contains(err.Error(), "256 MiB") {
		t.Errorf("less memory: %v", err)
	}
}

// TestCompileCanceled expects the child to be gone when nobody waits for it any more.
func TestCompileCanceled(t *testing.T) {
	g := newExecutor(t, Config{Dir: t.TempDir()})
	path, digest := component(t, bigComponent(300, 200))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := compile(ctx, g, digest, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	g.compiler.wg.Wait()
	left, err := os.ReadDir(g.cache.home)
	if err != nil || len(left) != 0 {
		t.Errorf("the cache holds %v, %v", left, err)
	}
}

func TestCompileDiskFull(t *testing.T) {
	g := newExecutor(t, Config{Dir: t.TempDir()})
	path, _ := component(t, guestText)
	refused(t, g.compiler.child(t.Context(), path, "/dev/full"), DiskFull, "no room on disk", "/dev/full")
	refused(t, g.compiler.child(t.Context(), path, filepath.Join(t.TempDir(), "absent", "file")), Internal, "no such file")
}

func compile(ctx context.Context, g *guest, digest [32]byte, path string) error {
	_, _, err := g.compiled(ctx, digest, path)
	return err
}
