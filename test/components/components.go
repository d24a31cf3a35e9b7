// Package components builds the components that tests and benchmarks call: the examples and the test components
// beside this file. They are built from source by the scripts in examples/toolchains, which install what they need,
// and only when their source changed.
package components

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// source tells where a component's source is, relative to the repository, and which script builds it.
type source struct {
	dir, script string
}

var sources = map[string]source{
	"orders":   {"examples/orders", "rust.sh"},
	"text":     {"examples/text", "js.sh"},
	"formulas": {"examples/formulas", "js.sh"},
	"stats":    {"examples/stats", "python.sh"},
	"report":   {"examples/report", "go.sh"},
	"checksum": {"examples/checksum", "c.sh"},

	"thumbnails": {"examples/thumbnails", "rust.sh"},

	"barcode":  {"examples/shop/barcode", "c.sh"},
	"receipts": {"examples/shop/receipts", "js.sh"},
	"stock":    {"examples/shop/stock", "rust.sh"},
	"pricing":  {"examples/shop/pricing", "python.sh"},
	"checkout": {"examples/shop/checkout", "go.sh"},

	"bench":   {"test/components/bench", "rust.sh"},
	"config":  {"test/components/config", "rust.sh"},
	"relay":   {"test/components/relay", "rust.sh"},
	"load-go": {"test/components/load-go", "go.sh"},
	"host":    {"test/components/host", "rust.sh"},
	"host-go": {"test/components/host-go", "go.sh"},

	"keyvalue":    {"test/components/keyvalue", "rust.sh"},
	"keyvalue-js": {"test/components/keyvalue-js", "js.sh"},

	"cursors-go":      {"test/components/cursors-go", "go.sh"},
	"cursors-user-go": {"test/components/cursors-user-go", "go.sh"},

	// One contract in every language; Rust and Go have more than that.
	"conformance":     {"test/components/conformance", "rust.sh"},
	"conformance-go":  {"test/components/conformance-go", "go.sh"},
	"polyglot-c":      {"test/components/polyglot/c", "c.sh"},
	"polyglot-js":     {"test/components/polyglot/js", "js.sh"},
	"polyglot-ts":     {"test/components/polyglot/ts", "js.sh"},
	"polyglot-python": {"test/components/polyglot/python", "python.sh"},

	// What the benchmark of languages calls, and what calls the bench component.
	"receipt-rust":   {"test/components/receipt/rust", "rust.sh"},
	"receipt-c":      {"test/components/receipt/c", "c.sh"},
	"receipt-go":     {"test/components/receipt/go", "go.sh"},
	"receipt-js":     {"test/components/receipt/js", "js.sh"},
	"receipt-ts":     {"test/components/receipt/ts", "js.sh"},
	"receipt-python": {"test/components/receipt/python", "python.sh"},
	"caller":         {"test/components/caller", "rust.sh"},

	"kernels": {"test/components/kernels", "rust.sh"},

	// What wasmtime serve answers; weft has no use for it.
	"hello": {"test/components/hello", "rust.sh"},
}

// Path builds one of the components above and returns the file's absolute path. Any number of processes may call it
// at once.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	path, err := build(name)
	if err != nil {
		tb.Fatalf("components: %s: %v", name, err)
	}
	return path
}

// Bytes builds the named component as [Path] does and returns its bytes.
func Bytes(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(Path(tb, name))
	if err != nil {
		tb.Fatalf("components: %v", err)
	}
	return data
}

// Root returns the absolute path of the repository: the directory of go.mod above the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod above the working directory")
		}
		dir = parent
	}
}

func build(name string) (string, error) {
	from, ok := sources[name]
	if !ok {
		return "", errors.New("there is no such component")
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "build", "components", name+".wasm")
	command := exec.Command(filepath.Join(root, "examples", "toolchains", from.script), "build", filepath.Join(root, from.dir), path)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, output.Bytes())
	}
	return path, nil
}
