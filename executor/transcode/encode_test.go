package transcode_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wittest"
)

// TestResponseLimit expects a response of exactly the limit to pass, whatever the size, and one byte more not to.
func TestResponseLimit(t *testing.T) {
	b := bind(t, wittest.MustParse(`package demo:big { interface big { get: func() -> list<string>; } }
		world w { export demo:big/big; }`))
	defer b.plans.Close()
	plan := b.plans.Method("demo.big.Big", "Get")
	arena := wasmtime.NewArena()
	defer arena.Free()
	for _, n := range []int{0, 1, 10, 1000, 100_000} {
		arena.Reset()
		result := arena.Args(1).At(0)
		write(arena, result, &wit.Type{Kind: wit.List, Elem: &wit.Type{Kind: wit.String}}, repeat(n, "four"))
		if got, err := plan.Encode(result, 6*n); err != nil || len(got) != 6*n {
			t.Errorf("%d strings: %d bytes, %v", n, len(got), err)
		}
		if _, err := plan.Encode(result, 6*n-1); n > 0 && !errors.Is(err, transcode.ErrTooLarge) {
			t.Errorf("%d strings over the limit: %v", n, err)
		}
	}
}

func repeat(n int, v any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// TestWrongType expects an error, not a panic, for a value that is not of the method's types.
func TestWrongType(t *testing.T) {
	b := bind(t, wittest.MustParse(shop))
	defer b.plans.Close()
	arena := wasmtime.NewArena()
	defer arena.Free()
	result := arena.Args(1).At(0)
	arena.SetU8(result, 1)
	_, err := b.plans.Method("demo.shop.v1.Shop", "Place").Encode(result, math.MaxInt)
	if _, ok := errors.AsType[*wasmtime.KindError](err); !ok {
		t.Errorf("error is %v", err)
	}
}

// TestFailure looks at the case and the text of what functions return as err.
func TestFailure(t *testing.T) {
	b := bind(t, wittest.MustParse(`package demo:fail { interface fail {
		enum color { red, ok }
		flags perms { read, write-all, none }
		record detail { id: string, at: option<f64>, tags: list<char>, perms: perms, color: color, grid: list<list<s8>>,
			pair: tuple<bool, option<option<u64>>>, raw: list<u8>, outcome: result<_, string> }
		variant problem { not-found(string), err, detail(detail), code(u8) }
		record lazy { a: option<u8>, b: option<string> }
		as-variant: func() -> result<_, problem>;
		as-enum: func() -> result<_, color>;
		as-text: func() -> result<_, string>;
		as-record: func() -> result<_, detail>;
		as-lazy: func() -> result<_, lazy>;
		as-flags: func() -> result<_, perms>;
		as-float: func() -> result<_, f32>;
		as-list: func() -> result<_, list<string>>;
		as-option: func() -> result<_, option<s64>>;
		as-nothing: func() -> result;
	} } world w { export demo:fail/fail; }`))
	defer b.plans.Close()
	none, some := wittest.Case{}, func(v any) wittest.Case { return wittest.Case{Index: 1, Value: v} }
	full := []any{"a\"b\\\n\t\r\x00\u200bé", some(1.5), []any{'x', '\'', '☃'}, []bool{true, true, true}, 1,
		[]any{[]any{int64(-1), int64(2)}, []any{}}, []any{true, some(none)}, []byte{0, 255}, some("no")}
	long := strings.Repeat("é", 1000)
	for _, c := range []struct {
		method  string
		payload any
		name    string
		message string
	}{
		{"AsVariant", wittest.Case{Index: 0, Value: "no such order"}, "not-found", "no such order"},
		{"AsVariant", wittest.Case{Index: 1}, "err", "%err"},
		{"AsVariant", wittest.Case{Index: 3, Value: uint64(7)}, "code", "code(7)"},
		{"AsEnum", 0, "red", "red"},
		{"AsEnum", 1, "ok", "%ok"},
		{"AsText", "just text", "", "just text"},
		{"AsText", long, "", long[:1024]},
		{"AsRecord", full, "", `{id: "a\"b\\\n\t\r\u{0}\u{200b}é", at: some(1.5), tags: ['x', '\'', '☃'], perms: {read, write-all, none}, ` +
			`color: %ok, grid: [[-1, 2], []], pair: (true, some(none)), raw: [0, 255], outcome: err("no")}`},
		{"AsLazy", []any{none, none}, "", "{:}"},
		{"AsLazy", []any{none, some("x")}, "", `{b: some("x")}`},
		{"AsFlags", []bool{false, false, false}, "", "{}"},
		{"AsFloat", math.Inf(-1), "", "-inf"},
		{"AsFloat", math.NaN(), "", "nan"},
		{"AsFloat", float64(float32(0.1)), "", "0.1"},
		{"AsFloat", 1e30, "", "1e+30"},
		{"AsList", []any{"a", "b"}, "", `["a", "b"]`},
		{"AsOption", some(int64(-5)), "", "some(-5)"},
		{"AsOption", none, "", "none"},
		{"AsNothing", nil, "", "the function returned an error"},
	} {
		t.Run(c.method, func(t *testing.T) {
			arena := wasmtime.NewArena()
			defer arena.Free()
			result := arena.Args(1).At(0)
			for _, m := range b.services[0].Methods {
				if m.Name == c.method {
					write(arena, result, m.Function.Result, wittest.Case{Index: 1, Value: c.payload})
				}
			}
			_, err := b.plans.Method("demo.fail.Fail", c.method).Encode(result, math.MaxInt)
			var failure *transcode.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("error is %v", err)
			}
			if failure.Case != c.name || failure.Message != c.message {
				t.Errorf("case %q, message %q; want %q and %q", failure.Case, failure.Message, c.name, c.message)
			}
		})
	}
}

// TestFailureText expects the text of a large value to be cut, between characters and soon.
func TestFailureText(t *testing.T) {
	b := bind(t, wittest.MustParse(`package demo:fail { interface fail { get: func() -> result<_, list<list<string>>>; } }
		world w { export demo:fail/fail; }`))
	defer b.plans.Close()
	arena := wasmtime.NewArena()
	defer arena.Free()
	strings := &wit.Type{Kind: wit.List, Elem: &wit.Type{Kind: wit.String}}
	typ := &wit.Type{Kind: wit.Result, Err: &wit.Type{Kind: wit.List, Elem: strings}}
	for n := range 4 { // cut at each offset within a character
		arena.Reset()
		result := arena.Args(1).At(0)
		write(arena, result, typ, wittest.Case{Index: 1, Value: append([]any{repeat(n, "x")}, repeat(100_000, repeat(1, "☃☃☃"))...)})
		var failure *transcode.Failure
		if _, err := b.plans.Method("demo.fail.Fail", "Get").Encode(result, math.MaxInt); !errors.As(err, &failure) {
			t.Fatalf("error is %v", err)
		}
		if l := len(failure.Message); l > 1024 || l < 1021 || !utf8.ValidString(failure.Message) {
			t.Errorf("the message has %d bytes: %q", l, failure.Message)
		}
	}
}
