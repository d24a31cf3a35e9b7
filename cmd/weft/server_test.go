package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/test/wat"
)

func TestServerProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := startProcess(t, dir, "--name", "alone")
	weftWith(t, "", "nodes", "--addr", p.addr).ok().prints("alone")

	// A second one may not have the directory.
	r := weftWith(t, "", "server", "--data-dir", dir, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cluster", "127.0.0.1:0")
	r.exits(exitFailure).complains(dir, fmt.Sprint(p.cmd.Process.Pid))

	// Nor its port.
	weftWith(t, "", "server", "--data-dir", t.TempDir(), "--listen", p.addr, "--http", "127.0.0.1:0", "--cluster", "127.0.0.1:0").
		exits(exitFailure).complains(p.addr, "address already in use")

	if rest := p.terminate(t); rest != "" {
		t.Errorf("more on stdout than the ready line: %q", rest)
	}
	again := startProcess(t, dir)
	weftWith(t, "", "nodes", "--addr", again.addr).ok()
}

// TestServerOutlivesItsReaders: a node goes on when whatever reads its log ends.
func TestServerOutlivesItsReaders(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	p := startProcessWith(t, writer, t.TempDir())
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	weftWith(t, "", "deploy", wat.Guest{}.File(t), "--name", "calc", "--addr", p.addr).ok()
	weftWith(t, "", "call", "Calc/Add", `{"a":1,"b":2}`, "--addr", p.addr).ok()
	p.terminate(t) // it logs that it drains
}

// TestCPUProfile: a node that is told to writes what it used its processor time for, whole once it has stopped.
func TestCPUProfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.pprof")
	startProcess(t, t.TempDir(), "--cpu-profile", file).terminate(t)
	out, err := exec.Command("go", "tool", "pprof", "-raw", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PeriodType: cpu nanoseconds") {
		t.Errorf("%v\n%s", err, out)
	}
	weftWith(t, "", "server", "--data-dir", t.TempDir(), "--cpu-profile", t.TempDir()).exits(exitFailure).complains("--cpu-profile", "is a directory")
}

// TestKilledServer: what was acknowledged is there after a kill, with its artifact, on other ports, and answers
// without being compiled again.
func TestKilledServer(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	file := wat.Guest{}.File(t)
	weftWith(t, "", "deploy", file, "--name", "calc", "--addr", p.addr).ok()
	if n := metric(t, p.http, "weft_compile_seconds_count"); n != "1" {
		t.Errorf("%q compiles before the restart", n)
	}
	p.kill()

	p = startProcess(t, dir)
	weftWith(t, "", "call", "Calc/Add", `{"a":1,"b":2}`, "--addr", p.addr).ok().prints(`"value": 3`)
	weftWith(t, "", "describe", "calc", "--addr", p.addr).ok().prints("demo.calc.v1.Calc")
	if n := metric(t, p.http, "weft_compile_seconds_count"); n != "" && n != "0" {
		t.Errorf("%s compiles after the restart", n)
	}

	// The next deploy needs a leader, which takes a moment to be elected.
	weftWith(t, "", "deploy", file, "--name", "calc", "--wait", "0s", "--addr", p.addr).ok().prints("calc revision 2")
	p.kill()
	p = startProcess(t, dir)
	weftWith(t, "", "revisions", "calc", "--addr", p.addr).ok().prints("2         current")
}

// metric is the sum of a metric's values as text, empty if it is not there.
func metric(t *testing.T, addr, name string) string {
	t.Helper()
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			fields := strings.Fields(rest)
			return fields[len(fields)-1]
		}
	}
	return ""
}

