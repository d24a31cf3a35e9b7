package transcode_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// direct has methods of bytes, and others that come near.
const direct = `package demo:d {
	interface d {
		record wrapped { v: list<u8> }
		echo: func(a: list<u8>) -> list<u8>;
		join: func(a: list<u8>, b: string, c: list<u8>, d: string) -> string;
		forget: func(a: string);
		make: func() -> list<u8>;
		either: func(a: list<u8>) -> result<string, list<u8>>;
		only-ok: func(a: list<u8>) -> result<list<u8>>;
		only-err: func(a: list<u8>) -> result<_, string>;
		neither: func(a: list<u8>) -> result;

		five: func(a: string, b: string, c: string, d: string, e: string) -> string;
		number: func(a: list<u8>, b: u32) -> list<u8>;
		numbers: func(a: list<u16>) -> list<u8>;
		texts: func(a: list<string>) -> list<u8>;
		maybe: func(a: option<string>) -> list<u8>;
		perhaps: func(a: string) -> option<string>;
		inside: func(a: wrapped) -> list<u8>;
		fails-by-number: func(a: list<u8>) -> result<list<u8>, u32>;
		fails-by-record: func(a: list<u8>) -> result<list<u8>, wrapped>;
	} }
	world w { export demo:d/d; }`

func TestReturns(t *testing.T) {
	want := map[string]wasmtime.Returns{
		"Echo": wasmtime.ReturnsBytes, "Join": wasmtime.ReturnsBytes, "Make": wasmtime.ReturnsBytes, "Forget": wasmtime.ReturnsNothing,
		"Either": wasmtime.ReturnsEither, "OnlyOk": wasmtime.ReturnsOK, "OnlyErr": wasmtime.ReturnsErr, "Neither": wasmtime.ReturnsNeither,
	}
	got := make(map[string]wasmtime.Returns)
	b := bind(t, wittest.MustParse(direct))
	defer b.plans.Close()
	b.methods(func(m *contract.Method, plan *transcode.Plan) {
		if returns, ok := plan.Returns(); ok {
			got[m.Name] = returns
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestDirect expects the same of requests, results and errors whether they become values of the engine or stay bytes.
func TestDirect(t *testing.T) {
	b := bind(t, wittest.MustParse(direct))
	defer b.plans.Close()
	arena := wasmtime.NewArena()
	defer arena.Free()
	rapid.Check(t, func(t *rapid.T) {
		b.methods(func(m *contract.Method, plan *transcode.Plan) {
			if _, ok := plan.Returns(); !ok {
				return
			}
			arena.Reset()
			sameArguments(t, b, m, plan, arena)
			sameAnswer(t, m, plan, arena)
		})
	})
}

// sameArguments reads a random request both ways, whole and damaged.
func sameArguments(t *rapid.T, b *binding, m *contract.Method, plan *transcode.Plan, arena *wasmtime.Arena) {
	message := b.request(t, m, 5)
	for range 3 {
		values, err := plan.Decode(message, arena)
		got, gotErr := plan.Arguments(message)
		if (err == nil) != (gotErr == nil) || err != nil && err.Error() != gotErr.Error() {
			t.Fatalf("%s of %x: %v, and by the plain path %v", m.Request, message, gotErr, err)
		}
		for i := range got {
			if want := bytesOf(values.At(i), m.Function.Params[i].Type); !bytes.Equal(got[i], want) {
				t.Fatalf("%s of %x: argument %d is %x, want %x", m.Request, message, i, got[i], want)
			}
		}
		message = damage(t, message)
	}
}

// sameAnswer writes the response of a random result both ways.
func sameAnswer(t *rapid.T, m *contract.Method, plan *transcode.Plan, arena *wasmtime.Arena) {
	var result wasmtime.Value
	var answer []byte
	failed := false
	if typ := m.Function.Result; typ != nil {
		v := wittest.Value(t, typ, 5)
		result = arena.Args(1).At(0)
		write(arena, result, typ, v)
		if m.Fallible {
			var payload wasmtime.Value
			var has, ok bool
			payload, has, ok = result.Result()
			failed = !ok
			if has {
				answer = bytesOf(payload, map[bool]*wit.Type{true: typ.Ok, false: typ.Err}[ok])
			}
		} else {
			answer = bytesOf(result, typ)
		}
	}
	limit := rapid.IntRange(0, 20).Draw(t, "limit")
	want, wantErr := plan.Encode(result, limit)
	got, gotErr := plan.Answer(answer, failed, limit)
	if !bytes.Equal(got, want) || errors.Is(gotErr, transcode.ErrTooLarge) != errors.Is(wantErr, transcode.ErrTooLarge) {
		t.Fatalf("%s: the response is %x, %v, want %x, %v", m.Name, got, gotErr, want, wantErr)
	}
	var gotFailure, wantFailure *transcode.Failure
	if errors.As(gotErr, &gotFailure); errors.As(wantErr, &wantFailure) {
		if diff := cmp.Diff(wantFailure, gotFailure); diff != "" {
			t.Fatal(diff)
		}
	}
	if (gotFailure == nil) != (wantFailure == nil) {
		t.Fatalf("%s: it fails with %v, want %v", m.Name, gotErr, wantErr)
	}
}

// bytesOf are the bytes of a list or a string.
func bytesOf(v wasmtime.Value, t *wit.Type) []byte {
	if t.Kind == wit.String {
		return v.Bytes()
	}
	return v.U8s(nil)
}
