package transcode_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// TestOutgoing makes calls of random functions with random values: what the callee is given, and what comes back to the
// caller, is what was sent.
func TestOutgoing(t *testing.T) {
	caller, callee := wasmtime.NewArena(), wasmtime.NewArena()
	defer caller.Free()
	defer callee.Free()
	rapid.Check(t, func(t *rapid.T) {
		b := bind(t, wittest.World(t, "demo"))
		if b == nil {
			return
		}
		defer b.plans.Close()
		b.methods(func(m *contract.Method, plan *transcode.Plan) {
			caller.Reset()
			args := caller.Args(len(m.Params))
			var values []any
			for i, p := range m.Function.Params {
				values = append(values, wittest.Value(t, p.Type, 5))
				write(caller, args.At(i), p.Type, values[i])
			}
			request, err := plan.EncodeArgs(args, math.MaxInt)
			must(err)
			callee.Reset()
			got, err := plan.Decode(request, callee)
			if err != nil {
				t.Fatalf("%s of %v as %x: %v", m.Request, values, request, err)
			}
			for i, p := range m.Function.Params {
				if got := read(got.At(i), p.Type); !same(got, values[i]) {
					t.Fatalf("%s as %x: parameter %s is %v, want %v", m.Request, request, p.Name, got, values[i])
				}
			}
			if m.Function.Result != nil {
				answer(t, m, plan, caller, callee)
			}
		})
	})
}

// answer has a random result travel from the callee to the caller.
func answer(t *rapid.T, m *contract.Method, plan *transcode.Plan, caller, callee *wasmtime.Arena) {
	want := wittest.Value(t, m.Function.Result, 5)
	callee.Reset()
	from := callee.Args(1).At(0)
	write(callee, from, m.Function.Result, want)
	response, err := plan.Encode(from, math.MaxInt)
	caller.Reset()
	to := caller.Args(1).At(0)
	if failure, ok := errors.AsType[*transcode.Failure](err); ok {
		err = plan.DecodeFailure(failure.DetailType, failure.Detail, caller, to)
	} else if err == nil {
		err = plan.DecodeResult(response, caller, to)
	}
	if err != nil {
		t.Fatalf("%s of %v: %v", m.Response, want, err)
	}
	if got := read(to, m.Function.Result); !same(got, want) {
		t.Fatalf("%s is %v, want %v", m.Response, got, want)
	}
}

const bank = `
	package demo:bank@1.0.0 { interface bank {
		enum state { low, timeout, unavailable }
		variant trouble { timeout(string), not-found(string), unavailable }
		variant vague { not-found(string), odd(string), broken }
		variant unclear { odd(string), strange(string) }
		variant heavy { unavailable(u32), not-found(string) }
		record item { name: string, small: u8 }
		plain: func(name: string) -> list<item>;
		nothing: func();
		text: func() -> result<item, string>;
		enumerated: func() -> result<_, state>;
		told: func() -> result<u8, trouble>;
		vaguely: func() -> result<u8, vague>;
		unclearly: func() -> result<u8, unclear>;
		heavily: func() -> result<u8, heavy>;
		bare: func() -> result<u8>;
		listed: func() -> result<u8, list<string>>;
	} }
	world w { export demo:bank/bank@1.0.0; }`

// fallible gives the plan of a function of the bank, an arena, and a value in it.
func fallible(t *testing.T, b *binding, name string) (*contract.Method, *transcode.Plan, *wasmtime.Arena, wasmtime.Value) {
	t.Helper()
	arena := wasmtime.NewArena()
	t.Cleanup(arena.Free)
	for _, m := range b.services[0].Methods {
		if m.Function.Name == name {
			return m, b.plans.Method(b.services[0].Name, m.Name), arena, arena.Args(1).At(0)
		}
	}
	t.Fatal("no function ", name)
	return nil, nil, nil, wasmtime.Value{}
}

