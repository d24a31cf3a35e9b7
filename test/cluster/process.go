package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long what a node is told to do may take.
const patience = time.Minute

// ErrNotReady says that a node neither became ready nor ended in time.
var ErrNotReady = errors.New("cluster: no ready line")

// process is a weft server that runs, or has run.
type process struct {
	command *exec.Cmd
	log     *os.File
	ready   map[string]string // what the ready line says: grpc, http, cluster
	ended   chan struct{}     // closed when the process is gone
	status  error             // of the process; set before ended is closed
}

// launch starts a process and waits for its ready line. If the process ends before it, the error is an [exec.ExitError].
func launch(command *exec.Cmd, log *os.File) (*process, error) {
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	command.Stderr = log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := start(command); err != nil {
		return nil, err
	}
	p := &process{command: command, log: log, ready: map[string]string{}, ended: make(chan struct{})}
	line := make(chan string, 1)
	go func() {
		defer close(p.ended)
		r := bufio.NewReader(out)
		text, _ := r.ReadString('\n')
		line <- text
		_, _ = io.Copy(io.Discard, r) // ends with the process
		p.status = errors.Join(command.Wait(), log.Close())
	}()
	select {
	case text := <-line:
		if rest, ok := strings.CutPrefix(text, "ready "); ok {
			for f := range strings.FieldsSeq(rest) {
				key, value, _ := strings.Cut(f, "=")
				p.ready[key] = value
			}
			return p, nil
		}
		if text != "" {
			p.kill()
			return nil, fmt.Errorf("%w, but %q", ErrNotReady, text)
		}
		<-p.ended
		return nil, p.status
	case <-time.After(patience):
		p.kill()
		return nil, fmt.Errorf("%w within %v", ErrNotReady, patience)
	}
}

// kill kills the process and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.ended
}

// stop has the process end in its own time. It kills one that takes too long.
func (p *process) stop() error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return p.status
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("cluster: not stopped within %v", patience)
	}
}

func (p *process) signal(s os.Signal) error {
	if err := p.command.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// pause stops the process, and waits until all its threads stand still: a signal is sent before it has come to all of them.
func (p *process) pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for end := time.Now().Add(patience); p.alive(); time.Sleep(time.Millisecond) {
		var stopped unix.Siginfo
		// Without WEXITED it leaves the end of the process to whoever waits for that.
		err := unix.Waitid(unix.P_PID, p.command.Process.Pid, &stopped, unix.WSTOPPED|unix.WNOHANG, nil)
		switch {
		case err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ECHILD): // ECHILD: it has just ended
			return fmt.Errorf("waiting until it stands still: %w", err)
		case err == nil && stopped.Signo != 0:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("it does not stand still within %v", patience)
		}
	}
	return nil
}

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// launcher starts processes. The signal that ends a child when its parent dies is sent when the thread dies that
// started it, so all are started by one thread that lives as long as this process.
var launcher struct {
	once  sync.Once
	tasks chan func()
}

func start(command *exec.Cmd) error {
	launcher.once.Do(func() {
		launcher.tasks = make(chan func())
		go func() {
			runtime.LockOSThread()
			for task := range launcher.tasks {
				task()
			}
		}()
	})
	result := make(chan error, 1)
	launcher.tasks <- func() { result <- command.Start() }
	return <-result
}
