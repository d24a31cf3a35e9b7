package contract_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// TestRefused has what can't be mapped, and the sentence that says so.
func TestRefused(t *testing.T) {
	inside := func(body string) string {
		return "package demo:x@1.0.0 { interface x { " + body + " } } world w { export demo:x/x@1.0.0; }"
	}
	tests := []struct{ name, world, want string }{
		{"resource", inside("resource db; f: func();"), "demo:x/x@1.0.0#db: resource db: resources can't be exported yet; pass identifiers"},
		{"own", "package demo:y { interface y { resource r; } } package demo:x { interface x { use demo:y/y.{r}; f: func(a: list<r>); } } world w { export demo:x/x; }",
			"demo:x/x#f().a[]: a resource handle: resources can't be exported yet; pass identifiers"},
		{"stream", inside("f: func() -> result<stream<u8>>;"), "demo:x/x@1.0.0#f() result: a stream: streams are not supported; use a list"},
		{"future in err", inside("f: func() -> result<_, future<u8>>;"), "demo:x/x@1.0.0#f() error: a future: futures are not supported; return the value"},
		{"error-context", inside("record r { a: tuple<u8, error-context> }"), "demo:x/x@1.0.0#r.a.f1: an error-context: error-contexts are not supported; use a string or a variant"},
		{"map", inside("variant v { a(map<string, u8>) }"), "demo:x/x@1.0.0#v.a: a map: maps are not supported; use a list of tuples"},
		{"fixed list", inside("f: func(a: option<list<u8, 4>>);"), "demo:x/x@1.0.0#f().a?: a list of fixed length: those are not supported; use a list or a tuple"},
		{"async", inside("f: async func();"), "demo:x/x@1.0.0#f(): async functions are not supported; make it a plain func"},
		{"google", "package google:x { interface x { f: func(); } } world w { export google:x/x; }", `google:x/x: proto package google.x begins with "google", which is reserved; rename the package`},
		{"weft", "package weft:x { interface x { f: func(); } } world w { export weft:x/x; }", `weft:x/x: proto package weft.x begins with "weft", which is reserved; rename the package`},
		{"grpc", "package grpc:x@1.0.0 { interface x { f: func(); } } world w { export grpc:x/x@1.0.0; }", `grpc:x/x@1.0.0: proto package grpc.x.v1 begins with "grpc", which is reserved; rename the package`},
		{"two versions", "package demo:x@1.0.0 { interface x { f: func(); } } package demo:x@1.1.0 { interface x { f: func(); } } world w { export demo:x/x@1.0.0; export demo:x/x@1.1.0; }",
			"demo:x/x@1.1.0: demo:x/x@1.0.0 is in the component as well, and both give proto package demo.x.v1; use one version"},
		{"two names", "package demo:x { interface a { record bc { x: u32 } record d { x: u32 } } interface b { record b-d { x: u32 } record d { x: u32 } } } world w { export demo:x/a; export demo:x/b; }",
			"demo:x/b#d: the name BD in proto package demo.x is held by demo:x/b#b-d; rename one"},
		{"two methods", inside("x-f-a: func(); f-a: func(); fa: func(); x-fa: func(); f-A: func();"), "demo:x/x@1.0.0#f-A(): the method name XFA is held by demo:x/x#x-f-a(); rename one"},
		{"two shapes", "package demo:x { interface a { record r { x: u32 } } interface b { use a.{r}; f: func(r: r); } } package demo:x { interface a { record r { x: u64 } } } world w { export demo:x/a; export demo:x/b; }",
			"demo:x/a#r: is in the component with two different shapes"},
		{"not a version", "package demo:x@one { interface x { f: func(); } } world w { export demo:x/x@one; }", `demo:x/x@one: "one" is no semantic version`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			world, err := wittest.Parse(test.world)
			if err != nil {
				t.Fatal(err)
			}
			_, err = contract.Build(contract.Input{Function: function, World: world})
			wantRefused(t, err, test.want)
		})
	}
}

func wantRefused(t *testing.T, err error, want string) {
	t.Helper()
	var refused *contract.RefusedError
	if !errors.As(err, &refused) || err.Error() != want {
		t.Errorf("error is\n%v, want\n%v", err, want)
	}
}