func TestSetFault(t *testing.T) {
	b := bind(t, wittest.MustParse(bank))
	defer b.plans.Close()
	const text = "demo.Bank/Text: gone"
	for _, c := range []struct {
		function string
		timeout  bool
		want     any // the payload of err; nil where there is no place for a failure
	}{
		{"plain", false, nil},
		{"nothing", false, nil},
		{"text", false, text},
		{"text", true, text},
		{"enumerated", false, 2},
		{"enumerated", true, 1},
		{"told", false, wittest.Case{Index: 2}},
		{"told", true, wittest.Case{Index: 0, Value: text}},
		{"vaguely", true, wittest.Case{Index: 1, Value: text}},
		{"unclearly", false, nil},
		{"heavily", false, nil},
		{"bare", false, nil},
		{"listed", false, nil},
	} {
		m, plan, arena, v := fallible(t, b, c.function)
		ok := plan.SetFault(c.timeout, text, arena, v)
		switch {
		case ok != (c.want != nil):
			t.Errorf("%s: %v", c.function, ok)
		case ok && !same(read(v, m.Function.Result), wittest.Case{Index: 1, Value: c.want}):
			t.Errorf("%s: %v, want %v", c.function, read(v, m.Function.Result), c.want)
		}
	}
	m, plan, arena, v := fallible(t, b, "text")
	if !plan.SetFault(false, "a\xff"+strings.Repeat("ü", 2000), arena, v) {
		t.Fatal("no fault")
	}
	if got := read(v, m.Function.Result).(wittest.Case).Value.(string); len(got) < 1000 || len(got) > 1024 || !strings.HasPrefix(got, "aüü") {
		t.Errorf("%d bytes: %.10s", len(got), got)
	}
}

// TestAnswersRefused gives callers what callees must not send.
func TestAnswersRefused(t *testing.T) {
	b := bind(t, wittest.MustParse(bank))
	defer b.plans.Close()
	for _, c := range []struct{ function, message, want string }{
		{"plain", "\x0a\x02\x0a", "value: not protobuf"},
		{"plain", "\x0a\x03\x0a\x01\xff", "value[0].name: not UTF-8"},
		{"plain", "\x0a\x03\x10\x80\x02", "value[0].small: 256 is no u8"},
		{"nothing", "\xff", "not protobuf"},
		{"text", "", "value: required, and not there"},
		{"told", "\x08\x80\x02", "value: 256 is no u8"},
	} {
		_, plan, arena, v := fallible(t, b, c.function)
		if err := plan.DecodeResult([]byte(c.message), arena, v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %x: error is %v, want %s", c.function, c.message, err, c.want)
		}
	}
	for _, c := range []struct{ function, detailType, detail, want string }{
		{"plain", "demo.bank.v1.Trouble", "", "returns no result"},
		{"told", "demo.bank.v1.State", "", `the error is a "demo.bank.v1.State", and the import's is a "demo.bank.v1.Trouble"`},
		{"told", "demo.bank.v1.Trouble", "\x7a\x00", "no case is set"},
		{"told", "demo.bank.v1.Trouble", "\x0a\x01\xff", "timeout: not UTF-8"},
		{"enumerated", "demo.bank.v1.EnumeratedError", "\x08\x09", "value: 9 is no number of the enum"},
	} {
		_, plan, arena, v := fallible(t, b, c.function)
		if err := plan.DecodeFailure(c.detailType, []byte(c.detail), arena, v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %s %x: error is %v, want %s", c.function, c.detailType, c.detail, err, c.want)
		}
	}
	// What a callee knows and its caller does not is skipped.
	m, plan, arena, v := fallible(t, b, "plain")
	if err := plan.DecodeResult([]byte("\x0a\x06\x0a\x01a\x7a\x01b\x7a\x00"), arena, v); err != nil {
		t.Error(err)
	} else if got := read(v, m.Function.Result); !same(got, []any{[]any{"a", uint64(0)}}) {
		t.Errorf("plain returned %v", got)
	}
}

func TestEncodeArgsLimit(t *testing.T) {
	b := bind(t, wittest.MustParse(bank))
	defer b.plans.Close()
	_, plan, arena, v := fallible(t, b, "plain")
	must(arena.SetString(v, bytes.Repeat([]byte("a"), 10_000)))
	if _, err := plan.EncodeArgs(arena.Args(0), 100); err == nil {
		t.Error("no arguments are fine")
	}
	args := arena.Args(1)
	must(arena.SetString(args.At(0), bytes.Repeat([]byte("a"), 10_000)))
	if _, err := plan.EncodeArgs(args, 9_999); !errors.Is(err, transcode.ErrTooLarge) {
		t.Errorf("error is %v", err)
	}
	if message, err := plan.EncodeArgs(args, 11_000); err != nil || len(message) != 10_003 {
		t.Errorf("%d bytes, %v", len(message), err)
	}
	arena.SetU8(args.At(0), 1)
	if _, err := plan.EncodeArgs(args, 100); err == nil {
		t.Error("a u8 is a string")
	}
}

