package functions

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/testlog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/test/wat"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	for variable, serve := range map[string]func() error{serverVariable: serveGRPC, nodeVariable: serveNode} {
		if os.Getenv(variable) == "" {
			continue
		}
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// server is a node with its client.
type server struct {
	*weft.Client

	t    testing.TB
	node *node.Node
}

// start runs a node for the length of a test.
func start(t testing.TB, change ...func(*node.Config)) *server {
	t.Helper()
	ctx := t.Context()
	config := node.Config{
		DataDir: t.TempDir(), Name: "n1", GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cluster: "127.0.0.1:0",
		Logger: testlog.New(t, slog.LevelWarn),
	}
	for _, c := range change {
		c(&config)
	}
	running, err := node.Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := running.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	client, err := weft.Connect(running.GRPCAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &server{Client: client, t: t, node: running}
}

// allow lets functions of a node call some hosts.
func allow(t testing.TB, hosts string) func(*node.Config) {
	t.Helper()
	return func(c *node.Config) {
		var err error
		if c.AllowHosts, err = outgoing.ParseAllow(hosts); err != nil {
			t.Fatal(err)
		}
	}
}

// bind names who answers imports: "demo:chain/b=b".
func bind(bindings ...string) func(*weftv1.DeploySpec) {
	return func(spec *weftv1.DeploySpec) {
		spec.Bindings = map[string]string{}
		for _, b := range bindings {
			name, target, _ := strings.Cut(b, "=")
			spec.Bindings[name] = target
		}
	}
}

func (s *server) try(name string, c wat.Chain, change ...func(*weftv1.DeploySpec)) (*weftv1.DeployResponse, error) {
	s.t.Helper()
	return s.tryBytes(name, c.Bytes(s.t), change...)
}

func (s *server) tryBytes(name string, wasm []byte, change ...func(*weftv1.DeploySpec)) (*weftv1.DeployResponse, error) {
	s.t.Helper()
	spec := &weftv1.DeploySpec{Name: name}
	for _, c := range change {
		c(spec)
	}
	return s.Deploy(s.t.Context(), bytes.NewReader(wasm), spec, nil)
}

func (s *server) deploy(name string, c wat.Chain, change ...func(*weftv1.DeploySpec)) *weftv1.DeployResponse {
	s.t.Helper()
	return s.deployBytes(name, c.Bytes(s.t), change...)
}

// deployBytes deploys a component.
func (s *server) deployBytes(name string, wasm []byte, change ...func(*weftv1.DeploySpec)) *weftv1.DeployResponse {
	s.t.Helper()
	answer, err := s.tryBytes(name, wasm, change...)
	if err != nil {
		s.t.Fatalf("deploy %s: %v", name, err)
	}
	if !answer.GetReady() {
		s.t.Fatalf("deploy %s: not ready: %v", name, answer.GetWarnings())
	}
	return answer
}

// refused wants an error with a reason and some words.
func refused(t testing.TB, err error, reason string, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*weft.Error](err)
	if !ok || e.Reason != reason {
		t.Fatalf("%v (%T), want reason %s", err, err, reason)
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			t.Errorf("%q does not say %q", e.Message, word)
		}
	}
}

// call calls ask or tell of an interface of the package demo:chain.
func (s *server) call(method string, n int, options ...weft.CallOption) (int, error) {
	return s.callContext(s.t.Context(), method, n, options...)
}

func (s *server) callContext(ctx context.Context, method string, n int, options ...weft.CallOption) (int, error) {
	response, err := s.Call(ctx, "demo.chain.v1."+method, fmt.Appendf(nil, `{"n": %d}`, n), options...)
	if err != nil {
		return 0, err
	}
	var value struct {
		Value int `json:"value"`
	}
	return value.Value, json.Unmarshal(response, &value)
}

func (s *server) want(method string, n, result int) {
	s.t.Helper()
	got, err := s.call(method, n)
	if err != nil || got != result {
		s.t.Fatalf("%s(%d): %d, %v; want %d", method, n, got, err, result)
	}
}

// fails wants a call to fail with a code and some words.
func (s *server) fails(method string, n int, code codes.Code, words ...string) {
	s.t.Helper()
	got, err := s.call(method, n)
	e, ok := errors.AsType[*weft.Error](err)
	if !ok || e.Code != code {
		s.t.Fatalf("%s(%d): %d, %v; want %v", method, n, got, err, code)
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			s.t.Errorf("%s(%d): %q does not say %q", method, n, e.Message, word)
		}
	}
}

// breaks wants a call to fail with a code, a reason and some words, within a minute.
func (s *server) breaks(method string, n int, code codes.Code, reason string, words ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	_, err := s.callContext(ctx, method, n)
	broken(s.t, err, code, reason, words...)
}

// broken wants an error of a call with a code, a reason and some words.
func broken(t testing.TB, err error, code codes.Code, reason string, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*weft.Error](err)
	if !ok || e.Code != code || e.Reason != reason {
		t.Errorf("%v, want %v %s", err, code, reason)
		return
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			t.Errorf("%q does not say %q", e.Message, word)
		}
	}
}

// metric reads a gauge of a node at an HTTP address.
func metric(t testing.TB, address, name string) float64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// rests waits until the node runs nothing: no instance is left, no slot is lost.
func (s *server) rests() {
	s.t.Helper()
	for _, name := range []string{"weft_instances_running", "weft_instances_waiting", "weft_slots_lost", "weft_calls_waiting"} {
		eventually(s.t, "no "+name, func() bool { return metric(s.t, s.node.HTTPAddr(), name) == 0 })
	}
}

// eventually polls until something holds, for a minute at most.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// iface is an interface of the package demo:chain.
func iface(name string) string { return "demo:chain/" + name + "@1.0.0" }

// chain deploys c, b, which calls c, and a, which calls b.
func (s *server) chain() {
	s.t.Helper()
	s.deploy("c", wat.Chain{Export: iface("c")})
	s.deploy("b", wat.Chain{Export: iface("b"), Import: iface("c")})
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")})
}
