package wasmtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// loop is the text of a loop. TURN in it takes a step and stirs it into $sum; the local $n bounds the steps.
type loop struct {
	name, text string
	ends       bool // whatever the bound
}

// loops are of every kind that the long-term-support engine unrolls, and of some that it leaves.
var loops = []loop{
	{name: "a condition at the end", text: `(loop $again TURN (br_if $again (i32.lt_u (local.get $i) (local.get $n))))`},
	{name: "a condition at the start", text: `(block $out (loop $again
		(br_if $out (i32.ge_u (local.get $i) (local.get $n))) TURN (br $again)))`},
	{name: "turns from its middle", text: `(loop $again TURN
		(br_if $again (i32.and (i32.lt_u (local.get $i) (local.get $n)) (i32.ne (i32.rem_u (local.get $i) (i32.const 3)) (i32.const 2))))
		(local.set $sum (i64.add (local.get $sum) (i64.const 77)))
		(br_if $again (i32.lt_u (local.get $i) (local.get $n))))`},
	{name: "turns from blocks in it", text: `(loop $again TURN
		(block $odd
			(br_if $odd (i32.and (local.get $i) (i32.const 1)))
			(if (i32.lt_u (local.get $i) (local.get $n)) (then (br $again)) (else (br $odd))))
		(if (i32.lt_u (local.get $i) (local.get $n)) (then (local.set $sum (i64.xor (local.get $sum) (i64.const 9))) (br $again))))`},
	{name: "exits to two blocks", text: `(block $far (block $near (loop $again TURN
		(br_if $far (i32.eq (local.get $i) (i32.const 7)))
		(br_if $near (i32.ge_u (local.get $i) (local.get $n)))
		(br $again)))
		(local.set $sum (i64.mul (local.get $sum) (i64.const 31))))`},
	{name: "exits from a block in it", text: `(block $far (block $near (loop $again TURN
		(if (i32.ge_u (local.get $i) (local.get $n))
			(then (block (br_if $near (i32.and (local.get $i) (i32.const 1)))) (br $far)))
		(br_if $again (i32.const 1))))
		(local.set $sum (i64.mul (local.get $sum) (i64.const 31))))`},
	{name: "a return", text: `(loop $again TURN
		(if (i32.ge_u (local.get $i) (local.get $n)) (then (return (i64.add (local.get $sum) (i64.const 1)))))
		(br $again))`},
	{name: "a value below it on the stack", text: `(i64.const 5) (loop $again TURN
		(br_if $again (i32.lt_u (local.get $i) (local.get $n)))) (local.set $sum (i64.add (local.get $sum)))`},
	{name: "values in it on the stack", text: `(loop $again
		(i64.load (i32.const 8)) TURN (i64.store (i32.const 8) (i64.add (local.get $sum) (i64.const 3)))
		(local.set $sum (i64.xor (local.get $sum)))
		(br_if $again (i32.lt_u (local.get $i) (local.get $n))))`},
	{name: "a loop in a loop", text: `(loop $outer (loop $again TURN
		(br_if $outer (i32.eq (local.get $i) (i32.const 3)))
		(br_if $again (i32.and (i32.lt_u (local.get $i) (local.get $n)) (i32.rem_u (local.get $i) (i32.const 4)))))
		(br_if $outer (i32.lt_u (local.get $i) (local.get $n))))`},
	{name: "a loop after a loop", text: `(loop $again TURN (br_if $again (i32.lt_u (local.get $i) (i32.const 2))))
		(loop $again TURN (br_if $again (i32.lt_u (local.get $i) (local.get $n))))`},
	{name: "a table of branches", text: `(block $out (loop $again TURN
		(br_if $again (i32.eqz (local.get $i)))
		(br_table $again $out (i32.ge_u (local.get $i) (local.get $n)))))`},
	{name: "a call", text: `(loop $again TURN (call $nothing)
		(br_if $again (i32.lt_u (local.get $i) (local.get $n))))`},
	{name: "a result", text: `(local.set $sum (loop $again (result i64) TURN
		(br_if $again (i32.lt_u (local.get $i) (local.get $n))) (i64.add (local.get $sum) (i64.const 11))))`},
	{name: "an end that is not reached", text: `(block $out (loop $again TURN
		(br_if $again (i32.lt_u (local.get $i) (local.get $n))) (br $out) (drop (i32.const 1)) unreachable))`},
	{name: "one turn", text: `(loop $again TURN)`, ends: true},
	{name: "one turn, and out", text: `(block $out (loop $again TURN (br $out)))`, ends: true},
	{name: "no turn", text: `(block $out (br $out) (loop $again TURN (br $again)))`, ends: true},
}

