package gateway

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
	"github.com/weft-run/weft/test/load"
)

// native is the rival: generated code that does as little.
type native struct {
	recordsv1.UnimplementedRecordsServer
}

func (native) Touch(_ context.Context, request *recordsv1.TouchRequest) (*recordsv1.TouchResponse, error) {
	return &recordsv1.TouchResponse{Value: request.GetCustomer()}, nil
}

// BenchmarkGateway compares the gateway, with an executor that does nothing, to a server of generated code: the same
// small record, the same client in the same process, 64 calls in flight over 4 connections.
func BenchmarkGateway(b *testing.B) {
	message, err := proto.Marshal(&recordsv1.TouchRequest{Customer: &recordsv1.Customer{
		Id: 4711, Name: "Ada Lovelace", Active: true, Score: 0.5,
		Home: &recordsv1.Place{City: "London", Zip: 1234}, Tags: []string{"early", "engine", "notes"},
	}})
	if err != nil {
		b.Fatal(err)
	}
	drive := func(b *testing.B, address string) {
		b.Helper()
		for b.Loop() {
			before := processorTime(b)
			result, err := load.Run(b.Context(), load.Config{
				Address: address, Method: recordsv1.Records_Touch_FullMethodName, Message: message,
				InFlight: 64, Connections: 4, Warmup: 200 * time.Millisecond, Duration: time.Second,
			})
			if err != nil || result.Failed > 0 {
				b.Fatalf("%v; %d failed: %s", err, result.Failed, result.FirstError)
			}
			b.ReportMetric(result.PerSecond(), "calls/s")
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(result.Calls)/1.2, "cpu-µs/call")
			b.ReportMetric(float64(result.P50.Microseconds()), "p50-µs")
			b.ReportMetric(float64(result.P99.Microseconds()), "p99-µs")
		}
	}
	b.Run("generated", func(b *testing.B) {
		server := grpc.NewServer()
		recordsv1.RegisterRecordsServer(server, native{})
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		drive(b, listener.Addr().String())
		server.Stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	b.Run("gateway", func(b *testing.B) {
		f := start(b, func(_ context.Context, r executor.Request) (executor.Response, error) {
			return executor.Response{Message: append([]byte(nil), r.Message...)}, nil
		})
		f.deploy("default", "records", 0, nil, "bench.records.v1.Records")
		drive(b, f.address)
	})
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
