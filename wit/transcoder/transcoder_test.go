package transcoder

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// none says that no method is direct.
func none(*contract.Method) bool { return false }

// build makes the transcoder of a world.
func build(t rapid.TB, world *wit.World) (*Transcoder, error) {
	t.Helper()
	built, err := contract.Build(contract.Input{Function: "test-fn", World: world})
	if err != nil {
		t.Fatal(err)
	}
	return New(built.Services, nil, world, 1<<20, none)
}

// TestInstructions expects a code and a name for each instruction.
func TestInstructions(t *testing.T) {
	for op := unreachableOp; int(op) < len(opcodes); op++ {
		if opcodes[op].code == "" || opcodes[op].name == "" {
			t.Errorf("instruction %d has no code or no name", op)
		}
	}
}

// TestComposition expects the same bytes each time, as they name the compiled code.
func TestComposition(t *testing.T) {
	world := wittest.MustParse(`package demo:shop {
		interface types { record item { name: string, tags: list<string> } }
		interface shop {
			use types.{item};
			all: func() -> list<item>;
			one: func(name: string) -> u32;
			add: func(v: item) -> result<u32, string>;
		} }
		world w { import demo:shop/types; export demo:shop/shop; }`)
	var first []byte
	for range 3 {
		tr, err := build(t, world)
		if err != nil {
			t.Fatal(err)
		}
		c, err := tr.Around(compose.Part{Name: "shop", Component: []byte("\x00asm\x0d\x00\x01\x00"), World: world})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = c.Bytes()
		}
		if !bytes.Equal(first, c.Bytes()) {
			t.Fatal("the same component gives another composition")
		}
	}
}

func TestNone(t *testing.T) {
	for text, want := range map[string]error{
		`package demo:a { interface a { f: func(v: u32) -> string; } } world w { export demo:a/a; }`: ErrNone,
		`package demo:a { interface a { f: func(v: list<u8>); } } world w { export demo:a/a; }`:      nil,
		`world w { export f: func(v: list<string>); }`:                                               nil,
	} {
		if _, err := build(t, wittest.MustParse(text)); !errors.Is(err, want) {
			t.Errorf("%s: error is %v", text, err)
		}
	}
}

// TestBounds has contracts of many fields and of many functions.
func TestBounds(t *testing.T) {
	var fields, functions strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&fields, "f%d: list<string>, ", n)
	}
	for n := range 1000 {
		fmt.Fprintf(&functions, "f%d: func(v: list<string>) -> list<u32>;\n", n)
	}
	for name, text := range map[string]string{
		"fields":    "record r { " + fields.String() + " } f: func(v: r) -> r;",
		"functions": functions.String(),
	} {
		tr, err := build(t, wittest.MustParse("package demo:big { interface big { "+text+" } } world w { export demo:big/big; }"))
		switch {
		case errors.Is(err, ErrTooLarge):
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			size := len(tr.exports.code.binary())
			t.Logf("%s: %d instructions, %d bytes", name, tr.exports.code.size, size)
			if size > 1<<20 {
				t.Errorf("%s: a module of %d bytes", name, size)
			}
		}
	}
}

// TestImports has what a component calls be of the transcoder, within the same bound.
func TestImports(t *testing.T) {
	const own = "package demo:own { interface own { f: func(v: u32) -> string; } } world w { export demo:own/own; }"
	var functions strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&functions, "f%d: func(v: list<string>) -> list<u32>;\n", n)
	}
	for text, want := range map[string]error{
		"f: func(v: list<string>) -> list<u32>;": nil,
		"f: func(v: string) -> u32;":             ErrNone,
		functions.String():                       ErrTooLarge,
	} {
		exported := wittest.MustParse(own)
		imported := wittest.MustParse("package demo:other { interface other { " + text + " } } world w { export demo:other/other; }")
		var services [2][]*contract.Service
		for n, world := range []*wit.World{exported, imported} {
			built, err := contract.Build(contract.Input{Function: "test-fn", World: world})
			if err != nil {
				t.Fatal(err)
			}
			services[n] = built.Services
		}
		world := &wit.World{Imports: imported.Exports, Exports: exported.Exports}
		tr, err := New(services[0], services[1], world, 1<<20, none)
		if !errors.Is(err, want) {
			t.Errorf("%.50s: error is %v", text, err)
		}
		if err != nil {
			continue
		}
		if tr.Import(services[1][0].Methods[0]) == "" || tr.Export(services[0][0].Methods[0]) == "" {
			t.Errorf("%s: the call has no transcoder, or who makes it is not beside it", text)
		}
		if !strings.Contains(tr.Text(), "(func $call-F (param $p0 i32) (param $p1 i32) (result i32)") {
			t.Errorf("its text is %s", tr.Text())
		}
	}
}

// TestRandom writes the transcoders of random worlds.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := wittest.World(t, "demo")
		built, err := contract.Build(contract.Input{Function: "random-fn", World: world})
		if err != nil {
			return
		}
		tr, err := New(built.Services, nil, world, 1<<20, none)
		if errors.Is(err, ErrNone) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		tr.exports.code.binary()
	})
}

// TestNumbers has a contract whose numbers are far apart, so that tables would be long.
func TestNumbers(t *testing.T) {
	var shapes []contract.Field
	text := &contract.Shape{Kind: wit.String, Type: &wit.Type{Kind: wit.String}}
	typ := &wit.Type{Kind: wit.Tuple}
	for n := range 2000 {
		inner := &wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: text.Type}}}
		typ.Fields = append(typ.Fields, wit.Field{Type: inner})
		shapes = append(shapes, contract.Field{Number: int32(n + 1), Shape: &contract.Shape{Kind: wit.Tuple, Type: inner,
			Fields: []contract.Field{{Number: denseNumbers - 1, Shape: text}}}})
	}
	list := &wit.Type{Kind: wit.List, Elem: typ}
	f := &wit.Function{Name: "f", Params: []wit.Field{{Name: "v", Type: list}}}
	i := &wit.Interface{ID: "demo:a/a", Functions: []*wit.Function{f}}
	_, err := New([]*contract.Service{{Interface: i.ID, Methods: []*contract.Method{{Function: f, Params: []contract.Field{
		{Number: 1, Label: contract.Repeated, Shape: &contract.Shape{Kind: wit.Tuple, Type: typ, Fields: shapes}}}}}}},
		nil, &wit.World{Exports: []*wit.Interface{i}}, 1<<20, none)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("error is %v", err)
	}
}
