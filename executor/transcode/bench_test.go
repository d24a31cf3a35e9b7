package transcode_test

import (
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/wittest"
)

// smallRecord is the record of the speed figures: six fields, one nested, one list.
const smallRecord = `package demo:bench { interface bench {
		record address { street: string, zip: u32 }
		record order { id: u64, name: string, amount: f64, urgent: bool, address: address, items: list<u32> }
		place: func(v: order) -> order;
	} }
	world w { export demo:bench/bench; }`

var smallValue = []any{uint64(123456), "a name of some length", 1234.5, true, []any{"Main Street 5", uint64(12345)},
	[]any{uint64(1), uint64(20), uint64(300), uint64(4000), uint64(50000)}}

func BenchmarkDecode(b *testing.B) {
	bound := bind(b, wittest.MustParse(smallRecord))
	defer bound.plans.Close()
	m := bound.services[0].Methods[0]
	request := bound.message(m.Request)
	put(request, m.Params[0], smallValue)
	message, err := proto.Marshal(request)
	must(err)
	plan := bound.plans.Method("demo.bench.Bench", "Place")
	arena := wasmtime.NewArena()
	defer arena.Free()
	b.Run("plan", func(b *testing.B) {
		b.SetBytes(int64(len(message)))
		b.ReportAllocs()
		for b.Loop() {
			arena.Reset()
			if _, err := plan.Decode(message, arena); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dynamicpb", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := proto.Unmarshal(message, request.New().Interface()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	bound := bind(b, wittest.MustParse(smallRecord))
	defer bound.plans.Close()
	m := bound.services[0].Methods[0]
	plan := bound.plans.Method("demo.bench.Bench", "Place")
	arena := wasmtime.NewArena()
	defer arena.Free()
	result := arena.Args(1).At(0)
	write(arena, result, m.Function.Result, smallValue)
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := plan.Encode(result, math.MaxInt); err != nil {
				b.Fatal(err)
			}
		}
	})
	response := bound.message(m.Response)
	put(response, *m.Result, smallValue)
	b.Run("dynamicpb", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := proto.Marshal(response); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBytes decodes and encodes 64 KiB of list<u8>, which takes 32 bytes of C memory for each.
func BenchmarkBytes(b *testing.B) {
	bound := bind(b, wittest.MustParse(`package demo:bench { interface bench { same: func(v: list<u8>) -> list<u8>; } }
		world w { export demo:bench/bench; }`))
	defer bound.plans.Close()
	m := bound.services[0].Methods[0]
	request := bound.message(m.Request)
	put(request, m.Params[0], make([]byte, 64<<10))
	message, err := proto.Marshal(request)
	must(err)
	plan := bound.plans.Method("demo.bench.Bench", "Same")
	arena := wasmtime.NewArena()
	defer arena.Free()
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		arena.Reset()
		args, err := plan.Decode(message, arena)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := plan.Encode(args.At(0), math.MaxInt); err != nil {
			b.Fatal(err)
		}
	}
}
