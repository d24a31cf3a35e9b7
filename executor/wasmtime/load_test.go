package wasmtime

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// compiled returns the code of a component, compiled by an engine that only compiles.
func compiled(t testing.TB) []byte {
	t.Helper()
	e, err := NewEngine(Config{Compiler: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	code, err := compile(t, e, core(`(memory 1) (data (i32.const 0) "data") (func $boom (export "run") unreachable)`)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// load writes code to a file and loads it.
func load(t testing.TB, e *Engine, code []byte) (*Component, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(path, code, 0o600); err != nil {
		t.Fatal(err)
	}
	return e.Load(path)
}

func TestLoad(t *testing.T) {
	e := testEngine()
	c, err := load(t, e, compiled(t))
	if err != nil {
		t.Fatal(err)
	}
	l := e.NewLinker()
	tmpl, err := l.Prepare(c, []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	// The template needs none of them any more.
	c.Close()
	l.Close()
	i := instance(t, tmpl, InstanceConfig{})
	tmpl.Close()
	trap := trapOf(t, call0(i))
	if trap.Kind != TrapUnreachable || len(trap.Frames) != 1 || trap.Frames[0].Function != "boom" {
		t.Errorf("trap is %d with frames %v", trap.Kind, trap.Frames)
	}
}

func TestFingerprint(t *testing.T) {
	one, err := NewEngine(Config{Compiler: true})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if got, want := one.Fingerprint(), testEngine().Fingerprint(); got != want || len(got) != 64 {
		t.Errorf("a compiler's fingerprint is %q, a server's %q", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	e := testEngine()
	code := compiled(t)
	foreign := bytes.Clone(code)
	file, err := elf.NewFile(bytes.NewReader(code))
	if err != nil {
		t.Fatal(err)
	}
	foreign[file.Section(engineSectionName).Offset+40] ^= 1
	wasm, err := WatToWasm("(component)")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, message string
		code          []byte
	}{
		{"empty", "not compiled code", nil},
		{"a component", "not compiled code", wasm},
		{"zeros", "not compiled code", make([]byte, 1<<16)},
		{"another engine's", "another engine", foreign},
	} {
		if _, err := load(t, e, tt.code); err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: error is %v", tt.name, err)
		}
	}
	for size := 0; size < len(code); size += 1 + len(code)/97 {
		if c, err := load(t, e, code[:size]); err == nil {
			c.Close()
			t.Errorf("%d of %d bytes were loaded", size, len(code))
		}
	}
	for _, path := range []string{"", "no/such/file", "a\x00b", "\xff"} {
		if _, err := e.Load(path); err == nil {
			t.Errorf("%q was loaded", path)
		}
	}
	if _, err := e.Load(t.TempDir()); err == nil {
		t.Error("a directory was loaded")
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, wasm := range [][]byte{nil, {}, []byte("\x00asm"), []byte("\x00asm\x0d\x00\x01\x00\xff"), make([]byte, 1000)} {
		var e *Error
		if _, err := testEngine().Compile(wasm); !errors.As(err, &e) || e.Op != "compile" {
			t.Errorf("%x: error is %v", wasm[:min(8, len(wasm))], err)
		}
	}
	if _, err := WatToWasm("(component"); err == nil {
		t.Error("text without an end was accepted")
	}
	if _, err := WatToWasm("\xff"); err == nil {
		t.Error("text that is not UTF-8 was accepted")
	}
}

func TestClosed(t *testing.T) {
	e, err := NewEngine(Config{MaxInstances: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := compile(t, e, core(`(func (export "run"))`))
	l := e.NewLinker()
	tmpl, err := l.Prepare(c, []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	e.Close()
	i, err := tmpl.NewInstance(InstanceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	tmpl.Close()
	c.Close()
	if err := call0(i); err != nil {
		t.Error(err)
	}
	i.Close()
	i.Close()
	e.Tick()
	_, compileErr := e.Compile(nil)
	_, loadErr := e.Load("x")
	_, serializeErr := c.Serialize()
	_, prepareErr := l.Prepare(c, nil)
	_, newErr := tmpl.NewInstance(InstanceConfig{})
	_, callErr := i.Call(0, nil)
	for k, err := range []error{compileErr, loadErr, serializeErr, prepareErr, newErr, callErr, e.NewLinker().AddWASI()} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%d: error is %v", k, err)
		}
	}
	l.Close()
	l.Close()
}

// TestCloseWhileRunning closes templates while other goroutines make instances of them.
func TestCloseWhileRunning(t *testing.T) {
	e := testEngine()
	c := compile(t, e, core(`(func (export "run"))`))
	for range effort(20) {
		l := e.NewLinker()
		tmpl, err := l.Prepare(c, []Export{{Function: "run"}})
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if err := oneCall(tmpl, InstanceConfig{}); err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		runtime.Gosched()
		tmpl.Close()
		wg.Wait()
	}
}
