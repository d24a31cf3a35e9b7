package wasmtime

import "testing"

// diver goes down as many calls as it is told, and then calls f.
const diver = `(component
  (import "f" (func $f))
  (core func $lowered (canon lower (func $f)))
  (core module $m
    (import "host" "f" (func $f))
    (func $run (export "run") (param i32)
      (if (local.get 0)
        (then (call $run (i32.sub (local.get 0) (i32.const 1))))
        (else (call $f)))))
  (core instance $i (instantiate $m (with "host" (instance (export "f" (func $lowered))))))
  (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))`

// dive calls a new diver.
func dive(tmpl *Template, outer *Instance, calls uint32) error {
	return diveBy((*Instance).Call, tmpl, outer, calls)
}

func diveBy(call func(*Instance, int, *Arena) (*Result, error), tmpl *Template, outer *Instance, calls uint32) error {
	i, err := tmpl.NewInstance(InstanceConfig{Outer: outer, Data: new(*Instance)})
	if err != nil {
		return err
	}
	defer i.Close()
	*i.config.Data.(**Instance) = i //nolint:forcetypeassert // it was put there
	a := NewArena()
	defer a.Free()
	a.SetU32(a.Args(1).At(0), calls)
	r, err := call(i, 0, a)
	if err == nil {
		r.Close()
	}
	return err
}

// TestNesting has as many instances in a call on one thread as there may be, all of which use up their stacks, and the last one
// more than it has.
func TestNesting(t *testing.T) {
	shallow := prepare(t, diver, map[string]HostFunc{"f": func(*HostCall) error { return nil }}, "run")
	deep, tooDeep := uint32(0), uint32(1)<<20
	for tooDeep-deep > 64 {
		middle := (deep + tooDeep) / 2
		if err := dive(shallow, nil, middle); err == nil {
			deep = middle
		} else if trap := trapOf(t, err); trap.Kind == TrapStackOverflow {
			tooDeep = middle
		} else {
			t.Fatal(err)
		}
	}
	levels, reached := testEngine().Nesting(), 0
	if levels < 2 {
		t.Skip("threads have room for one guest only")
	}
	var last error
	var tmpl *Template
	tmpl = prepare(t, diver, map[string]HostFunc{"f": func(call *HostCall) error {
		reached++
		outer := *call.Data().(**Instance) //nolint:forcetypeassert // dive put it there
		if reached == levels-1 {
			last = dive(tmpl, outer, 2*tooDeep)
			return nil
		}
		return dive(tmpl, outer, deep)
	}}, "run")
	for way, call := range map[string]func(*Instance, int, *Arena) (*Result, error){"here": (*Instance).Call, "apart": (*Instance).CallApart} {
		last, reached = nil, 0
		if err := diveBy(call, tmpl, nil, deep); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		if trap := trapOf(t, last); trap.Kind != TrapStackOverflow || reached != levels-1 {
			t.Errorf("%s: %v after %d levels of %d", way, last, reached, levels)
		}
	}
}

// TestInterruptOuter interrupts an instance that waits for another on the same thread, which stops that one. What interrupts
// the inner one leaves the outer one be.
func TestInterruptOuter(t *testing.T) {
	spin := prepare(t, core(`(func (export "run") (loop (br 0)))`), nil, "run")
	var inner error
	var calls func(outer *Instance)
	tmpl := prepare(t, diver, map[string]HostFunc{"f": func(call *HostCall) error {
		calls(*call.Data().(**Instance)) //nolint:forcetypeassert // dive put it there
		return nil
	}}, "run")
	its, own := NewInterrupt(), NewInterrupt()
	defer its.Close()
	defer own.Close()
	outer, err := tmpl.NewInstance(InstanceConfig{Interrupt: its, Data: new(*Instance)})
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	*outer.config.Data.(**Instance) = outer //nolint:forcetypeassert // it was put there
	call := func() error {
		a := NewArena()
		defer a.Free()
		a.SetU32(a.Args(1).At(0), 1)
		r, err := outer.Call(0, a)
		if err == nil {
			r.Close()
		}
		return err
	}
	calls = func(outer *Instance) {
		own.Cancel(1)
		inner = run(t, spin, InstanceConfig{Interrupt: own, Outer: outer})
	}
	if err := call(); err != nil {
		t.Errorf("the outer one: %v", err)
	}
	if trap := trapOf(t, inner); trap.Kind != TrapInterrupted {
		t.Errorf("the inner one: %v", trap)
	}
	calls = func(outer *Instance) {
		its.Cancel(1)
		inner = run(t, spin, InstanceConfig{Outer: outer})
	}
	if err := call(); err != nil { // it does nothing any more in which it could be stopped
		t.Errorf("the outer one: %v", err)
	}
	if trap := trapOf(t, inner); trap.Kind != TrapInterrupted {
		t.Errorf("the inner one: %v", trap)
	}
}
