package functions

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/weft-run/weft/test/wat"
)

// serverVariable makes the test binary a gRPC server, the other process of BenchmarkCall.
const serverVariable = "WEFT_TEST_GRPC_SERVER"

// serveGRPC serves gRPC's health service, generated code with messages of a few bytes, until its standard input ends.
func serveGRPC() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, health.NewServer())
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		server.Stop()
	}()
	fmt.Println(listener.Addr())
	return server.Serve(listener)
}

// otherProcess starts the server and returns a connection to it.
func otherProcess(b *testing.B) *grpc.ClientConn {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), serverVariable+"=1")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = input.Close()
		_ = command.Wait() // it only served
	})
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	conn, err := grpc.NewClient(strings.TrimSpace(address), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// BenchmarkCall is a typed call between two functions on one node, against a call of a gRPC server with generated code in
// another process on this machine. What a call between functions takes is an eighth of what a call through a chain of nine
// takes longer than a call of its last one, fresh instances and all. The two take turns, and the figures are medians of the
// rounds:
//
//	go test ./test/functions -run '^$' -bench Call
func BenchmarkCall(b *testing.B) {
	s := start(b)
	const length = 8
	s.deploy("f0", wat.Chain{Export: iface("f0")})
	for i := 1; i <= length; i++ {
		s.deploy(fmt.Sprint("f", i), wat.Chain{Export: iface(fmt.Sprint("f", i)), Import: iface(fmt.Sprint("f", i-1))})
	}
	rival := healthv1.NewHealthClient(otherProcess(b))
	grpcCall := func(ctx context.Context) error {
		_, err := rival.Check(ctx, &healthv1.HealthCheckRequest{})
		return err
	}
	through := func(name string) func(context.Context) error {
		method := "demo.chain.v1." + name + "/Ask"
		request := []byte{8, 1} // n: 1
		return func(ctx context.Context) error {
			_, err := s.Invoke(ctx, method, request)
			return err
		}
	}
	last, whole := through("F0"), through(fmt.Sprint("F", length))
	round := func(call func(context.Context) error) time.Duration {
		const calls = 200
		began := time.Now()
		for range calls {
			if err := call(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began) / calls
	}
	for _, warm := range []func(context.Context) error{grpcCall, last, whole} {
		round(warm)
	}
	var rivals, ours, ratios []float64
	for b.Loop() {
		r, l, w := round(grpcCall), round(last), round(whole)
		our := float64(w-l) / length
		rivals, ours, ratios = append(rivals, float64(r)/1e3), append(ours, our/1e3), append(ratios, our/float64(r))
	}
	b.ReportMetric(median(ours), "µs/function-call")
	b.ReportMetric(median(rivals), "µs/grpc-call")
	b.ReportMetric(median(ratios), "ratio")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
