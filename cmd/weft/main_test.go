package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/node"
)

// asWeft makes the test binary the weft binary, for tests that need a process of its own.
const asWeft = "WEFT_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	if os.Getenv(asWeft) != "" {
		main()
	}
	for _, v := range []string{"WEFT_ADDR", "WEFT_NAMESPACE"} {
		_ = os.Unsetenv(v)
	}
	os.Exit(m.Run())
}

// server is a node in this process.
type server struct {
	*node.Node
	t    *testing.T
	dir  string
	addr string
	once sync.Once
}

func startServer(t *testing.T) *server {
	t.Helper()
	return startServerIn(t, t.TempDir())
}

func startServerIn(t *testing.T, dir string) *server {
	t.Helper()
	n, err := node.Start(t.Context(), node.Config{
		DataDir: dir, Name: "test", GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cluster: "127.0.0.1:0",
		Version: "v0.0.0-test", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Node: n, t: t, dir: dir, addr: n.GRPCAddr()}
	t.Cleanup(s.stop)
	return s
}

// stop stops the server, once.
func (s *server) stop() {
	s.t.Helper()
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			s.t.Errorf("stop: %v", err)
		}
	})
}

// result is what a run of the command gave.
type result struct {
	t        *testing.T
	line     string
	code     int
	out, err string
}

// weft runs the command against the server, through the same function as main.
func (s *server) weft(args ...string) result {
	s.t.Helper()
	return weftWith(s.t, "", append(args, "--addr", s.addr)...)
}

func weftWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return weftWithin(t, time.Minute, stdin, args...)
}

func weftWithin(t *testing.T, limit time.Duration, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out, errs bytes.Buffer
	args = append([]string{}, args...) // cobra would take the test's own instead of none
	code := run(ctx, args, strings.NewReader(stdin), &out, &errs)
	return result{t, "weft " + strings.Join(args, " "), code, out.String(), errs.String()}
}

// ok fails the test unless the command went well.
func (r result) ok() result {
	r.t.Helper()
	return r.exits(exitOK)
}

func (r result) exits(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("%s: exit status %d, want %d\nstdout: %s\nstderr: %s", r.line, r.code, code, r.out, r.err)
	}
	return r
}

// prints fails the test unless stdout has each of the texts.
func (r result) prints(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out, text) {
			r.t.Errorf("%s: stdout has no %q:\n%s", r.line, text, r.out)
		}
	}
	return r
}

// complains fails the test unless stdout is empty and stderr has each of the texts.
func (r result) complains(texts ...string) result {
	r.t.Helper()
	if r.out != "" {
		r.t.Errorf("%s: stdout is not empty: %s", r.line, r.out)
	}
	for _, text := range texts {
		if !strings.Contains(r.err, text) {
			r.t.Errorf("%s: stderr has no %q:\n%s", r.line, text, r.err)
		}
	}
	return r
}

// process is a server in a process of its own.
type process struct {
	cmd  *exec.Cmd
	addr string
	http string
	out  *bufio.Reader
	log  *bytes.Buffer
}

var readyLine = regexp.MustCompile(`^ready grpc=(127\.0\.0\.1:\d+) http=(127\.0\.0\.1:\d+) cluster=(127\.0\.0\.1:\d+)\n$`)

// startProcess runs `weft server` and returns once it is ready. It is killed at the end of the test.
func startProcess(t *testing.T, dir string, more ...string) *process {
	t.Helper()
	return startProcessWith(t, nil, dir, more...)
}

// startProcessWith is startProcess with another place for the log than the process's own buffer, unless it is nil.
func startProcessWith(t *testing.T, stderr io.Writer, dir string, more ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"server", "--data-dir", dir, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cluster", "127.0.0.1:0",
	}, more...)
	p := &process{cmd: exec.Command(self, args...), log: &bytes.Buffer{}}
	p.cmd.Env = append(os.Environ(), asWeft+"=1")
	if p.cmd.Stderr = stderr; stderr == nil {
		p.cmd.Stderr = p.log
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	p.out = bufio.NewReader(stdout)
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.kill()
		t.Fatalf("no ready line: %v\n%s", err, p.log)
	}
	m := readyLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("ready line %q", line)
	}
	p.addr, p.http = m[1], m[2]
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// terminate sends SIGTERM and returns what else the process wrote to stdout.
func (p *process) terminate(t *testing.T) string {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.ends(t)
}

// ends waits for the end of a process that was told to, and returns what else it wrote to stdout.
func (p *process) ends(t *testing.T) string {
	t.Helper()
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(p.out); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); errors.As(err, &exit) || err != nil {
		t.Fatalf("it ended with %v\n%s", err, p.log)
	}
	return rest.String()
}

// write writes a file of the test's own.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r result) String() string { return fmt.Sprintf("%s\n%s%s", r.line, r.out, r.err) }
