package compose_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // tests run what they compose
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/compose"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// part makes a part of a binary.
func part(t testing.TB, name string, data []byte, links ...compose.Link) compose.Part {
	t.Helper()
	w, err := component.Decode(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return compose.Part{Name: name, Component: data, World: w, Links: links}
}

// text makes a part of text.
func text(t testing.TB, name, text string, links ...compose.Link) compose.Part {
	t.Helper()
	data, err := wasmtime.WatToWasm(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return part(t, name, data, links...)
}

// same links an import with the export of that name.
func same(id string, part int) compose.Link { return compose.Link{Import: id, Part: part, Export: id} }

func composed(t testing.TB, parts ...compose.Part) []byte {
	t.Helper()
	c, err := compose.New(parts)
	if err != nil {
		t.Fatal(err)
	}
	data := c.Bytes()
	if int64(len(data)) != c.Size() {
		t.Errorf("%d bytes, and a size of %d", len(data), c.Size())
	}
	return data
}

// run makes an instance of a component on the engine and calls a function of type func(n: u32) -> u32.
func run(t testing.TB, data []byte, export wasmtime.Export, n uint32) (uint32, error) {
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
	if err := linker.AddWASI(); err != nil {
		t.Fatal(err)
	}
	template, err := linker.Prepare(c, []wasmtime.Export{export})
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close()
	interrupt := wasmtime.NewInterrupt()
	defer interrupt.Close()
	i, err := template.NewInstance(wasmtime.InstanceConfig{Interrupt: interrupt, Env: []string{"WHO=host", "MORE=x"}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	arena := wasmtime.NewArena()
	defer arena.Free()
	arena.SetU32(arena.Args(1).At(0), n)
	result, err := i.Call(0, arena)
	if err != nil {
		return 0, err
	}
	defer result.Close()
	value, _ := result.Value()
	return value.U32(), nil
}

func iface(name string) string { return "demo:chain/" + name + "@1.0.0" }

func tell(name string) wasmtime.Export {
	return wasmtime.Export{Interface: iface(name), Function: "tell"}
}

func chain(t testing.TB, export, imported string, links ...compose.Link) compose.Part {
	t.Helper()
	c := wat.Chain{Export: iface(export)}
	if imported != "" {
		c.Import = iface(imported)
	}
	return part(t, export, c.Bytes(t), links...)
}

// TestChain calls through three parts, and through a part that is a composition itself.
func TestChain(t *testing.T) {
	data := composed(t, chain(t, "a", "b", same(iface("b"), 1)), chain(t, "b", "c", same(iface("c"), 2)), chain(t, "c", ""))
	if got, err := run(t, data, tell("a"), 5); err != nil || got != 7 {
		t.Errorf("%d, %v", got, err)
	}
	inner := composed(t, chain(t, "b", "c", same(iface("c"), 1)), chain(t, "c", ""))
	data = composed(t, chain(t, "a", "b", same(iface("b"), 1)), part(t, "b and c", inner))
	if got, err := run(t, data, tell("a"), 5); err != nil || got != 7 {
		t.Errorf("nested: %d, %v", got, err)
	}
	w, err := component.Decode(data)
	if err != nil || len(w.Imports) != 0 || len(w.Exports) != 1 || w.Exports[0].ID != iface("a") || len(w.Exports[0].Functions) != 2 {
		t.Errorf("world %v, %v", w, err)
	}
}

// TestVersions: a later version answers an earlier import, under the name that its component has for it.
func TestVersions(t *testing.T) {
	later := part(t, "later", wat.Chain{Export: "demo:chain/b@1.2.3"}.Bytes(t))
	data := composed(t, chain(t, "a", "b", compose.Link{Import: iface("b"), Part: 1, Export: "demo:chain/b@1.2.3"}), later)
	if got, err := run(t, data, tell("a"), 5); err != nil || got != 6 {
		t.Errorf("%d, %v", got, err)
	}
}

// counter is a component with a number that each call of tell adds to.
const counter = `(component
  (core module $m
    (global $n (mut i32) (i32.const 0))
    (func (export "tell") (param i32) (result i32)
      (global.set $n (i32.add (global.get $n) (local.get 0))) (global.get $n)))
  (core instance $i (instantiate $m))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $i "tell")))
  (instance $api (export "tell" (func $tell)))
  (export "demo:chain/d@1.0.0" (instance $api)))`

// passing is a component whose tell adds up what those of some imports return.
func passing(export string, imports ...string) string {
	var b, given, imported, sum strings.Builder
	for n, name := range imports {
		fmt.Fprintf(&b, `(import %q (instance $i%d (export "tell" (func (param "n" u32) (result u32)))))
  (core func $f%[2]d (canon lower (func $i%[2]d "tell")))`, iface(name), n)
		fmt.Fprintf(&given, `(export "f%d" (func $f%[1]d))`, n)
		fmt.Fprintf(&imported, `(import "" "f%d" (func $f%[1]d (param i32) (result i32)))`, n)
		fmt.Fprintf(&sum, `(local.set 1 (i32.add (local.get 1) (call $f%d (local.get 0))))`, n)
	}
	return fmt.Sprintf(`(component %s
  (core module $m %s (func (export "tell") (param i32) (result i32) (local i32) %s (local.get 1)))
  (core instance $i (instantiate $m (with "" (instance %s))))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $i "tell")))
  (instance $api (export "tell" (func $tell)))
  (export %q (instance $api)))`, b.String(), imported.String(), sum.String(), given.String(), iface(export))
}

// TestDiamond: a part that answers two others is there once.
func TestDiamond(t *testing.T) {
	data := composed(t,
		text(t, "a", passing("a", "b", "c"), same(iface("b"), 1), same(iface("c"), 2)),
		text(t, "b", passing("b", "d"), same(iface("d"), 3)),
		text(t, "c", passing("c", "d"), same(iface("d"), 3)),
		text(t, "d", counter),
	)
	if got, err := run(t, data, tell("a"), 5); err != nil || got != 5+10 {
		t.Errorf("%d, %v", got, err)
	}
}

// TestEnvironment gives a part its own variables.
func TestEnvironment(t *testing.T) {
	// tell returns the number of variables and the bytes of their names and values, in turn a hundred apart.
	const reader = `(component
  (import "wasi:cli/environment@0.2.0" (instance $e (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string)))) (export "initial-cwd" (func (result (option string))))))
  (core module $libc (memory (export "memory") 2) (global $n (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $n) (global.set $n (i32.add (global.get $n) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))))
  (core instance $libc (instantiate $libc))
  (core func $env (canon lower (func $e "get-environment") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $args (canon lower (func $e "get-arguments") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $cwd (canon lower (func $e "initial-cwd") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m (import "" "memory" (memory 1)) (import "" "env" (func $env (param i32))) (import "" "args" (func $args (param i32)))
    (import "" "cwd" (func $cwd (param i32)))
    (func (export "tell") (param i32) (result i32) (local i32 i32 i32)
      (call $env (i32.const 8)) (call $args (i32.const 16)) (call $cwd (i32.const 24))
      (if (i32.or (i32.load (i32.const 20)) (i32.load8_u (i32.const 24))) (then unreachable))
      (local.set 1 (i32.load (i32.const 8)))
      (local.set 2 (i32.load (i32.const 12)))
      (local.set 3 (i32.mul (local.get 2) (i32.const 100)))
      (loop $next (if (local.get 2) (then
        (local.set 3 (i32.add (local.get 3) (i32.add (i32.load offset=4 (local.get 1)) (i32.load offset=12 (local.get 1)))))
        (local.set 1 (i32.add (local.get 1) (i32.const 16)))
        (local.set 2 (i32.sub (local.get 2) (i32.const 1)))
        (br $next))))
      (local.get 3)))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory")) (export "env" (func $env))
    (export "args" (func $args)) (export "cwd" (func $cwd))))))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $i "tell")))
  (instance $api (export "tell" (func $tell)))
  (export "demo:chain/b@1.0.0" (instance $api)))`
	long := "LONG=" + strings.Repeat("x", 70_000)
	for _, tt := range []struct {
		own  bool
		env  []string
		want uint32
	}{
		{false, nil, 200 + 7 + 5},
		{true, nil, 0},
		{true, []string{"A=b"}, 100 + 2},
		{true, []string{"A=b=c", "EMPTY="}, 200 + 4 + 5},
		{true, []string{long}, 100 + uint32(len(long)-1)},
	} {
		p := text(t, "reader", reader)
		p.HasEnvironment, p.Environment = tt.own, tt.env
		data := composed(t, text(t, "a", passing("a", "b"), same(iface("b"), 1)), p)
		got, err := run(t, data, tell("a"), 0)
		if err != nil || got != tt.want {
			t.Errorf("environment %.20q: %d, %v; want %d", tt.env, got, err, tt.want)
		}
		w, err := component.Decode(data)
		if err != nil || (len(w.Imports) == 0) != tt.own {
			t.Errorf("environment %.20q: imports %v, %v", tt.env, w.Imports, err)
		}
	}
}

// importing is a component that imports all that a text declares, and exports demo:chain/NAME with a function tell that returns
// its argument.
func importing(name, imports string) string {
	return fmt.Sprintf(`(component %s
  (core module $m (func (export "tell") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $i "tell")))
  (instance $api (export "tell" (func $tell)))
  (export %q (instance $api)))`, imports, iface(name))
}

// TestImports merges what parts import, and compares the declarations with golden files.
func TestImports(t *testing.T) {
	for name, texts := range map[string][2]string{
		"merged": {
			`(import "x:y/types@1.0.0" (instance $t
			   (type $r' (record (field "id" u64) (field "tags" (list string)))) (export "row" (type $r (eq $r')))
			   (export "handle" (type $h (sub resource)))))
			 (alias export $t "row" (type $row)) (alias export $t "handle" (type $handle))
			 (import "x:y/api@1.0.0" (instance
			   (alias outer 1 $row (type $row')) (export "row" (type $r (eq $row')))
			   (alias outer 1 $handle (type $handle')) (export "handle" (type $h (eq $handle')))
			   (export "get" (func (param "id" u64) (result (option $r))))
			   (export "open" (func (result (result (own $h) (error string)))))))`,
			`(import "x:y/types@1.0.0" (instance $t
			   (export "handle" (type $h (sub resource)))
			   (export "[method]handle.size" (func (param "self" (borrow $h)) (result u64)))
			   (type $l' (enum "low" "high")) (export "level" (type $l (eq $l')))))
			 (alias export $t "level" (type $level))
			 (import "x:y/api@1.0.0" (instance
			   (alias outer 1 $level (type $level')) (export "level" (type $l (eq $level')))
			   (type $f' (flags "a" "b")) (export "few" (type $f (eq $f')))
			   (type $v' (variant (case "none") (case "some" (tuple $f char)))) (export "choice" (type $v (eq $v')))
			   (export "choose" (func (param "v" $v) (param "by" $l) (result (list $v))))))`,
		},
		"versions": {
			`(import "x:y/types@1.0.0" (instance (type $r' (record (field "id" u64))) (export "row" (type $r (eq $r')))))`,
			`(import "x:y/types@1.0.1" (instance (type $r' (record (field "id" u64) (field "more" f32))) (export "row" (type $r (eq $r')))))`,
		},
		"world": {
			`(import "x:y/types@1.0.0" (instance $t (type $r' (record (field "id" u64))) (export "row" (type $r (eq $r')))))
			 (alias export $t "row" (type $row)) (import "row" (type $used (eq $row)))
			 (type $own' (record (field "row" $used) (field "n" s8))) (import "own" (type $own (eq $own')))`,
			`(type $own' (record (field "f" f64))) (import "own" (type $own (eq $own')))
			 (type $other' (tuple $own u8)) (import "other" (type $other (eq $other')))`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := text(t, "b", importing("b", texts[1]))
			data := composed(t, text(t, "a", importing("a", texts[0])), p)
			compile(t, data)
			w, err := component.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, dump(w))
		})
	}
}

// compile wants that a component is valid.
func compile(t testing.TB, data []byte) {
	t.Helper()
	engine, err := wasmtime.NewEngine(wasmtime.Config{Compiler: true})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c, err := engine.Compile(data)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// dump writes what a world imports and exports.
func dump(w *wit.World) string {
	var b strings.Builder
	for _, side := range []struct {
		name string
		list []*wit.Interface
	}{{"import", w.Imports}, {"export", w.Exports}} {
		for _, i := range side.list {
			fmt.Fprintf(&b, "%s %s\n", side.name, i.ID)
			for _, t := range i.Types {
				fmt.Fprintf(&b, "\t%s\n", dumpType(i, t))
			}
			for _, f := range i.Functions {
				fmt.Fprintf(&b, "\t%v\n", f)
			}
		}
	}
	for _, t := range w.ImportTypes {
		fmt.Fprintf(&b, "import %s\n", dumpType(nil, t))
	}
	return b.String()
}

func dumpType(in *wit.Interface, t wit.NamedType) string {
	var (
		owner      *wit.Interface
		kind, name string
	)
	if t.Resource != nil {
		owner, kind, name = t.Resource.Interface, "resource", t.Resource.Name
	} else {
		owner, kind, name = t.Type.Interface, t.Type.Kind.String(), t.Type.Name
	}
	if owner == in && name == t.Name {
		if t.Type == nil {
			return kind + " " + name
		}
		text := kind + " " + name + ":"
		for _, f := range t.Type.Fields {
			text += fmt.Sprintf(" %s %v", f.Name, f.Type)
		}
		for _, c := range t.Type.Cases {
			text += fmt.Sprintf(" %s %v", c.Name, c.Type)
		}
		return strings.ReplaceAll(text, " <nil>", "")
	}
	from := "the world"
	if owner != nil {
		from = owner.ID
	}
	return fmt.Sprintf("use %s %s of %s as %s", kind, name, from, t.Name)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as in %s (-update writes it):\n%s", path, got)
	}
}

// TestExportedTypes: the first part exports what uses types of an import, one that is answered and one that has types only.
func TestExportedTypes(t *testing.T) {
	const types = `(type $r' (record (field "n" u32))) (export "row" (type $r (eq $r')))
	  (type $t' (record (field "row" $r))) (export "table" (type $t (eq $t')))`
	const caller = `(component
	  (import "x:y/rows@1.0.0" (instance $rows ` + types + ` (export "next" (func (param "t" $t) (result $t)))))
	  (import "x:y/units@1.0.0" (instance $units (type $u' (enum "one" "two")) (export "unit" (type (eq $u')))))
	  (alias export $rows "table" (type $table)) (alias export $units "unit" (type $unit))
	  (core func $next (canon lower (func $rows "next")))
	  (core module $m (import "" "next" (func $next (param i32) (result i32)))
	    (func (export "tell") (param i32) (result i32) (call $next (local.get 0)))
	    (func (export "list") (param i32 i32) (result i32) (local.get 0)))
	  (core instance $i (instantiate $m (with "" (instance (export "next" (func $next))))))
	  (func $tell (param "n" u32) (result u32) (canon lift (core func $i "tell")))
	  (func $list (param "t" $table) (param "u" $unit) (result $table) (canon lift (core func $i "list")))
	  (instance $api (export "table" (type $table)) (export "unit" (type $unit)) (export "tell" (func $tell)) (export "list" (func $list)))
	  (export "demo:chain/a@1.0.0" (instance $api)))`
	const provider = `(component
	  (type $r' (record (field "n" u32))) (export $r "row" (type $r'))
	  (type $t' (record (field "row" $r))) (export $t "table" (type $t'))
	  (core module $m (func (export "next") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
	  (core instance $i (instantiate $m))
	  (func $next (param "t" $t) (result $t) (canon lift (core func $i "next")))
	  (instance $api (export "row" (type $r)) (export "table" (type $t)) (export "next" (func $next)))
	  (export "x:y/rows@1.0.0" (instance $api)))`
	data := composed(t, text(t, "a", caller, same("x:y/rows@1.0.0", 1)), text(t, "p", provider))
	if got, err := run(t, data, tell("a"), 5); err != nil || got != 6 {
		t.Errorf("%d, %v", got, err)
	}
	w, err := component.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "exported", dump(w))
}

// TestRead finds the parts again, byte by byte.
func TestRead(t *testing.T) {
	parts := []compose.Part{chain(t, "a", "b", same(iface("b"), 1)), chain(t, "b", "")}
	data := composed(t, parts...)
	placed, err := compose.Read(data)
	if err != nil || len(placed) != 2 {
		t.Fatalf("%v, %v", placed, err)
	}
	for n, p := range placed {
		if p.Name != parts[n].Name || !bytes.Equal(data[p.Offset:][:p.Size], parts[n].Component) {
			t.Errorf("part %d is %v", n, p)
		}
	}
	for n := range data {
		if _, err := compose.Read(data[:n]); err == nil && int64(n) < placed[1].Offset+placed[1].Size {
			t.Errorf("the first %d bytes have all parts", n)
		}
	}
	if _, err := compose.Read(parts[0].Component); !errors.Is(err, compose.ErrNotComposed) {
		t.Errorf("a component: %v", err)
	}
}

// TestTrap says in which part the guest was.
func TestTrap(t *testing.T) {
	data := composed(t, chain(t, "a", "b", same(iface("b"), 1)), chain(t, "b", ""))
	_, err := run(t, data, tell("a"), 5000)
	trap, ok := errors.AsType[*wasmtime.Trap](err)
	if !ok || len(trap.Frames) == 0 {
		t.Fatalf("%v", err)
	}
	placed, err := compose.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	inner, outer := int64(trap.Frames[0].Offset), int64(trap.Frames[len(trap.Frames)-1].Offset)
	if inner < placed[1].Offset || inner >= placed[1].Offset+placed[1].Size || outer < placed[0].Offset || outer >= placed[0].Offset+placed[0].Size {
		t.Errorf("frames %v, parts %v", trap.Frames, placed)
	}
}
