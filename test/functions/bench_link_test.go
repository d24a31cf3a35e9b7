package functions

import (
	"context"
	"fmt"
	"testing"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	weft "github.com/weft-run/weft/clients/go"
)

// tree is what BenchmarkLinkedCall passes to and fro: two records in a record, with texts, bytes and a variant.
const tree = `{"id": "7", "branches": [{"leaves": [{"name": "oak", "weight": 2.5, "data": "AAEC"}], "level": "LEVEL_LOW", "at": {"x": 1, "y": 2},
	"sizes": {"f0": 1, "f1": "2", "f2": "three"}, "outcome": {"err": "none"}, "may": {}, "mark": "x"}], "names": [{"f0": "a", "f1": [1, 2, 3]}]}`

// BenchmarkLinkedCall is a typed call from one function to another that it is linked with, both in Rust, against a call of a gRPC
// server with generated code in another process on this machine. A call that makes many is measured against one that makes none,
// so that what remains is the call between the two. The two take turns, and the figures are medians of the rounds:
//
//	go test ./test/functions -run '^$' -bench LinkedCall
//
// number-routed is the same caller by the router.
func BenchmarkLinkedCall(b *testing.B) {
	s := start(b)
	s.deployFile("provider", "conformance")
	s.deployFile("linked", "relay", link)
	s.deployFile("routed", "relay")
	rival := healthv1.NewHealthClient(otherProcess(b))
	for _, bench := range []struct {
		name, function, method, argument string
		calls                            int
	}{
		{"number", "linked", "RepeatNumbers", "", 1_000_000},
		{"text", "linked", "RepeatTexts", `, "text": "twelve bytes"`, 200_000},
		{"tree", "linked", "RepeatTrees", `, "tree": ` + tree, 50_000},
		{"number-routed", "routed", "RepeatNumbers", "", 1_000},
	} {
		b.Run(bench.name, func(b *testing.B) {
			repeat := func(calls int) time.Duration {
				began := time.Now()
				request := fmt.Appendf(nil, `{"calls": %d%s}`, calls, bench.argument)
				response, err := s.Call(b.Context(), "test.relay.v1.Relay/"+bench.method, request, weft.OfFunction(bench.function))
				if err != nil {
					b.Fatal(err)
				}
				if want := fmt.Sprintf(`{"value":%d}`, calls); compact(b, response) != want && calls > 0 {
					b.Fatalf("%s, want %s", response, want)
				}
				return time.Since(began)
			}
			grpcCall := func() time.Duration { return rpcs(b, rival, 200) }
			repeat(bench.calls)
			grpcCall()
			var ours, rivals, ratios []float64
			for b.Loop() {
				none, r, many := repeat(0), grpcCall(), repeat(bench.calls)
				our := float64(many-none) / float64(bench.calls)
				ours, rivals, ratios = append(ours, our), append(rivals, float64(r)/1e3), append(ratios, our/float64(r))
			}
			b.ReportMetric(median(ours), "ns/call")
			b.ReportMetric(median(rivals), "µs/grpc-call")
			b.ReportMetric(median(ratios), "ratio")
		})
	}
}

// rpcs is what a call takes of some calls one after the other.
func rpcs(b *testing.B, client healthv1.HealthClient, calls int) time.Duration {
	b.Helper()
	began := time.Now()
	for range calls {
		if _, err := client.Check(context.WithoutCancel(b.Context()), &healthv1.HealthCheckRequest{}); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began) / time.Duration(calls)
}
