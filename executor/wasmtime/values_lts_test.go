//go:build wasmtime_lts

package wasmtime

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wittest"
)

// claims is the text of a component that exports run: func(x: list<u8>) -> T, whose result is at address 4096, where its bytes are.
func claims(t *wit.Type) string {
	types := wittest.NewTypeText()
	name := types.Name(t)
	return fmt.Sprintf(`(component
  %s
  (core module $m
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "run") (param $p i32) (param $n i32) (result i32)
      (memory.copy (i32.const 4096) (local.get $p) (local.get $n))
      (i32.const 4096)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "x" (list u8)) (result %s)
    (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))`, types.Defs(), name)
}

// likely makes bytes that are often a valid value: small numbers, pointers to what follows, and text.
func likely(r *rand.Rand, size int) []byte {
	var b []byte
	for len(b) < size {
		word := [4]byte{}
		switch r.IntN(8) {
		case 0:
			copy(word[:], "text")
		case 1, 2:
			binary.LittleEndian.PutUint32(word[:], 4096+8*r.Uint32N(uint32(size/8)))
		case 3:
			binary.LittleEndian.PutUint32(word[:], r.Uint32()>>r.IntN(32))
		default:
			binary.LittleEndian.PutUint32(word[:], r.Uint32N(4))
		}
		b = append(b, word[:]...)
	}
	return b
}

// TestStraight: values that go straight are those that the C API passes in the engine's own form, and the errors about what a guest
// returned have the same text.
func TestStraight(t *testing.T) {
	types := []*wit.Type{everything(), {Kind: wit.String}, everything().Fields[8].Type, everything().Fields[4].Type}
	for seed := range max(16, effort(40)) {
		types = append(types, randomType(rand.New(rand.NewPCG(uint64(seed), 11)), 3))
	}
	r := rand.New(rand.NewPCG(5, 6))
	straight, values, errors, rounds := 0, 0, map[string]int{}, max(40, effort(200))
	for _, typ := range types {
		if len(wittest.Flatten(typ)) == 1 {
			continue // no pointer is returned
		}
		p := newPlan(t, typ)
		tmpl := prepare(t, claims(typ), nil, "run")
		if !tmpl.exports[0].straight {
			t.Fatal("it does not go straight")
		}
		straight++
		for range rounds {
			data := likely(r, 512)
			var got [2]any
			for i, straight := range []bool{true, false} {
				a := NewArena()
				a.SetBytes(a.Args(1).At(0), data)
				got[i] = outcome(tmpl, straight, a, p)
				a.Free()
			}
			if !reflect.DeepEqual(got[0], got[1]) {
				t.Fatalf("%x is straight\n%s\nand by the C API\n%s", data, show(got[0]), show(got[1]))
			}
			if text, failed := got[0].(error); failed {
				errors[text.Error()]++
			} else {
				values++
			}
		}
	}
	t.Logf("%d types, %d values; errors: %d", straight, values, len(errors))
	if straight < 10 || 20*values < rounds*straight || len(errors) < 5 {
		t.Errorf("%d types that go straight, %d values, errors %v", straight, values, errors)
	}
}

// outcome is what a call of a new instance gives: a value, as the plan reads it, or an error.
func outcome(tmpl *Template, straight bool, a *Arena, p *plan) any {
	setStraight(tmpl, straight)
	r, err := call(tmpl, a, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	v, _ := r.Value()
	return p.read(v)
}

// setStraight has the values of export 0 go straight, or by the C API.
func setStraight(tmpl *Template, straight bool) {
	tmpl.exports[0].straight = false
	if straight {
		tmpl.exports[0].straight = true
	}
}

// TestStraightArguments: what is no value of the parameters is refused on both ways, and what is comes back.
func TestStraightArguments(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	refused := 0
	for seed := range effort(40) {
		typ := randomType(rand.New(rand.NewPCG(uint64(seed), 12)), 2)
		e := newEchoer(t, typ)
		if !e.tmpl.exports[0].straight {
			continue
		}
		for range effort(100) {
			a := NewArena()
			if wild(a, a.Args(1).At(0), r, 0) != nil {
				drop(a)
				continue
			}
			var ok [2]bool
			for i, straight := range []bool{true, false} {
				setStraight(e.tmpl, straight)
				res, err := call(e.tmpl, a, &seen{})
				if ok[i] = err == nil; ok[i] {
					res.Close()
				}
			}
			if ok[0] != ok[1] {
				t.Fatalf("type %d: straight %v, by the C API %v", seed, ok[0], ok[1])
			}
			if !ok[0] {
				refused++
			}
			drop(a)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
