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
