package link

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
)

var ada = &recordsv1.Customer{
	Id: 4711, Name: "Ada Lovelace", Active: true, Score: 0.5,
	Home: &recordsv1.Place{City: "London", Zip: 1234}, Tags: []string{"early", "engine", "notes"},
}

// native is the rival: generated code that does as little.
type native struct {
	recordsv1.UnimplementedRecordsServer
}

func (native) Touch(_ context.Context, request *recordsv1.TouchRequest) (*recordsv1.TouchResponse, error) {
	return &recordsv1.TouchResponse{Value: request.GetCustomer()}, nil
}

// BenchmarkCall compares a call over the link with one over grpc-go with generated code: the same 76 bytes, both nodes in
// this process, over the same kind of TLS connection.
func BenchmarkCall(b *testing.B) {
	message, err := proto.Marshal(&recordsv1.TouchRequest{Customer: ada})
	if err != nil {
		b.Fatal(err)
	}
	for _, inFlight := range []int{1, 64} {
		name := map[int]string{1: "1", 64: "64"}[inFlight]
		b.Run("link/"+name, func(b *testing.B) {
			call := linkFor(b, Config{}, func(_ context.Context, _ string, r Request) (Response, error) {
				return Response{Response: executor.Response{Message: append([]byte(nil), r.Message...)}}, nil
			})
			r := request(message)
			drive(b, inFlight, func(ctx context.Context) error {
				_, err := call(ctx, r)
				return err
			})
		})
		b.Run("grpc/"+name, func(b *testing.B) {
			client := rival(b)
			r := &recordsv1.TouchRequest{Customer: ada}
			drive(b, inFlight, func(ctx context.Context) error {
				_, err := client.Touch(ctx, r)
				return err
			})
		})
	}
}

func request(message []byte) Request {
	return Request{Hops: 1, Request: executor.Request{
		Key: executor.Key{Namespace: "default", Function: "records", Revision: 3}, Service: "bench.records.v1.Records", Method: "Touch",
		Message: message, CallID: "0123456789-42", Metadata: map[string][]string{
			":authority": {"127.0.0.1:7070"}, "content-type": {"application/grpc"}, "user-agent": {"grpc-go/1.85.0"},
		},
	}}
}

// linkFor gives the way from one node to another.
func linkFor(t testing.TB, config Config, handler Handler) func(context.Context, Request) (Response, error) {
	t.Helper()
	network := newSecureNetwork(t)
	start := func(id string) *Link {
		own := config
		own.Port, own.Handler = network.port(id), handler
		l := New(own)
		l.Start()
		return l
	}
	from, to := start("a"), start("b")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := from.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := to.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return func(ctx context.Context, r Request) (Response, error) { return from.Call(ctx, "b", r) }
}

// rival gives a client of a server of generated code.
func rival(b *testing.B) recordsv1.RecordsClient {
	b.Helper()
	network := newSecureNetwork(b)
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(network.config("b", "h2"))))
	recordsv1.RegisterRecordsServer(server, native{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(network.config("a", "h2"))))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return recordsv1.NewRecordsClient(conn)
}

// drive makes b.N calls and reports their median and what they cost in processor time of both nodes.
func drive(b *testing.B, inFlight int, call func(context.Context) error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	for range 100 {
		if err := call(ctx); err != nil {
			b.Fatal(err)
		}
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	times := make([][]time.Duration, inFlight)
	var wait sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	for i := range inFlight {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				if err := call(ctx); err != nil {
					b.Error(err)
					return
				}
				times[i] = append(times[i], time.Since(began))
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	used := processorTime(b) - before
	all := slices.Concat(times...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(b.N), "cpu-µs/call")
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

// BenchmarkLarge moves 4 MiB there and back.
func BenchmarkLarge(b *testing.B) {
	for _, inFlight := range []int{1, 4} {
		b.Run(map[int]string{1: "1", 4: "4"}[inFlight], func(b *testing.B) {
			call := linkFor(b, Config{}, echo)
			r := request(make([]byte, 4<<20))
			b.SetBytes(8 << 20)
			drive(b, inFlight, func(ctx context.Context) error {
				_, err := call(ctx, r)
				return err
			})
		})
	}
}
