package conformance

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/executor/wasmtime"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/wat"
)

// zeros gives zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestBadDeploys deploys what is no component, a damaged one, and one that weft can't run. Each is refused with a sentence
// that says why, and leaves nothing behind.
func TestBadDeploys(t *testing.T) {
	n := startNode(t)
	orders := components.Bytes(t, "orders")
	assemble := func(text string) []byte {
		t.Helper()
		b, err := wasmtime.WatToWasm(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	calc := wat.Guest{}.Bytes(t)
	for _, c := range []struct {
		name   string
		file   io.Reader
		spec   *weftv1.DeploySpec
		code   codes.Code
		reason string
		words  string
	}{
		{"empty", strings.NewReader(""), nil, codes.InvalidArgument, "NOT_WASM", "empty"},
		{"no WebAssembly", strings.NewReader("#!/bin/sh\necho hello\n"), nil, codes.InvalidArgument, "NOT_WASM", "not WebAssembly"},
		{"core module", bytes.NewReader(assemble("(module)")), nil, codes.InvalidArgument, "CORE_MODULE", "wasm-tools component new"},
		{"cut off at once", bytes.NewReader(orders[:100]), nil, codes.InvalidArgument, "MALFORMED_COMPONENT", "offset"},
		{"cut off in the middle", bytes.NewReader(orders[:len(orders)/2]), nil, codes.InvalidArgument, "MALFORMED_COMPONENT", "offset"},
		{"cut off at its end", bytes.NewReader(orders[:len(orders)-1]), nil, codes.InvalidArgument, "MALFORMED_COMPONENT", "offset"},
		{"1 GiB of zeros", io.LimitReader(zeros{}, 1<<30), nil, codes.InvalidArgument, "NOT_WASM", "not WebAssembly"},
		{"a component too large", io.MultiReader(bytes.NewReader(calc), io.LimitReader(zeros{}, 1<<30)), nil, codes.ResourceExhausted, "TOO_LARGE", "256 MiB"},
		{"unknown import", bytes.NewReader(wat.Guest{Import: "evil:spy/eyes@1.0.0"}.Bytes(t)), nil, codes.FailedPrecondition, "UNBOUND", "evil:spy/eyes@1.0.0"},
		{"import of WASI that is not there", bytes.NewReader(wat.Guest{Import: "wasi:http/outgoing-handler@0.2.0"}.Bytes(t)), nil,
			codes.InvalidArgument, "UNSUPPORTED", "wasi:http/outgoing-handler@0.2.0"},
		{"name", bytes.NewReader(calc), &weftv1.DeploySpec{Name: "Orders!"}, codes.InvalidArgument, "INVALID_REQUEST", `"Orders!"`},
		{"name of 64", bytes.NewReader(calc), &weftv1.DeploySpec{Name: strings.Repeat("a", 64)}, codes.InvalidArgument, "INVALID_REQUEST", "62 more"},
		{"no exports", bytes.NewReader(assemble("(component)")), nil, codes.InvalidArgument, "UNSUPPORTED", "exports no function"},
		{"invalid code", bytes.NewReader(bytes.Replace(calc, []byte("\x6a\x0b"), []byte("\xff\x0b"), 1)), nil, codes.InvalidArgument, "COMPILE_FAILED", "does not compile"},
		{"too little memory", bytes.NewReader(orders), &weftv1.DeploySpec{Name: "orders", Limits: &weftv1.Limits{MemoryBytes: 64 << 10}},
			codes.InvalidArgument, "START_FAILED", "64 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := c.spec
			if spec == nil {
				spec = &weftv1.DeploySpec{Name: "bad"}
			}
			_, err := n.Deploy(t.Context(), c.file, spec, nil)
			refused, ok := errors.AsType[*weft.Error](err)
			if !ok || refused.Code != c.code || refused.Reason != c.reason || !strings.Contains(refused.Message, c.words) {
				t.Fatalf("error %+v; want %v, %s, %q", err, c.code, c.reason, c.words)
			}
		})
	}
	list, err := n.List(t.Context())
	if err != nil || len(list.GetFunctions()) > 0 {
		t.Fatalf("functions %v, %v", list.GetFunctions(), err)
	}
	if r, err := n.Deploy(t.Context(), bytes.NewReader(orders), &weftv1.DeploySpec{Name: "orders"}, nil); err != nil || !r.GetReady() {
		t.Fatalf("a good deploy: %v, %v", r, err)
	}
}