// TestDrain: a call that runs when the server is told to stop, or its terminal is closed, gets its answer, and who follows a log is told.
func TestDrain(t *testing.T) {
	// Who runs the tests may have them ignore SIGHUP, as nohup does. A child process inherits that, but not that it is listened to.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	for name, signals := range map[string][]syscall.Signal{
		"SIGTERM": {syscall.SIGTERM},
		"SIGHUP":  {syscall.SIGHUP, syscall.SIGHUP}, // of the kernel and of the shell
	} {
		t.Run(name, func(t *testing.T) { drains(t, signals) })
	}
}

func drains(t *testing.T, signals []syscall.Signal) {
	t.Helper()
	p := startProcess(t, t.TempDir())
	weftWith(t, "", "deploy", wat.Guest{}.File(t), "--name", "calc", "--timeout", "2s", "--addr", p.addr).ok()
	client, err := weft.Connect(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	var waiting sync.WaitGroup
	following := make(chan struct{})
	waiting.Go(func() {
		weftWith(t, "", "call", "Calc/Log", "--addr", p.addr).ok()
		var last error
		for line, err := range client.Logs(t.Context(), "calc", weft.LogOptions{Follow: true}) {
			if line.GetMessage() == "hello" {
				close(following)
			}
			last = err
		}
		var told *weft.Error
		if !errors.As(last, &told) || told.Reason != "CLOSING" {
			t.Errorf("the follower's last error: %v", last)
		}
	})
	<-following
	answered := make(chan error)
	go func() {
		_, err := client.Call(t.Context(), "Calc/Spin", nil) // until the limit of 2 s
		answered <- err
	}()
	waitUntil(t, "the call runs", func() bool { return metric(t, p.http, "weft_instances_running") == "1" })
	for _, s := range signals {
		if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		waiting.Wait() // it drains
	}
	if err := <-answered; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call that ran: %v", err)
	}
	p.ends(t)
}

// TestNoHangUp expects nohup to work.
func TestNoHangUp(t *testing.T) {
	signal.Ignore(syscall.SIGHUP) // which a child process inherits
	defer signal.Reset(syscall.SIGHUP)
	p := startProcess(t, t.TempDir())
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	if !regexp.MustCompile(`SigIgn:\t[0-9a-f]*[13579bdf]\n`).Match(status) { // the last bit is that of SIGHUP
		t.Errorf("SIGHUP is not ignored: %s", status)
	}
	p.terminate(t)
}

func TestFollowEndsWithTheUser(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	s.weft("call", "Calc/Log").ok()
	ctx, cancel := context.WithCancel(t.Context())
	var out firstLine
	out.seen = cancel
	if code := run(ctx, []string{"logs", "calc", "-f", "--addr", s.addr}, nil, &out, io.Discard); code != exitOK {
		t.Errorf("exit status %d", code)
	}
}

// firstLine calls seen with the first line.
type firstLine struct{ seen func() }

func (f *firstLine) Write(p []byte) (int, error) {
	f.seen()
	return len(p), nil
}

// TestDeploysThatShareAContract: many functions add interfaces to the contract of one package at once. Each gets
// through, and none is lost.
func TestDeploysThatShareAContract(t *testing.T) {
	s := startServer(t)
	var all sync.WaitGroup
	const functions = 8
	for i := range functions {
		file := wat.Guest{Interface: fmt.Sprintf("demo:calc/part%d@1.0.0", i), Functions: []string{"add"}}.File(t)
		all.Go(func() { s.weft("deploy", file, "--name", fmt.Sprintf("f%d", i)).ok() })
	}
	all.Wait()
	schema := s.weft("schema").ok()
	for i := range functions {
		schema.prints(fmt.Sprintf("service Part%d {", i))
		s.weft("call", fmt.Sprintf("Part%d/Add", i), `{"a":1,"b":2}`).ok().prints(`"value": 3`)
	}
}

func TestHealth(t *testing.T) {
	s := startServer(t)
	response, err := http.Get("http://" + s.HTTPAddr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %s", response.Status)
	}
}

func TestStopIsPrompt(t *testing.T) {
	s := startServer(t)
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping an idle node took %v", took)
	}
}
