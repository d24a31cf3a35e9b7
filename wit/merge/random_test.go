package merge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit/merge"
)

// provided is what an instance exports. The kinds are those of the text format.
type provided struct {
	instance, name, kind string
	changes              bool // a global that can be set
}

// generator makes components of modules that import from one another at random: directly, or by instances put together. Segments, functions that
// modules begin with, and calls write to memories, tables and globals, and read them.
type generator struct {
	*rand.Rand
	text     strings.Builder
	provided []provided
	count    int // of names in the component
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

func (g *generator) name() string {
	g.count++
	return fmt.Sprintf("$n%d", g.count)
}

// component is one whose last module is instantiated once.
func (g *generator) component() string {
	g.text.WriteString(`(import "demo:log/log@1.0.0" (instance $log
		(export "write" (func (param "text" (list u8)) (result u32))) (export "count" (func (result u32)))))
		(alias export $log "count" (func $count))
		(core func $count' (canon lower (func $count)))`)
	count := 2 + g.IntN(6)
	for n := range count {
		g.module(n == count-1)
		if last := g.provided[len(g.provided)-1]; g.chance(10) {
			f := g.name()
			fmt.Fprintf(&g.text, "(alias core export %s %q (core func %s)) (func (param \"n\" u32) (result u32) (canon lift (core func %[3]s)))\n",
				last.instance, last.name, f)
		}
	}
	return telling(strings.ReplaceAll(g.text.String(), g.provided[len(g.provided)-1].instance+" ", "$last "))
}

// module writes a module and one or more instances of it.
func (g *generator) module(last bool) {
	var imports, rest strings.Builder
	var used []provided
	have := map[string][]string{} // names in the module, by kind
	var constants, variables []string
	for i := range min(len(g.provided), g.IntN(7)) {
		p := pick(g, g.provided)
		for range 4 { // what several write to shows the order in which they do
			if p.kind == "memory" || p.kind == "table" {
				break
			}
			p = pick(g, g.provided)
		}
		used = append(used, p)
		name := fmt.Sprintf("$i%d", i)
		typ := map[string]string{"func": "(type $f)", "memory": "1", "table": "8 funcref", "global": "i32"}[p.kind]
		if p.changes {
			typ = "(mut i32)"
		}
		fmt.Fprintf(&imports, "(import \"from%d\" %q (%s %s %s))\n", i, p.name, p.kind, name, typ)
		switch {
		case p.changes:
			variables = append(variables, name)
		case p.kind == "global":
			constants = append(constants, name)
		default:
			have[p.kind] = append(have[p.kind], name)
		}
	}
	if g.chance(30) {
		imports.WriteString("(import \"host\" \"count\" (func $count (result i32)))\n")
	}
	hosted := strings.Contains(imports.String(), "$count")
	var exports []provided
	define := func(kind, name, form string) {
		fmt.Fprintf(&rest, form+"\n", fmt.Sprintf("%s (export %q)", name, name))
		exports = append(exports, provided{name: name, kind: kind})
		have[kind] = append(have[kind], name)
	}
	if g.chance(40) {
		define("memory", "$m", "(memory %s 1)")
	}
	for i := range g.IntN(3) {
		define("table", fmt.Sprintf("$t%d", i), "(table %s 8 funcref)")
	}
	constant := func(below int) string {
		if len(constants) > 0 && g.chance(30) {
			return fmt.Sprintf("(global.get %s)", pick(g, constants))
		}
		return fmt.Sprintf("(i32.const %d)", g.IntN(below))
	}
	imported := slices.Clone(constants)
	if g.chance(50) {
		fmt.Fprintf(&rest, "(global $c (export \"$c\") i32 %s)\n", constant(5))
		exports = append(exports, provided{name: "$c", kind: "global"})
		imported = append(imported, "$c")
	}
	if g.chance(50) {
		fmt.Fprintf(&rest, "(global $v (export \"$v\") (mut i32) %s)\n", constant(100))
		exports = append(exports, provided{name: "$v", kind: "global", changes: true})
		variables = append(variables, "$v")
	}
	earlier := slices.Clone(have["func"])
	var functions []string
	for i := range 1 + g.IntN(3) {
		name := fmt.Sprintf("$f%d", i)
		functions = append(functions, name)
	}
	functions = append(functions, "$tell")
	have["func"] = append(have["func"], functions...)
	for _, m := range have["memory"] {
		if g.chance(60) {
			fmt.Fprintf(&rest, "(data (memory %s) (offset %s) \"%c%c%c\")\n", m, constant(4), 'a'+g.IntN(26), 'a'+g.IntN(26), 'a'+g.IntN(26))
		}
	}
	if len(have["memory"]) > 0 {
		rest.WriteString("(data $passive \"passive\")\n")
	}
	for _, t := range have["table"] {
		switch {
		case g.chance(30):
			fmt.Fprintf(&rest, "(elem (table %s) (offset %s) func %s %s)\n", t, constant(5), pick(g, have["func"]), pick(g, have["func"]))
		case g.chance(50):
			fmt.Fprintf(&rest, "(elem (table %s) (offset %s) funcref (ref.func %s) (ref.func %s))\n", t, constant(5), pick(g, have["func"]), pick(g, have["func"]))
		}
	}
	fmt.Fprintf(&rest, "(elem declare func %s)\n", strings.Join(have["func"], " "))
	fmt.Fprintf(&rest, "(elem $elems func %s %s)\n", pick(g, have["func"]), pick(g, have["func"]))
	for i, f := range functions {
		export := fmt.Sprintf("(export %q)", f)
		name := f
		if f == "$tell" {
			export = `(export "tell")`
		}
		fmt.Fprintf(&rest, "(func %s %s (type $f) (local $x i32) (local.set $x (local.get 0))\n", name, export)
		for range 1 + g.IntN(6) {
			g.statement(&rest, have, append(slices.Clone(earlier), functions[:i]...), variables, imported, hosted)
		}
		for _, m := range have["memory"] {
			if f == "$tell" { // what segments wrote
				fmt.Fprintf(&rest, "(local.set $x (i32.add (local.get $x) (i32.wrap_i64 (i64.rem_u (i64.load %s offset=2 (i32.const 0)) (i64.const 99999)))))\n", m)
			}
		}
		rest.WriteString("(local.get $x))\n")
	}
	exports = append(exports, provided{name: "tell", kind: "func"})
	for _, f := range functions[:len(functions)-1] {
		exports = append(exports, provided{name: f, kind: "func"})
	}
	if g.chance(8) {
		fmt.Fprintf(&rest, "(func $start (drop (call $tell (i32.const %d)))) (start $start)\n", g.IntN(5))
	}
	module := g.name()
	others := strings.Repeat("(type (func (param f64)))", g.IntN(4))
	fmt.Fprintf(&g.text, "(core module %s %s (type $f (func (param i32) (result i32)))\n%s%s)\n", module, others, imports.String(), rest.String())
	instances := 1
	if !last && g.chance(30) {
		instances = 2
	}
	for range instances {
		var args string
		for i, p := range used {
			args += fmt.Sprintf(" (with \"from%d\" (instance %s))", i, g.passed(p))
		}
		if hosted {
			host := g.name()
			fmt.Fprintf(&g.text, "(core instance %s (export \"count\" (func $count')))\n", host)
			args += fmt.Sprintf(" (with \"host\" (instance %s))", host)
		}
		instance := g.name()
		fmt.Fprintf(&g.text, "(core instance %s (instantiate %s%s))\n", instance, module, args)
		for _, e := range exports {
			e.instance = instance
			g.provided = append(g.provided, e)
		}
	}
}

// passed is an instance that has an export: the one that it is of, or one put together.
func (g *generator) passed(p provided) string {
	instance := p.instance
	for range pick(g, []int{0, 1, 1, 1, 1, 2, 2}) {
		alias, around := g.name(), g.name()
		fmt.Fprintf(&g.text, "(alias core export %s %q (core %s %s)) (core instance %s (export %[2]q (%[3]s %[4]s)))\n", instance, p.name, p.kind, alias, around)
		instance = around
	}
	return instance
}

// statement changes $x, and more.
func (g *generator) statement(b *strings.Builder, have map[string][]string, calls, variables, constants []string, hosted bool) {
	set := func(form string, args ...any) {
		fmt.Fprintf(b, "(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 7)) "+form+"))\n", args...)
	}
	const at = "(i32.and (local.get $x) (i32.const 15))"
	switch g.IntN(12) {
	case 0, 1:
		if len(calls) > 0 {
			set("(call %s (local.get $x))", pick(g, calls))
		}
	case 2, 3:
		if m := have["memory"]; len(m) > 0 {
			set(pick(g, []string{"(i32.load8_u %s %s)", "(i32.load16_s %s offset=3 %s)", "(i8x16.extract_lane_u 2 (v128.load8_lane %s 2 %s (v128.const i64x2 1 2)))"}), pick(g, m), at)
		}
	case 4:
		if m := have["memory"]; len(m) > 0 {
			fmt.Fprintf(b, "(i32.store8 %s %s (local.get $x))\n", pick(g, m), at)
		}
	case 5:
		if m := have["memory"]; len(m) > 0 {
			fmt.Fprintf(b, pick(g, []string{"(memory.copy %s %s (i32.const 4) %s (i32.const 3))\n", "(memory.copy %[2]s %[1]s %[3]s (i32.const 2) (i32.const 5))\n"}), pick(g, m), pick(g, m), at)
			fmt.Fprintf(b, "(memory.init %s $passive %s (i32.const 1) (i32.const 2))\n", pick(g, m), at)
		}
	case 6, 7:
		if t := have["table"]; len(t) > 0 {
			table := pick(g, t)
			set("(if (result i32) (ref.is_null (table.get %[1]s (i32.const %[2]d))) (then (i32.const 3)) (else (call_indirect %[1]s (type $f) (local.get $x) (i32.const %[2]d))))",
				table, g.IntN(8))
		}
	case 8:
		if t := have["table"]; len(t) > 0 {
			fmt.Fprintf(b, "(table.set %s (i32.const %d) (ref.func %s))\n", pick(g, t), g.IntN(8), pick(g, have["func"]))
			fmt.Fprintf(b, "(table.copy %s %s (i32.const %d) (i32.const %d) (i32.const 2))\n", pick(g, t), pick(g, t), g.IntN(6), g.IntN(6))
			fmt.Fprintf(b, "(table.init %s $elems (i32.const %d) (i32.const 0) (i32.const 2))\n", pick(g, t), g.IntN(6))
		}
	case 9:
		if len(variables) > 0 {
			v := pick(g, variables)
			fmt.Fprintf(b, "(global.set %s (i32.add (global.get %[1]s) (local.get $x)))\n", v)
			set("(global.get %s)", pick(g, variables))
		}
	case 10:
		if len(constants) > 0 {
			set("(global.get %s)", pick(g, constants))
		}
	case 11:
		if hosted {
			set("(call $count)")
		} else {
			b.WriteString("(local.get $x) (block (type $f) (br_if 0 (local.get 0)) (i32.add (i32.const 9))) (local.set $x)\n")
		}
	}
}

// TestRandom compares what random components do with what they do when they are merged.
func TestRandom(t *testing.T) {
	merged := 0
	for seed := range uint64(200) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
		text := g.component()
		before := binary(t, text)
		after, err := merge.Component(before)
		if err != nil {
			continue
		}
		merged++
		numbers := []uint32{0, 1, 5, 1000, 123456789}
		want, got := tells(t, before, numbers...), tells(t, after, numbers...)
		for i := range min(len(want), len(got)) { // where the stack ends depends on the engine's frames
			if full := "wasmtime: trap: call stack exhausted"; strings.HasPrefix(want[i], full) && strings.HasPrefix(got[i], full) {
				want[i], got[i] = full, full
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: merged: %q; want %q\n%s", seed, got, want, text)
		}
	}
	if merged < 50 {
		t.Errorf("only %d were merged", merged)
	}
}
