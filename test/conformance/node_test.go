package conformance

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/testlog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/test/components"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	os.Exit(m.Run())
}

// deployment is one component to deploy, under its own name.
type deployment struct {
	name        string
	wit         string // directory, relative to the repository; empty for none
	environment map[string]string
}

// server is a node with its client.
type server struct {
	*weft.Client

	http string // address of its HTTP port
}

// start runs a node for the length of a test, deploys components on it and returns a client.
func start(t *testing.T, deployments ...deployment) *weft.Client {
	t.Helper()
	s := startNode(t)
	for _, d := range deployments {
		deploy(t, s.Client, d)
	}
	return s.Client
}

// inEachLanguage runs a test with the whole conformance component, in each language that has it, on a node of its own.
func inEachLanguage(t *testing.T, environment map[string]string, test func(*testing.T, *weft.Client)) {
	t.Helper()
	for _, language := range []struct{ name, component string }{
		{"Rust", "conformance"},
		{"Go", "conformance-go"},
	} {
		t.Run(language.name, func(t *testing.T) {
			test(t, start(t, deployment{name: language.component, environment: environment}))
		})
	}
}

// startNode runs a node for the length of a test.
func startNode(t *testing.T) *server {
	t.Helper()
	ctx := t.Context()
	running, err := node.Start(ctx, node.Config{
		DataDir: t.TempDir(),
		Name:    "conformance",
		GRPC:    "127.0.0.1:0",
		HTTP:    "127.0.0.1:0",
		Cluster: "127.0.0.1:0",
		Logger:  testlog.New(t, slog.LevelWarn),
	})
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
	return &server{Client: client, http: running.HTTPAddr()}
}

func deploy(t *testing.T, client *weft.Client, d deployment) {
	t.Helper()
	spec := &weftv1.DeploySpec{Name: d.name, Environment: d.environment}
	if d.wit != "" {
		root, err := components.Root()
		if err != nil {
			t.Fatal(err)
		}
		if spec.Wit, err = weft.WitFiles(os.DirFS(filepath.Join(root, d.wit))); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(components.Path(t, d.name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	answer, err := client.Deploy(t.Context(), file, spec, nil)
	if err != nil {
		t.Fatalf("deploy %s: %v", d.name, err)
	}
	if !answer.GetReady() {
		t.Logf("deploy %s: not ready yet", d.name)
	}
}

// method finds a method by its full name.
func method(t *testing.T, client *weft.Client, name string) *weft.Method {
	t.Helper()
	m, err := client.Method(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// equal compares an answer with the JSON that is expected of it, as messages of the method's response: numbers,
// names and the order of fields may be written in any way that protobuf's JSON allows.
func equal(t *testing.T, m *weft.Method, got, want []byte) {
	t.Helper()
	type response = *dynamicpb.Message
	parse := func(data []byte) response {
		message := dynamicpb.NewMessage(m.Descriptor().Output())
		if err := protojson.Unmarshal(data, message); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return message
	}
	if !proto.Equal(parse(got), parse(want)) {
		t.Errorf("%s answered\n  %s\nwant\n  %s", m.Name(), got, want)
	}
}

// wrap puts a JSON value into an object: {"name": value}.
func wrap(t *testing.T, name, value string) []byte {
	t.Helper()
	object, err := json.Marshal(map[string]json.RawMessage{name: json.RawMessage(value)})
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return object
}
