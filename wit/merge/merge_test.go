package merge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // tests run what they merge
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/merge"
	"github.com/weft-run/weft/wit/wasm"
)

// built is a component as tools build them: code, an adapter, functions that jump to a table, and what fills that. It exports
// tell: func(n: u32) -> u32, which logs n by the adapter and returns what the rest of the code makes of it.
const built = `
(component
  (import "demo:log/log@1.0.0" (instance $log
    (export "write" (func (param "text" (list u8)) (result u32)))
    (export "count" (func (result u32)))))
  (core module $shim
    (type $write (func (param i32 i32) (result i32)))
    (table $t (export "$imports") 1 1 funcref)
    (func (export "0") (param i32 i32) (result i32)
      (call_indirect $t (type $write) (local.get 0) (local.get 1) (i32.const 0))))
  (core module $main
    (import "old" "print" (func $print (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (func $tell (export "tell") (param i32) (result i32)
      (i32.add (call $print (local.get 0)) (i32.load8_u (i32.const 8))))
    (data (i32.const 8) "\07"))
  (core module $adapter
    (import "env" "memory" (memory 0))
    (import "main" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "new" "write" (func $write (param i32 i32) (result i32)))
    (import "new" "count" (func $count (result i32)))
    (func (export "print") (param i32) (result i32) (local $at i32)
      (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
      (i32.store (local.get $at) (local.get 0))
      (i32.add (call $write (local.get $at) (i32.const 4)) (i32.mul (i32.const 100) (call $count)))))
  (core module $fixup
    (import "" "0" (func (param i32 i32) (result i32)))
    (import "" "1" (func (param i32) (result i32)))
    (import "" "$imports" (table 1 1 funcref))
    (import "" "late" (table 1 1 funcref))
    (elem (table 0) (i32.const 0) func 0)
    (elem (table 1) (i32.const 0) func 1))
  (core module $late
    (type $print (func (param i32) (result i32)))
    (table $t (export "$imports") 1 1 funcref)
    (func (export "print") (param i32) (result i32)
      (call_indirect $t (type $print) (local.get 0) (i32.const 0))))
  (core instance $shim (instantiate $shim))
  (core instance $late (instantiate $late))
  (alias core export $late "print" (core func $print))
  (core instance $old (export "print" (func $print)))
  (core instance $main (instantiate $main (with "old" (instance $old))))
  (alias core export $main "memory" (core memory $memory))
  (core instance $env (export "memory" (memory $memory)))
  (alias core export $main "cabi_realloc" (core func $realloc))
  (core instance $__main (export "cabi_realloc" (func $realloc)))
  (alias core export $shim "0" (core func $write))
  (alias export $log "count" (func $count))
  (core func $count' (canon lower (func $count)))
  (core instance $new (export "write" (func $write)) (export "count" (func $count')))
  (core instance $adapter (instantiate $adapter
    (with "env" (instance $env)) (with "main" (instance $__main)) (with "new" (instance $new))))
  (alias core export $adapter "print" (core func $printed))
  (alias export $log "write" (func $written))
  (core func $written' (canon lower (func $written) (memory $memory)))
  (alias core export $shim "$imports" (core table $imports))
  (alias core export $late "$imports" (core table $lates))
  (core instance $fixed (export "0" (func $written')) (export "1" (func $printed))
    (export "$imports" (table $imports)) (export "late" (table $lates)))
  (core instance (instantiate $fixup (with "" (instance $fixed))))
  (alias core export $main "tell" (core func $tell'))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $tell')))
  (instance $api (export "tell" (func $tell)))
  (export "demo:chain/a@1.0.0" (instance $api)))`

