package wasmtime

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// restlessEngine is an engine whose epoch advances as fast as a goroutine can do it, so that nearly each look at it
// ends in the engine. The count is that of ticks.
func restlessEngine(t *testing.T, config Config) (e *Engine, ticks func() int64) {
	t.Helper()
	e, err := NewEngine(config)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	var stopped atomic.Bool
	var ticker sync.WaitGroup
	ticker.Go(func() {
		for !stopped.Load() {
			e.Tick()
			n.Add(1)
		}
	})
	t.Cleanup(func() {
		stopped.Store(true)
		ticker.Wait()
		e.Close()
	})
	return e, n.Load
}

// prepareOn makes a template of a component without imports on an engine of the test's own.
func prepareOn(t *testing.T, e *Engine, text string) *Template {
	t.Helper()
	l := e.NewLinker()
	defer l.Close()
	tmpl, err := l.Prepare(compile(t, e, text), []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tmpl.Close)
	return tmpl
}

// TestValuesAcrossTicks holds values of all types across the turns of loops, in registers and, where there are more of
// them than registers, in memory, and compares what comes out with an engine that never looks at the epoch.
func TestValuesAcrossTicks(t *testing.T) {
	restless, ticks := restlessEngine(t, Config{})
	calm, err := NewEngine(Config{Uninterruptible: true})
	if err != nil {
		t.Fatal(err)
	}
	defer calm.Close()
	for _, tt := range []struct{ vectors, floats, integers, turns int }{
		{1, 1, 1, 100_000},
		{13, 0, 0, 50_000},
		{0, 13, 0, 50_000},
		{0, 0, 9, 50_000},
		{6, 5, 6, 50_000},
		{20, 20, 20, 20_000},
	} {
		t.Run(fmt.Sprintf("%d vectors, %d floats, %d integers", tt.vectors, tt.floats, tt.integers), func(t *testing.T) {
			text := mixer(tt.vectors, tt.floats, tt.integers, tt.turns)
			want := called(t, prepareOn(t, calm, text), nil)
			tmpl := prepareOn(t, restless, text)
			for start := ticks(); ticks()-start < 1000; { // others may have the processors
				if got := called(t, tmpl, nil); got != want {
					t.Fatalf("the digest is %x, want %x", got, want)
				}
			}
		})
	}
}

