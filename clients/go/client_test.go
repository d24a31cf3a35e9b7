package weft_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func TestConnectChecksTheAddress(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:7070": true, "[::1]:7070": true, "dns:///weft:7070": true, "unix:/run/weft": true,
		"": false, "7070": false, "localhost": false, "localhost:": false,
	} {
		client, err := weft.Connect(addr)
		if (err == nil) != ok {
			t.Errorf("%q: error %v", addr, err)
		}
		if err == nil {
			err = client.Close()
		}
		if ok && err != nil {
			t.Error(err)
		}
	}
}

func TestDeploySendsTheSpecAndThenTheBytes(t *testing.T) {
	f, client := serve(t, weft.WithNamespace("staging"))
	component := append([]byte("\x00asm\x0d\x00\x01\x00"), bytes.Repeat([]byte("x"), 1<<20)...)
	var sent []int64
	spec := &weftv1.DeploySpec{Name: "orders"}
	response, err := client.Deploy(t.Context(), bytes.NewReader(component), spec, func(n int64) { sent = append(sent, n) })
	if err != nil {
		t.Fatal(err)
	}
	if response.GetFunction().GetName() != "orders" || !response.GetReady() {
		t.Errorf("response %v", response)
	}
	if !bytes.Equal(f.body, component) {
		t.Errorf("the server got %d other bytes", len(f.body))
	}
	if f.spec.GetNamespace() != "staging" || f.spec.GetSize() != uint64(len(component)) || f.spec.GetRequestId() == "" {
		t.Errorf("the spec was not filled in: %v", f.spec)
	}
	if spec.GetNamespace() != "" {
		t.Error("the caller's spec was changed")
	}
	if len(sent) < 2 || sent[len(sent)-1] != int64(len(component)) {
		t.Errorf("progress %v", sent)
	}
}

// endless is a component that never ends; a server must be able to stop it.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestDeployStopsWhenTheServerRefuses(t *testing.T) {
	_, client := serve(t)
	_, err := client.Deploy(t.Context(), endless{}, &weftv1.DeploySpec{Name: "zeros"}, nil)
	var refused *weft.Error
	if !errors.As(err, &refused) || refused.Code != codes.InvalidArgument || refused.Reason != "NOT_WASM" {
		t.Fatalf("error %v", err)
	}
	if len(refused.Details) != 0 {
		t.Errorf("details %v", refused.Details)
	}
	if status.Code(err) != codes.InvalidArgument {
		t.Error("package status does not see the code")
	}
}

func TestDeployReportsAReaderThatFails(t *testing.T) {
	_, client := serve(t)
	broken := errors.New("disk on fire")
	_, err := client.Deploy(t.Context(), io.MultiReader(strings.NewReader("\x00asm"), iotest.ErrReader(broken)),
		&weftv1.DeploySpec{Name: "orders"}, nil)
	if !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
}

func TestSafeRequestsAreRepeated(t *testing.T) {
	f, client := serve(t)
	f.failures = 2
	got, err := client.Get(t.Context(), "orders")
	if err != nil || got.GetFunction().GetName() != "orders" || f.gets != 3 {
		t.Fatalf("%v after %d attempts: %v", got, f.gets, err)
	}
}

func TestTimeoutBoundsRequests(t *testing.T) {
	_, client := serve(t, weft.WithTimeout(20*time.Millisecond))
	_, err := client.Get(t.Context(), "slow")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
}

func TestErrorsCarryTheChanges(t *testing.T) {
	_, client := serve(t)
	_, err := client.Get(t.Context(), "breaks")
	var refused *weft.Error
	if !errors.As(err, &refused) {
		t.Fatalf("error %v", err)
	}
	changes := refused.Changes()
	if len(changes) != 1 || changes[0].GetPath() != "demo.v1.Order.note" {
		t.Errorf("changes %v", changes)
	}
}

func TestLogs(t *testing.T) {
	_, client := serve(t)
	var got []string
	for line, err := range client.Logs(t.Context(), "orders", weft.LogOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line.GetMessage())
	}
	if strings.Join(got, " ") != "one two three" {
		t.Errorf("lines %v", got)
	}
}

func TestLogsStopWithTheLoopAndTheContext(t *testing.T) {
	_, client := serve(t)
	for line, err := range client.Logs(t.Context(), "orders", weft.LogOptions{Follow: true}) {
		if err != nil || line.GetMessage() != "one" {
			t.Fatalf("%v, %v", line, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for line, err := range client.Logs(ctx, "orders", weft.LogOptions{Follow: true}) {
		if line.GetMessage() == "three" {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("the last error is %v", last)
	}
}

func TestWitFiles(t *testing.T) {
	files, err := weft.WitFiles(fstest.MapFS{
		"world.wit":           {Data: []byte("package a:b;")},
		"deps/x/types.wit":    {Data: []byte("package x:y;")},
		"deps/x/types.wit.md": {Data: []byte("no")},
	})
	if err != nil || len(files) != 2 || files[0].GetPath() != "deps/x/types.wit" || files[1].GetPath() != "world.wit" {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := weft.WitFiles(fstest.MapFS{}); err == nil {
		t.Error("a directory without .wit files is accepted")
	}
	if _, err := weft.WitFiles(fstest.MapFS{"a.wit": {Data: make([]byte, 3<<20)}}); err == nil {
		t.Error("3 MiB of WIT are accepted")
	}
}
