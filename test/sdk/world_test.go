//go:build !race

package sdk

import (
	"context"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/test/cluster"
	"github.com/weft-run/weft/test/components"
)

// limit bounds what a test does in one language, including what it has to install.
const limit = 10 * time.Minute

// world is what the tests of every language run against.
type world struct {
	root string // of the repository
	node *cluster.Node
	env  map[string]string // tells the tests where everything is
}

// newWorld starts it. The tests end before it does.
func newWorld(t *testing.T) *world {
	t.Helper()
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	nodes := cluster.New(t)
	secrets := "WEFT_SECRETS_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	node := nodes.Found(cluster.Spec{Name: "n1", Env: []string{secrets}})
	w := &world{root: root, node: node}
	tlsAddr, ca := terminateTLS(t, node)
	w.env = map[string]string{
		"WEFT_ADDR":        node.Addr(),
		"WEFT_TLS_ADDR":    tlsAddr,
		"WEFT_CA":          ca,
		"WEFT_FAKE_ADDR":   serveFake(t),
		"WEFT_SILENT_ADDR": serveSilence(t),
		"WEFT_CONTROL":     "http://" + serveControl(t, nodes, node) + "/restart",
		"WEFT_COMPONENT":   components.Path(t, "orders"),
	}
	return w
}

// serveControl restarts the node, on the same port, when it is told to. It answers once the node leads again.
func serveControl(t *testing.T, nodes *cluster.Cluster, node *cluster.Node) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /restart", func(w http.ResponseWriter, _ *http.Request) {
		addr := node.Addr()
		node.Kill()
		err := node.TryRestart(func(s *cluster.Spec) { s.Args = []string{"--listen", addr} })
		if err == nil {
			err = cluster.Poll(time.Minute, func() error { //nolint:contextcheck // it has bounds of its own
				_, err := nodes.FindLeader()
				return err
			})
		}
		if err != nil {
			t.Errorf("restart: %v", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // Close ends it
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// tool runs a script of examples/toolchains and returns what it prints.
func (w *world) tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	return strings.TrimSpace(w.run(t, w.root, nil, filepath.Join(w.root, "examples", "toolchains", name), args...))
}

// run runs a program in a directory and returns its stdout. If it fails, so does the test, which shows all that it said.
func (w *world) run(t *testing.T, dir string, env map[string]string, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = os.Environ()
	for _, vars := range []map[string]string{w.env, env} {
		for _, key := range slices.Sorted(maps.Keys(vars)) {
			command.Env = append(command.Env, key+"="+vars[key])
		}
	}
	command.WaitDelay = 10 * time.Second // a child of it may hold its pipes
	var errs strings.Builder
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command.Args, " "), err, out, errs.String())
	}
	return string(out)
}

// copyOf copies a directory of the repository, so that builds leave nothing in the tree.
func (w *world) copyOf(t *testing.T, dir string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(target, os.DirFS(filepath.Join(w.root, dir))); err != nil {
		t.Fatal(err)
	}
	return target
}
