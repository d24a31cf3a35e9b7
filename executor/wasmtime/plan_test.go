package wasmtime

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
)

// plan writes and reads values of one type. In Go they are: bool; int64 for the signed and uint64 for the unsigned
// integers; uint64 for the bits of floats; rune; string; []any for lists, records and tuples; pick for variants, enums
// (with no payload) and results; nil or *any for options; and []bool for flags.
type plan struct {
	typ   *wit.Type
	names *Names
	parts []*plan // element, fields, payloads of cases (nil if none)
}

type pick struct {
	i       int
	payload any // nil if there is none
}

func newPlan(t testing.TB, typ *wit.Type) *plan {
	t.Helper()
	if typ == nil {
		return nil
	}
	p := &plan{typ: typ}
	var names []string
	switch typ.Kind {
	case wit.List, wit.Option:
		p.parts = []*plan{newPlan(t, typ.Elem)}
	case wit.Result:
		p.parts = []*plan{newPlan(t, typ.Ok), newPlan(t, typ.Err)}
	default:
		for _, f := range typ.Fields {
			names = append(names, f.Name)
			p.parts = append(p.parts, newPlan(t, f.Type))
		}
		for _, c := range typ.Cases {
			names = append(names, c.Name)
			p.parts = append(p.parts, newPlan(t, c.Type))
		}
	}
	var err error
	if p.names, err = NewNames(names); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.names.Close)
	return p
}

// write sets v to x. The errors are those of the setters.
func (p *plan) write(a *Arena, v Value, x any) error {
	switch p.typ.Kind {
	case wit.Bool:
		a.SetBool(v, x.(bool))
	case wit.S8:
		a.SetS8(v, int8(x.(int64)))
	case wit.U8:
		a.SetU8(v, uint8(x.(uint64)))
	case wit.S16:
		a.SetS16(v, int16(x.(int64)))
	case wit.U16:
		a.SetU16(v, uint16(x.(uint64)))
	case wit.S32:
		a.SetS32(v, int32(x.(int64)))
	case wit.U32:
		a.SetU32(v, uint32(x.(uint64)))
	case wit.S64:
		a.SetS64(v, x.(int64))
	case wit.U64:
		a.SetU64(v, x.(uint64))
	case wit.F32:
		a.SetF32(v, math.Float32frombits(uint32(x.(uint64))))
	case wit.F64:
		a.SetF64(v, math.Float64frombits(x.(uint64)))
	case wit.Char:
		return a.SetChar(v, x.(rune))
	case wit.String:
		return a.SetString(v, []byte(x.(string)))
	case wit.List:
		items := x.([]any)
		if p.parts[0].typ.Kind == wit.U8 {
			b := make([]byte, len(items))
			for i, item := range items {
				b[i] = byte(item.(uint64))
			}
			a.SetBytes(v, b)
			return nil
		}
		return p.writeRow(a, a.SetList(v, len(items)), items, func(int) *plan { return p.parts[0] })
	case wit.Record:
		return p.writeRow(a, a.SetRecord(v, p.names), x.([]any), func(i int) *plan { return p.parts[i] })
	case wit.Tuple:
		return p.writeRow(a, a.SetTuple(v, len(p.parts)), x.([]any), func(i int) *plan { return p.parts[i] })
	case wit.Variant:
		c := x.(pick)
		if inner := a.SetVariant(v, p.names, c.i, p.parts[c.i] != nil); p.parts[c.i] != nil {
			return p.parts[c.i].write(a, inner, c.payload)
		}
	case wit.Enum:
		a.SetEnum(v, p.names, x.(pick).i)
	case wit.Option:
		some, _ := x.(*any)
		if inner := a.SetOption(v, some != nil); some != nil {
			return p.parts[0].write(a, inner, *some)
		}
	case wit.Result:
		c := x.(pick)
		if inner := a.SetResult(v, c.i == 0, p.parts[c.i] != nil); p.parts[c.i] != nil {
			return p.parts[c.i].write(a, inner, c.payload)
		}
	case wit.Flags:
		set := x.([]bool)
		a.SetFlags(v, p.names, func(i int) bool { return set[i] })
	}
	return nil
}

func (p *plan) writeRow(a *Arena, row Values, items []any, part func(int) *plan) error {
	for i, item := range items {
		if err := part(i).write(a, row.At(i), item); err != nil {
			return err
		}
	}
	return nil
}

// read returns v as a Go value.
func (p *plan) read(v Value) any {
	switch p.typ.Kind {
	case wit.Bool:
		return v.Bool()
	case wit.S8:
		return int64(v.S8())
	case wit.U8:
		return uint64(v.U8())
	case wit.S16:
		return int64(v.S16())
	case wit.U16:
		return uint64(v.U16())
	case wit.S32:
		return int64(v.S32())
	case wit.U32:
		return uint64(v.U32())
	case wit.S64:
		return v.S64()
	case wit.U64:
		return v.U64()
	case wit.F32:
		return uint64(math.Float32bits(v.F32()))
	case wit.F64:
		return math.Float64bits(v.F64())
	case wit.Char:
		return v.Char()
	case wit.String:
		return string(v.Bytes())
	case wit.List:
		if p.parts[0].typ.Kind == wit.U8 {
			items := []any{}
			for _, b := range v.U8s(nil) {
				items = append(items, uint64(b))
			}
			return items
		}
		return p.readRow(v.List(), func(int) *plan { return p.parts[0] })
	case wit.Record:
		return p.readRow(v.Fields(), func(i int) *plan { return p.parts[i] })
	case wit.Tuple:
		return p.readRow(v.Tuple(), func(i int) *plan { return p.parts[i] })
	case wit.Variant:
		i, inner, has := v.Variant(p.names)
		return p.readPick(i, inner, has)
	case wit.Enum:
		return pick{i: v.Enum(p.names)}
	case wit.Option:
		inner, some := v.Option()
		if !some {
			return nil
		}
		x := p.parts[0].read(inner)
		return &x
	case wit.Result:
		inner, has, ok := v.Result()
		if ok {
			return p.readPick(0, inner, has)
		}
		return p.readPick(1, inner, has)
	case wit.Flags:
		set := make([]bool, p.names.Len())
		v.Flags(p.names, func(i int) { set[i] = true })
		return set
	}
	panic("no reader for " + strconv.Itoa(int(p.typ.Kind)))
}