// TestRefusedNames has worlds that no WIT text gives, from binaries that nobody checked.
func TestRefusedNames(t *testing.T) {
	u32 := &wit.Type{Kind: wit.U32}
	export := func(name string) *wit.World {
		return &wit.World{ExportFunctions: []*wit.Function{{Name: name}}}
	}
	record := func(names ...string) *wit.World {
		r := &wit.Type{Kind: wit.Record, Name: "r"}
		for _, n := range names {
			r.Fields = append(r.Fields, wit.Field{Name: n, Type: u32})
		}
		w := export("f")
		w.ExportFunctions[0].Params = []wit.Field{{Name: "r", Type: r}}
		return w
	}
	tests := []struct {
		name, function string
		world          *wit.World
		want           string
	}{
		{"method", function, export("[method]cursor.next"), "[method]cursor.next(): belongs to a resource: resources can't be exported yet; pass identifiers"},
		{"no kebab", function, export("a_b"), `a_b(): "a_b" is no WIT name`},
		{"no UTF-8", function, export("a\xff"), `a` + "\xff" + `(): "a\xff" is no WIT name`},
		{"empty", function, record(""), `r.: "" is no WIT name`},
		{"twice", function, record("a", "b", "a"), "r.a: the name is there twice"},
		{"long", function, record(strings.Repeat("a", 201)), strings.Repeat("a", 40) + "…: the name is longer than 200 characters"},
		{"long message", function, export(strings.Repeat("a", 195)), strings.Repeat("a", 195) + "(): the name A" + strings.Repeat("a", 39) + "… is longer than 200 characters"},
		{"function", "weft", export("f"), `the world: proto package weft begins with "weft", which is reserved; rename the package`},
		{"no function", "", export("f"), `the world: the function's name "" is no proto package: allowed is [a-z][a-z0-9-]*`},
		{"unknown kind", function, &wit.World{ExportFunctions: []*wit.Function{{Name: "f", Result: &wit.Type{Kind: 99}}}}, "f() result: a type of unknown kind"},
		{"no cases", function, &wit.World{ExportFunctions: []*wit.Function{{Name: "f", Result: &wit.Type{Kind: wit.Enum, Name: "e"}}}}, "e: has no cases"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := contract.Build(contract.Input{Function: test.function, World: test.world})
			wantRefused(t, err, test.want)
		})
	}
}

