package wasmtime

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/weft-run/weft/wit"
)

// check sends a value through the echo component and compares what the host function and the caller saw with it.
func (e *echoer) check(t *testing.T, x any) {
	t.Helper()
	p := newPlan(t, e.typ)
	a := NewArena()
	defer a.Free()
	if err := p.write(a, a.Args(1).At(0), x); err != nil {
		t.Fatal(err)
	}
	s := &seen{}
	i, err := e.tmpl.NewInstance(InstanceConfig{Data: s})
	if err != nil {
		t.Fatal(err)
	}
	r, err := i.Call(0, a)
	i.Close() // the result outlives it
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	v, ok := r.Value()
	if !ok {
		t.Fatal("no result")
	}
	if got := p.read(v); !reflect.DeepEqual(got, x) || !reflect.DeepEqual(s.value, x) {
		t.Errorf("sent %s, host saw %s, came back %s", show(x), show(s.value), show(got))
	}
}

func show(x any) string {
	s := fmt.Sprintf("%#v", x)
	if len(s) < 300 {
		return s
	}
	return s[:300] + "..."
}

// everything is a type that has every kind in it.
func everything() *wit.Type {
	of := func(k wit.Kind) *wit.Type { return &wit.Type{Kind: k} }
	list := func(t *wit.Type) *wit.Type { return &wit.Type{Kind: wit.List, Elem: t} }
	option := func(t *wit.Type) *wit.Type { return &wit.Type{Kind: wit.Option, Elem: t} }
	cases := func(names ...string) (out []wit.Case) {
		for _, n := range names {
			out = append(out, wit.Case{Name: n})
		}
		return out
	}
	scalars := &wit.Type{Kind: wit.Record}
	for k := wit.Bool; k <= wit.String; k++ {
		scalars.Fields = append(scalars.Fields, wit.Field{Name: fmt.Sprintf("f%d", k), Type: of(k)})
	}
	shape := &wit.Type{Kind: wit.Variant, Cases: []wit.Case{
		{Name: "none"}, {Name: "circle", Type: of(wit.F32)}, {Name: "text", Type: of(wit.String)},
		{Name: "many", Type: list(scalars)}, {Name: "big", Type: of(wit.S64)},
	}}
	return &wit.Type{Kind: wit.Record, Fields: []wit.Field{
		{Name: "scalars", Type: scalars},
		{Name: "bytes", Type: list(of(wit.U8))},
		{Name: "nested", Type: list(list(of(wit.U16)))},
		{Name: "maybe", Type: option(option(of(wit.Bool)))},
		{Name: "shape", Type: shape},
		{Name: "shapes", Type: list(shape)},
		{Name: "level", Type: &wit.Type{Kind: wit.Enum, Cases: cases("low", "high")}},
		{Name: "tags", Type: &wit.Type{Kind: wit.Flags, Cases: cases("a", "b", "c", "d", "e", "f", "g", "h", "i")}},
		{Name: "done", Type: &wit.Type{Kind: wit.Result, Ok: shape, Err: of(wit.String)}},
		{Name: "empty", Type: &wit.Type{Kind: wit.Result}},
		{Name: "pair", Type: &wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: of(wit.Char)}, {Type: list(of(wit.Char))}}}},
	}}
}

func TestEveryKindBothWays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for k := wit.Bool; k <= wit.String; k++ {
		t.Run(k.String(), func(t *testing.T) {
			e := newEchoer(t, &wit.Type{Kind: k})
			for range effort(30) {
				e.check(t, newPlan(t, e.typ).random(r, 0))
			}
		})
	}
	t.Run("everything", func(t *testing.T) {
		e := newEchoer(t, everything())
		for range effort(200) {
			e.check(t, newPlan(t, e.typ).random(r, 0))
		}
	})
}

func TestRandomTypes(t *testing.T) {
	for seed := range effort(60) {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		e := newEchoer(t, randomType(r, 3))
		for range 10 {
			e.check(t, newPlan(t, e.typ).random(r, 0))
		}
	}
}
