package lean

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// echoed are the metadata that the test service gives back: in the headers, and in the trailers.
const echoedHeader, echoedTrailer = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"

// unary answers the unary calls of gRPC's test service, as far as its interop tests make them; the rest is relayed to
// grpc-go's own test server.
type unary struct{ server testgrpc.TestServiceServer }

func (unary) Takes(h *Head) bool {
	return h.Path == testgrpc.TestService_UnaryCall_FullMethodName || h.Path == testgrpc.TestService_EmptyCall_FullMethodName
}

func (u unary) Start(s *Stream, message []byte) bool {
	u.answer(s, message)
	return true
}

func (u unary) Serve(s *Stream) {
	data, err := readAll(s)
	if err != nil {
		s.Fail(statusOf(err), nil)
		return
	}
	u.answer(s, data)
}

func (u unary) answer(s *Stream, message []byte) {
	response, err := u.call(s, message)
	trailer := metadata.MD{}
	if echo := s.Head().Metadata[echoedTrailer]; len(echo) > 0 {
		trailer[echoedTrailer] = echo
	}
	if err != nil {
		s.Fail(status.Convert(err), trailer)
		return
	}
	header := metadata.MD{}
	if echo := s.Head().Metadata[echoedHeader]; len(echo) > 0 {
		header[echoedHeader] = echo
	}
	data, err := proto.Marshal(response)
	if err != nil {
		s.Fail(status.Convert(err), nil)
		return
	}
	s.Answer(NewHeader("application/grpc", header), mem.SliceBuffer(data), trailer)
}

func (u unary) call(ctx context.Context, message []byte) (proto.Message, error) {
	if ctx.(*Stream).Head().Path == testgrpc.TestService_EmptyCall_FullMethodName {
		return u.server.EmptyCall(ctx, new(testgrpc.Empty))
	}
	request := new(testgrpc.SimpleRequest)
	if err := proto.Unmarshal(message, request); err != nil {
		return nil, err
	}
	return u.server.UnaryCall(ctx, request)
}

// TestInterop runs gRPC's interop tests, with unary calls answered here and all else relayed. They end the process when they
// fail, with the reason.
func TestInterop(t *testing.T) {
	service := interop.NewTestServer()
	server := grpc.NewServer(grpc.StaticStreamWindowSize(64 << 10))
	testgrpc.RegisterTestServiceServer(server, service)
	f := start(t, unary{service}, grpcOther(t, server))
	conn, err := grpc.NewClient("passthrough:///"+f.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := testgrpc.NewTestServiceClient(conn)
	for name, test := range map[string]func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
		"empty unary": interop.DoEmptyUnaryCall, "large unary": interop.DoLargeUnaryCall,
		"client streaming": interop.DoClientStreaming, "server streaming": interop.DoServerStreaming,
		"ping pong": interop.DoPingPong, "empty stream": interop.DoEmptyStream,
		"timeout on a server that sleeps": interop.DoTimeoutOnSleepingServer,
		"cancel after begin":              interop.DoCancelAfterBegin, "cancel after the first response": interop.DoCancelAfterFirstResponse,
		"metadata": interop.DoCustomMetadata, "status code and message": interop.DoStatusCodeAndMessage,
		"special status message": interop.DoSpecialStatusMessage,
	} {
		t.Run(name, func(t *testing.T) { test(t.Context(), client) })
	}
	t.Run("unimplemented", func(t *testing.T) {
		interop.DoUnimplementedService(t.Context(), testgrpc.NewUnimplementedServiceClient(conn))
		interop.DoUnimplementedMethod(t.Context(), conn)
	})
}
