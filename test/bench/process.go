package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a server under measurement, started and stopped by the benchmark.
type process struct {
	cmd   *exec.Cmd
	ready map[string]string // the key=value pairs of its ready line
}

// start runs a program that prints one line "ready key=value …" on its standard output, and waits for the line.
func start(ctx context.Context, name string, args ...string) (*process, error) {
	return startLogged(ctx, os.Stderr, name, args...)
}

// startLogged is start with somewhere else for what the program writes to its standard error.
func startLogged(ctx context.Context, log *os.File, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p, text, err := launch(ctx, cmd, out)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(text)
	if len(fields) == 0 || fields[0] != "ready" {
		p.kill()
		return nil, fmt.Errorf("%s %s: no ready line, but %q", name, strings.Join(args, " "), text)
	}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		p.ready[key] = value
	}
	return p, nil
}

// launch starts a program and waits for the first line that it writes, and reads on from there.
func launch(ctx context.Context, cmd *exec.Cmd, out io.Reader) (*process, string, error) {
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p := &process{cmd: cmd, ready: map[string]string{}}
	line := make(chan string, 1)
	go func() { // until the program ends
		lines := bufio.NewReader(out)
		text, _ := lines.ReadString('\n')
		line <- text
		_, _ = io.Copy(io.Discard, lines)
	}()
	select {
	case text := <-line:
		return p, text, nil
	case <-ctx.Done():
		p.kill()
		return nil, "", fmt.Errorf("%s: not ready: %w", cmd.Path, ctx.Err())
	}
}

// stop asks the process to end, and insists after ten seconds.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill() // It may have ended by itself.
		return errors.Join(errors.New("it did not end on SIGTERM"), <-done)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // It may have ended by itself.
	_ = p.cmd.Wait()
}

// cpu is the processor time, user and system, that the process has used.
func (p *process) cpu() (time.Duration, error) {
	const ofProcess = 2 // CPUCLOCK_SCHED of the kernel
	var t unix.Timespec
	if err := unix.ClockGettime((^int32(p.cmd.Process.Pid))<<3|ofProcess, &t); err != nil {
		return 0, fmt.Errorf("the processor time of process %d: %w", p.cmd.Process.Pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// childrenCPU is the same of those that it has started and that have ended.
func (p *process) childrenCPU() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The fields after the program's name, which is in parentheses and may hold spaces: proc(5).
	const first, last = 13, 15
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < last {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields", p.cmd.Process.Pid, len(fields))
	}
	var ticks int64
	for _, f := range fields[first:last] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ of Linux, fixed for /proc.
	return time.Duration(ticks) * time.Second / perSecond, nil
}

// resident is the resident memory of the process in bytes.
func (p *process) resident() (int64, error) { return p.status("VmRSS:") }

// status is a line of /proc/PID/status, in bytes.
func (p *process) status(name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return kilobytes(string(text), name)
}

// kilobytes reads a line such as "VmRSS:  1784 kB" of a file in /proc, in bytes.
func kilobytes(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc", name)
}
