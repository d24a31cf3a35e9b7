package functions

import (
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// held is a gRPC service outside with the interface pay, whose calls wait until they are let go. It answers with 100 more
// than it was given.
type held struct {
	address    string
	began, let chan struct{}
	stop       func()
}

func hold(t *testing.T) *held {
	t.Helper()
	h := &held{began: make(chan struct{}, 100), let: make(chan struct{}, 100)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if method, _ := grpc.MethodFromServerStream(stream); method != "/demo.chain.v1.Pay/Tell" {
			return status.Error(codes.Unimplemented, "it has no reflection")
		}
		var n wrapperspb.UInt32Value // as TellRequest and TellResponse: one uint32 with the number 1
		if err := stream.RecvMsg(&n); err != nil {
			return err
		}
		h.began <- struct{}{}
		select {
		case <-h.let:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
		return stream.SendMsg(wrapperspb.UInt32(n.GetValue() + 100))
	}))
	go func() { _ = server.Serve(listener) }() // until it is stopped
	t.Cleanup(server.Stop)
	h.stop = server.Stop
	h.address = "grpc+insecure://" + listener.Addr().String()
	return h
}

// midCall has a call of a by a client be in the middle of a call of b, which is in the middle of a call of pay.
func (s *server) midCall(h *held, b wat.Chain) (answer <-chan error, got *int) {
	s.t.Helper()
	b.Export, b.Import = iface("b"), iface("pay")
	s.deploy("b", b, bind(iface("pay")+"="+h.address))
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")})
	result := make(chan error, 1)
	got = new(int)
	go func() {
		n, err := s.call("A/Tell", 1)
		*got = n
		result <- err
	}()
	select {
	case <-h.began:
	case err := <-result:
		s.t.Fatalf("the call ended before it came to the end: %v", err)
	}
	return result, got
}

// TestUpgradeInMidCall deploys new revisions of all that is in the middle of a call: that one goes on with what it began with.
func TestUpgradeInMidCall(t *testing.T) {
	s, h := start(t, allow(t, "127.0.0.1")), hold(t)
	answer, got := s.midCall(h, wat.Chain{})
	s.deploy("b", wat.Chain{Export: iface("b")})
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b"), Mark: "2"})
	s.want("A/Tell", 1, 2)
	h.let <- struct{}{}
	if err := <-answer; err != nil || *got != 103 {
		t.Errorf("%d, %v; want 103, of the revisions that were called", *got, err)
	}
	s.rests()
}

// TestDeletedInMidCall deletes a provider in the middle of a call, when nothing is bound to it any more. The call that it
// makes goes on; a further one has no binding.
func TestDeletedInMidCall(t *testing.T) {
	s, h := start(t, allow(t, "127.0.0.1")), hold(t)
	answer, _ := s.midCall(h, wat.Chain{Times: 2})
	_, err := s.Delete(t.Context(), "b")
	refused(t, err, "IN_USE", `"b" is called by a`)
	s.deploy("other", wat.Chain{Export: iface("b")})
	if _, err := s.Update(t.Context(), &weftv1.UpdateRequest{Name: "a", Bindings: map[string]string{iface("b"): "other"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	h.let <- struct{}{}
	broken(t, <-answer, codes.Internal, "TRAP", "default/a@1 calls demo:chain/b@1.0.0#Tell (function b)", "default/b@1 calls demo:chain/pay@1.0.0",
		"no binding", "deploy it again")
	s.want("A/Tell", 1, 2)
	s.rests()
}

// TestProviderLeavesInMidCall stops a service outside in the middle of a call.
func TestProviderLeavesInMidCall(t *testing.T) {
	s, h := start(t, allow(t, "127.0.0.1")), hold(t)
	answer, _ := s.midCall(h, wat.Chain{})
	h.stop()
	broken(t, <-answer, codes.Internal, "TRAP", "default/a@1 calls demo:chain/b@1.0.0#Tell (function b)", h.address, "Unavailable")
	s.breaks("A/Tell", 1, codes.Internal, "TRAP", "function b", h.address, "Unavailable")
	s.rests()
}
