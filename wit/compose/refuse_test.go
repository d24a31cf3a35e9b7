package compose_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/compose"
)

func TestRefused(t *testing.T) {
	a := func(links ...compose.Link) compose.Part { return chain(t, "a", "b", links...) }
	b := chain(t, "b", "")
	wide := part(t, "b", wat.Chain{Export: iface("b"), Wide: true}.Bytes(t))
	imports := func(name, declared string, links ...compose.Link) compose.Part {
		return text(t, name, importing(name, declared), links...)
	}
	resource := `(instance (export "h" (type $h (sub resource))) (export "open" (func (result (own $h)))))`
	exports := text(t, "b", `(component (component $c (import "i" `+resource+`))
	  (core module $m (func (export "open") (result i32) (i32.const 1))) (core instance $i (instantiate $m))
	  (type $h' (resource (rep i32))) (export $h "h" (type $h')) (func $open (result (own $h)) (canon lift (core func $i "open")))
	  (instance $api (export "h" (type $h)) (export "open" (func $open))) (export "demo:chain/r@1.0.0" (instance $api)))`)
	for _, tt := range []struct {
		says  string
		parts []compose.Part
	}{
		{"0 parts", nil},
		{"65 parts", make([]compose.Part, 65)},
		{"a: import demo:chain/b@1.0.0: it is to be answered by part 0, which is not behind part 0", []compose.Part{a(same(iface("b"), 0)), b}},
		{"not behind part 0", []compose.Part{a(same(iface("b"), 2)), b}},
		{"import demo:chain/x@1.0.0: the component has no such import", []compose.Part{a(same(iface("x"), 1)), b}},
		{"b does not export demo:chain/x@1.0.0", []compose.Part{a(compose.Link{Import: iface("b"), Part: 1, Export: iface("x")}), b}},
		{"demo:chain/b@1.0.0 of b does not fit: function tell: parameter n: it is u32 in the import, and u64 in the export",
			[]compose.Part{a(same(iface("b"), 1)), wide}},
		{"resources can't be handed from one linked component to another",
			[]compose.Part{imports("a", `(import "demo:chain/r@1.0.0" `+resource+`)`, same(iface("r"), 1)), exports}},
		{"b: import x:y/z: a imports it too, with another function f: parameter n: it is u32 in a, and u64 in b", []compose.Part{
			imports("a", `(import "x:y/z" (instance (export "f" (func (param "n" u32)))))`),
			imports("b", `(import "x:y/z" (instance (export "f" (func (param "n" u64)))))`),
		}},
		{"with another type t: field 2: it is b in a, and c in b", []compose.Part{
			imports("a", `(import "x:y/z" (instance (type $t (record (field "a" u8) (field "b" u8))) (export "t" (type (eq $t)))))`),
			imports("b", `(import "x:y/z" (instance (type $t (record (field "a" u8) (field "c" u8))) (export "t" (type (eq $t)))))`),
		}},
		{"with another type t: only b has a case high", []compose.Part{
			imports("a", `(import "x:y/z" (instance (type $t (enum "low")) (export "t" (type (eq $t)))))`),
			imports("b", `(import "x:y/z" (instance (type $t (enum "low" "high")) (export "t" (type (eq $t)))))`),
		}},
		{"a: import f: a function that is imported outside of an interface", []compose.Part{imports("a", `(import "f" (func))`), b}},
		{"a: import m: it is neither an interface nor a type of values", []compose.Part{imports("a", `(import "m" (core module))`), b}},
		{"x: it is no component", []compose.Part{{Name: "x", World: &wit.World{}}}},
		{"a name of 300 bytes", []compose.Part{{Name: strings.Repeat("x", 300), World: &wit.World{}}}},
	} {
		_, err := compose.New(tt.parts)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v\nwant %s", err, tt.says)
		}
	}
}

// TestTooComplex: types that are shared by many interfaces are short to say and long to write down.
func TestTooComplex(t *testing.T) {
	shared := &wit.Type{Kind: wit.U8}
	for range 90 {
		fields := make([]wit.Field, 40)
		for n := range fields {
			fields[n].Type = shared
		}
		shared = &wit.Type{Kind: wit.Tuple, Fields: fields}
	}
	w := &wit.World{}
	for n := range 20_000 {
		w.Imports = append(w.Imports, &wit.Interface{
			ID: fmt.Sprintf("x:y/i%d", n), Functions: []*wit.Function{{Name: "f", Result: shared}},
		})
	}
	began := time.Now()
	_, err := compose.New([]compose.Part{{Name: "a", Component: []byte("\x00asm\x0d\x00\x01\x00"), World: w}})
	if !errors.Is(err, compose.ErrTooComplex) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}
