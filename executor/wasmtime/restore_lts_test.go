//go:build wasmtime_lts

package wasmtime

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// changing is the text of a component with all that calls can change. It exports look, which stirs all of that together, and functions
// that change it, some of them so that it can't be put back.
const changing = `(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $libc
    (memory (export "memory") 2)
    (global (export "shared") (mut i32) (i32.const 11))
    (table (export "table") 8 funcref)
    (data (i32.const 70000) "initial contents"))
  (core instance $libc (instantiate $libc))
  (core module $m
    (import "libc" "memory" (memory 2))
    (import "libc" "table" (table $theirs 8 funcref))
    (import "libc" "shared" (global $shared (mut i32)))
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (type $number (func (result i64)))
    (memory $second 1)
    (table $own 6 20 funcref)
    (global $long (mut i64) (i64.const 5))
    (global $double (mut f64) (f64.const 2.5))
    (global $wide (mut v128) (v128.const i64x2 3 4))
    (global $function (mut funcref) (ref.null func))
    (global $started (mut i32) (i32.const 0))
    (data $passive "passive!")
    (elem (table $own) (i32.const 1) func $one $two)
    (elem (table $theirs) (i32.const 3) func $three)
    (elem declare func $four)
    (func $one (result i64) (i64.const 1))
    (func $two (result i64) (i64.const 2))
    (func $three (result i64) (i64.const 3))
    (func $four (result i64) (i64.const 4))
    (func $start
      (global.set $started (i32.add (global.get $started) (i32.const 1)))
      (i32.store (i32.const 9000) (i32.add (i32.load (i32.const 9000)) (i32.const 77)))
      (i32.store $second (i32.const 60000) (i32.const 99)))
    (start $start)

    (func $stir (param $a i64) (param $b i64) (result i64)
      (i64.add (i64.mul (i64.rotl (local.get $a) (i64.const 9)) (i64.const 0x9e3779b97f4a7c15)) (local.get $b)))
    (func $stir-own (param $sum i64) (result i64) (local $i i32)
      (local.set $sum (call $stir (local.get $sum) (i64.extend_i32_u (table.size $own))))
      (loop $next
        (local.set $sum (call $stir (local.get $sum) (if (result i64) (ref.is_null (table.get $own (local.get $i)))
          (then (i64.const 0)) (else (call_indirect $own (type $number) (local.get $i))))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (table.size $own))))
      (local.get $sum))
    (func $stir-theirs (param $sum i64) (result i64) (local $i i32)
      (loop $next
        (local.set $sum (call $stir (local.get $sum) (if (result i64) (ref.is_null (table.get $theirs (local.get $i)))
          (then (i64.const 0)) (else (call_indirect $theirs (type $number) (local.get $i))))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
      (local.get $sum))
    (func $stir-memories (param $sum i64) (result i64) (local $i i32)
      (loop $next
        (local.set $sum (call $stir (local.get $sum) (i64.load (local.get $i))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.mul (memory.size 0) (i32.const 65536)))))
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $sum (call $stir (local.get $sum) (i64.load $second (local.get $i))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8)))
          (i32.mul (memory.size $second) (i32.const 65536)))))
      (call $stir (local.get $sum) (i64.extend_i32_u (i32.add (memory.size 0) (i32.shl (memory.size $second) (i32.const 8))))))

    ;; Each look finds the segment, a handle of the same number, and the globals.
    (func (export "look") (result i64) (local $sum i64) (local $handle i32)
      (local.set $sum (call $stir-memories (call $stir-own (call $stir-theirs (i64.const 1)))))
      (local.set $handle (call $new (i32.const 5)))
      (local.set $sum (call $stir (local.get $sum) (i64.extend_i32_u (local.get $handle))))
      (call $drop (local.get $handle))
      (memory.init $passive (i32.const 500) (i32.const 0) (i32.const 8))
      (local.set $sum (call $stir (local.get $sum) (i64.load (i32.const 500))))
      (local.set $sum (call $stir (local.get $sum) (global.get $long)))
      (local.set $sum (call $stir (local.get $sum) (i64.reinterpret_f64 (global.get $double))))
      (local.set $sum (call $stir (local.get $sum) (i64x2.extract_lane 1 (global.get $wide))))
      (local.set $sum (call $stir (local.get $sum) (i64.extend_i32_u (ref.is_null (global.get $function)))))
      (local.set $sum (call $stir (local.get $sum) (i64.extend_i32_u (global.get $shared))))
      (call $stir (local.get $sum) (i64.extend_i32_u (global.get $started))))

    (func (export "globals") (param $by i32)
      (global.set $long (i64.extend_i32_u (local.get $by)))
      (global.set $double (f64.convert_i32_u (local.get $by)))
      (global.set $wide (i64x2.splat (i64.extend_i32_u (local.get $by))))
      (global.set $function (ref.func $four))
      (global.set $shared (local.get $by))
      (global.set $started (local.get $by)))
    (func (export "tables") (param $by i32)
      (table.fill $own (i32.const 0) (ref.func $four) (i32.const 6))
      (table.set $own (i32.rem_u (local.get $by) (i32.const 6)) (ref.null func))
      (table.copy $theirs $own (i32.const 0) (i32.const 0) (i32.const 6))
      (table.set $theirs (i32.rem_u (local.get $by) (i32.const 8)) (ref.func $four)))
    (func (export "segments") (param $by i32) (data.drop $passive))
    (func (export "handles") (param $by i32) (local $a i32) (local $b i32) (local $c i32)
      (local.set $a (call $new (local.get $by)))
      (local.set $b (call $new (local.get $by)))
      (local.set $c (call $new (local.get $by)))
      (call $drop (local.get $b)) (call $drop (local.get $a)) (call $drop (local.get $c)))
    (func (export "memories") (param $by i32)
      (i32.store8 (local.get $by) (i32.const 255))
      (i32.store8 $second (i32.rem_u (local.get $by) (i32.const 65536)) (i32.const 254))
      (memory.fill (i32.const 66000) (i32.const 253) (i32.const 9000)))
    (func (export "memories-grow") (param $by i32)
      (if (i32.eq (memory.size 0) (i32.const 2)) (then (drop (memory.grow 0 (i32.const 40)))))
      (if (i32.eq (memory.size $second) (i32.const 1)) (then (drop (memory.grow $second (i32.const 3)))))
      (memory.fill (i32.const 0) (i32.const 252) (i32.mul (memory.size 0) (i32.const 65536)))
      (memory.fill $second (i32.const 0) (i32.const 251) (i32.mul (memory.size $second) (i32.const 65536))))
    (func (export "table-grows") (param $by i32) (drop (table.grow $own (ref.func $four) (i32.const 2))))
    (func (export "handle-left") (param $by i32) (drop (call $new (local.get $by))))
    (func (export "trap") (param $by i32) unreachable))
  (core instance $i (instantiate $m (with "libc" (instance $libc))
    (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func (export "look") (result u64) (canon lift (core func $i "look")))
  (func (export "globals") (param "by" u32) (canon lift (core func $i "globals")))
  (func (export "tables") (param "by" u32) (canon lift (core func $i "tables")))
  (func (export "segments") (param "by" u32) (canon lift (core func $i "segments")))
  (func (export "handles") (param "by" u32) (canon lift (core func $i "handles")))
  (func (export "memories") (param "by" u32) (canon lift (core func $i "memories")))
  (func (export "memories-grow") (param "by" u32) (canon lift (core func $i "memories-grow")))
  (func (export "table-grows") (param "by" u32) (canon lift (core func $i "table-grows")))
  (func (export "handle-left") (param "by" u32) (canon lift (core func $i "handle-left")))
  (func (export "trap") (param "by" u32) (canon lift (core func $i "trap"))))`