// TestOlderCaller has a component call one that has grown: what it does not know is skipped, but for a case, which can't be.
func TestOlderCaller(t *testing.T) {
	const grown = `package demo:pay@2.3.1 { interface api {
			enum level { low, middle, high }
			record order { note: option<string>, id: u32, level: level, more: list<u8> }
			count: func();
			charge: func(order: order, dry: option<bool>) -> result<order, list<level>>;
		} } world w { export demo:pay/api@2.3.1; }`
	const older = `package demo:pay@2.3.0 { interface api {
			enum level { high, low }
			record order { level: level, id: u32 }
			charge: func(order: order) -> result<order, list<level>>;
		} } world w { import demo:pay/api@2.3.0; }`
	provider := bind(t, wittest.MustParse(grown))
	defer provider.plans.Close()
	built, err := contract.Build(contract.Input{Function: "pay", World: wittest.MustParse(grown)})
	must(err)
	imported, err := contract.BindImport(wittest.MustParse(older).Imports[0], map[string]*weftv1.Contract{"demo.pay.v2": built.Contracts[0]})
	must(err)
	plans, err := transcode.New([]*contract.Service{imported})
	must(err)
	defer plans.Close()
	theirs, ours := provider.plans.Method("demo.pay.v2.Api", "Charge"), plans.Method("demo.pay.v2.Api", "Charge")
	function, ourFunction := provider.services[0].Methods[1].Function, imported.Methods[0].Function

	caller, callee := wasmtime.NewArena(), wasmtime.NewArena()
	defer caller.Free()
	defer callee.Free()
	args := caller.Args(1)
	write(caller, args.At(0), ourFunction.Params[0].Type, []any{0, uint64(7)})
	request, err := ours.EncodeArgs(args, math.MaxInt)
	must(err)
	got, err := theirs.Decode(request, callee)
	must(err)
	want := []any{[]any{wittest.Case{}, uint64(7), 2, []byte{}}, wittest.Case{}}
	for i, p := range function.Params {
		if v := read(got.At(i), p.Type); !same(v, want[i]) {
			t.Errorf("parameter %s is %v, want %v", p.Name, v, want[i])
		}
	}

	answer := func(v any) (any, error) {
		callee.Reset()
		result := callee.Args(1).At(0)
		write(callee, result, function.Result, v)
		caller.Reset()
		to := caller.Args(1).At(0)
		response, err := theirs.Encode(result, math.MaxInt)
		if failure, ok := errors.AsType[*transcode.Failure](err); ok {
			err = ours.DecodeFailure(failure.DetailType, failure.Detail, caller, to)
		} else if err == nil {
			err = ours.DecodeResult(response, caller, to)
		}
		if err != nil {
			return nil, err
		}
		return read(to, ourFunction.Result), nil
	}
	order := []any{wittest.Case{Index: 1, Value: "note"}, uint64(9), 0, []byte("more")}
	if got, err := answer(wittest.Case{Value: order}); err != nil || !same(got, wittest.Case{Value: []any{1, uint64(9)}}) {
		t.Errorf("answer is %v, %v", got, err)
	}
	if got, err := answer(wittest.Case{Index: 1, Value: []any{0, 2}}); err != nil || !same(got, wittest.Case{Index: 1, Value: []any{1, 0}}) {
		t.Errorf("answer is %v, %v", got, err)
	}
	order[2] = 1
	for _, v := range []any{wittest.Case{Value: order}, wittest.Case{Index: 1, Value: []any{0, 1}}} {
		if got, err := answer(v); err == nil || !strings.Contains(err.Error(), "is no number of the enum") {
			t.Errorf("answer is %v, %v", got, err)
		}
	}
}