// called makes an instance, calls its function, which returns an u64, and drops it.
func called(t *testing.T, tmpl *Template, args *Arena) uint64 {
	t.Helper()
	i, err := tmpl.NewInstance(InstanceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	r, err := i.Call(0, args)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	v, ok := r.Value()
	if !ok {
		t.Fatal("no result")
	}
	return v.U64()
}

// mixer is the text of a component whose function stirs that many values in two loops, one inside the other, with a call
// between, and returns the bits of them all, stirred together.
func mixer(vectors, floats, integers, turns int) string {
	var locals, start, turn, sum strings.Builder
	for _, kind := range []struct {
		n                         int
		name, typ, constant, stir string
		bits                      []string
	}{
		{vectors, "v", "v128", "(v128.const i32x4 %d 2 3 4)",
			"(i32x4.add (i8x16.shuffle 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 4 %[2]s %[2]s) (v128.xor %[3]s (i32x4.splat (local.get $i))))",
			[]string{"(i64x2.extract_lane 0 %s)", "(i64x2.extract_lane 1 %s)"}},
		{floats, "d", "f64", "(f64.const 1.%d)", "(f64.add (f64.mul %[2]s (f64.const 0.75)) (f64.mul %[3]s (f64.const 0.1875)))",
			[]string{"(i64.reinterpret_f64 %s)"}},
		{floats, "s", "f32", "(f32.const 2.%d)", "(f32.sub (f32.mul %[2]s (f32.const 0.875)) (f32.convert_i32_u (local.get $i)))",
			[]string{"(i64.extend_i32_u (i32.reinterpret_f32 %s))"}},
		{integers, "n", "i64", "(i64.const %d)", "(i64.add (i64.rotl %[2]s (i64.const 7)) (i64.xor %[3]s (i64.extend_i32_u (local.get $i))))",
			[]string{"%s"}},
	} {
		for k := range kind.n {
			local := fmt.Sprintf("$%s%d", kind.name, k)
			next := fmt.Sprintf("(local.get $%s%d)", kind.name, (k+1)%kind.n)
			value := "(local.get " + local + ")"
			fmt.Fprintf(&locals, "(local %s %s)", local, kind.typ)
			fmt.Fprintf(&start, "(local.set %s "+kind.constant+")\n", local, k+1)
			fmt.Fprintf(&turn, "(local.set %s "+kind.stir+")\n", local, value, next)
			for _, bits := range kind.bits {
				fmt.Fprintf(&sum, "(local.set $sum (i64.xor (i64.rotl (local.get $sum) (i64.const 5)) "+bits+"))\n", value)
			}
		}
	}
	return fmt.Sprintf(`(component
  (core module $m
    (func $step (param i32) (result i32) (i32.mul (local.get 0) (i32.const 0x9e3779b1)))
    (func (export "run") (result i64) (local $turn i32) (local $inner i32) (local $i i32) (local $sum i64) %s
      %s
      (local.set $turn (i32.const %d))
      (loop $outer
        (local.set $i (call $step (local.get $turn)))
        (local.set $inner (i32.const 10))
        (loop $again
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          %s
          (br_if $again (local.tee $inner (i32.sub (local.get $inner) (i32.const 1)))))
        (br_if $outer (local.tee $turn (i32.sub (local.get $turn) (i32.const 1)))))
      %s
      (local.get $sum)))
  (core instance $i (instantiate $m))
  (func (export "run") (result u64) (canon lift (core func $i "run"))))`, &locals, &start, turns/10, &turn, &sum)
}

// TestTrapsAcrossTicks traps in a loop after some turns, while the epoch advances.
func TestTrapsAcrossTicks(t *testing.T) {
	restless, _ := restlessEngine(t, Config{})
	for _, tt := range []struct {
		kind TrapKind
		trap string
	}{
		{TrapDivisionByZero, "(drop (i32.div_u (i32.const 1) (local.get $left)))"},
		{TrapMemoryOutOfBounds, "(drop (i32.load (i32.sub (i32.const 65536) (local.get $left))))"},
		{TrapUnreachable, "(if (i32.eqz (local.get $left)) (then unreachable))"},
	} {
		tmpl := prepareOn(t, restless, core(fmt.Sprintf(`(memory 1)
		  (func $spin (local $left i32)
		    (local.set $left (i32.const 50000))
		    (loop $again
		      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
		      %s
		      (br $again)))
		  (func (export "run") call $spin)`, tt.trap)))
		err := run(t, tmpl, InstanceConfig{})
		trap, ok := errors.AsType[*Trap](err)
		if !ok || trap.Kind != tt.kind || len(trap.Frames) != 2 || trap.Frames[0].Function != "spin" {
			t.Errorf("want trap %d in spin, got %+v", tt.kind, err)
		}
	}
}

// TestInterruptFrames checks that a guest that is interrupted in a loop says where it was.
func TestInterruptFrames(t *testing.T) {
	it := NewInterrupt()
	defer it.Close()
	tmpl := prepare(t, `(component
  (import "stop" (func $stop))
  (core func $low (canon lower (func $stop)))
  (core module $m
    (func $stop (import "" "stop"))
    (func $spin call $stop (loop $l (br $l)))
    (func (export "run") call $spin))
  (core instance $i (instantiate $m (with "" (instance (export "stop" (func $low))))))
  (func (export "run") (canon lift (core func $i "run"))))`, map[string]HostFunc{"stop": func(*HostCall) error {
		it.Cancel(1)
		return nil
	}}, "run")
	trap := trapOf(t, run(t, tmpl, InstanceConfig{Interrupt: it}))
	if trap.Kind != TrapInterrupted || len(trap.Frames) != 2 || trap.Frames[0].Function != "spin" {
		t.Errorf("trap is %d with frames %v", trap.Kind, trap.Frames)
	}
}