func (p *plan) readPick(i int, inner Value, has bool) any {
	if has {
		return pick{i, p.parts[i].read(inner)}
	}
	return pick{i: i}
}

func (p *plan) readRow(row Values, part func(int) *plan) any {
	items := make([]any, row.Len())
	for i := range items {
		items[i] = part(i).read(row.At(i))
	}
	return items
}

// random returns a value of the plan's type. Interesting numbers are more likely than others.
func (p *plan) random(r *rand.Rand, depth int) any {
	bits := func(n int) uint64 {
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			return uint64(1)<<n - 1
		case 2:
			return uint64(1) << (n - 1)
		}
		return r.Uint64() & (uint64(1)<<n - 1)
	}
	switch p.typ.Kind {
	case wit.Bool:
		return r.IntN(2) == 1
	case wit.S8:
		return int64(int8(bits(8)))
	case wit.S16:
		return int64(int16(bits(16)))
	case wit.S32:
		return int64(int32(bits(32)))
	case wit.S64:
		return int64(bits(64))
	case wit.U8:
		return bits(8)
	case wit.U16:
		return bits(16)
	case wit.U32:
		return bits(32)
	case wit.U64:
		return bits(64)
	case wit.F32:
		return uint64([]uint32{0, 1 << 31, math.Float32bits(1.5), 0x7f800000, 0x7fc00000, r.Uint32() &^ 0x7f800000}[r.IntN(6)])
	case wit.F64:
		return []uint64{0, 1 << 63, math.Float64bits(-2.5), 0x7ff0 << 48, 0x7ff8 << 48, r.Uint64() &^ (0x7ff << 52)}[r.IntN(6)]
	case wit.Char:
		return []rune{0, 'a', 0xd7ff, 0xe000, 0x10ffff, '\u20ac', rune(r.IntN(0xd800))}[r.IntN(7)]
	case wit.String:
		return strings.Repeat([]string{"", "a", "h\u00e9", "\x00", "\U0001f600"}[r.IntN(5)], []int{1, 2, 7, 300}[r.IntN(4)])
	case wit.List:
		items := make([]any, []int{0, 1, 2, 5}[r.IntN(4)])
		for i := range items {
			items[i] = p.parts[0].random(r, depth+1)
		}
		return items
	case wit.Record, wit.Tuple:
		items := make([]any, len(p.parts))
		for i := range items {
			items[i] = p.parts[i].random(r, depth+1)
		}
		return items
	case wit.Option:
		if r.IntN(3) == 0 {
			return nil
		}
		x := p.parts[0].random(r, depth+1)
		return &x
	case wit.Enum:
		return pick{i: r.IntN(p.names.Len())}
	case wit.Flags:
		set := make([]bool, p.names.Len())
		for i := range set {
			set[i] = r.IntN(2) == 1
		}
		return set
	default: // variant, result
		i := r.IntN(len(p.parts))
		if p.parts[i] == nil {
			return pick{i: i}
		}
		return pick{i, p.parts[i].random(r, depth+1)}
	}
}

// randomType returns a type of at most that depth.
func randomType(r *rand.Rand, depth int) *wit.Type {
	if depth == 0 || r.IntN(4) == 0 {
		return &wit.Type{Kind: wit.Bool + wit.Kind(r.IntN(int(wit.String-wit.Bool)+1))}
	}
	maybe := func() *wit.Type {
		if r.IntN(3) == 0 {
			return nil
		}
		return randomType(r, depth-1)
	}
	cases := func(n int, payload bool) (out []wit.Case) {
		for i := range n {
			c := wit.Case{Name: "c" + strconv.Itoa(i) + strings.Repeat("-x", r.IntN(3))}
			if payload {
				c.Type = maybe()
			}
			out = append(out, c)
		}
		return out
	}
	fields := func(n int) (out []wit.Field) {
		for i := range n {
			out = append(out, wit.Field{Name: "f" + strconv.Itoa(i), Type: randomType(r, depth-1)})
		}
		return out
	}
	switch kind := wit.List + wit.Kind(r.IntN(int(wit.Flags-wit.List)+1)); kind {
	case wit.List, wit.Option:
		return &wit.Type{Kind: kind, Elem: randomType(r, depth-1)}
	case wit.Result:
		return &wit.Type{Kind: kind, Ok: maybe(), Err: maybe()}
	case wit.Tuple, wit.Record:
		return &wit.Type{Kind: kind, Fields: fields(1 + r.IntN(20))}
	case wit.Variant:
		return &wit.Type{Kind: kind, Cases: cases(1+r.IntN(12), true)}
	case wit.Enum:
		return &wit.Type{Kind: kind, Cases: cases(1+r.IntN(300), false)}
	default:
		return &wit.Type{Kind: kind, Cases: cases(1+r.IntN(32), false)}
	}
}
