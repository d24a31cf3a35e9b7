package functions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/wat"
)

// link links a function with its providers.
func link(spec *weftv1.DeploySpec) { spec.Link = true }

// deployFile deploys a component of test/components.
func (s *server) deployFile(name, component string, change ...func(*weftv1.DeploySpec)) {
	s.t.Helper()
	s.deployBytes(name, components.Bytes(s.t, component), change...)
}

func environment(env map[string]string) func(*weftv1.DeploySpec) {
	return func(spec *weftv1.DeploySpec) { spec.Environment = env }
}

func memory(size uint64) func(*weftv1.DeploySpec) {
	return func(spec *weftv1.DeploySpec) { spec.Limits = &weftv1.Limits{MemoryBytes: size} }
}

// current describes the current revision of a function.
func (s *server) current(name string) *weftv1.Revision {
	s.t.Helper()
	f, err := s.Get(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	revisions := f.GetFunction().GetRevisions()
	return revisions[len(revisions)-1]
}

// TestLinkedChain: a chain of functions gives the same answers by the router and linked.
func TestLinkedChain(t *testing.T) {
	s := start(t)
	s.chain()
	s.deploy("l", wat.Chain{Export: iface("l"), Import: iface("b")}, link)
	for _, n := range []int{0, 1, 999, 1000, 1001} {
		for _, method := range []string{"Ask", "Tell"} {
			a, errA := s.call("A/"+method, n)
			l, errL := s.call("L/"+method, n)
			if a != l || (errA == nil) != (errL == nil) || errA != nil && errA.Error() != errL.Error() {
				t.Errorf("%s(%d): by router %d, %v; linked %d, %v", method, n, a, errA, l, errL)
			}
		}
	}
	// They share a fate: where the router gives the caller an error to handle, the whole call ends.
	s.fails("A/Ask", 3000, codes.FailedPrecondition, "function c")
	s.fails("L/Ask", 3000, codes.Internal, "in c@1, which is linked", "unreachable")
	s.fails("L/Tell", 3000, codes.Internal, "in c@1, which is linked", "unreachable")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.callContext(ctx, "L/Tell", 2000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	s.want("L/Tell", 1, 3)

	// What is linked may be linked with again, and is one call then in all its parts.
	s.deploy("k", wat.Chain{Export: iface("k"), Import: iface("l")}, link)
	s.want("K/Ask", 1, 4)
	s.fails("K/Tell", 3000, codes.Internal, "in l@1, which is linked")
	s.deploy("m", wat.Chain{Export: iface("m"), Import: iface("k")})
	s.want("M/Tell", 1, 5)
}

// relayed are calls of test/components/relay, which passes them on to the component conformance.
var relayed = []struct{ method, request string }{
	{"EchoText", `{"v": "grüße 👋"}`},
	{"EchoBytes", `{"v": "AAECAw=="}`},
	{"EchoEverything", `{"v": {"a": true, "b": 255, "c": -128, "d": 65535, "e": -32768, "f": 4294967295, "g": -1, "h": "18446744073709551615",
		"i": "-9223372036854775808", "j": 0.5, "k": 1e300, "l": "é", "m": "text", "n": "/w==", "o": "LEVEL_HIGH", "p": {"read": true}, "q": "UNIT_FOOT"}}`},
	{"EchoTree", `{"v": {"id": "7", "branches": [], "names": [{"f0": "a", "f1": [1, 2]}]}}`},
	{"EchoShapes", `{"v": [{"nothing": {}}, {"circle": 1.5}, {"named": {"name": "n", "weight": 2, "data": "AA=="}}, {"tried": {"err": "no"}},
		{"level": "LEVEL_LOW"}, {"letter": "x"}, {"maybe": {"value": 3}}, {"maybe": {}}]}`},
	{"EchoOptions", `{}`},
	{"EchoOptions", `{"v": {"value": {"value": "deep"}}}`},
	{"EchoResults", `{"v": [{"ok": {"ok": 1}}, {"ok": {"err": "LEVEL_MEDIUM"}}, {"err": {"value": "e"}}, {"err": {}}]}`},
	{"Many", `{"a": 1, "b": "b", "c": [1, 2], "d": "d", "e": true, "f": {"f0": 3, "f1": 4}, "g": "g", "h": 0.25, "i": "i", "j": "-5", "k": "k", "l": 6}`},
	{"EchoEverything", `{"v": {}}`},
	{"AsString", `{"fail": true}`},
	{"AsString", `{}`},
	{"AsEnum", `{"code": "CODE_PERMISSION_DENIED"}`},
	{"AsEnum", `{"code": "CODE_ODD"}`},
	{"AsRecord", `{"fail": true}`},
	{"AsVariant", `{"refusal": {"notFound": "it"}}`},
	{"AsVariant", `{"refusal": {"outOfLuck": 13}}`},
	{"AsVariant", `{"refusal": {"invalidArgument": {"code": 4, "text": "t"}}}`},
	{"Neither", `{"fail": true}`},
	{"Environments", `{}`},
}

// relay calls a relay and gives the answer as text, or the error that it returned.
func (s *server) relay(function, method, request string, options ...weft.CallOption) string {
	s.t.Helper()
	response, err := s.Call(s.t.Context(), "test.relay.v1.Relay/"+method, []byte(request), append(options, weft.OfFunction(function))...)
	if e, ok := errors.AsType[*weft.Error](err); ok {
		return fmt.Sprint(e.Code, e.Reason, e.Message, e.Details)
	}
	if err != nil {
		s.t.Fatalf("%s of %s: %v", method, function, err)
	}
	return compact(s.t, response)
}

// compact is JSON without spaces, which protobuf's printer sprinkles at random.
func compact(t testing.TB, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLinkedLanguages drives a relay in Rust by the router and linked, with providers in Rust and in Go, and demands equal answers.
func TestLinkedLanguages(t *testing.T) {
	for _, provider := range []string{"conformance", "conformance-go"} {
		t.Run(provider, func(t *testing.T) {
			s := start(t)
			s.deployFile("provider", provider, environment(map[string]string{"WHO": "provider"}))
			s.deployFile("routed", "relay", environment(map[string]string{"WHO": "relay", "MORE": "x"}))
			s.deployFile("linked", "relay", environment(map[string]string{"WHO": "relay", "MORE": "x"}), link)
			for _, c := range relayed {
				routed, linked := s.relay("routed", c.method, c.request), s.relay("linked", c.method, c.request)
				if routed != linked {
					t.Errorf("%s %s:\nby router %s\nlinked    %s", c.method, c.request, routed, linked)
				}
			}
			if got := s.relay("linked", "Environments", "{}"); !strings.Contains(got, "provider") || strings.Count(got, "MORE") != 1 {
				t.Errorf("environments %s", got)
			}
			large := `{"v": "` + strings.Repeat("0123456789abcdef", 1<<16) + `"}`
			if routed, linked := s.relay("routed", "EchoText", large), s.relay("linked", "EchoText", large); routed != linked || len(linked) < 1<<20 {
				t.Errorf("a text of 1 MiB: %d bytes by router, %d linked", len(routed), len(linked))
			}
		})
	}
}

// TestLinkedDifferences are what is not the same: providers live as long as the call that they are part of.
func TestLinkedDifferences(t *testing.T) {
	s := start(t)
	s.deployFile("provider", "conformance")
	s.deployFile("routed", "relay")
	s.deployFile("linked", "relay", link)
	for function, counts := range map[string]string{"routed": `{"value":[1,1,1]}`, "linked": `{"value":[1,2,3]}`} {
		if got := s.relay(function, "Counts", `{"calls": 3}`); got != counts {
			t.Errorf("%s counts %s, want %s", function, got, counts)
		}
	}
	if got := s.relay("linked", "Counts", `{"calls": 1}`); got != `{"value":[1]}` {
		t.Errorf("a later call counts %s", got)
	}
	if got := s.relay("linked", "Panic", `{"message": "oh"}`); !strings.Contains(got, "in provider@1, which is linked") {
		t.Errorf("a panic: %s", got)
	}
	if got := s.relay("linked", "EndlessGrowth", `{}`); !strings.Contains(got, "MEMORY_LIMIT") && !strings.Contains(got, "out of memory") ||
		!strings.Contains(got, "provider@1") {
		t.Errorf("growth: %s", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Call(ctx, "test.relay.v1.Relay/EndlessLoop", []byte("{}"), weft.OfFunction("linked")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a loop: %v", err)
	}
	s.relay("linked", "Print", `{"line": "printed by the provider"}`)
	s.logged("linked", "printed by the provider")
}

// logged waits for a line in the log of a function.
func (s *server) logged(function, line string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for l, err := range s.Logs(ctx, function, weft.LogOptions{Follow: true}) {
		if err != nil {
			s.t.Fatalf("%q is not in the log of %s: %v", line, function, err)
		}
		if l.GetMessage() == line {
			return
		}
	}
}

// TestLinkedUpgrades: what is linked stays as it is until it is linked anew.
func TestLinkedUpgrades(t *testing.T) {
	s := start(t)
	s.deploy("b", wat.Chain{Export: iface("b")})
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")}, link)
	s.deploy("z", wat.Chain{Export: iface("z")})
	s.deploy("b", wat.Chain{Export: "demo:chain/b@1.0.1", Import: iface("z")})
	s.want("A/Ask", 1, 2)
	s.want("B/Ask", 1, 2)
	b := s.current("a").GetBindings()
	if len(b) != 1 || b[0].GetTarget() != "function" || b[0].GetFunction() != "b" || b[0].GetLinkedRevision() != 1 || b[0].GetNewerRevision() != 2 {
		t.Errorf("bindings %v", b)
	}
	linked := s.current("a").GetDigest()

	// Other limits do not change what is linked.
	update := func(r *weftv1.UpdateRequest) {
		t.Helper()
		r.Name = "a"
		if answer, err := s.Update(t.Context(), r); err != nil || !answer.GetReady() {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	update(&weftv1.UpdateRequest{Environment: map[string]string{"A": "b"}})
	if got := s.current("a"); got.GetDigest() != linked || got.GetBindings()[0].GetLinkedRevision() != 1 {
		t.Errorf("revision %v", got)
	}
	yes, no := true, false
	update(&weftv1.UpdateRequest{Link: &yes})
	s.want("A/Ask", 1, 3)
	f, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	calls := f.GetFunction().GetCalls()
	if len(calls) != 1 || calls[0].GetLinkedRevision() != 2 || len(calls[0].GetCalls()) != 1 || calls[0].GetCalls()[0].GetFunction() != "z" ||
		calls[0].GetCalls()[0].GetLinkedRevision() != 1 {
		t.Errorf("calls %v", calls)
	}

	// Bound elsewhere it stays linked; taken apart it is what was deployed.
	s.deploy("b2", wat.Chain{Export: iface("b")})
	update(&weftv1.UpdateRequest{Bindings: map[string]string{"demo:chain/b": "b2"}})
	s.want("A/Ask", 1, 2)
	if got := s.current("a").GetBindings()[0]; got.GetFunction() != "b2" || got.GetLinkedRevision() != 1 {
		t.Errorf("binding %v", got)
	}
	update(&weftv1.UpdateRequest{Link: &no})
	s.fails("A/Tell", 3000, codes.Internal, "function b2")
	s.deploy("same", wat.Chain{Export: iface("a"), Import: iface("b")}, bind(iface("b")+"=b2"))
	if a, b := s.current("a").GetDigest(), s.current("same").GetDigest(); a != b {
		t.Errorf("taken apart it is %s, deployed it was %s", a, b)
	}
	_, err = s.Delete(t.Context(), "b2")
	refused(t, err, "IN_USE", `"b2" is called by a, same`)
}

// TestLinkedProviderChanges: what a provider takes away from its own callers stays with those that are linked with it.
func TestLinkedProviderChanges(t *testing.T) {
	s := start(t)
	s.deploy("b", wat.Chain{Export: iface("b")})
	s.deploy("b2", wat.Chain{Export: iface("b")})
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")}, bind(iface("b")+"=b"), link)
	_, err := s.try("b", wat.Chain{Export: iface("other")})
	refused(t, err, "BREAKING_CHANGE", "service no longer exported by b; b2 answers calls that name no function\nkeep")
	s.deploy("b", wat.Chain{Export: iface("other")}, func(spec *weftv1.DeploySpec) { spec.AllowBreaking = true })
	s.want("A/Ask", 1, 2)
	if _, err := s.Update(t.Context(), &weftv1.UpdateRequest{Name: "a", Environment: map[string]string{"A": "b"}}); err != nil {
		t.Fatal(err)
	}
	s.want("A/Ask", 1, 2)
	yes := true
	_, err = s.Update(t.Context(), &weftv1.UpdateRequest{Name: "a", Link: &yes})
	refused(t, err, "NOT_EXPORTED", "function b does not export it, only demo:chain/other@1.0.0")
}

// TestLinkRefused: what would answer otherwise, or can't be linked, is refused by name.
func TestLinkRefused(t *testing.T) {
	other := start(t)
	other.deploy("pay", wat.Chain{Export: iface("pay")})
	address := "grpc+insecure://" + other.node.GRPCAddr()
	s := start(t, allow(t, "127.0.0.1"))
	s.deploy("b", wat.Chain{Export: iface("b")}, memory(128<<20))
	a := wat.Chain{Export: iface("a"), Import: iface("b")}
	_, err := s.try("a", a, link)
	refused(t, err, "LINK", "import demo:chain/b@1.0.0 of function a", "function b can't be linked", "134217728 bytes of memory", "--memory", "deploy without --link")
	s.deploy("a", a, link, memory(128<<20))

	_, err = s.try("lone", wat.Chain{Export: iface("lone")}, link)
	refused(t, err, "LINK", "nothing to link")

	s.deploy("p", wat.Chain{Export: iface("p"), Import: iface("pay")}, bind("demo:chain/pay="+address))
	_, err = s.try("c", wat.Chain{Export: iface("c"), Import: iface("p")}, link)
	refused(t, err, "LINK", "import demo:chain/p@1.0.0 of function c", "import demo:chain/pay@1.0.0 is answered by "+address)
	_, err = s.try("p", wat.Chain{Export: iface("p"), Import: iface("pay")}, link)
	refused(t, err, "LINK", "nothing to link")

	// A dry run links and keeps nothing.
	answer, err := s.try("d", wat.Chain{Export: iface("d"), Import: iface("b")}, link, memory(128<<20), func(spec *weftv1.DeploySpec) { spec.DryRun = true })
	if err != nil || answer.GetFunction().GetRevisions()[0].GetBindings()[0].GetLinkedRevision() != 1 {
		t.Errorf("dry run: %v, %v", answer, err)
	}
}

// TestLinkedAcrossNodes: a composition is an artifact like others, and runs on a node that has none of its parts.
func TestLinkedAcrossNodes(t *testing.T) {
	first := start(t, func(c *node.Config) { c.Labels = map[string]string{"place": "first"} })
	token, err := first.CreateToken(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, func(c *node.Config) {
		c.Name, c.Labels = "n2", map[string]string{"place": "second"}
		c.Join, c.Token = first.node.ClusterAddr(), token.GetToken()
	})
	first.deploy("b", wat.Chain{Export: iface("b")}, on("first"))
	first.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")}, on("second"), link)
	for _, s := range []*server{first, second} {
		s.want("A/Ask", 1, 2)
	}
	var nodes []string
	for _, p := range first.current("a").GetPlacements() {
		nodes = append(nodes, p.GetNode())
	}
	if !slices.Equal(nodes, []string{"n2"}) {
		t.Errorf("placed on %v", nodes)
	}
}