// all uses every instruction that names something of its module, between modules that define it and one that imports it.
const all = `
(component
  (core module $defines
    (memory (export "memory") 1)
    (table (export "table") 8 8 funcref)
    (global (export "base") i32 (i32.const 3))
    (global (export "seed") (mut i64) (i64.const -5))
    (global (export "ratio") f64 (f64.const 2.5))
    (type (func)) (type (func (param f32)))
    (func $unused (type 1))
    (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (elem (i32.const 0) func $unused)
    (data (i32.const 0) "abcdefgh"))
  (core module $uses
    (type $f (func (param i32) (result i32)))
    (type $two (func (param i32 i32) (result i32 i32)))
    (import "d" "base" (global $base i32))
    (import "d" "ratio" (global $ratio f64))
    (import "d" "seed" (global $seed (mut i64)))
    (import "d" "twice" (func $twice (type $f)))
    (import "d" "memory" (memory 1))
    (import "d" "table" (table $theirs 8 funcref))
    (table $own 4 funcref)
    (table $texts 2 externref)
    (global $derived i32 (i32.add (global.get $base) (i32.const 1)))
    (global $copy (mut f64) (global.get $ratio))
    (elem (table $theirs) (global.get $base) func $inc $twice)
    (elem $passive func $dec $inc)
    (elem $exprs funcref (ref.func $dec) (ref.null func))
    (elem (table $own) (i32.const 0) funcref (ref.func $inc) (item (ref.func $twice)))
    (elem declare func $referred)
    (data (global.get $base) "XYZ")
    (data $rest "rest")
    (func $inc (type $f) (i32.add (local.get 0) (i32.const 1)))
    (func $dec (type $f) (i32.sub (local.get 0) (i32.const 1)))
    (func $referred (type $f) (i32.xor (local.get 0) (i32.const 85)))
    (func $named (export "named") (type $f) (local.get 0))
    (func $tail (type $f) (return_call $twice (local.get 0)))
    (func $tail-indirect (type $f) (return_call_indirect $own (type $f) (local.get 0) (i32.const 1)))
    (func $swap (type $two) (local.get 1) (local.get 0))
    (func (export "tell") (type $f) (local $sum i32)
      (local.set $sum (local.get 0))
      (memory.init $rest (i32.const 100) (i32.const 0) (i32.const 4))
      (data.drop $rest)
      (memory.copy (i32.const 200) (i32.const 100) (i32.const 4))
      (memory.fill (i32.const 300) (i32.const 7) (i32.const 3))
      (table.init $own $passive (i32.const 2) (i32.const 0) (i32.const 2))
      (elem.drop $passive)
      (table.init $own $exprs (i32.const 1) (i32.const 0) (i32.const 1))
      (table.copy $own $theirs (i32.const 0) (i32.const 3) (i32.const 1))
      (table.set $own (i32.const 0) (ref.func $referred))
      (global.set $seed (i64.add (global.get $seed) (i64.const 1)))
      (i64.store offset=400 (i32.const 0) (global.get $seed))
      (v128.store (i32.const 500) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 16 (v128.load (i32.const 0)) (v128.const i32x4 1 2 3 4)))
      (v128.store32_lane 1 (i32.const 520) (i32x4.splat (i32.const 77)))
      (local.set $sum (i32.add (local.get $sum) (call $tail (call $tail-indirect (local.get 0)))))
      (local.set $sum (i32.add (local.get $sum) (call_indirect $own (type $f) (i32.const 40) (i32.const 0))))
      (local.set $sum (i32.add (local.get $sum) (call_indirect $theirs (type $f) (i32.const 40) (i32.const 4))))
      (local.set $sum (i32.add (local.get $sum) (global.get $derived)))
      (local.set $sum (i32.add (local.get $sum) (i32.trunc_sat_f64_s (global.get $copy))))
      (local.set $sum (i32.add (local.get $sum) (i32.mul (table.size $own) (table.grow $texts (ref.null extern) (i32.const 2)))))
      (table.fill $texts (i32.const 0) (ref.null extern) (i32.const 1))
      (local.set $sum (i32.add (local.get $sum) (ref.is_null (table.get $texts (i32.const 0)))))
      (local.set $sum (i32.add (local.get $sum) (select (result i32) (i32.const 3) (i32.const 4) (local.get 0))))
      (i32.const 8) (i32.const 5)
      (block (type $two) (call $swap) (br 0))
      i32.sub
      (local.set $sum (i32.add (local.get $sum)))
      (block $a (block $b (block $c (br_table $a $b $c (local.get 0)))
        (local.set $sum (i32.add (local.get $sum) (i32.const 11)))))
      (drop (memory.grow (i32.const 1)))
      (local.set $sum (i32.add (local.get $sum) (memory.size)))
      ;; and all that it wrote
      (local.set 0 (i32.const 0))
      (loop $l
        (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get 0))))
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 600))))
      (local.get $sum)))
  (core instance $d (instantiate $defines))
  (core instance $u (instantiate $uses (with "d" (instance $d))))
  (alias core export $u "tell" (core func $tell'))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $tell')))
  (instance $api (export "tell" (func $tell)))
  (export "demo:chain/a@1.0.0" (instance $api)))`

