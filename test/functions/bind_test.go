package functions

import (
	"testing"

	"google.golang.org/grpc/codes"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

func TestProviders(t *testing.T) {
	s := start(t)
	caller := wat.Chain{Export: iface("a"), Import: iface("pay")}
	_, err := s.try("a", caller)
	refused(t, err, "UNBOUND", iface("pay"), "no function of namespace default exports it", "--bind demo:chain/pay=")

	s.deploy("near", wat.Chain{Export: "demo:chain/pay@2.0.0"})
	_, err = s.try("a", caller)
	refused(t, err, "UNBOUND", "did you mean demo.chain.v2.Pay (function near)?")
	_, err = s.try("a", caller, bind("demo:chain/pay=near"))
	refused(t, err, "MISMATCH", "function near exports demo:chain/pay@2.0.0", "semantic versioning")
	_, err = s.try("a", caller, bind("demo:chain/pay=nobody"))
	refused(t, err, "NOT_FOUND", "no function nobody")
	_, err = s.try("a", caller, bind("demo:chain/tax=near"))
	refused(t, err, "INVALID_REQUEST", "no such import", iface("pay"))
	_, err = s.try("a", caller, bind("demo:chain/pay=Pay!"))
	refused(t, err, "INVALID_REQUEST", "neither the name of a function nor an address")
	_, err = s.try("a", caller, bind("demo:chain/pay=grpc://pay.example:443"))
	refused(t, err, "NOT_ALLOWED", "--allow-host pay.example:443")

	s.deploy("one", wat.Chain{Export: iface("pay")})
	s.deploy("a", caller)
	s.want("A/Ask", 1, 2)
	s.deploy("two", wat.Chain{Export: "demo:chain/pay@1.0.1"})

	// A later deploy keeps what the function is bound to; another function has to say.
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("pay"), Mark: "2"})
	_, err = s.try("b", wat.Chain{Export: iface("b"), Import: iface("pay")})
	refused(t, err, "UNBOUND", "2 functions export it, one, two", "--bind demo:chain/pay=one")
	s.deploy("b", wat.Chain{Export: iface("b"), Import: iface("pay")}, bind(iface("pay")+"=two"))
	s.want("B/Ask", 1, 2)

	// An older minor version can't stand for a newer one.
	_, err = s.try("c", wat.Chain{Export: iface("c"), Import: "demo:chain/pay@1.2.0"}, bind("demo:chain/pay=two"))
	refused(t, err, "MISMATCH", "function two exports demo:chain/pay@1.0.1", "from 1.2.0 on")
}

func TestTypesDiffer(t *testing.T) {
	s := start(t)
	s.deploy("pay", wat.Chain{Export: iface("pay"), Wide: true})
	_, err := s.try("a", wat.Chain{Export: iface("a"), Import: iface("pay")})
	refused(t, err, "MISMATCH", "function pay", iface("pay"), "tell", "n", "u32", "u64")
}

func TestCycle(t *testing.T) {
	s := start(t)
	s.deploy("c", wat.Chain{Export: iface("c")})
	s.deploy("b", wat.Chain{Export: iface("b"), Import: iface("c")})
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")})
	_, err := s.try("c", wat.Chain{Export: iface("c"), Import: iface("a")})
	refused(t, err, "CYCLE", "c → a → b → c")
	_, err = s.try("c", wat.Chain{Export: iface("c"), Import: iface("c")}, bind("demo:chain/c=c"))
	refused(t, err, "CYCLE", "can't be bound to itself")
}

func TestProviderStays(t *testing.T) {
	s := start(t)
	s.chain()
	_, err := s.Delete(t.Context(), "c")
	refused(t, err, "IN_USE", `"c" is called by b`)

	// A revision without what others call breaks them.
	_, err = s.try("c", wat.Chain{Export: iface("other")})
	refused(t, err, "BREAKING_CHANGE", "demo.chain.v1.C", "import demo:chain/c@1.0.0 of function b")
	_, err = s.try("c", wat.Chain{Export: iface("c"), Wide: true})
	refused(t, err, "BREAKING_CHANGE", "demo.chain.v1.TellRequest.n")

	s.deploy("c", wat.Chain{Export: iface("other")}, func(spec *weftv1.DeploySpec) { spec.AllowBreaking = true })
	s.fails("A/Ask", 1, codes.FailedPrecondition, "function c (revision 2) does not export demo.chain.v1.C")
	_, err = s.Update(t.Context(), &weftv1.UpdateRequest{Name: "b", Environment: map[string]string{"A": "b"}})
	refused(t, err, "NOT_EXPORTED", "bound to function", `"c"`)

	s.deploy("c2", wat.Chain{Export: iface("c")})
	if _, err = s.Update(t.Context(), &weftv1.UpdateRequest{Name: "b", Bindings: map[string]string{"demo:chain/c": "c2"}}); err != nil {
		t.Fatal(err)
	}
	s.want("A/Ask", 1, 3)
	if _, err := s.Delete(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
}