// looping is the text of a component whose function runs a loop, of which each turn has so many operators more. It takes a
// bound for the steps, how long each is, and at which to trap.
func looping(text string, more int) string {
	turn := `(local.set $i (i32.add (local.get $i) (local.get $step)))
		(local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 7)) (i64.extend_i32_u (local.get $i))))
		(drop (i32.div_u (i32.const 1) (i32.sub (local.get $trap) (local.get $i))))` +
		strings.Repeat(` (local.set $sum (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 5))))`, more/6)
	return fmt.Sprintf(`(component
  (core module $m
    (memory 1)
    (func $nothing)
    (func $loops (export "run") (param $n i32) (param $step i32) (param $trap i32) (result i64) (local $i i32) (local $sum i64)
      (local.set $sum (i64.const 1))
      %s
      (local.get $sum)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "n" u32) (param "step" u32) (param "trap" u32) (result u64) (canon lift (core func $i "run"))))`,
		strings.ReplaceAll(text, "TURN", turn))
}

// runLoop calls such a function in an instance of its own.
func runLoop(tmpl *Template, config InstanceConfig, n, step, trap int) (uint64, error) {
	i, err := tmpl.NewInstance(config)
	if err != nil {
		return 0, err
	}
	defer i.Close()
	a := NewArena()
	defer a.Free()
	args := a.Args(3)
	for k, v := range []int{n, step, trap} {
		a.SetU32(args.At(k), uint32(v))
	}
	r, err := i.Call(0, a)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	v, _ := r.Value()
	return v.U64(), nil
}

// loopings are components with each loop in each size that the engine makes a difference of: see lts/patches.
func loopings() []loop {
	var all []loop
	for _, l := range loops {
		for _, more := range []int{0, 30, 150} {
			all = append(all, loop{fmt.Sprintf("%s, %d more", l.name, more), looping(l.text, more), l.ends})
		}
	}
	return all
}

// TestLoops compares what loops compute after each number of turns, and where they trap, with code that never looks at the
// epoch, in which no loop is unrolled.
func TestLoops(t *testing.T) {
	calm, err := NewEngine(Config{Uninterruptible: true})
	if err != nil {
		t.Fatal(err)
	}
	defer calm.Close()
	restless, _ := restlessEngine(t, Config{})
	const never = 1000
	for _, l := range loopings() {
		t.Run(l.name, func(t *testing.T) {
			plain, unrolled := prepareOn(t, calm, l.text), prepareOn(t, restless, l.text)
			for n := range 14 {
				for _, trap := range []int{never, n, n / 2} {
					want, wantErr := runLoop(plain, InstanceConfig{}, n, 1, trap)
					got, err := runLoop(unrolled, InstanceConfig{}, n, 1, trap)
					if got != want {
						t.Errorf("up to %d, trapping at %d: %x, want %x", n, trap, got, want)
					}
					if wantErr == nil && err == nil {
						continue
					}
					w, g := trapOf(t, wantErr), trapOf(t, err)
					if g.Kind != w.Kind || !slices.Equal(g.Frames, w.Frames) {
						t.Errorf("up to %d, trapping at %d: trap %d at %#v, want %d at %#v", n, trap, g.Kind, g.Frames, w.Kind, w.Frames)
					}
				}
			}
		})
	}
}

// TestLoopsEnd expects loops without an end to look at the epoch again and again, and to be stopped.
func TestLoopsEnd(t *testing.T) {
	for _, l := range loopings() {
		if l.ends {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			it := NewInterrupt()
			defer it.Close()
			tmpl := prepareOn(t, testEngine(), l.text)
			ended := make(chan error, 1)
			go func() {
				_, err := runLoop(tmpl, InstanceConfig{Interrupt: it}, 1, 0, -1)
				ended <- err
			}()
			if trap := stopped(t, it, ended); trap.Kind != TrapInterrupted || trap.Frames[len(trap.Frames)-1].Function != "loops" {
				t.Errorf("trap is %d with frames %v", trap.Kind, trap.Frames)
			}
		})
	}
}