func binary(t testing.TB, text string) []byte {
	t.Helper()
	b, err := wasmtime.WatToWasm(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tells makes an instance of a component and calls tell with some numbers. What it logs is in the result.
func tells(t testing.TB, data []byte, numbers ...uint32) (said []string) {
	t.Helper()
	engine, err := wasmtime.NewEngine(wasmtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c, err := engine.Compile(data)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	defer c.Close()
	linker := engine.NewLinker()
	defer linker.Close()
	if w, err := component.Decode(data); err != nil {
		t.Fatal(err)
	} else if len(w.Imports) > 0 {
		err = errors.Join(
			linker.Define("demo:log/log@1.0.0", "write", func(call *wasmtime.HostCall) error {
				said = append(said, fmt.Sprintf("log %q", call.Args().At(0).U8s(nil)))
				call.Arena().SetU32(call.Result(), 40)
				return nil
			}),
			linker.Define("demo:log/log@1.0.0", "count", func(call *wasmtime.HostCall) error {
				call.Arena().SetU32(call.Result(), uint32(len(said)))
				return nil
			}))
		if err != nil {
			t.Fatal(err)
		}
	}
	template, err := linker.Prepare(c, []wasmtime.Export{{Interface: "demo:chain/a@1.0.0", Function: "tell"}})
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close()
	interrupt := wasmtime.NewInterrupt()
	defer interrupt.Close()
	for _, n := range numbers {
		i, err := template.NewInstance(wasmtime.InstanceConfig{Interrupt: interrupt})
		if err != nil {
			said = append(said, err.Error())
			continue
		}
		arena := wasmtime.NewArena()
		arena.SetU32(arena.Args(1).At(0), n)
		result, err := i.Call(0, arena)
		if trap, ok := errors.AsType[*wasmtime.Trap](err); ok {
			said = append(said, fmt.Sprint(err, trap.Frames))
		} else if err != nil {
			said = append(said, err.Error())
		} else {
			value, _ := result.Value()
			said = append(said, fmt.Sprint(value.U32()))
			result.Close()
		}
		arena.Free()
		i.Close()
	}
	return said
}

// TestTheSame merges components and compares what they do.
func TestTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		text          string
		before, after int
	}{
		"built":    {built, 5, 2},
		"all":      {all, 2, 1},
		"order":    {order, 7, 6},
		"direct":   {direct, 5, 4},
		"memories": {memories, 4, 3},
		"tables":   {tables, 2, 1},
		"starts":   {starts, 2, 1},
		"passed":   {passed, 4, 3},
		"users":    {users, 4, 3},
	} {
		t.Run(name, func(t *testing.T) {
			before := binary(t, test.text)
			after, err := merge.Component(before)
			if err != nil {
				t.Fatal(err)
			}
			if b, a := merge.Instances(before), merge.Instances(after); b != test.before || a != test.after {
				t.Errorf("%d core modules become %d; want %d and %d", b, a, test.before, test.after)
			}
			numbers := []uint32{0, 1, 2, 3, 7, 1 << 31}
			want, got := tells(t, before, numbers...), tells(t, after, numbers...)
			if strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("merged: %q; want %q", got, want)
			}
			if len(want) < len(numbers) || strings.Contains(strings.Join(want, ""), "wasm") {
				t.Errorf("%q", want)
			}
			if _, err := merge.Component(after); !errors.Is(err, merge.ErrAsItIs) {
				t.Errorf("merged again: %v", err)
			}
		})
	}
}

// pair is a component of two core modules, the second of which calls a function of the first, and more.
func pair(first, second, rest string) string {
	return fmt.Sprintf(`
(component
  (core module $first %s
    (func (export "five") (result i32) (i32.const 5)))
  (core module $second
    (import "first" "five" (func $five (result i32)))
    %s
    (func (export "tell") (param i32) (result i32) (i32.add (call $five) (local.get 0))))
  (core instance $first (instantiate $first))
  (core instance $second (instantiate $second (with "first" (instance $first))))
  %s
  (alias core export $second "tell" (core func $tell'))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $tell')))
  (instance $api (export "tell" (func $tell)))
  (export "demo:chain/a@1.0.0" (instance $api)))`, first, second, rest)
}

// doubled has modules with a global that is the one of the module before, twice.
func doubled(modules int) string {
	b := `(core module $m0 (global (export "g") i32 (i32.const 1))) (core instance $i0 (instantiate $m0))`
	for n := 1; n <= modules; n++ {
		b += fmt.Sprintf(`(core module $m%d
			(import "" "g" (global i32)) (global (export "g") i32 (i32.add (global.get 0) (global.get 0)))
			(func (export "tell") (param i32) (result i32) (global.get 1)))
			(core instance $i%[1]d (instantiate $m%[1]d (with "" (instance $i%d))))`, n, n-1)
	}
	return telling(strings.ReplaceAll(b, fmt.Sprintf("$i%d", modules), "$last"))
}

