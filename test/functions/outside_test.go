package functions

import (
	"testing"

	"google.golang.org/grpc/codes"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// TestOutside has a function call a gRPC service that is not of its cluster: a function of another one.
func TestOutside(t *testing.T) {
	other := start(t)
	other.deploy("pay", wat.Chain{Export: iface("pay")})
	s := start(t, allow(t, "127.0.0.1"))
	address := "grpc+insecure://" + other.node.GRPCAddr()
	caller := wat.Chain{Export: iface("a"), Import: iface("pay")}
	s.deploy("a", caller, bind("demo:chain/pay="+address))
	s.want("A/Ask", 1, 2)
	s.want("A/Tell", 1, 2)

	// The error that the function returned is a detail of the status, and arrives as the error of the import.
	s.fails("A/Ask", 1000, codes.FailedPrecondition, "sold out")
	s.fails("A/Ask", 3000, codes.FailedPrecondition, address, "unreachable")
	s.fails("A/Tell", 3000, codes.Internal, "demo.chain.v1.Pay/Tell", address)

	f, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if c := f.GetFunction().GetCalls(); len(c) != 1 || c[0].GetAddress() != address || c[0].GetService() != "demo.chain.v1.Pay" {
		t.Errorf("calls %v", c)
	}
	// What the service has is compared by reflection, also by an update.
	_, err = s.try("b", wat.Chain{Export: iface("b"), Import: iface("tax")}, bind("demo:chain/tax="+address))
	refused(t, err, "MISMATCH", iface("tax"), "it serves no demo.chain.v1.Tax")
	other.deploy("tax", wat.Chain{Export: iface("tax"), Wide: true})
	_, err = s.try("b", wat.Chain{Export: iface("b"), Import: iface("tax")}, bind("demo:chain/tax="+address))
	refused(t, err, "MISMATCH", "function tell, request: type TaxTellRequest, field n", "uint64", "uint32")

	// A later revision stays bound; one may be bound to a function instead.
	if _, err := s.Update(t.Context(), &weftv1.UpdateRequest{Name: "a", Environment: map[string]string{"A": "b"}}); err != nil {
		t.Fatal(err)
	}
	s.want("A/Ask", 1, 2)
	s.deploy("here", wat.Chain{Export: iface("pay")})
	if _, err := s.Update(t.Context(), &weftv1.UpdateRequest{Name: "a", Bindings: map[string]string{iface("pay"): "here"}}); err != nil {
		t.Fatal(err)
	}
	s.fails("A/Ask", 3000, codes.FailedPrecondition, "function here")
}

// TestOutsideIsGone calls a service where nobody listens.
func TestOutsideIsGone(t *testing.T) {
	s := start(t, allow(t, "127.0.0.1"))
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("pay")}, bind("demo:chain/pay=grpc+insecure://127.0.0.1:1"))
	s.fails("A/Ask", 1, codes.FailedPrecondition, "grpc+insecure://127.0.0.1:1", "Unavailable")
	s.fails("A/Tell", 1, codes.Internal, "grpc+insecure://127.0.0.1:1", "Unavailable")
}

// TestOutsideIsForbidden calls no host that the configuration does not name.
func TestOutsideIsForbidden(t *testing.T) {
	s := start(t, allow(t, "127.0.0.1:1"))
	_, err := s.try("a", wat.Chain{Export: iface("a"), Import: iface("pay")}, bind("demo:chain/pay=grpc+insecure://127.0.0.1:2"))
	refused(t, err, "NOT_ALLOWED", "--allow-host 127.0.0.1:2")
}