// TestLimits has worlds that would take too much, and checks that little is spent on them.
func TestLimits(t *testing.T) {
	nested := func(n, width int) *wit.Type {
		typ := &wit.Type{Kind: wit.U32}
		for range n {
			tuple := &wit.Type{Kind: wit.Tuple}
			for range width {
				tuple.Fields = append(tuple.Fields, wit.Field{Type: typ})
			}
			typ = tuple
		}
		return typ
	}
	chain := func(n int) *wit.Type {
		typ := &wit.Type{Kind: wit.U32}
		for i := range n {
			typ = &wit.Type{Kind: wit.Record, Name: fmt.Sprintf("r%d", i), Fields: []wit.Field{{Name: "a", Type: typ}}}
		}
		return typ
	}
	wide := func(n int) *wit.Type {
		r := &wit.Type{Kind: wit.Record, Name: "r"}
		for i := range n {
			r.Fields = append(r.Fields, wit.Field{Name: fmt.Sprintf("f%d", i), Type: &wit.Type{Kind: wit.U32}})
		}
		return r
	}
	many := &wit.World{}
	for i := range 20_001 {
		many.ExportFunctions = append(many.ExportFunctions, &wit.Function{Name: fmt.Sprintf("f%d", i)})
	}
	same := &wit.Type{Kind: wit.Record, Name: "r"} // a-b, ab, … are one name to JSON
	values := &wit.Type{Kind: wit.Enum, Name: "e"}
	for i := range 1 << 13 {
		name := "a"
		for bit := range 13 {
			if i>>bit&1 == 1 {
				name += "-"
			}
			name += "1"
		}
		same.Fields = append(same.Fields, wit.Field{Name: name, Type: &wit.Type{Kind: wit.U32}})
		values.Cases = append(values.Cases, wit.Case{Name: name})
	}
	tests := []struct {
		name  string
		typ   *wit.Type
		world *wit.World
		want  string
	}{
		{"tuples that double", nested(60, 2), nil, "f().a" + strings.Repeat(".f0", 46) + ".f1: the type unfolds to more than 20000 protobuf fields, which is the limit"},
		{"deep tuples", nested(12, 1), nil, "f().a: types without a name nest too deep: the name of message FRequest.A.F0.F0Value.F0ValueValue." +
			"F0ValueValueValue.F0ValueValueValueValue.F0ValueValueValueValueValue.F0ValueValueValueValueValueValue.F0ValueValueValueValueValueValueValue.F0ValueValueValueValueValueValueValueValue is longer than 200 characters; give one a name"},
		{"deeper than protobuf", chain(101), nil, "r0.a: types nest more than 100 deep, which is the limit"},
		{"much deeper", chain(1_000_000), nil, "r999899.a: types nest more than 100 deep, which is the limit"},
		{"100,000 fields", wide(100_000), nil, "r: the component needs more than 20000 protobuf fields in all, which is the limit"},
		{"values that clash", values, nil, "e.a-1-1-1-1-1-11-111111: the name " + strings.Repeat("E_", 20) + "… is longer than 400 characters"},
		{"fields that clash", same, nil, ""},
		{"20,001 functions", nil, many, "f20000(): the component needs more than 20000 protobuf fields in all, which is the limit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			world := test.world
			if world == nil {
				world = &wit.World{ExportFunctions: []*wit.Function{{Name: "f", Params: []wit.Field{{Name: "a", Type: test.typ}}}}}
			}
			started := time.Now()
			_, err := contract.Build(contract.Input{Function: function, World: world})
			if test.want != "" {
				wantRefused(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestLargest builds what is just allowed.
func TestLargest(t *testing.T) {
	r := &wit.Type{Kind: wit.Record, Name: "r"}
	for i := range 19_990 {
		r.Fields = append(r.Fields, wit.Field{Name: fmt.Sprintf("f%d", i), Type: &wit.Type{Kind: wit.U32}})
	}
	world := &wit.World{ExportFunctions: []*wit.Function{{Name: "f", Params: []wit.Field{{Name: "a", Type: r}}}}}
	built, err := contract.Build(contract.Input{Function: function, World: world})
	if err != nil {
		t.Fatal(err)
	}
	numbers := make(map[int32]bool)
	fields := built.Services[0].Methods[0].Params[0].Shape.Fields
	for _, f := range fields {
		if f.Number >= 19_000 && f.Number <= 19_999 {
			t.Fatalf("field %s has number %d, which protobuf reserves", f.Name, f.Number)
		}
		numbers[f.Number] = true
	}
	if last := fields[len(fields)-1].Number; len(numbers) != 19_990 || last != 20_990 {
		t.Errorf("%d numbers up to %d", len(numbers), last)
	}
	set, err := contract.Files(built.Contracts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := contract.Print(set); err != nil {
		t.Fatal(err)
	}
}

// TestCycle has two components whose union no protobuf can say: what one imports, the other exports.
func TestCycle(t *testing.T) {
	tests := []struct{ name, first, second, want string }{
		{
			"files",
			"package demo:x { interface a { record r { x: u32 } } interface b { use a.{r}; record s { r: r } } } world w { export demo:x/b; export demo:x/a; }",
			"package demo:x { interface b { record t { x: u32 } } interface a { use b.{t}; record r { x: u32, t: option<t> } f: func() -> r; } } world w { export demo:x/a; }",
			"demo/x/a.proto: files would import each other: demo/x/a.proto → demo/x/b.proto → demo/x/a.proto",
		},
		{
			"packages",
			"package demo:x { interface a { record r { x: u32 } } } package demo:y { interface b { use demo:x/a.{r}; record s { r: r } } } world w { export demo:y/b; }",
			"package demo:y { interface c { record s { x: u32 } } } package demo:x { interface d { use demo:y/c.{s}; record t { s: s } } } world w { export demo:x/d; }",
			"demo.x: proto packages would import each other: demo.x → demo.y → demo.x",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			built, err := contract.Build(contract.Input{Function: function, World: wittest.MustParse(test.first)})
			if err != nil {
				t.Fatal(err)
			}
			stored := make(map[string]*weftv1.Contract)
			for _, c := range built.Contracts {
				stored[c.GetPackage()] = c
			}
			_, err = contract.Build(contract.Input{Function: function, World: wittest.MustParse(test.second), Stored: stored, AllowBreaking: true})
			wantRefused(t, err, test.want)
		})
	}
}
