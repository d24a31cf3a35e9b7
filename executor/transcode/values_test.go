package transcode_test

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// The values of these tests are those of wittest.Value. This file leads from them to dynamic messages, to wasmtime's
// values, and back from those.

// put sets a field of a message.
func put(m protoreflect.Message, f contract.Field, v any) {
	fd := m.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(f.Number))
	switch f.Label {
	case contract.Optional:
		if c := v.(wittest.Case); c.Index == 1 {
			m.Set(fd, single(m.NewField(fd), f.Shape, c.Value))
		}
	case contract.Repeated:
		for _, e := range v.([]any) {
			list := m.Mutable(fd).List()
			list.Append(single(list.NewElement(), f.Shape, e))
		}
	default:
		m.Set(fd, single(m.NewField(fd), f.Shape, v))
	}
}

// single makes one value of a field, of which zero is the default.
func single(zero protoreflect.Value, s *contract.Shape, v any) protoreflect.Value {
	if s == nil {
		return zero
	}
	switch s.Kind {
	case wit.Bool, wit.S64, wit.U64, wit.F64, wit.String:
		return protoreflect.ValueOf(v)
	case wit.S8, wit.S16, wit.S32:
		return protoreflect.ValueOfInt32(int32(v.(int64)))
	case wit.U8, wit.U16, wit.U32:
		return protoreflect.ValueOfUint32(uint32(v.(uint64)))
	case wit.F32:
		return protoreflect.ValueOfFloat32(float32(v.(float64)))
	case wit.Char:
		return protoreflect.ValueOfString(string(v.(rune)))
	case wit.Enum:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(s.Numbers[v.(int)]))
	case wit.List:
		if len(s.Fields) == 0 {
			return protoreflect.ValueOfBytes(v.([]byte))
		}
	}
	m := zero.Message()
	switch s.Kind {
	case wit.Record, wit.Tuple:
		for i, f := range s.Fields {
			put(m, f, v.([]any)[i])
		}
	case wit.Flags:
		for i, f := range s.Fields {
			put(m, f, v.([]bool)[i])
		}
	case wit.Variant, wit.Result:
		c := v.(wittest.Case)
		put(m, s.Fields[c.Index], c.Value)
	default:
		put(m, s.Fields[0], v)
	}
	return zero
}

// namesOf gives the names of the members of a type.
func namesOf(t *wit.Type) *wasmtime.Names {
	var words []string
	for _, f := range t.Fields {
		words = append(words, f.Name)
	}
	for _, c := range t.Cases {
		words = append(words, c.Name)
	}
	names, err := wasmtime.NewNames(words)
	if err != nil {
		panic(err)
	}
	return names
}

// write sets v to a value of a type.
func write(a *wasmtime.Arena, v wasmtime.Value, t *wit.Type, x any) {
	switch t.Kind {
	case wit.Bool:
		a.SetBool(v, x.(bool))
	case wit.S8:
		a.SetS8(v, int8(x.(int64)))
	case wit.S16:
		a.SetS16(v, int16(x.(int64)))
	case wit.S32:
		a.SetS32(v, int32(x.(int64)))
	case wit.S64:
		a.SetS64(v, x.(int64))
	case wit.U8:
		a.SetU8(v, uint8(x.(uint64)))
	case wit.U16:
		a.SetU16(v, uint16(x.(uint64)))
	case wit.U32:
		a.SetU32(v, uint32(x.(uint64)))
	case wit.U64:
		a.SetU64(v, x.(uint64))
	case wit.F32:
		a.SetF32(v, float32(x.(float64)))
	case wit.F64:
		a.SetF64(v, x.(float64))
	case wit.Char:
		must(a.SetChar(v, x.(rune)))
	case wit.String:
		must(a.SetString(v, []byte(x.(string))))
	case wit.Enum:
		a.SetEnum(v, namesOf(t), x.(int))
	case wit.Flags:
		a.SetFlags(v, namesOf(t), func(i int) bool { return x.([]bool)[i] })
	default:
		writeCompound(a, v, t, x)
	}
}