// What changing exports: look, what Restore undoes, and what it does not.
var (
	undone = []string{"globals", "tables", "segments", "handles", "memories", "memories-grow"}
	lasts  = []string{"table-grows", "handle-left", "trap"}
)

// restorable prepares a component without WASI that exports functions of the world.
func restorable(t *testing.T, e *Engine, text string, funcs map[string]HostFunc, exports ...string) *Template {
	t.Helper()
	if !scansPagemap(t) {
		t.Skip("the kernel can't tell which pages were written")
	}
	l := e.NewLinker()
	t.Cleanup(l.Close)
	for name, f := range funcs {
		if err := l.Define("", name, f); err != nil {
			t.Fatal(err)
		}
	}
	var all []Export
	for _, name := range exports {
		all = append(all, Export{Function: name})
	}
	tmpl, err := l.Prepare(compile(t, e, text), all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tmpl.Close)
	return tmpl
}

// looked is what look returns, which changes the instance itself.
func looked(t *testing.T, i *Instance) uint64 {
	t.Helper()
	r, err := i.Call(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	v, _ := r.Value()
	return v.U64()
}

func change(i *Instance, export int, by uint32) error {
	a := NewArena()
	defer a.Free()
	a.SetU32(a.Args(1).At(0), by)
	r, err := i.Call(export, a)
	if err == nil {
		r.Close()
	}
	return err
}

// TestRestore changes all that there is of an instance, and compares it with new ones when it was restored.
func TestRestore(t *testing.T) {
	exports := append([]string{"look"}, undone...)
	tmpl := restorable(t, testEngine(), changing, nil, exports...)
	fresh := func() uint64 { return looked(t, instance(t, tmpl, InstanceConfig{})) }
	want := fresh()
	i := instance(t, tmpl, InstanceConfig{Restorable: true})
	random := rand.New(rand.NewPCG(1, 2))
	for round := range effort(300) {
		if round%10 == 0 && fresh() != want {
			t.Fatal("new instances differ")
		}
		var made []string
		for range random.IntN(4) {
			export := 1 + random.IntN(len(undone))
			by := random.Uint32N(2 * wasmPage)
			made = append(made, fmt.Sprintf("%s(%d)", exports[export], by))
			if err := change(i, export, by); err != nil {
				t.Fatalf("%v: %v", made, err)
			}
		}
		if !i.Restore(nil) {
			t.Fatalf("%v: it was not restored", made)
		}
		if got := looked(t, i); got != want {
			t.Fatalf("round %d: after %v it is %x, as new %x", round, made, got, want)
		}
		if len(made) > 0 && looked(t, i) == want {
			t.Fatal("look did not change it")
		}
		if !i.Restore(nil) {
			t.Fatal("it was not restored after look")
		}
	}
	// Each function changes something that is seen, if it is not undone.
	for export := 1; export < len(exports); export++ {
		i := instance(t, tmpl, InstanceConfig{})
		if err := change(i, export, 7); err != nil {
			t.Fatal(err)
		}
		switch r, err := i.Call(0, nil); {
		case exports[export] == "segments" && err == nil:
			t.Error("the segment is there")
		case err == nil:
			v, _ := r.Value()
			if v.U64() == want {
				t.Errorf("%s changes nothing", exports[export])
			}
			r.Close()
		}
	}
}

// TestRestoreFails has calls do what isn't undone.
func TestRestoreFails(t *testing.T) {
	tmpl := restorable(t, testEngine(), changing, nil, append([]string{"look"}, lasts...)...)
	for export, name := range lasts {
		i := instance(t, tmpl, InstanceConfig{Restorable: true})
		if err := change(i, export+1, 1); (err != nil) != (name == "trap") {
			t.Errorf("%s: %v", name, err)
		}
		if i.Restore(nil) {
			t.Errorf("%s: it was restored", name)
		}
		if err := change(i, export+1, 1); err == nil {
			t.Errorf("%s: it can be called", name)
		}
	}
	if i := instance(t, tmpl, InstanceConfig{}); i.Restores() || i.Restore(nil) {
		t.Error("one that was not to be restorable is")
	}
}

// TestRestoreMuch has calls write less and more than what stays resident of each memory.
func TestRestoreMuch(t *testing.T) {
	e, err := NewEngine(Config{KeepResident: residentAlways})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	tmpl := restorable(t, e, changing, nil, "look", "memories", "memories-grow")
	fresh := func() uint64 { return looked(t, instance(t, tmpl, InstanceConfig{})) }
	want := fresh()
	for range effort(30) {
		i := instance(t, tmpl, InstanceConfig{Restorable: true})
		for export, restored := range []bool{true, true, false} {
			if export > 0 {
				if err := change(i, export, 3); err != nil {
					t.Fatal(err)
				}
			} else {
				looked(t, i)
			}
			if i.Restore(nil) != restored {
				t.Fatalf("export %d: it was restored: %v", export, !restored)
			}
		}
		i.Close()
		if fresh() != want {
			t.Fatal("a new instance differs")
		}
	}
}

// TestRestores makes instances that can't be restored.
func TestRestores(t *testing.T) {
	asks := `(component
  (import "ask" (func $ask (result u64)))
  (core func $ask (canon lower (func $ask)))
  (core module $m
    (import "" "ask" (func $ask (result i64)))
    (memory 1)
    (func $start %s)
    (start $start)
    (func (export "run") (result i64) (call $ask)))
  (core instance $i (instantiate $m (with "" (instance (export "ask" (func $ask))))))
  (func (export "run") (result u64) (canon lift (core func $i "run"))))`
	ask := map[string]HostFunc{"ask": func(c *HostCall) error {
		c.Arena().SetU64(c.Result(), 7)
		return nil
	}}
	written := func(pages int) string {
		return fmt.Sprintf(asks, fmt.Sprintf("(local $i i32) (drop (memory.grow (i32.const 9)))"+
			"(loop $next (i32.store8 (i32.mul (local.get $i) (i32.const 4096)) (i32.const 1))"+
			"(br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const %d))))", pages))
	}
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"asks nobody":          {fmt.Sprintf(asks, ""), true},
		"asks while it starts": {fmt.Sprintf(asks, "(drop (call $ask))"), false},
		"writes 127 pages":     {written(127), true},
		"writes 128 pages":     {written(128), false},
		"has elements": {core(`(table 1 funcref) (elem $e funcref (ref.null func))
    (func (export "run") (table.init $e (i32.const 0) (i32.const 0) (i32.const 1)))`), false},
		"has a table":         {core(`(table 65000 funcref) (func (export "run"))`), true},
		"has a larger table":  {core(`(table 65536 funcref) (func (export "run"))`), false},
		"has tables together": {core(`(table 33000 funcref) (table 33000 funcref) (func (export "run"))`), false},
	} {
		tmpl := restorable(t, testEngine(), c.text, ask, "run")
		i := instance(t, tmpl, InstanceConfig{Restorable: true})
		if i.Restores() != c.want {
			t.Errorf("%s: restores: %v", name, i.Restores())
		}
		for range 3 {
			r, err := i.Call(0, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if i.Restore(r) != c.want {
				t.Errorf("%s: it was restored: %v", name, !c.want)
			}
			if !c.want {
				break
			}
		}
	}
}

// TestRestoreResources has guests drop all resources of the host that they were given, and keep one.
func TestRestoreResources(t *testing.T) {
	s := newShelf(t)
	for export, want := range map[int]bool{1: true, 0: false} { // drop, keep
		i := instance(t, s.tmpl, InstanceConfig{Restorable: true})
		for range 2 {
			r, err := i.Call(export, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := i.Restore(r); got != want {
				t.Fatalf("export %d: it was restored: %v", export, got)
			}
			if !want {
				break
			}
		}
	}
}

// TestRestoreKeepsNothing restores an instance so often that whatever was kept each time would show.
func TestRestoreKeepsNothing(t *testing.T) {
	tmpl := restorable(t, testEngine(), changing, nil, append([]string{"look"}, undone...)...)
	i := instance(t, tmpl, InstanceConfig{Restorable: true})
	again := func(rounds int) {
		for round := range rounds {
			if err := change(i, 1+round%4, uint32(round)); err != nil { // all but what writes to memories
				t.Fatal(err)
			}
			if !i.Restore(nil) {
				t.Fatal("it was not restored")
			}
		}
	}
	again(1000)
	rounds := effort(100_000)
	var more [5]int // a young process grows in some of them, but a leak is in all
	for window := range more {
		before := resident(t)
		again(rounds)
		if more[window] = resident(t) - before; more[window] <= rounds*8+(1<<20) {
			return
		}
	}
	t.Errorf("%d bytes more after %d rounds each", more, rounds)
}
