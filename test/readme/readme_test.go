// Package readme runs the commands of README.md as a reader would.
package readme

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// block is one fenced block of shell commands.
type block struct {
	background bool
	lines      []string
}

// blocks gives those that are marked sh.
func blocks(text string) (out []block) {
	var current *block
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch fence, isFence := strings.CutPrefix(line, "```"); {
		case isFence && current != nil:
			out, current = append(out, *current), nil
		case isFence && strings.HasPrefix(fence, "sh"):
			current = &block{background: strings.HasSuffix(fence, "background")}
		case current != nil && line != "":
			current.lines = append(current.lines, line)
		}
	}
	return out
}

// byCI are the commands that CI runs by themselves.
var byCI = []string{"make demo", "make test", "make demo-cluster", "make demo-polyglot"}

func TestCommands(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 15*time.Minute)
	t.Cleanup(cancel) // the last one, after the server has stopped
	// A project that an earlier run started; weft new wants a new folder.
	if err := os.RemoveAll(filepath.Join(root, "build", "hello")); err != nil {
		t.Fatal(err)
	}
	r := &reader{root: root, data: t.TempDir()}
	ran := 0
	for _, b := range blocks(string(text)) {
		for _, line := range b.lines {
			switch {
			case slices.Contains(byCI, line):
				requireInCI(t, root, line)
			case b.background:
				r.server(ctx, t, line)
			default:
				r.run(ctx, t, line)
			}
			ran++
		}
	}
	if ran < 10 {
		t.Errorf("the README has %d commands; were its blocks found?", ran)
	}
}

// requireInCI demands that .ci/run has the make target as a step.
func requireInCI(t *testing.T, root, line string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	if target := strings.TrimPrefix(line, "make "); !strings.Contains(string(script), "\nstep "+target+"\n") {
		t.Errorf("README has %q, and .ci/run does not run it", line)
	}
}

// reader runs commands in the repository against nodes with free ports.
type reader struct {
	root, data string
	address    string // gRPC port of the node that is asked
	cluster    string // its cluster port
	servers    int
}

// run runs one command, with the node's address in place of the default one.
func (r *reader) run(ctx context.Context, t *testing.T, line string) {
	t.Helper()
	if r.address != "" {
		line = strings.ReplaceAll(line, "127.0.0.1:7070", r.address)
	}
	command := exec.CommandContext(ctx, "bash", "-euc", line)
	command.Dir = r.root
	command.Env = append(os.Environ(), "WEFT_ADDR="+r.address)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	t.Logf("$ %s\n%s", line, out)
}

// server starts a node until the test ends, with free ports and a data directory of its own. One that joins is a member of the cluster
// before; one that does not is asked from then on, in place of the nodes before.
func (r *reader) server(ctx context.Context, t *testing.T, line string) {
	t.Helper()
	r.servers++
	data := filepath.Join(r.data, strconv.Itoa(r.servers))
	joins := strings.Contains(line, "--join")
	if !joins {
		r.address, r.cluster = "", ""
	}
	line = "exec " + line + " --data-dir " + data + " --listen 127.0.0.1:0 --http 127.0.0.1:0 --cluster 127.0.0.1:0"
	if r.cluster != "" {
		line = strings.ReplaceAll(line, "127.0.0.1:7072", r.cluster)
	}
	command := exec.Command("bash", "-euc", line)
	command.Dir = r.root
	command.Env = append(os.Environ(), "WEFT_ADDR="+r.address)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	})
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	t.Cleanup(func() { stop() })
	ready, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: no ready line: %v", line, err)
	}
	for field := range strings.FieldsSeq(ready) {
		key, address, _ := strings.Cut(field, "=")
		switch {
		case joins:
		case key == "grpc":
			r.address = address
		case key == "cluster":
			r.cluster = address
		}
	}
	if r.address == "" {
		t.Fatalf("%s: the ready line has no gRPC address: %q", line, ready)
	}
}
