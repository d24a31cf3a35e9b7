package wasmtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// grower grows its memory page by page and returns the number of pages when that fails.
const grower = `(component
  (core module $m
    (memory 1)
    (func (export "run") (result i32)
      (loop $l (br_if $l (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
      memory.size))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`

func TestMemoryLimit(t *testing.T) {
	tmpl := prepare(t, grower, nil, "run")
	for _, limit := range []uint64{64 << 10, 3 << 20, 3<<20 + 1} {
		i := instance(t, tmpl, InstanceConfig{Memory: limit})
		r, err := i.Call(0, nil)
		if longTerm {
			if trap := trapOf(t, err); trap.Kind != TrapMemory || !errors.Is(err, ErrMemory) || len(trap.Frames) != 1 {
				t.Errorf("limit of %d bytes: %v, frames %v", limit, trap, trap.Frames)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		v, _ := r.Value()
		if got := uint64(v.U32()); got != limit/wasmPage {
			t.Errorf("limit of %d bytes let it have %d pages", limit, got)
		}
		r.Close()
	}
}

// TestMemoryOwnBound is about a memory that may not grow by its own declaration, which the guest sees in any engine.
func TestMemoryOwnBound(t *testing.T) {
	tmpl := prepare(t, strings.Replace(grower, "(memory 1)", "(memory 1 3)", 1), nil, "run")
	r, err := instance(t, tmpl, InstanceConfig{}).Call(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if v, _ := r.Value(); v.U32() != 3 {
		t.Errorf("it has %d pages", v.U32())
	}
}

func TestMemoryStartsTooLarge(t *testing.T) {
	tmpl := prepare(t, core(`(memory 32) (func (export "run"))`), nil, "run")
	if _, err := tmpl.NewInstance(InstanceConfig{Memory: 1 << 20}); !errors.Is(err, ErrMemory) {
		t.Errorf("error is %v", err)
	}
}

// TestEngineMemoryLimit is about the engine's own limit, which compiled code meets when it is loaded.
func TestEngineMemoryLimit(t *testing.T) {
	e, err := NewEngine(Config{MaxInstances: 1, MaxMemory: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	wasm, err := WatToWasm(core(`(memory 32) (func (export "run"))`))
	if err != nil {
		t.Fatal(err)
	}
	var bad *Error
	if _, err := e.Compile(wasm); !errors.As(err, &bad) || !strings.Contains(bad.Message, "exceeds the limit of 0x100000 bytes") {
		t.Errorf("error is %v", err)
	}
	l := e.NewLinker()
	defer l.Close()
	tmpl, err := l.Prepare(compile(t, e, grower), []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	defer tmpl.Close()
	r, err := instance(t, tmpl, InstanceConfig{Memory: 1 << 40}).Call(0, nil)
	if longTerm {
		if trap := trapOf(t, err); trap.Kind != TrapMemory || !strings.Contains(trap.Message, "limit of 1048576") {
			t.Error(trap)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if v, _ := r.Value(); v.U32() != 16 {
		t.Errorf("it has %d pages", v.U32())
	}
}

func TestPoolIsFull(t *testing.T) {
	e, err := NewEngine(Config{MaxInstances: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	l := e.NewLinker()
	defer l.Close()
	tmpl, err := l.Prepare(compile(t, e, core(`(memory 1) (func (export "run"))`)), []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	defer tmpl.Close()
	first := instance(t, tmpl, InstanceConfig{})
	instance(t, tmpl, InstanceConfig{})
	if _, err := tmpl.NewInstance(InstanceConfig{}); !errors.Is(err, ErrBusy) {
		t.Errorf("error is %v", err)
	}
	first.Close()
	if _, err := tmpl.NewInstance(InstanceConfig{}); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}

// TestComponentBounds is about components that no pool has room for.
func TestComponentBounds(t *testing.T) {
	repeat := func(n int, s string) string { return strings.Repeat(s, n) }
	for _, tt := range []struct{ name, text, message string }{
		{"memories", `(component (core module $m (memory 1))` + repeat(memoriesPerComponent+1, `(core instance (instantiate $m))`) + `)`,
			fmt.Sprintf("contains %d Wasm linear memories", memoriesPerComponent+1)},
		{"tables", `(component (core module $m (table 1 funcref))` + repeat(tablesPerComponent+1, `(core instance (instantiate $m))`) + `)`,
			fmt.Sprintf("contains %d tables", tablesPerComponent+1)},
		{"modules", `(component (core module $m)` + repeat(coresPerComponent+1, `(core instance (instantiate $m))`) + `)`,
			fmt.Sprintf("contains %d core module instances", coresPerComponent+1)},
		{"tables of a module", `(component (core module $m` + repeat(tablesPerModule+1, `(table 1 funcref)`) + `) (core instance (instantiate $m)))`,
			"defined tables count of 17 exceeds"},
		{"table elements", fmt.Sprintf(`(component (core module $m (table %d funcref)) (core instance (instantiate $m)))`, tableElements+1),
			"table"},
		{"memory64", `(component (core module $m (memory i64 1)) (core instance (instantiate $m)))`, "memory64"},
		{"shared memory", `(component (core module $m (memory 1 1 shared)) (core instance (instantiate $m)))`, "threads"},
		{"async", `(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
			(func (export "f") async (canon lift (core func $i "f") async)))`, "async"},
		{"module", `(module)`, "component"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := WatToWasm(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var e *Error
			if _, err := testEngine().Compile(wasm); !errors.As(err, &e) || !strings.Contains(e.Message, tt.message) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestTableGrowth(t *testing.T) {
	tmpl := prepare(t, `(component
  (core module $m
    (table 1 funcref)
    (func (export "run") (result i32)
      (loop $l (br_if $l (i32.ge_s (table.grow (ref.null func) (i32.const 1000)) (i32.const 0))))
      table.size))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`, nil, "run")
	r, err := instance(t, tmpl, InstanceConfig{}).Call(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if v, _ := r.Value(); v.U32() > tableElements || v.U32() < tableElements-1000 {
		t.Errorf("the table has %d elements", v.U32())
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []Config{
		{MaxInstances: -1}, {MaxInstances: 1 << 17}, {MaxMemory: 5 << 30}, {MaxMemory: 1<<64 - 1},
		{StackSize: 1}, {StackSize: 1 << 30}, {MaxInstances: 1 << 16},
	} {
		if e, err := NewEngine(c); err == nil {
			e.Close()
			t.Errorf("%+v was accepted", c)
		}
	}
}

// TestFreshMemory checks that an instance sees nothing of the one before it in the same slot of the pool: within what
// stays resident, beyond it, and in a memory with an image.
func TestFreshMemory(t *testing.T) {
	e, err := NewEngine(Config{MaxInstances: 1, KeepResident: 128 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	l := e.NewLinker()
	defer l.Close()
	tmpl, err := l.Prepare(compile(t, e, `(component
  (core module $m
    (memory 16)
    (data (i32.const 70000) "\07")
    (global $sum (mut i32) (i32.const 0))
    (table 10 funcref) (elem declare func $run)
    (func $run (export "run") (result i32)
      (local $p i32)
      (loop $l
        (global.set $sum (i32.add (global.get $sum) (i32.load8_u (local.get $p))))
        (i32.store8 (local.get $p) (i32.const 1))
        (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 1000))) (i32.const 1048576))))
      (if (ref.is_null (table.get (i32.const 3))) (then) (else unreachable))
      (table.set (i32.const 3) (ref.func $run))
      global.get $sum))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`), []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	defer tmpl.Close()
	for n := range 3 {
		i := instance(t, tmpl, InstanceConfig{})
		r, err := i.Call(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := r.Value(); v.U32() != 7 {
			t.Errorf("instance %d sees a sum of %d", n, v.U32())
		}
		r.Close()
		i.Close()
	}
}
