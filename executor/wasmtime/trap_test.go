package wasmtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// trapOf returns the trap in an error.
func trapOf(t testing.TB, err error) *Trap {
	t.Helper()
	var trap *Trap
	if !errors.As(err, &trap) {
		t.Fatalf("error is %v, not a trap", err)
	}
	return trap
}

func TestTraps(t *testing.T) {
	for _, tt := range []struct {
		kind    TrapKind
		message string
		body    string
	}{
		{TrapUnreachable, "wasm `unreachable` instruction executed", `(func (export "run") unreachable)`},
		{TrapStackOverflow, "call stack exhausted", `(func $r (export "run") call $r)`},
		{TrapMemoryOutOfBounds, "memory fault at wasm address 0xfffffffc in linear memory of size 0x10000: out of bounds memory access",
			`(memory 1) (func (export "run") (drop (i32.load (i32.const -4))))`},
		{TrapTableOutOfBounds, "undefined element: out of bounds table access",
			`(table 1 funcref) (func (export "run") (call_indirect (i32.const 9)))`},
		{TrapIndirectCallNull, "uninitialized element", `(table 1 funcref) (func (export "run") (call_indirect (i32.const 0)))`},
		{TrapBadSignature, "indirect call type mismatch",
			`(table funcref (elem $f)) (func $f (param i64)) (func (export "run") (call_indirect (i32.const 0)))`},
		{TrapIntegerOverflow, "integer overflow",
			`(func (export "run") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))`},
		{TrapDivisionByZero, "integer divide by zero", `(func (export "run") (drop (i32.div_u (i32.const 1) (i32.const 0))))`},
		{TrapBadConversion, "invalid conversion to integer", `(func (export "run") (drop (i32.trunc_f32_s (f32.const nan))))`},
	} {
		t.Run(tt.message, func(t *testing.T) {
			trap := trapOf(t, run(t, prepare(t, core(tt.body), nil, "run"), InstanceConfig{}))
			if trap.Kind != tt.kind || !strings.Contains(trap.Message, tt.message) {
				t.Errorf("trap is %v, %q", trap.Kind, trap.Message)
			}
			if strings.Contains(trap.Message, "\n") || strings.Contains(trap.Message, "backtrace") {
				t.Errorf("message has more than the cause: %q", trap.Message)
			}
			if len(trap.Frames) == 0 {
				t.Error("no backtrace")
			}
			_, err := instance(t, prepare(t, core(tt.body), nil, "run"), InstanceConfig{}).CallApart(0, nil)
			if apart := trapOf(t, err); apart.Kind != trap.Kind || apart.Message != trap.Message || len(apart.Frames) != len(trap.Frames) {
				t.Errorf("apart the trap is %v, %q, with %d frames", apart.Kind, apart.Message, len(apart.Frames))
			}
		})
	}
}

// TestBadResults is about results that their type does not allow.
func TestBadResults(t *testing.T) {
	for _, tt := range []struct{ typ, result, message string }{
		{"string", "(i32.const 65532)", "pointer out of bounds of memory"},
		{"string", "(i32.const 0)", "invalid utf-8"},
		{"string", "(i32.const 8)", "out of bounds"},
		{"(list u32)", "(i32.const 8)", "out of bounds"},
		{"(list u32)", "(i32.const 32)", "list pointer is not aligned"},
		{"char", "(i32.const 0xd800)", "out of range for `char`"},
		{"(option u8)", "(i32.const 16)", "discriminant 7 out of range"},
		{`(enum "a" "b")`, "(i32.const 2)", "discriminant 2 out of range"},
		{"(tuple u8 u64)", "(i32.const 3)", "return pointer not aligned"},
	} {
		text := fmt.Sprintf(`(component
  (type $t-def %s) (import "t" (type $t (eq $t-def)))
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\00\00\00\02\00\00\00")
    (data (i32.const 8) "\40\00\00\00\ff\ff\ff\0f")
    (data (i32.const 16) "\07")
    (data (i32.const 32) "\41\00\00\00\01\00\00\00")
    (data (i32.const 64) "\ff\ff")
    (func (export "run") (result i32) %s))
  (core instance $i (instantiate $m))
  (func (export "run") (result $t) (canon lift (core func $i "run") (memory $i "memory"))))`, tt.typ, tt.result)
		err := run(t, prepare(t, text, nil, "run"), InstanceConfig{})
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, tt.message) {
			t.Errorf("%s from %s gave %v, want %q", tt.typ, tt.result, err, tt.message)
		}
	}
}

func TestBacktraceNames(t *testing.T) {
	err := run(t, prepare(t, core(`
    (func $_ZN4core9panicking5panic17h0123456789abcdefE unreachable)
    (func $_RNvCs1234_7mycrate3foo call $_ZN4core9panicking5panic17h0123456789abcdefE)
    (func call $_RNvCs1234_7mycrate3foo)
    (func (export "run") call 2)`), nil, "run"), InstanceConfig{})
	var names []string
	for _, f := range trapOf(t, err).Frames {
		names = append(names, f.String())
	}
	if got, want := strings.Join(names, ", "), "core::panicking::panic, mycrate::foo, function 2, function 3"; got != want {
		t.Errorf("frames are %s, want %s", got, want)
	}
}

