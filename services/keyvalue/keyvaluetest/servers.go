package keyvaluetest

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// Server is a server of a backend, a process of its own.
type Server struct {
	// URL is what weft server --keyvalue takes.
	URL string

	t       testing.TB
	program string
	args    []string
	addr    string
	command *exec.Cmd
	output  *buffer
}

// Redis starts redis-server, with an append-only file that is synced with each change, and a password.
func Redis(t testing.TB) *Server {
	t.Helper()
	toolchain(t, "apt.sh", "testing key-value storage", "redis-server")
	return start(t, "redis-server", func(port, dir string) (url string, args []string) {
		return "redis://:secret@127.0.0.1:" + port + "/1", []string{
			"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
			"--requirepass", "secret", "--maxmemory-policy", "noeviction",
		}
	})
}

// NATS starts nats-server with JetStream, and a user.
func NATS(t testing.TB) *Server {
	t.Helper()
	program := filepath.Join(toolchain(t, "go-tools.sh", "nats-server"), "nats-server")
	return start(t, program, func(port, dir string) (url string, args []string) {
		return "nats://weft:secret@127.0.0.1:" + port, []string{
			"--addr", "127.0.0.1", "--port", port, "--jetstream", "--store_dir", dir, "--user", "weft", "--pass", "secret",
		}
	})
}

// toolchain runs a script of examples/toolchains, which installs what is missing, and gives what it prints.
func toolchain(t testing.TB, script string, args ...string) string {
	t.Helper()
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join(root, "examples", "toolchains", script), args...)
	var failed bytes.Buffer
	command.Stderr = &failed
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("keyvaluetest: %s: %v\n%s", script, err, failed.Bytes())
	}
	return strings.TrimSpace(string(printed))
}

// start starts a server on a free port, in a directory of the test.
func start(t testing.TB, program string, arguments func(port, dir string) (url string, args []string)) *Server {
	t.Helper()
	dir := t.TempDir()
	for range 5 { // the port is free when it is chosen, and may be taken by another process before the server has it
		port := freePort(t)
		s := &Server{t: t, program: program, addr: "127.0.0.1:" + port}
		s.URL, s.args = arguments(port, dir)
		if s.run() {
			t.Cleanup(s.Kill)
			return s
		}
		t.Logf("%s: %s", program, s.output)
	}
	t.Fatalf("keyvaluetest: %s does not start", program)
	return nil
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	return port
}

// run starts the process and waits until it takes connections. It is false if it ended instead.
func (s *Server) run() bool {
	s.output = &buffer{}
	s.command = exec.Command(s.program, s.args...)
	s.command.Stdout, s.command.Stderr = s.output, s.output
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	command := s.command
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if c, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr); err == nil {
			_ = c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.t.Fatalf("keyvaluetest: %s takes no connections:\n%s", s.program, s.output)
	return false
}

// Kill kills the server (SIGKILL), if it runs, and waits until it is gone.
func (s *Server) Kill() {
	_ = s.command.Process.Kill()
	for { // the port is free once nobody answers there
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			return
		}
		_ = c.Close()
	}
}

// Restart starts the server again, on the same port and with the same data.
func (s *Server) Restart() {
	s.t.Helper()
	if !s.run() {
		s.t.Fatalf("keyvaluetest: %s does not start again:\n%s", s.program, s.output)
	}
}

// buffer keeps what a process prints.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.buf.String())
}

// Stop has the server stand still, and waits until all its threads do: it answers nothing, and connections stay.
func (s *Server) Stop() {
	s.t.Helper()
	_ = s.command.Process.Signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.command.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		s.t.Fatalf("keyvaluetest: %s does not stop: %v\n%s", s.program, err, s.output)
	}
}

// Continue has it go on.
func (s *Server) Continue() { _ = s.command.Process.Signal(syscall.SIGCONT) }