func writeCompound(a *wasmtime.Arena, v wasmtime.Value, t *wit.Type, x any) {
	switch t.Kind {
	case wit.List:
		if b, ok := x.([]byte); ok {
			a.SetBytes(v, b)
			return
		}
		values := a.SetList(v, len(x.([]any)))
		for i, e := range x.([]any) {
			write(a, values.At(i), t.Elem, e)
		}
	case wit.Record:
		values := a.SetRecord(v, namesOf(t))
		for i, f := range t.Fields {
			write(a, values.At(i), f.Type, x.([]any)[i])
		}
	case wit.Tuple:
		values := a.SetTuple(v, len(t.Fields))
		for i, f := range t.Fields {
			write(a, values.At(i), f.Type, x.([]any)[i])
		}
	case wit.Variant:
		c := x.(wittest.Case)
		payload := a.SetVariant(v, namesOf(t), c.Index, t.Cases[c.Index].Type != nil)
		if p := t.Cases[c.Index].Type; p != nil {
			write(a, payload, p, c.Value)
		}
	case wit.Option:
		c := x.(wittest.Case)
		if payload := a.SetOption(v, c.Index == 1); c.Index == 1 {
			write(a, payload, t.Elem, c.Value)
		}
	case wit.Result:
		c := x.(wittest.Case)
		side := t.Ok
		if c.Index == 1 {
			side = t.Err
		}
		if payload := a.SetResult(v, c.Index == 0, side != nil); side != nil {
			write(a, payload, side, c.Value)
		}
	default:
		panic(fmt.Sprint("no such value: ", t.Kind))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// read gives the value of v, of a type.
func read(v wasmtime.Value, t *wit.Type) any {
	switch t.Kind {
	case wit.Bool:
		return v.Bool()
	case wit.S8:
		return int64(v.S8())
	case wit.S16:
		return int64(v.S16())
	case wit.S32:
		return int64(v.S32())
	case wit.S64:
		return v.S64()
	case wit.U8:
		return uint64(v.U8())
	case wit.U16:
		return uint64(v.U16())
	case wit.U32:
		return uint64(v.U32())
	case wit.U64:
		return v.U64()
	case wit.F32:
		return float64(v.F32())
	case wit.F64:
		return v.F64()
	case wit.Char:
		return v.Char()
	case wit.String:
		return string(v.Bytes())
	case wit.Enum:
		return v.Enum(namesOf(t))
	case wit.Flags:
		set := make([]bool, len(t.Cases))
		v.Flags(namesOf(t), func(i int) { set[i] = true })
		return set
	default:
		return readCompound(v, t)
	}
}

func readCompound(v wasmtime.Value, t *wit.Type) any {
	carried := func(index int, payload wasmtime.Value, has bool, p *wit.Type) any {
		if has != (p != nil) {
			panic(fmt.Sprintf("case %d of %s: payload %v", index, t, has))
		}
		if !has {
			return wittest.Case{Index: index}
		}
		return wittest.Case{Index: index, Value: read(payload, p)}
	}
	switch t.Kind {
	case wit.List:
		if t.Elem.Kind == wit.U8 {
			return v.U8s([]byte{})
		}
		out := []any{}
		for i := range v.List().Len() {
			out = append(out, read(v.List().At(i), t.Elem))
		}
		return out
	case wit.Record, wit.Tuple:
		values := v.Tuple
		if t.Kind == wit.Record {
			values = v.Fields
		}
		out := []any{}
		for i, f := range t.Fields {
			out = append(out, read(values().At(i), f.Type))
		}
		return out
	case wit.Variant:
		i, payload, has := v.Variant(namesOf(t))
		return carried(i, payload, has, t.Cases[i].Type)
	case wit.Option:
		payload, some := v.Option()
		if !some {
			return wittest.Case{}
		}
		return carried(1, payload, true, t.Elem)
	case wit.Result:
		payload, has, ok := v.Result()
		if ok {
			return carried(0, payload, has, t.Ok)
		}
		return carried(1, payload, has, t.Err)
	default:
		panic(fmt.Sprint("no such value: ", t.Kind))
	}
}

// same compares values. All NaNs are one.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case []byte:
		b, ok := b.([]byte)
		return ok && slices.Equal(a, b)
	case []bool:
		b, ok := b.([]bool)
		return ok && slices.Equal(a, b)
	case wittest.Case:
		b, ok := b.(wittest.Case)
		return ok && a.Index == b.Index && same(a.Value, b.Value)
	default:
		return a == b
	}
}
