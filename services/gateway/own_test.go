package gateway

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/weft-run/weft/services/failure"
)

// ownService is a service of weft's own: Take takes a message, and Give gives answers as a test says.
func ownService(give func(grpc.ServerStream) error) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "test.Own", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Take", Handler: func(_ any, _ context.Context, take func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				return &healthpb.HealthCheckResponse{}, take(&healthpb.HealthCheckRequest{})
			},
		}},
		Streams: []grpc.StreamDesc{{
			StreamName: "Give", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
				if err := stream.RecvMsg(&healthpb.HealthCheckRequest{}); err != nil {
					return err
				}
				return give(stream)
			},
		}},
	}
}

// startWith starts a gateway with a service of weft's own.
func startWith(t *testing.T, own *grpc.ServiceDesc, memory int64) *fixture {
	t.Helper()
	g, err := New(start(t, echo, func(c *Config) { c.Memory = memory }).config)
	if err != nil {
		t.Fatal(err)
	}
	g.RegisterService(own, nil)
	f := &fixture{Gateway: g, t: t}
	f.address = f.listen()
	return f
}

// TestRequestsOfOwnServicesAreCounted announces large messages to a service of weft's own: they wait within Config.Memory.
func TestRequestsOfOwnServicesAreCounted(t *testing.T) {
	f := startWith(t, ownService(nil), 8<<20)
	slow := f.dialRaw()
	announced := frame(0, make([]byte, 1<<20))[:5]
	for i := range uint32(100) {
		slow.headers(2*i+1, false, ":path", "/test.Own/Take")
		slow.data(2*i+1, false, announced)
	}
	await(t, "the slow connection to hold its share", func() bool { return f.memory.inUse() == 4<<20 })
	request := &healthpb.HealthCheckRequest{Service: strings.Repeat("x", 1<<20)}
	if err := f.dial().Invoke(t.Context(), "/test.Own/Take", request, &healthpb.HealthCheckResponse{}); err != nil {
		t.Errorf("another connection: %v", err)
	}
	_ = slow.net.Close()
	await(t, "the memory to come back", func() bool { return f.memory.inUse() == 0 })
}

// TestRequestsOfOpenServicesAreSmall: health and reflection take names, and read nothing that is larger.
func TestRequestsOfOpenServicesAreSmall(t *testing.T) {
	f := start(t, echo)
	raw := f.dialRaw()
	raw.headers(1, false, ":path", "/grpc.health.v1.Health/Check")
	raw.data(1, false, frame(0, make([]byte, openMessage+1))[:5])
	if st := raw.status(1); st.Code() != codes.ResourceExhausted {
		t.Errorf("health: %v", st)
	}
	r := reflect(t.Context(), t, f.dial())
	if err := r.stream.Send(&reflectionv1.ServerReflectionRequest{Host: strings.Repeat("x", openMessage)}); err != nil {
		t.Fatal(err)
	}
	_, err := r.stream.Recv()
	expect(t, err, codes.ResourceExhausted, failure.RequestTooLarge, "over the limit of this service, 4096 bytes")
	zip := grpc.UseCompressor("gzip")
	_, err = healthpb.NewHealthClient(f.dial()).Check(t.Context(), &healthpb.HealthCheckRequest{Service: strings.Repeat("x", 1<<20)}, zip)
	expect(t, err, codes.ResourceExhausted, failure.RequestTooLarge)
	if held := f.memory.inUse(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
}

// TestAnswersOfOwnServicesAreCounted leaves answers of a stream unread: all of them count, however small, and those over the bound are refused.
func TestAnswersOfOwnServicesAreCounted(t *testing.T) {
	const streams, memory = 20, 1 << 20
	for size, held := range map[int]int64{0: streams * leastAnswer, 64 << 10: memory / 2 * 3 / 2} {
		var ended, refused atomic.Int64
		f := startWith(t, ownService(func(stream grpc.ServerStream) error {
			err := stream.SendMsg(&healthpb.HealthCheckRequest{Service: strings.Repeat("x", size)})
			if err != nil {
				refused.Add(1)
			}
			ended.Add(1)
			return err
		}), memory)
		c := f.dialRaw(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for i := range uint32(streams) {
			c.headers(2*i+1, false, ":path", "/test.Own/Give")
			c.data(2*i+1, true, frame(0, nil))
		}
		await(t, "all to be answered", func() bool { return ended.Load() == streams })
		if n := f.memory.inUse(); n > held || n < held-64<<10 || (refused.Load() > 0) != (size > 0) {
			t.Errorf("answers of %d bytes: %d bytes are held, %d are refused", size, n, refused.Load())
		}
		_ = c.net.Close()
		await(t, "the memory to come back", func() bool { return f.memory.inUse() == 0 })
	}
}

// TestOwnServicesAnswer checks what is read and answered on all kinds of messages.
func TestOwnServicesAnswer(t *testing.T) {
	f := startWith(t, ownService(func(stream grpc.ServerStream) error {
		for _, size := range []int{0, 10, 1 << 20} {
			if err := stream.SendMsg(&healthpb.HealthCheckRequest{Service: strings.Repeat("x", size)}); err != nil {
				return err
			}
		}
		return nil
	}), 0)
	conn := f.dial()
	for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor("gzip")}} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-test", "1")
		request := &healthpb.HealthCheckRequest{Service: strings.Repeat("x", 3<<20)}
		if err := conn.Invoke(ctx, "/test.Own/Take", request, &healthpb.HealthCheckResponse{}, options...); err != nil {
			t.Error(err)
		}
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test.Own/Give", options...)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(&healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 10, 1 << 20} {
			answer := new(healthpb.HealthCheckRequest)
			if err := stream.RecvMsg(answer); err != nil || len(answer.GetService()) != size {
				t.Errorf("%d bytes, %v; want %d", len(answer.GetService()), err, size)
			}
		}
	}
	large := &healthpb.HealthCheckRequest{Service: strings.Repeat("x", ownMessage)}
	expect(t, conn.Invoke(t.Context(), "/test.Own/Take", large, &healthpb.HealthCheckResponse{}), codes.ResourceExhausted, failure.RequestTooLarge)
	for _, test := range []struct {
		data []byte
		code codes.Code
	}{
		{nil, codes.Unimplemented},
		{append(frame(0, nil), frame(0, nil)...), codes.Unimplemented},
		{frame(0, []byte{0xff}), codes.InvalidArgument},
	} {
		c := f.dialRaw()
		c.headers(1, false, ":path", "/test.Own/Take")
		c.data(1, true, test.data)
		if st := c.status(1); st.Code() != test.code {
			t.Errorf("%x: %v", test.data, st)
		}
	}
}
