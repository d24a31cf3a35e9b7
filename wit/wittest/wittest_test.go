package wittest

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit"
)

func TestParse(t *testing.T) {
	w := MustParse(`
		package demo:shop;
		package demo:types@1.0.0 {
		  interface types { enum unit { each, kilo } }
		}
		package demo:orders@1.2.0 {
		  interface orders {
		    use demo:types/types@1.0.0.{unit as measure};
		    resource cursor;
		    record line { %type: measure, n: option<list<u8>>, pair: tuple<s8, result<_, string>> } // a comment
		    place: func(lines: list<line>, c: borrow<cursor>) -> result<u64>;
		  }
		}
		world shop {
		  record point { x: f32 }
		  export demo:orders/orders@1.2.0;
		  export admin: interface { reset: async func(); }
		  export total: func() -> point;
		}`)
	orders, admin := w.Exports[0], w.Exports[1]
	if orders.ID != "demo:orders/orders@1.2.0" || orders.Namespace != "demo" || orders.Package != "orders" || orders.Version != "1.2.0" {
		t.Errorf("interface is %+v", orders)
	}
	unit, cursor, line := orders.Types[0], orders.Types[1].Resource, orders.Types[2].Type
	if unit.Name != "measure" || unit.Type.Name != "unit" || unit.Type.Interface.Name != "types" || line.Fields[0].Type != unit.Type {
		t.Errorf("used type is %+v", unit)
	}
	pair := line.Fields[2].Type
	if line.Fields[0].Name != "type" || line.Fields[1].Type.Elem.Elem.Kind != wit.U8 || pair.Fields[1].Type.Ok != nil || pair.Fields[1].Type.Err.Kind != wit.String {
		t.Errorf("record is %+v", line)
	}
	place := orders.Functions[0]
	if place.Params[0].Type.Elem != line || place.Params[1].Type.Kind != wit.Borrow || place.Params[1].Type.Resource != cursor || place.Result.Ok.Kind != wit.U64 {
		t.Errorf("function is %+v", place)
	}
	if admin.ID != "admin" || admin.Package != "" || !admin.Functions[0].Async {
		t.Errorf("plain interface is %+v", admin)
	}
	if f := w.ExportFunctions[0]; f.Name != "total" || f.Result.Name != "point" || f.Result.Interface != nil {
		t.Errorf("function of the world is %+v", f)
	}
	for _, text := range []string{"", "world w {", "world w { export a:b/c; }", "world w { export f: func(a: nope); }"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) has no error", text)
		}
	}
}

// TestValue checks that drawn values have the form that Value promises.
func TestValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var types []*wit.Type
		for i := range 3 {
			types = append(types, Named(t, nil, names[i], types))
		}
		typ := Type(t, types)
		if v := Value(t, typ, 4); !fits(v, typ) {
			t.Fatalf("%#v is no value of %+v", v, typ)
		}
	})
}

func fits(v any, t *wit.Type) bool {
	all := func(vs []any, fields []wit.Field) bool {
		for i, f := range fields {
			if i >= len(vs) || !fits(vs[i], f.Type) {
				return false
			}
		}
		return len(vs) == len(fields)
	}
	payload := func(c Case, types ...*wit.Type) bool {
		if types[c.Index] == nil {
			return c.Value == nil
		}
		return fits(c.Value, types[c.Index])
	}
	switch v := v.(type) {
	case bool:
		return t.Kind == wit.Bool
	case int64:
		return t.Kind == wit.S8 || t.Kind == wit.S16 || t.Kind == wit.S32 || t.Kind == wit.S64
	case uint64:
		return t.Kind == wit.U8 && v < 1<<8 || t.Kind == wit.U16 && v < 1<<16 || t.Kind == wit.U32 && v < 1<<32 || t.Kind == wit.U64
	case float64:
		return t.Kind == wit.F32 && (v != v || float64(float32(v)) == v) || t.Kind == wit.F64
	case rune:
		return t.Kind == wit.Char
	case string:
		return t.Kind == wit.String
	case []byte:
		return t.Kind == wit.List && t.Elem.Kind == wit.U8
	case []bool:
		return t.Kind == wit.Flags && len(v) == len(t.Cases)
	case int:
		return t.Kind == wit.Enum && v < len(t.Cases)
	case []any:
		if t.Kind == wit.List {
			for _, e := range v {
				if !fits(e, t.Elem) {
					return false
				}
			}
			return t.Elem.Kind != wit.U8
		}
		return (t.Kind == wit.Record || t.Kind == wit.Tuple) && all(v, t.Fields)
	case Case:
		switch t.Kind {
		case wit.Variant:
			return v.Index < len(t.Cases) && payload(v, func() (out []*wit.Type) {
				for _, c := range t.Cases {
					out = append(out, c.Type)
				}
				return out
			}()...)
		case wit.Result:
			return payload(v, t.Ok, t.Err)
		default:
			return t.Kind == wit.Option && payload(v, nil, t.Elem)
		}
	default:
		return false
	}
}
