package callinfo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/callinfo"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/host"
	"github.com/weft-run/weft/wit/resolve"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	os.Exit(m.Run())
}

// renamed is the interface in a package that functions may export types of.
func renamed(t *testing.T) *wit.Interface {
	t.Helper()
	text, err := fs.ReadFile(host.Files(), "weft-runtime/context.wit")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("package weft:"), []byte("package test:"), 1)
	world, _, err := resolve.World(map[string][]byte{"context.wit": text}, "imports")
	if err != nil {
		t.Fatal(err)
	}
	return world.Imports[0]
}

// asker is an executor with a function that exports what weft:runtime/context gives it.
type asker struct {
	*executor.Executor
	key      executor.Key
	response map[string]protoreflect.MessageDescriptor
}

func newAsker(t *testing.T) *asker {
	t.Helper()
	provided := callinfo.Interface()
	provided.Type = renamed(t)
	a := &asker{key: executor.Key{Namespace: "shop", Function: "asker", Revision: 3}, response: map[string]protoreflect.MessageDescriptor{}}
	world := &wit.World{Imports: []*wit.Interface{provided.Type}, ExportFunctions: provided.Type.Functions}
	built, err := contract.Build(contract.Input{Function: "asker", World: world})
	if err != nil {
		t.Fatal(err)
	}
	set, err := contract.Files(built.Contracts)
	if err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range built.Services[0].Methods {
		d, err := files.FindDescriptorByName(protoreflect.FullName(m.Response))
		if err != nil {
			t.Fatal(err)
		}
		a.response[m.Name] = d.(protoreflect.MessageDescriptor)
	}
	wasm := wat.Proxy(t, provided.Type)
	path := filepath.Join(t.TempDir(), "asker.wasm")
	if err := os.WriteFile(path, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	a.Executor, err = executor.New(executor.Config{Dir: t.TempDir(), Host: []executor.HostInterface{provided}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	if err := a.CheckImports(world); err != nil {
		t.Fatal(err)
	}
	err = a.Load(t.Context(), executor.Revision{Key: a.key, Digest: sha256.Sum256(wasm), Path: path, World: world, Services: built.Services})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ask calls a method and gives the answer as JSON.
func (a *asker) ask(t *testing.T, ctx context.Context, method string, md map[string][]string) string { //nolint:revive // t comes first
	t.Helper()
	r, err := a.Call(ctx, executor.Request{Key: a.key, Service: "asker.Functions", Method: method, CallID: "call-7", Metadata: md})
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	m := dynamicpb.NewMessage(a.response[method])
	if err := proto.Unmarshal(r.Message, m); err != nil {
		t.Fatal(err)
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), " ", "")
}

func TestContext(t *testing.T) {
	a := newAsker(t)
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	md := map[string][]string{
		"x-tenant": {"acme", "other"}, "authorization": {"Bearer secret"}, "cookie": {"secret"}, "weft-depth": {"1"},
		"weft-caller": {"shop/front@12", "shop/edge@1"}, "grpc-timeout": {"1S"}, "traceparent": {parent}, "a-bin": {"\xff"}, "b": {""},
	}
	for method, want := range map[string]string{
		"Self":        `{"value":{"namespace":"shop","function":"asker","number":3}}`,
		"CallId":      `{"value":"call-7"}`,
		"Caller":      `{"value":{"namespace":"shop","function":"front","number":12}}`,
		"Metadata":    `{"value":[{"f0":"b"},{"f0":"traceparent","f1":"` + parent + `"},{"f0":"x-tenant","f1":"acme"},{"f0":"x-tenant","f1":"other"}]}`,
		"Traceparent": `{"value":"` + parent + `"}`,
		"TraceId":     `{"value":"4bf92f3577b34da6a3ce929d0e0e4736"}`,
	} {
		if got := a.ask(t, t.Context(), method, md); got != want {
			t.Errorf("%s is %s, not %s", method, got, want)
		}
	}
	for method, want := range map[string]string{
		"Caller": `{}`, "Metadata": `{}`, "Traceparent": `{}`, "TraceId": `{}`,
	} {
		if got := a.ask(t, t.Context(), method, nil); got != want {
			t.Errorf("%s without metadata is %s, not %s", method, got, want)
		}
	}
}

func TestDeadlineLeft(t *testing.T) {
	a := newAsker(t)
	left := func(ctx context.Context) time.Duration {
		text := strings.Trim(strings.TrimPrefix(a.ask(t, ctx, "DeadlineLeft", nil), `{"value":`), `"}`)
		d, err := time.ParseDuration(text + "ns")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := left(t.Context()); d <= 0 || d > executor.DefaultTimeout {
		t.Errorf("%v are left of the time limit of the revision", d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), executor.DefaultTimeout/2)
	defer cancel()
	if d := left(ctx); d <= 0 || d > executor.DefaultTimeout/2 {
		t.Errorf("%v are left of the caller's deadline", d)
	}
}

func TestTraceparent(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for value, want := range map[string]bool{
		good: true, good + "-x": false, "01" + good[2:] + "-x": true, "01" + good[2:] + "x": false, "ff" + good[2:]: false,
		strings.ToUpper(good): false, good[:54]: false, "": false, strings.ReplaceAll(good, "-", "_"): false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": false,
	} {
		if _, ok := callinfo.Traceparent(map[string][]string{"traceparent": {value}}); ok != want {
			t.Errorf("%q: %v", value, ok)
		}
	}
	if _, ok := callinfo.Traceparent(map[string][]string{"traceparent": {good, good}}); ok {
		t.Error("two are taken")
	}
}
