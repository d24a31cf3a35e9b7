package wit_test

import (
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
)

func TestString(t *testing.T) {
	order := &wit.Type{Kind: wit.Record, Name: "order"}
	cursor := &wit.Resource{Name: "cursor"}
	u8, text := &wit.Type{Kind: wit.U8}, &wit.Type{Kind: wit.String}
	of := func(k wit.Kind, elem *wit.Type) *wit.Type { return &wit.Type{Kind: k, Elem: elem} }
	result := func(ok, err *wit.Type) *wit.Type { return &wit.Type{Kind: wit.Result, Ok: ok, Err: err} }
	for _, test := range []struct {
		typ  *wit.Type
		want string
	}{
		{u8, "u8"},
		{&wit.Type{Kind: wit.Bool}, "bool"},
		{&wit.Type{Kind: wit.F64}, "f64"},
		{&wit.Type{Kind: wit.Char}, "char"},
		{order, "order"},
		{&wit.Type{Kind: wit.Enum, Name: "level", Cases: []wit.Case{{Name: "low"}}}, "level"},
		{of(wit.List, of(wit.Option, order)), "list<option<order>>"},
		{result(nil, nil), "result"},
		{result(u8, nil), "result<u8>"},
		{result(nil, text), "result<_, string>"},
		{result(u8, text), "result<u8, string>"},
		{&wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: u8}, {Type: order}}}, "tuple<u8, order>"},
		{&wit.Type{Kind: wit.Own, Resource: cursor}, "cursor"},
		{&wit.Type{Kind: wit.Borrow, Resource: cursor}, "borrow<cursor>"},
		{of(wit.Stream, u8), "stream<u8>"},
		{of(wit.Stream, nil), "stream"},
		{of(wit.Future, nil), "future"},
		{&wit.Type{Kind: wit.ErrorContext}, "error-context"},
		{&wit.Type{Kind: wit.Map, Key: text, Elem: u8}, "map<string, u8>"},
		{&wit.Type{Kind: wit.FixedList, Elem: u8, Length: 16}, "list<u8, 16>"},
	} {
		if got := test.typ.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	for _, test := range []struct {
		f    wit.Function
		want string
	}{
		{wit.Function{Name: "reset"}, "reset: func()"},
		{wit.Function{Name: "wait", Async: true, Result: u8}, "wait: async func() -> u8"},
		{wit.Function{Name: "place", Params: []wit.Field{{Name: "order", Type: order}, {Name: "at", Type: u8}}, Result: result(nil, text)},
			"place: func(order: order, at: u8) -> result<_, string>"},
		{wit.Function{Name: "[method]cursor.next", Params: []wit.Field{{Name: "self", Type: &wit.Type{Kind: wit.Borrow, Resource: cursor}}}},
			"[method]cursor.next: func(self: borrow<cursor>)"},
	} {
		if got := test.f.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestKindString(t *testing.T) {
	for k := wit.Bool; k <= wit.FixedList; k++ {
		if s := k.String(); s == "" || strings.HasPrefix(s, "kind ") {
			t.Errorf("kind %d is %q", uint8(k), s)
		}
	}
	for _, k := range []wit.Kind{0, wit.FixedList + 1, 255} {
		if s := k.String(); !strings.HasPrefix(s, "kind ") {
			t.Errorf("kind %d is %q", uint8(k), s)
		}
	}
}

// TestStringIsBounded prints types whose text would not fit any memory.
func TestStringIsBounded(t *testing.T) {
	double := &wit.Type{Kind: wit.U8}
	for range 100 {
		double = &wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: double}, {Type: double}}}
	}
	wide := &wit.Type{Kind: wit.Tuple, Fields: make([]wit.Field, 1_000_000)}
	for i := range wide.Fields {
		wide.Fields[i].Type = &wit.Type{Kind: wit.U8}
	}
	many := wit.Function{Name: strings.Repeat("f", 10_000), Result: double}
	for range 100_000 {
		many.Params = append(many.Params, wit.Field{Name: "p", Type: wide})
	}
	for _, s := range []string{double.String(), wide.String(), many.String()} {
		if len(s) > 4096+len("…") || !strings.HasSuffix(s, "…") {
			t.Errorf("%d bytes: %.40s", len(s), s)
		}
	}
}
