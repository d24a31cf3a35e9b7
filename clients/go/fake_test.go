package weft_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// fake is a server that answers from memory and remembers what it was asked.
type fake struct {
	weftv1.UnimplementedFunctionServiceServer

	mu       sync.Mutex
	spec     *weftv1.DeploySpec // guarded by mu
	body     []byte             // guarded by mu
	metadata metadata.MD        // guarded by mu: of the last unary call
	failures int                // guarded by mu: how many calls of Get fail before one does not
	gets     int                // guarded by mu
}

// TestMain starts a fake for the examples.
func TestMain(m *testing.M) {
	_, server, listening, err := start()
	if err != nil {
		panic(err)
	}
	addr = listening
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// start starts a fake on a free port.
func start() (f *fake, server *grpc.Server, addr string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, "", err
	}
	f, server = &fake{}, grpc.NewServer()
	weftv1.RegisterFunctionServiceServer(server, f)
	reflection.Register(server)
	go func() { _ = server.Serve(listener) }() // Stop waits for it
	return f, server, listener.Addr().String(), nil
}

// serve starts a fake and returns a client of it.
func serve(t testing.TB, opts ...weft.Option) (*fake, *weft.Client) {
	t.Helper()
	f, server, addr, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	client, err := weft.Connect(addr, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, client
}

func (f *fake) Deploy(stream grpc.ClientStreamingServer[weftv1.DeployRequest, weftv1.DeployResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spec, f.body = first.GetSpec(), nil
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if f.body == nil && !bytes.HasPrefix(next.GetChunk(), []byte("\x00asm")) {
			s, _ := status.New(codes.InvalidArgument, "the file is not WebAssembly").WithDetails(
				&errdetails.ErrorInfo{Domain: "weft", Reason: "NOT_WASM"})
			return s.Err()
		}
		f.body = append(f.body, next.GetChunk()...)
	}
	return stream.SendAndClose(&weftv1.DeployResponse{
		Function: &weftv1.Function{Name: f.spec.GetName(), Revision: 1}, Ready: true,
	})
}

func (f *fake) Get(ctx context.Context, r *weftv1.GetRequest) (*weftv1.GetResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.metadata, _ = metadata.FromIncomingContext(ctx)
	f.gets++
	if f.gets <= f.failures {
		return nil, status.Error(codes.Unavailable, "not now")
	}
	switch r.GetName() {
	case "slow":
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	case "breaks":
		s, err := status.New(codes.FailedPrecondition, "this would break callers").WithDetails(
			&errdetails.ErrorInfo{Domain: "weft", Reason: "BREAKING_CHANGE"},
			&weftv1.Change{Path: "demo.v1.Order.note", Description: "field removed", Breaking: true})
		if err != nil {
			return nil, err
		}
		return nil, s.Err()
	}
	return &weftv1.GetResponse{Function: &weftv1.Function{Namespace: r.GetNamespace(), Name: r.GetName()}}, nil
}

func (f *fake) List(context.Context, *weftv1.ListRequest) (*weftv1.ListResponse, error) {
	return &weftv1.ListResponse{Functions: []*weftv1.Function{{Name: "orders", Revision: 3}, {Name: "stock", Revision: 1}}}, nil
}

func (f *fake) Logs(r *weftv1.LogsRequest, stream grpc.ServerStreamingServer[weftv1.LogsResponse]) error {
	for _, message := range []string{"one", "two", "three"} {
		if err := stream.Send(&weftv1.LogsResponse{Time: timestamppb.Now(), Message: message}); err != nil {
			return err
		}
	}
	if r.GetFollow() {
		<-stream.Context().Done()
	}
	return nil
}
