package wittest

import (
	"math"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit"
)

// A Case is a value of a variant, result or option: which case it is and what that carries, nil if nothing. Of a
// result, 0 is ok and 1 is err; of an option, 0 is none and 1 is some.
type Case struct {
	Index int
	Value any
}

// Value draws a value of a type, whose parts may be as large as size. This is what stands for it in Go:
//
//	bool                   a bool
//	s8, s16, s32, s64      int64
//	u8, u16, u32, u64      uint64
//	f32, f64               float64, NaN among them
//	char                   rune
//	string                 a string
//	list<u8>               []byte, not nil
//	list, record, tuple    []any, not nil
//	flags                  []bool, one for each flag
//	enum                   int
//	variant, result, option
//	                       Case
func Value(t *rapid.T, typ *wit.Type, size int) any {
	switch typ.Kind {
	case wit.Bool:
		return rapid.Bool().Draw(t, "bool")
	case wit.S8:
		return integer(t, math.MinInt8, math.MaxInt8)
	case wit.S16:
		return integer(t, math.MinInt16, math.MaxInt16)
	case wit.S32:
		return integer(t, math.MinInt32, math.MaxInt32)
	case wit.S64:
		return integer(t, math.MinInt64, math.MaxInt64)
	case wit.U8:
		return natural(t, math.MaxUint8)
	case wit.U16:
		return natural(t, math.MaxUint16)
	case wit.U32:
		return natural(t, math.MaxUint32)
	case wit.U64:
		return natural(t, math.MaxUint64)
	case wit.F32:
		return float64(rapid.OneOf(rapid.Float32(), rapid.Just(float32(math.NaN()))).Draw(t, "f32"))
	case wit.F64:
		return rapid.OneOf(rapid.Float64(), rapid.Just(math.NaN())).Draw(t, "f64")
	case wit.Char:
		r := rapid.Rune().Draw(t, "char")
		if !utf8.ValidRune(r) {
			r = utf8.RuneError
		}
		return r
	case wit.String:
		return rapid.StringN(-1, size, -1).Draw(t, "string")
	default:
		return compound(t, typ, size)
	}
}

func integer(t *rapid.T, lo, hi int64) int64 { return rapid.Int64Range(lo, hi).Draw(t, "integer") }

func natural(t *rapid.T, hi uint64) uint64 { return rapid.Uint64Range(0, hi).Draw(t, "natural") }

func compound(t *rapid.T, typ *wit.Type, size int) any {
	switch typ.Kind {
	case wit.List:
		if typ.Elem.Kind == wit.U8 {
			return append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, size).Draw(t, "bytes")...)
		}
		values := []any{}
		for range rapid.IntRange(0, size).Draw(t, "length") {
			values = append(values, Value(t, typ.Elem, size/2))
		}
		return values
	case wit.Record, wit.Tuple:
		values := []any{}
		for _, f := range typ.Fields {
			values = append(values, Value(t, f.Type, size))
		}
		return values
	case wit.Flags:
		flags := make([]bool, len(typ.Cases))
		for i := range flags {
			flags[i] = rapid.Bool().Draw(t, "flag")
		}
		return flags
	case wit.Enum:
		return rapid.IntRange(0, len(typ.Cases)-1).Draw(t, "enum")
	case wit.Variant:
		i := rapid.IntRange(0, len(typ.Cases)-1).Draw(t, "variant")
		return choose(t, i, typ.Cases[i].Type, size)
	case wit.Result:
		i := rapid.IntRange(0, 1).Draw(t, "result")
		return choose(t, i, []*wit.Type{typ.Ok, typ.Err}[i], size)
	case wit.Option:
		i := rapid.IntRange(0, 1).Draw(t, "option")
		return choose(t, i, []*wit.Type{nil, typ.Elem}[i], size)
	default:
		panic("wittest: no values of this kind")
	}
}

func choose(t *rapid.T, i int, payload *wit.Type, size int) any {
	if payload == nil {
		return Case{Index: i}
	}
	return Case{Index: i, Value: Value(t, payload, size)}
}