func TestDeadAfterTrap(t *testing.T) {
	i := instance(t, prepare(t, core(`(func (export "run") unreachable)`), nil, "run"), InstanceConfig{})
	_ = trapOf(t, call0(i))
	var e *Error
	if err := call0(i); !errors.As(err, &e) {
		t.Errorf("second call gave %v", err)
	}
}

func call0(i *Instance) error {
	r, err := i.Call(0, nil)
	if err == nil {
		r.Close()
	}
	return err
}

const endless = `(func (export "run") (loop $l (br $l)))`

func TestInterrupt(t *testing.T) {
	tmpl := prepare(t, core(endless), nil, "run")
	it := NewInterrupt()
	defer it.Close()
	go it.Cancel(7)
	trap := trapOf(t, run(t, tmpl, InstanceConfig{Interrupt: it}))
	if trap.Kind != TrapInterrupted || it.Cause() != 7 {
		t.Errorf("trap is %d, %q, cause %d", trap.Kind, trap.Message, it.Cause())
	}
	it.Cancel(8)
	if it.Cause() != 7 {
		t.Errorf("a second Cancel changed the cause to %d", it.Cause())
	}
}

func TestInterruptStart(t *testing.T) {
	tmpl := prepare(t, `(component (core module $m (func $s (loop $l (br $l))) (start $s)) (core instance (instantiate $m)))`, nil)
	it := NewInterrupt()
	defer it.Close()
	it.Cancel(1)
	_, err := tmpl.NewInstance(InstanceConfig{Interrupt: it})
	if trap := trapOf(t, err); trap.Kind != TrapInterrupted {
		t.Errorf("trap is %d, %q", trap.Kind, trap.Message)
	}
}

// TestUninterruptible checks that only code of an engine with interrupts looks at them, and that neither loads that of the
// other.
func TestUninterruptible(t *testing.T) {
	e, err := NewEngine(Config{Uninterruptible: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Fingerprint() == testEngine().Fingerprint() {
		t.Error("the engine has the fingerprint of one with interrupts")
	}
	l := e.NewLinker()
	defer l.Close()
	const loop = `(func (export "run") (local i32)
	  (loop $l (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))`
	tmpl, err := l.Prepare(compile(t, e, core(loop)), []Export{{Function: "run"}})
	if err != nil {
		t.Fatal(err)
	}
	defer tmpl.Close()
	it := NewInterrupt()
	defer it.Close()
	it.Cancel(1)
	cancelled := instance(t, tmpl, InstanceConfig{Interrupt: it})
	e.Tick()
	if err := call0(cancelled); err != nil {
		t.Errorf("the guest was stopped: %v", err)
	}
	cancelled = instance(t, prepare(t, core(loop), nil, "run"), InstanceConfig{Interrupt: it})
	testEngine().Tick()
	if trap := trapOf(t, call0(cancelled)); trap.Kind != TrapInterrupted {
		t.Errorf("with interrupts the trap is %d, %q", trap.Kind, trap.Message)
	}
}

// TestInterruptReuse checks that a Cancel that comes late does not hit the next user of the same memory.
func TestInterruptReuse(t *testing.T) {
	old := NewInterrupt()
	old.Cancel(1)
	old.Close()
	fresh := again(t, old)
	defer fresh.Close()
	old.Cancel(2)
	old.Close()
	if fresh.Cause() != 0 || old.Cause() != 0 {
		t.Errorf("causes are %d and %d", fresh.Cause(), old.Cause())
	}
	if err := run(t, prepare(t, core(`(func (export "run"))`), nil, "run"), InstanceConfig{Interrupt: fresh}); err != nil {
		t.Error(err)
	}
}

// TestTrapsOnManyThreads runs every kind of failure on 16 threads at once, with the collector busy.
func TestTrapsOnManyThreads(t *testing.T) {
	bodies := map[TrapKind]string{
		TrapUnreachable:       `(func (export "run") unreachable)`,
		TrapStackOverflow:     `(func $r (export "run") call $r)`,
		TrapMemoryOutOfBounds: `(memory 1) (func (export "run") (drop (i32.load (i32.const -4))))`,
		TrapDivisionByZero:    `(func (export "run") (drop (i32.div_u (i32.const 1) (i32.const 0))))`,
		TrapInterrupted:       endless,
	}
	tmpls := map[TrapKind]*Template{}
	for kind, body := range bodies {
		tmpls[kind] = prepare(t, core(body), nil, "run")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var garbage sync.WaitGroup
	garbage.Go(func() {
		for ctx.Err() == nil {
			_ = make([]byte, 1<<20)
		}
	})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range effort(30) {
				for kind, tmpl := range tmpls {
					it := NewInterrupt()
					if kind == TrapInterrupted {
						it.Cancel(1)
					}
					err := oneCall(tmpl, InstanceConfig{Interrupt: it})
					if trap, ok := errors.AsType[*Trap](err); !ok || trap.Kind != kind {
						t.Errorf("want trap %d, got %v", kind, err)
					}
					it.Close()
				}
			}
		})
	}
	wg.Wait()
	cancel()
	garbage.Wait()
}

// oneCall makes an instance, calls export 0 without arguments and drops both.
func oneCall(tmpl *Template, config InstanceConfig) error {
	i, err := tmpl.NewInstance(config)
	if err != nil {
		return err
	}
	defer i.Close()
	return call0(i)
}
