package load

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
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

// TestLargeMessage sends more than one frame and more than the first window.
func TestLargeMessage(t *testing.T) {
	const size = 1 << 20
	codec := grpc.ForceServerCodecV2(bytesCodec{})
	echo := grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return err
		}
		if len(message) != size {
			return status.Errorf(codes.DataLoss, "%d bytes", len(message))
		}
		return stream.SendMsg(message)
	})
	result, err := Run(t.Context(), Config{
		Address: serve(t, codec, echo), Method: "/test.Echo/Echo", Message: make([]byte, size),
		InFlight: 4, Connections: 2, Duration: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Calls == 0 || result.Failed != 0 {
		t.Errorf("calls %d, failed %d (%s)", result.Calls, result.Failed, result.FirstError)
	}
}

// TestRefusedBeforeItIsSent calls a server that refuses the request by its length, before all of it has come.
func TestRefusedBeforeItIsSent(t *testing.T) {
	result, err := Run(t.Context(), Config{
		Address: serve(t, grpc.MaxRecvMsgSize(100)), Method: healthpb.Health_Check_FullMethodName, Message: make([]byte, 1<<20),
		InFlight: 4, Connections: 1, Duration: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Calls != 0 || result.Failed == 0 || !strings.HasPrefix(result.FirstError, "grpc-status 8:") {
		t.Errorf("calls %d, failed %d (%s)", result.Calls, result.Failed, result.FirstError)
	}
}

// bytesCodec takes messages as bytes.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// TestOpenLoop has calls arrive at a server that answers none for a while: most of them must have waited, since they count from
// when they should have begun, although few are in flight at once.
func TestOpenLoop(t *testing.T) {
	const pause = 300 * time.Millisecond
	begin := time.Now()
	stalled := grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		select {
		case <-time.After(time.Until(begin.Add(pause))):
			return handler(ctx, request)
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	})
	address := serve(t, stalled)
	message, err := proto.Marshal(&healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	result, err := Run(t.Context(), Config{
		Address: address, Method: healthpb.Health_Check_FullMethodName, Message: message,
		InFlight: 4, Connections: 2, Rate: 1000, Duration: pause,
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Calls < 200 || result.Calls > 400 || result.Failed != 0 {
		t.Errorf("calls %d of about 300, failed %d (%s)", result.Calls, result.Failed, result.FirstError)
	}
	// Half of them arrived before half of the pause was over.
	if result.P50 < pause/3 {
		t.Errorf("the median is %v: waiting to begin does not count", result.P50)
	}
}

func TestArrivals(t *testing.T) {
	const n, rate = 10_000, 1000
	a := newArrivals(share{rate: rate})
	first := a.next
	var squares float64
	for range n {
		before := a.next
		a.advance()
		gap := a.next.Sub(before).Seconds()
		squares += gap * gap
	}
	mean := a.next.Sub(first).Seconds() / n
	// The mean of squares of exponential gaps is twice the square of the mean; of equal ones it were once.
	if mean*rate < 0.95 || mean*rate > 1.05 || squares/n*rate*rate < 1.8 || squares/n*rate*rate > 2.2 {
		t.Errorf("gaps have a mean of %v and of squares %v", mean, squares/n)
	}
}

func TestAddedResults(t *testing.T) {
	var short, long Result
	short.latencies.add(time.Millisecond)
	long.latencies.add(time.Second)
	long.latencies.add(time.Second)
	short.Elapsed, long.Elapsed, long.Failed, long.FirstError = time.Second, time.Second, 1, "late"
	both := short.Plus(long)
	if both.Calls != 3 || both.Failed != 1 || both.FirstError != "late" || both.Elapsed != 2*time.Second || both.P50 < time.Second {
		t.Errorf("together they have %d calls, %d failed (%s) in %v, median %v", both.Calls, both.Failed, both.FirstError, both.Elapsed, both.P50)
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
