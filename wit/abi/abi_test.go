package abi

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit/wittest"
)

func TestLayouts(t *testing.T) {
	w := wittest.MustParse(`package demo:a { interface a {
		flags few { a, b }
		variant v { none, text(string), wide(u64), real(f32) }
		record r { a: u8, b: u64, c: option<u16>, d: few }
		f: func(a: few, b: v, c: r, d: result<f32, u32>, e: tuple<u8, char, list<r>>);
	} } world w { export demo:a/a; }`)
	want := []Layout{
		{1, 1, []Core{I32}},
		{16, 8, []Core{I32, I64, I32}},
		{24, 8, []Core{I32, I64, I32, I32, I32}},
		{8, 4, []Core{I32, I32}},
		{16, 4, []Core{I32, I32, I32, I32}},
	}
	var l Layouts
	for n, p := range w.Exports[0].Functions[0].Params {
		if got := l.Of(p.Type); got.Size != want[n].Size || got.Align != want[n].Align || !slices.Equal(got.Flat, want[n].Flat) {
			t.Errorf("%s is %+v, want %+v", p.Name, got, want[n])
		}
	}
}

// TestFlat compares flat values with those of an implementation of its own.
func TestFlat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := wittest.Type(t, nil)
		var l Layouts
		var got []string
		for _, c := range l.Of(typ).Flat {
			got = append(got, string(c))
		}
		if want := wittest.Flatten(typ); !slices.Equal(got, want) {
			t.Fatalf("%v is %v, want %v", typ, got, want)
		}
	})
}

// TestConvention has functions at the limits of what is passed flat.
func TestConvention(t *testing.T) {
	w := wittest.MustParse(`package demo:a { interface a {
		record r8 { a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8 }
		nothing: func();
		flat: func(a: r8, b: r8) -> f64;
		spilled: func(a: r8, b: r8, c: u64);
		returned: func(a: u64) -> string;
		both: func(a: r8, b: r8, c: u64) -> tuple<u8, u8>;
	} } world w { export demo:a/a; }`)
	i32 := func(n int) []Core { return slices.Repeat([]Core{I32}, n) }
	want := map[string]struct {
		Convention
		params, result []Core
	}{
		"nothing":  {},
		"flat":     {Convention{Params: i32(16), Result: []Core{F64}}, i32(16), []Core{F64}},
		"spilled":  {Convention{Params: i32(1), Spilled: true}, i32(1), nil},
		"returned": {Convention{Params: []Core{I64}, Result: i32(1), Returned: true}, []Core{I64, I32}, nil},
		"both":     {Convention{Params: i32(1), Spilled: true, Result: i32(1), Returned: true}, i32(2), nil},
	}
	var l Layouts
	for _, f := range w.Exports[0].Functions {
		got, want := l.Convention(f), want[f.Name]
		if !slices.Equal(got.Params, want.Params) || got.Spilled != want.Spilled || !slices.Equal(got.Result, want.Result) || got.Returned != want.Returned {
			t.Errorf("%s is called as %+v, want %+v", f.Name, got, want.Convention)
		}
		if params, result := got.Import(); !slices.Equal(params, want.params) || !slices.Equal(result, want.result) {
			t.Errorf("%s is imported as %v %v, want %v %v", f.Name, params, result, want.params, want.result)
		}
	}
}
