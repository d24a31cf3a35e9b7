package transcode_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// FuzzDecode decodes whatever bytes with the plans of one interface that has every kind of type.
func FuzzDecode(f *testing.F) {
	b := bind(f, wittest.MustParse(shop))
	for _, s := range []string{"", item("\x0a\x01n", "\x12\x00", "\x18\x01", "\x32\x01i"), "\x08\x80\x02\x10\x01",
		item("\x12\x00", "\x18\x01", "\x2a\x02\x1a\x00\x2a\x02\x12\x00\x2a\x04\x0a\x02\x12\x00", "\x32\x01i"),
		"\x42\x01a\x0a\x00\x42\x02ab", "\x32\x02\x0a\x00\x32\x02\x08\x80", "\x1a\x02\x08\x07", "\x7b\x7c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		b.methods(func(m *contract.Method, plan *transcode.Plan) { check(t, b, m, plan, message) })
	})
}

// TestDamaged decodes requests of random worlds after some damage to them.
func TestDamaged(t *testing.T) { rapid.Check(t, damaged) }

// FuzzDamaged does the same with whatever the fuzzer finds interesting.
func FuzzDamaged(f *testing.F) { f.Fuzz(rapid.MakeFuzz(damaged)) }

func damaged(t *rapid.T) {
	b := bind(t, wittest.World(t, "demo"))
	if b == nil {
		return
	}
	defer b.plans.Close()
	b.methods(func(m *contract.Method, plan *transcode.Plan) {
		message := b.request(t, m, 3)
		for range rapid.IntRange(1, 3).Draw(t, "damages") {
			message = damage(t, message)
		}
		check(t, b, m, plan, message)
	})
}

func damage(t *rapid.T, message []byte) []byte {
	if len(message) == 0 {
		return rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "bytes")
	}
	at := rapid.IntRange(0, len(message)-1).Draw(t, "at")
	end := rapid.IntRange(at, len(message)).Draw(t, "end")
	switch rapid.IntRange(0, 3).Draw(t, "damage") {
	case 0:
		message[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return message
	case 1: // something is missing
		return slices.Concat(message[:at], message[end:])
	case 2: // something is there twice
		return slices.Concat(message[:end], message[at:])
	default:
		return slices.Concat(message[:at], rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "bytes"), message[end:])
	}
}

// check decodes a message and holds the result against protobuf's own: what is no protobuf for us is none for protobuf;
// what both accept means the same.
func check(t rapid.TB, b *binding, m *contract.Method, plan *transcode.Plan, message []byte) {
	arena := wasmtime.NewArena()
	defer arena.Free()
	args, err := plan.Decode(message, arena)
	theirs := b.message(m.Request)
	theirErr := proto.Unmarshal(message, theirs)
	if err != nil {
		var refused *transcode.Error
		if !errors.As(err, &refused) || refused.Msg == "" {
			t.Fatalf("%T: %v", err, err)
		}
		if strings.HasPrefix(refused.Msg, "not protobuf") && theirErr == nil {
			t.Fatalf("%s of %x: %v; but it is protobuf: %v", m.Request, message, err, theirs)
		}
		return
	}
	if theirErr != nil {
		return // what a later field replaces is not looked at
	}
	dropUnknown(theirs)
	plain, err := proto.Marshal(theirs)
	must(err)
	again := wasmtime.NewArena()
	defer again.Free()
	values, err := plan.Decode(plain, again)
	if err != nil {
		t.Fatalf("%s of %x is accepted, but %x, which means the same, is not: %v", m.Request, message, plain, err)
	}
	for i, p := range m.Function.Params {
		got, want := read(args.At(i), p.Type), read(values.At(i), p.Type)
		if !same(got, want) {
			t.Fatalf("%s of %x: parameter %s is %v, want %v", m.Request, message, p.Name, got, want)
		}
	}
}

// TestNaN expects the bits of a NaN to be kept both ways.
func TestNaN(t *testing.T) {
	b := bind(t, wittest.MustParse(`package demo:nan { interface nan { same: func(a: f32, b: f64) -> tuple<f32, f64>; } }
		world w { export demo:nan/nan; }`))
	defer b.plans.Close()
	plan := b.plans.Method("demo.nan.Nan", "Same")
	arena := wasmtime.NewArena()
	defer arena.Free()
	message := "\x0d\x01\x00\xa0\x7f\x11\x02\x00\x00\x00\x00\x00\xf4\xff"
	args, err := plan.Decode([]byte(message), arena)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := math.Float32bits(args.At(0).F32()), math.Float64bits(args.At(1).F64()); a != 0x7fa00001 || b != 0xfff4000000000002 {
		t.Errorf("decoded as %x and %x", a, b)
	}
	results := wasmtime.NewArena()
	defer results.Free()
	result := results.Args(1).At(0)
	pair := results.SetTuple(result, 2)
	results.SetF32(pair.At(0), args.At(0).F32())
	results.SetF64(pair.At(1), args.At(1).F64())
	got, err := plan.Encode(result, math.MaxInt)
	if want := "\x0a\x0e" + message; err != nil || string(got) != want {
		t.Errorf("encoded as %x, %v; want %x", got, err, want)
	}
}
