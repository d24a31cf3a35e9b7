package keyvalue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/testlog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/test/components"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	os.Exit(m.Run())
}

// server is a node with its client.
type server struct {
	*weft.Client

	t    *testing.T
	node *node.Node
}

// start starts a node with a data directory and the address of a backend. It is stopped at the end of the test.
func start(t *testing.T, dir, address string, change ...func(*node.Config)) *server {
	t.Helper()
	config := node.Config{
		DataDir: dir, Name: "n1", GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cluster: "127.0.0.1:0", Logger: testlog.New(t, slog.LevelError),
	}
	for _, c := range change {
		c(&config)
	}
	var err error
	if config.KeyValue, err = keyvalue.ParseAddress(address); err != nil {
		t.Fatal(err)
	}
	running, err := node.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, node: running}
	t.Cleanup(s.stop)
	if s.Client, err = weft.Connect(running.GRPCAddr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// stop stops the node, once.
func (s *server) stop() {
	if s.node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 30*time.Second)
	defer cancel()
	if err := s.node.Stop(ctx); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	s.node = nil
}

func (s *server) deploy(name string) {
	s.t.Helper()
	s.deployComponent(name, "keyvalue")
}

func (s *server) deployComponent(name, component string) {
	s.t.Helper()
	answer, err := s.Deploy(s.t.Context(), bytes.NewReader(components.Bytes(s.t, component)), &weftv1.DeploySpec{Name: name}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if !answer.GetReady() {
		s.t.Fatalf("%s is not ready: %v", name, answer.GetWarnings())
	}
}

// call calls a method: "keyvalue.Pairs/Get", or "kv2:keyvalue.Pairs/Get" of another function than the one that answers.
func (s *server) call(method string, request map[string]any) (string, error) {
	s.t.Helper()
	var options []weft.CallOption
	if function, rest, ok := strings.Cut(method, ":"); ok {
		options, method = append(options, weft.OfFunction(function)), rest
	}
	encoded, err := json.Marshal(request)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	response, err := s.Call(ctx, "test."+method, encoded, options...)
	if err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, response); err != nil {
		s.t.Fatal(err)
	}
	return compact.String(), nil
}

// arguments are those of a call.
type arguments = map[string]any

func (s *server) want(method string, request arguments, want string) {
	s.t.Helper()
	got, err := s.call(method, request)
	if err != nil || got != want {
		s.t.Errorf("%s(%v) is %s, %v; want %s", method, request, got, err, want)
	}
}

// fails wants a call to fail with the function's own error, with some words.
func (s *server) fails(method string, request arguments, words ...string) {
	s.t.Helper()
	got, err := s.call(method, request)
	e, ok := errors.AsType[*weft.Error](err)
	if !ok || e.Reason != "" {
		s.t.Errorf("%s(%.200v) is %.200s, %v; want an error of the function", method, request, got, err)
		return
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			s.t.Errorf("%s(%.200v): %q does not say %q", method, request, e.Message, word)
		}
	}
}

// metrics gives the lines of the metrics with a prefix.
func (s *server) metrics(prefix string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.node.HTTPAddr()+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var found []string
	for line := range strings.SplitSeq(string(all), "\n") {
		if strings.HasPrefix(line, prefix) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}

// eventually waits until something holds.
func (s *server) eventually(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("after a minute still not: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
