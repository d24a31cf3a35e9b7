package resolve

import (
	"errors"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

func TestWorld(t *testing.T) {
	w, name, err := World(map[string][]byte{
		"b.wit": []byte(`package demo:app@1.0.0;
			use demo:types/values@2.1.0 as known;
			interface api {
				use known.{money as cents};
				use local.{note};
				pay: func(v: cents) -> result<note, string>;
				@unstable(feature = x) hidden: func();
			}
			world app { include base; export api; export known; }`),
		"a.wit": []byte(`interface local { type note = option<string>; }
			world base { @since(version = 1.0.0) import log: func(text: string); }`),
		"deps/types.wit": []byte(`package demo:types@2.1.0; interface values { record money { units: u64 } }`),
	}, "app")
	if err != nil || name != "app" {
		t.Fatalf("%q, %v", name, err)
	}
	if len(w.ImportFunctions) != 1 || w.ImportFunctions[0].Name != "log" {
		t.Errorf("import functions %v, want log of the included world", w.ImportFunctions)
	}
	// What only lends types is imported; what is exported itself is not.
	if len(w.Imports) != 1 || w.Imports[0].ID != "demo:app/local@1.0.0" {
		t.Errorf("imports %v, want local", w.Imports)
	}
	if len(w.Exports) != 2 || w.Exports[0].ID != "demo:types/values@2.1.0" || w.Exports[1].ID != "demo:app/api@1.0.0" {
		t.Fatalf("exports %v", w.Exports)
	}
	api := w.Exports[1]
	if len(api.Functions) != 1 {
		t.Fatalf("%d functions, want one: the other is unstable", len(api.Functions))
	}
	money := api.Functions[0].Params[0].Type
	if money.Kind != wit.Record || money.Name != "money" || money.Interface != w.Exports[0] {
		t.Errorf("the parameter is %s of %v, want money of the exported interface", money.Name, money.Interface)
	}
	if ok := api.Functions[0].Result.Ok; ok.Kind != wit.Option || ok.Elem.Kind != wit.String {
		t.Errorf("the result is %v, want an option", ok)
	}
}

func TestWorldRefuses(t *testing.T) {
	for _, tt := range []struct{ text, world, message string }{
		{`package a:b; interface i { f: func(v: w); } world w { import i; }`, "", `no type "w"`},
		{`package a:b; interface i { use j.{t}; } world w { import i; }`, "", "no interface j"},
		{`package a:b; interface i { use x:y/j@1.0.0.{t}; } world w { import i; }`, "", "no package x:y@1.0.0"},
		{`package a:b; interface j { } interface i { use j.{t}; } world w { import i; }`, "", "has no type t"},
		{`package a:b; interface i { record r { r: option<r> } f: func(v: r); } world w { import i; }`, "", "type r holds itself"},
		{`package a:b; interface i { type a = u8; a: func(); } world w { import i; }`, "", "two of the name a"},
		{`package a:b; interface i { type a = u8; f: func(v: borrow<a>); } world w { import i; }`, "", "a is no resource"},
		{`package a:b; world v { include w; } world w { include v; }`, "v", "includes itself"},
		{`package a:b; world v { } world w { }`, "", "several worlds; say which: v, w"},
		{`package a:b; world v { }`, "x", `no world "x"`},
		{`package a:b; interface i { }`, "", "no world"},
		{`world v { }`, "", "the package has no name"},
		{`package a:b; world v { resource r; }`, "", "a resource of a world itself"},
		{`package a:b; interface i { f: func(v: list); } world w { import i; }`, "", "list has 0 types in < >; it takes 1"},
		{`package a:b; interface i { f: func(v: tuple); } world w { import i; }`, "", "tuple has 0 types in < >; it takes 1 or more"},
		{`package a:b; interface i { f: func(v: result<u8, u8, u8>); } world w { import i; }`, "", "result has 3 types in < >; it takes 0 to 2"},
		{`package a:b; interface i { f: func(v: list<_>); } world w { import i; }`, "", "expected a type"},
		{`package a:b; interface i { f: func( } world w { import i; }`, "", "expected a name"},
		{`package a:b; world w { @since(`, "", "does not end"},
	} {
		_, _, err := World(map[string][]byte{"w.wit": []byte(tt.text)}, tt.world)
		if err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: error %v, want %q", tt.text, err, tt.message)
		}
	}
}

func FuzzWorld(f *testing.F) {
	f.Add(`package a:b@1.0.0; interface i { resource r { constructor(); m: func(v: borrow<r>); } } world w { import i; export x: func(); }`)
	f.Add(`package a:b; package c:d { interface i { type t = u8; } } world w { use c:d/i.{t as u}; import f: func(v: tuple<t, u>); }`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _, err := World(map[string][]byte{"w.wit": []byte(text)}, "")
		var syntax *doc.Error
		if errors.As(err, &syntax) && syntax.Line < 1 {
			t.Errorf("an error on line %d", syntax.Line)
		}
	})
}
