package functions

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
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

// TestCycleByUpdates makes functions call one another in a ring by binding them anew, one after the other and all at once.
func TestCycleByUpdates(t *testing.T) {
	s := start(t)
	next := map[string]string{"f1": "r2", "f2": "r3", "f3": "r1"}
	for _, imported := range next {
		s.deploy("e"+imported[1:], wat.Chain{Export: iface(imported)})
	}
	for f, imported := range next {
		s.deploy(f, wat.Chain{Export: iface("r" + f[1:]), Import: iface(imported)}, bind(iface(imported)+"=e"+imported[1:]))
	}
	rebind := func(f, target string) error {
		_, err := s.Update(t.Context(), &weftv1.UpdateRequest{Name: f, Bindings: map[string]string{iface(next[f]): target}})
		return err
	}
	for _, f := range []string{"f1", "f2"} {
		if err := rebind(f, "f"+next[f][1:]); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, rebind("f3", "f1"), "CYCLE", "f3 → f1 → f2 → f3", "bind one of them elsewhere")
	_, err := s.try("f3", wat.Chain{Export: iface("r3"), Import: iface("r1"), Mark: "2"}, bind(iface("r1")+"=f1"))
	refused(t, err, "CYCLE", "f3 → f1 → f2 → f3", "bind one of them elsewhere")
	s.tells("f1", "R1", 1, 4) // by f2, f3 and e1

	for range 5 {
		for f := range next {
			if err := rebind(f, "e"+next[f][1:]); err != nil {
				t.Fatal(err)
			}
		}
		results := make(chan error, len(next))
		for f := range next {
			go func() { results <- rebind(f, "f"+next[f][1:]) }()
		}
		failed := 0
		for range next {
			if err := <-results; err != nil {
				refused(t, err, "CYCLE", "bind one of them elsewhere")
				failed++
			}
		}
		if failed == 0 {
			t.Error("the functions call one another in a ring")
		}
		for f := range next {
			if _, err := s.call("R"+f[1:]+"/Tell", 1, weft.OfFunction(f)); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}

// tells wants a function that shares its interface with others to give an answer.
func (s *server) tells(function, service string, n, result int) {
	s.t.Helper()
	if got, err := s.call(service+"/Tell", n, weft.OfFunction(function)); err != nil || got != result {
		s.t.Errorf("%s: %d, %v; want %d", function, got, err, result)
	}
}

// TestVersions binds imports to exports of other versions.
func TestVersions(t *testing.T) {
	s := start(t)
	for i, c := range []struct {
		imported, exported string
		word               string // why it is refused; empty if it is not
	}{
		{"1.0.0", "1.0.0", ""},
		{"1.0.0", "1.4.2", ""},
		{"1.2.3", "1.2.4", ""},
		{"1.2.0", "1.1.9", "from 1.2.0 on"},
		{"1.2.3", "1.2.2", "from 1.2.3 on"},
		{"1.9.0", "2.0.0", "from 1.9.0 on"},
		{"2.0.0", "1.9.0", "from 2.0.0 on"},
		{"0.4.1", "0.4.7", ""},
		{"0.4.1", "0.4.0", "from 0.4.1 on"},
		{"0.4.1", "0.5.0", "from 0.4.1 on"},
		{"0.0.4", "0.0.5", "from 0.0.4 on"},
	} {
		name := fmt.Sprint("v", i)
		export := "demo:chain/" + name + "@"
		s.deploy("provider-"+name, wat.Chain{Export: export + c.exported})
		_, err := s.try("caller-"+name, wat.Chain{Export: iface("caller-" + name), Import: export + c.imported}, bind(export+c.imported+"=provider-"+name))
		if c.word == "" {
			if err != nil {
				t.Errorf("%s by %s: %v", c.imported, c.exported, err)
				continue
			}
			s.want(fmt.Sprintf("CallerV%d/Tell", i), 1, 2)
			continue
		}
		refused(t, err, "MISMATCH", "import "+export+c.imported, "function provider-"+name, export+c.exported, "semantic versioning", c.word)
	}
}

// TestProviderChangesVersion deploys a provider anew with a newer and an older version of what others import.
func TestProviderChangesVersion(t *testing.T) {
	s := start(t)
	s.deploy("pay", wat.Chain{Export: "demo:chain/pay@1.2.0"})
	s.deploy("a", wat.Chain{Export: iface("a"), Import: "demo:chain/pay@1.2.0"})
	s.deploy("pay", wat.Chain{Export: "demo:chain/pay@1.3.0"})
	s.want("A/Tell", 1, 2)
	_, err := s.try("pay", wat.Chain{Export: "demo:chain/pay@1.1.0"})
	refused(t, err, "BREAKING_CHANGE", "demo:chain/pay@1.1.0 does not answer import demo:chain/pay@1.2.0 of function a")
	_, err = s.try("pay", wat.Chain{Export: "demo:chain/pay@2.0.0"})
	refused(t, err, "BREAKING_CHANGE", "import demo:chain/pay@1.2.0 of function a")
	s.want("A/Tell", 1, 2)
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
