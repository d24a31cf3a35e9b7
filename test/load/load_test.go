package load

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func serve(t *testing.T, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func run(t *testing.T, address string, request *healthpb.HealthCheckRequest) Result {
	t.Helper()
	message, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), Config{
		Address: address, Method: healthpb.Health_Check_FullMethodName, Message: message,
		InFlight: 16, Connections: 3, Warmup: 10 * time.Millisecond, Duration: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCountsCallsThatEndWell(t *testing.T) {
	result := run(t, serve(t), &healthpb.HealthCheckRequest{})
	if result.Calls == 0 || result.Failed != 0 {
		t.Errorf("calls %d, failed %d (%s)", result.Calls, result.Failed, result.FirstError)
	}
	if result.P50 <= 0 || result.P50 > result.P99 || result.P99 > result.P999 {
		t.Errorf("quantiles %v, %v, %v", result.P50, result.P99, result.P999)
	}
}

func TestCountsCallsThatFail(t *testing.T) {
	result := run(t, serve(t), &healthpb.HealthCheckRequest{Service: "nobody"})
	if result.Calls != 0 || result.Failed == 0 {
		t.Errorf("calls %d, failed %d", result.Calls, result.Failed)
	}
	if result.FirstError != "grpc-status 5: unknown service" {
		t.Errorf("first error: %q", result.FirstError)
	}
}

func TestServerThatIsSlow(t *testing.T) {
	const pause = 5 * time.Millisecond
	slow := grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		select {
		case <-time.After(pause):
			return handler(ctx, request)
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	})
	result := run(t, serve(t, slow), &healthpb.HealthCheckRequest{})
	if result.P50 < pause {
		t.Errorf("the median %v is under the %v that the server takes", result.P50, pause)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	if _, err := Run(t.Context(), Config{Address: address, InFlight: 1, Connections: 1}); err == nil {
		t.Error("a load without a server ended well")
	}
}

func TestHistogramIsWithinThreePercent(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 31, 32, 33, 1000, 123456, time.Second, time.Hour} {
		var h histogram
		h.add(d)
		got := h.quantile(0.5)
		if got < d || float64(got-d) > 0.032*float64(d) {
			t.Errorf("%v is counted as %v", d, got)
		}
	}
}
