package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// weftBinary is what make build writes.
const weftBinary = "bin/weft"

// stopTime is how long the node may take to stop: its own limit for running calls and a little more.
const stopTime = 40 * time.Second

// node is a running weft server.
type node struct {
	name          string
	cmd           *exec.Cmd
	grpc, cluster string
	killed        bool
	done          chan struct{} // closed once all of its stdout is read
}

// startNode starts a server on free ports and waits for its ready line.
func startNode(ctx context.Context, name, data string, more ...string) (*node, error) {
	args := append([]string{
		"server", "--data-dir", data, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cluster", "127.0.0.1:0",
	}, more...)
	prompt(append([]string{"weft"}, args...))
	cmd := exec.Command(weftBinary, args...)
	// The kernel ends the server if the demo is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &node{name: name, cmd: cmd, done: make(chan struct{})}
	ready := make(chan string, 1)
	go func() {
		defer close(n.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				ready <- rest
			}
		}
	}()
	select {
	case line := <-ready:
		fmt.Println("ready", line)
		n.grpc, n.cluster = field(line, "grpc"), field(line, "cluster")
		return n, nil
	case <-n.done:
		return nil, fmt.Errorf("the server did not start: %w\n%s", cmd.Wait(), log.String())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), n.stop())
	}
}

// kill ends the server as a power cut would.
func (n *node) kill() {
	n.killed = true
	_ = n.cmd.Process.Kill()
	<-n.done
	_ = n.cmd.Wait()
}

// stop ends the server in good order, or else at once.
func (n *node) stop() error {
	if n.killed {
		return nil
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	kill := time.AfterFunc(stopTime, func() { _ = n.cmd.Process.Kill() })
	defer kill.Stop()
	<-n.done
	if err := n.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	return nil
}

// field returns the value of a key in "key=value key=value".
func field(line, key string) string {
	for pair := range strings.FieldsSeq(line) {
		if value, ok := strings.CutPrefix(pair, key+"="); ok {
			return value
		}
	}
	return ""
}

// shell runs commands as a user would who has weft on PATH and its server's address in WEFT_ADDR.
type shell struct{ addr string }

// run shows a command and runs it; its output goes to the demo's.
func (s *shell) run(ctx context.Context, args ...string) error {
	prompt(args)
	return s.quietly(ctx, os.Stdout, "", args...)
}

// output runs a command without showing it and returns what it prints.
func (s *shell) output(ctx context.Context, args ...string) (string, error) {
	var out strings.Builder
	err := s.quietly(ctx, &out, "", args...)
	return out.String(), err
}

// quietly runs a command in a directory without showing it.
func (s *shell) quietly(ctx context.Context, out io.Writer, dir string, args ...string) error {
	return s.separately(ctx, out, os.Stderr, dir, args...)
}

// separately is quietly with a place for what the command says on stderr.
func (s *shell) separately(ctx context.Context, out, errs io.Writer, dir string, args ...string) error {
	name := args[0]
	if name == "weft" {
		var err error
		if name, err = filepath.Abs(weftBinary); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, name, args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "WEFT_ADDR="+s.addr)
	cmd.Stdout, cmd.Stderr = out, errs
	// What it starts ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopTime
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// prompt shows a command as it would be typed.
func prompt(args []string) {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if strings.ContainsAny(arg, " \n\"{}") {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	fmt.Println("\n$ " + strings.Join(words, " "))
}