// TestBacktrace has a function that traps, and compares what the trap tells of where: functions have their names, or the
// indices that they had.
func TestBacktrace(t *testing.T) {
	before := binary(t, telling(`
  (core module $a
    (import "log" "unused" (func $unused))
    (func $inner (param i32) (result i32) (i32.div_u (i32.const 100) (local.get 0)))
    (func (param i32) (result i32) (call $inner (local.get 0)))
    (func (export "divide") (param i32) (result i32) (call 2 (local.get 0))))
  (core module $last
    (import "a" "divide" (func $imported (param i32) (result i32)))
    (func $outer (param i32) (result i32) (call $imported (local.get 0)))
    (func (export "tell") (param i32) (result i32) (call $outer (local.get 0))))
  (core module $twice (func (export "unused")))
  (core instance (instantiate $twice))
  (core instance $twice (instantiate $twice))
  (alias core export $twice "unused" (core func $unused))
  (core instance $log (export "unused" (func $unused)))
  (core instance $a (instantiate $a (with "log" (instance $log))))
  (core instance $last (instantiate $last (with "a" (instance $a))))`))
	after, err := merge.Component(before)
	if err != nil {
		t.Fatal(err)
	}
	want := "wasmtime: trap: integer divide by zero [inner function 2 function 3 outer function 2]"
	for _, b := range [][]byte{before, after} {
		if got := tells(t, b, 0)[0]; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}

// TestWhatStays has a component that is merged, and what keeps it from that.
func TestWhatStays(t *testing.T) {
	if _, err := merge.Component(binary(t, pair("", "", ""))); err != nil {
		t.Fatal(err)
	}
	const none = "no two of its core instances"
	for name, test := range map[string]struct{ text, why string }{
		"one module":                {"(component (core module $m) (core instance (instantiate $m)))", none},
		"no module":                 {"(component)", none},
		"two memories":              {pair("(memory 1)", "(memory 1)", ""), none},
		"two instances of a module": {pair("", "", "(core instance (instantiate $first))"), none},
		"elements of a type that names another": {pair("(table 4 funcref) (func $f) (elem (i32.const 0) (ref func) (ref.func $f))"+
			strings.Repeat("(elem (i32.const 0) func)", 200), "", ""), none},
		"no such function":     {pair("", "", `(func (param "n" u32) (result u32) (canon lift (core func 99)))`), "there is no core function 99"},
		"no such memory":       {pair("", "", `(alias core export $first "five" (core func $five)) (func (result u32) (canon lift (core func $five) (memory 7)))`), "there is no index 7"},
		"a tag that is a func": {pair(`(export "t" (tag 0))`, "", `(alias core export $first "t" (core func))`), none},
		"an argument twice": {pair("", "", `(core instance (instantiate $second (with "first" (instance $first)) (with "first" (instance $first))))`),
			`is instantiated with "first" twice`},
		"an export twice": {pair("", "", `(alias core export $first "five" (core func $five))
			(core instance (export "five" (func $five)) (export "five" (func $five)))`), `exports "five" twice`},
		"many instances":             {pair("", "", strings.Repeat("(core instance)", 1000)), "more than 1000 core instances"},
		"values that double":         {doubled(40), "a global with a value of"},
		"a start that comes first":   {pair("(func $f) (start $f)", "", ""), none},
		"values of the engine's own": {pair("(type (struct))", "", ""), none},
		"types of references":        {pair("(type $f (func)) (func (param (ref null $f)))", "", ""), none},
		"a module for others":        {pair("", "", "(component (alias outer 1 0 (core module)))"), "takes core modules from outside"},
		"a module that is exported":  {pair("", "", `(export "m" (core module $first))`), "passes on core modules"},
		"a destructor": {pair("", "", `(alias core export $first "five" (core func $five))
			(core module $drops (func (export "drop") (param i32)))
			(core instance $drops (instantiate $drops))
			(alias core export $drops "drop" (core func $drop))
			(type (resource (rep i32) (dtor (func $drop))))`), "destructors"},
	} {
		b, err := wasmtime.WatToWasm(test.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := merge.Component(b); !errors.Is(err, merge.ErrAsItIs) || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%s: %v; want %q", name, err, test.why)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "a module": binary(t, "(module)"), "half": binary(t, built)[:500],
	} {
		if _, err := merge.Component(b); !errors.Is(err, merge.ErrAsItIs) {
			t.Errorf("%s: %v", name, err)
		}
	}
	nested := wasm.Component
	for range 200 {
		nested = wasm.Component + "\x04" + wasm.Sized(nested)
	}
	nested = string(binary(t, pair("", "", ""))) + "\x04" + wasm.Sized(nested)
	if _, err := merge.Component([]byte(nested)); !errors.Is(err, merge.ErrAsItIs) || !strings.Contains(err.Error(), "in one another") {
		t.Errorf("components in one another: %v", err)
	}
}
