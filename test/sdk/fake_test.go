//go:build !race

package sdk

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// fake is a server that fails as the name of the function asks it to:
//
//	flaky…    UNAVAILABLE twice, then an answer whose revision is the number of the attempt
//	breaks    BREAKING_CHANGE, with a change
//	token     the answer's name is the authorization that came with the request
type fake struct {
	weftv1.UnimplementedFunctionServiceServer

	mu       sync.Mutex
	attempts map[string]uint32 // guarded by mu; by name
}

// serveSilence accepts connections and never says a word on them, so that only the client can notice a deadline.
func serveSilence(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
	})
	return listener.Addr().String()
}

func serveFake(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	weftv1.RegisterFunctionServiceServer(server, &fake{attempts: map[string]uint32{}})
	go func() { _ = server.Serve(listener) }() // Stop waits for it
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func (f *fake) Get(ctx context.Context, r *weftv1.GetRequest) (*weftv1.GetResponse, error) {
	answer := &weftv1.Function{Name: r.GetName()}
	switch {
	case r.GetName() == "breaks":
		s, err := status.New(codes.FailedPrecondition, "this would break callers").WithDetails(
			&errdetails.ErrorInfo{Domain: "weft", Reason: "BREAKING_CHANGE"},
			&weftv1.Change{Path: "demo.v1.Order.note", Description: "field removed", Breaking: true})
		if err != nil {
			return nil, err
		}
		return nil, s.Err()
	case r.GetName() == "token":
		md, _ := metadata.FromIncomingContext(ctx)
		answer.Name = strings.Join(md.Get("authorization"), " ")
	case strings.HasPrefix(r.GetName(), "flaky"):
		f.mu.Lock()
		defer f.mu.Unlock()
		f.attempts[r.GetName()]++
		if answer.Revision = f.attempts[r.GetName()]; answer.Revision <= 2 {
			return nil, status.Error(codes.Unavailable, "not now")
		}
	}
	return &weftv1.GetResponse{Function: answer}, nil
}
