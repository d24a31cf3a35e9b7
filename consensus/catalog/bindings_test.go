package catalog

import (
	"slices"
	"strings"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

func toFunction(imported, function, service string) *catalogv1.Binding {
	return &catalogv1.Binding{Import: imported, Target: &catalogv1.Binding_Function{Function: function}, Service: service}
}

func toAddress(imported, address, service string) *catalogv1.Binding {
	return &catalogv1.Binding{Import: imported, Target: &catalogv1.Binding_Address{Address: address}, Service: service}
}

// bound is a revision with bindings, which exports s.S.
func bound(name string, bindings ...*catalogv1.Binding) *catalogv1.Command {
	cmd := put(deploy{name: name, services: []string{"s.S"}})
	cmd.GetPutRevision().GetRevision().Bindings = bindings
	cmd.Level = 3
	return cmd
}

// calls is a revision that is bound to other functions by their service s.S.
func calls(name string, others ...string) *catalogv1.Command {
	var bindings []*catalogv1.Binding
	for _, other := range others {
		bindings = append(bindings, toFunction("x:y/"+other, other, "s.S"))
	}
	return bound(name, bindings...)
}

// newBound returns a log at level 3.
func newBound(t *testing.T) *log {
	t.Helper()
	l := newLog(t)
	l.must(raise(2))
	l.must(raise(3))
	return l
}

func TestLevel3IsNeeded(t *testing.T) {
	cmd := calls("a", "b")
	if RequiredLevel(cmd) != 3 {
		t.Fatalf("requires level %d", RequiredLevel(cmd))
	}
	l := newLog(t)
	l.must(raise(2))
	l.must(level2(put(deploy{name: "b", services: []string{"s.S"}})))
	l.refused(catalogv1.Refusal_REASON_LEVEL, "the cluster is at 2", proto.CloneOf(cmd))
	l.must(raise(3))
	for level := range uint32(3) {
		cmd.Level = level
		l.refused(catalogv1.Refusal_REASON_INVALID, "level 3", proto.CloneOf(cmd))
	}
	cmd.Level = 3
	l.must(cmd)
}

func TestBindingsNameWhatIsThere(t *testing.T) {
	l := newBound(t)
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, `import x:y/pay of function "shop" is bound to function "pay"`, calls("shop", "pay"))
	l.must(put(deploy{name: "pay", services: []string{"t.T"}}))
	l.refused(catalogv1.Refusal_REASON_NOT_EXPORTED, `does not export "s.S"`, calls("shop", "pay"))
	l.must(put(deploy{name: "pay", services: []string{"s.S", "t.T"}}))
	l.must(calls("shop", "pay"))

	// A provider may take its service back; who is bound to it then can't be changed without being bound elsewhere.
	l.must(put(deploy{name: "pay"}))
	l.refused(catalogv1.Refusal_REASON_NOT_EXPORTED, `"pay"`, calls("shop", "pay"))
	l.must(calls("shop"))
}

func TestCycles(t *testing.T) {
	l := newBound(t)
	l.must(calls("c"))
	l.must(calls("b", "c"))
	l.must(calls("a", "b", "c"))
	l.refused(catalogv1.Refusal_REASON_CYCLE, "c → c;", calls("c", "c"))
	l.refused(catalogv1.Refusal_REASON_CYCLE, "c → b → c;", calls("c", "b"))
	l.refused(catalogv1.Refusal_REASON_CYCLE, "c → a → b → c;", calls("c", "a"))
	// Older revisions don't count.
	l.must(calls("a"))
	l.must(calls("c", "a"))
	l.refused(catalogv1.Refusal_REASON_CYCLE, "a → b → c → a;", calls("a", "b"))

	// Another namespace is another graph.
	other := calls("a", "a2")
	other.GetPutRevision().Namespace = "other"
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, `"a2"`, other)

	chain := []string{}
	for i := range 60 {
		name := "f" + strings.Repeat("x", i)
		l.must(calls(name, chain...))
		chain = []string{name}
	}
	l.refused(catalogv1.Refusal_REASON_CYCLE, "→ … →", calls("f", chain...))
}

func TestCalledFunctionStays(t *testing.T) {
	l := newBound(t)
	l.must(calls("pay"))
	for _, name := range []string{"a", "b", "c", "d"} {
		l.must(calls(name, "pay"))
	}
	l.refused(catalogv1.Refusal_REASON_IN_USE, `"pay" is called by a, b, c and 1 more`, del("pay"))
	if got := slices.Collect(l.c.View().Callers(ns, "pay")); len(got) != 4 || got[3] != (Call{"d", "x:y/pay", "s.S", false}) {
		t.Fatalf("callers %v", got)
	}
	for _, name := range []string{"a", "b"} {
		l.must(del(name))
	}
	l.must(calls("c"))
	l.refused(catalogv1.Refusal_REASON_IN_USE, `called by d;`, del("pay"))
	l.must(calls("d"))
	l.must(del("pay")) // though older revisions of c and d are bound to it
	l.must(calls("pay"))
}

func TestInvalidBindings(t *testing.T) {
	long := strings.Repeat("x", 600)
	for name, bindings := range map[string][]*catalogv1.Binding{
		"nil":                {nil},
		"no target":          {{Import: "x:y/z", Service: "s.S"}},
		"no import":          {toFunction("", "b", "s.S")},
		"import of no world": {toFunction("z", "b", "s.S")},
		"import with spaces": {toFunction("x:y/z z", "b", "s.S")},
		"long import":        {toFunction("x:y/"+long, "b", "s.S")},
		"function":           {toFunction("x:y/z", "B", "s.S")},
		"service":            {toFunction("x:y/z", "b", "s..S")},
		"order":              {toFunction("x:y/z", "b", "s.S"), toFunction("x:y/a", "b", "s.S")},
		"twice":              {toFunction("x:y/z", "b", "s.S"), toAddress("x:y/z", "grpc://h:1", "s.S")},
		"scheme":             {toAddress("x:y/z", "http://h:1", "s.S")},
		"no port":            {toAddress("x:y/z", "grpc://h", "s.S")},
		"port 0":             {toAddress("x:y/z", "grpc://h:0", "s.S")},
		"port":               {toAddress("x:y/z", "grpc://h:70000", "s.S")},
		"no host":            {toAddress("x:y/z", "grpc://:1", "s.S")},
		"host":               {toAddress("x:y/z", "grpc://h/x:1", "s.S")},
		"long address":       {toAddress("x:y/z", "grpc://"+long+":1", "s.S")},
		"too many":           make([]*catalogv1.Binding, maxBindings+1),
	} {
		t.Run(name, func(t *testing.T) {
			l := newBound(t)
			l.must(calls("b"))
			l.refused(catalogv1.Refusal_REASON_INVALID, "", bound("a", bindings...))
		})
	}
}

func TestSplitAddress(t *testing.T) {
	for address, want := range map[string]string{
		"grpc://pay.example:443": "pay.example:443 true", "grpc+insecure://127.0.0.1:7070": "127.0.0.1:7070 false",
		"grpc://[::1]:1": "[::1]:1 true", "grpc://pay": " false", "pay:1": " false", "": " false",
	} {
		hostPort, tls, ok := SplitAddress(address)
		got := hostPort + " false"
		if tls {
			got = hostPort + " true"
		}
		if got != want || ok != (hostPort != "") {
			t.Errorf("%s: %s, %v", address, got, ok)
		}
	}
}
