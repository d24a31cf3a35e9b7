package transcode_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor/wasmtime"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/wit/transcoder"
)

// BenchmarkPaths calls a function with lists of records in a fresh instance each, both ways; native is what generated code takes
// for the same bytes.
func BenchmarkPaths(b *testing.B) {
	p := newTwoPaths(b, engineOfBytes(b), "bench", components.Bytes(b, "bench"), "bench.records.v1.Records", true)
	n := len(p.methods) - 1
	customer := &recordsv1.Customer{Id: 123456, Name: "a name of some length", Active: true, Score: 1234.5,
		Home: &recordsv1.Place{City: "a city", Zip: 12345}, Tags: []string{"one", "another"}}
	for _, count := range []int{1, 10, 100, 1000, 10_000} {
		message, err := proto.Marshal(&recordsv1.TouchAllRequest{Customers: slices.Repeat([]*recordsv1.Customer{customer}, count)})
		must(err)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%d/%s", count, name), func(b *testing.B) {
				b.SetBytes(int64(len(message)))
				for b.Loop() {
					f()
				}
			})
		}
		run("native", func() {
			request := &recordsv1.TouchAllRequest{}
			must(proto.Unmarshal(message, request))
			for _, c := range request.GetCustomers() {
				c.Score++
			}
			_, err := proto.Marshal(&recordsv1.TouchAllResponse{Value: request.GetCustomers()})
			must(err)
		})
		run("plain", func() {
			if got := p.plain(n, message); got.kind != transcoder.Answered || got.trap != "" {
				b.Fatal(got)
			}
		})
		run("transcoded", func() {
			if got, refused := p.fast(n, message); refused || got.kind != transcoder.Answered || got.trap != "" {
				b.Fatal(got, refused)
			}
		})
		run("instance", func() {
			i, err := p.wrapped.NewInstance(wasmtime.InstanceConfig{})
			must(err)
			i.Close()
		})
	}
}
