package cluster

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// wire is a connection from one node to another: this process and an echo server in it, which is nobody's.
type wire struct {
	t       *testing.T
	network *Network
	from    *Node
	to      *Node
	conn    net.Conn
	lines   *bufio.Reader
}

func newWire(t *testing.T) *wire {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, network: newNetwork(), to: &Node{Name: "to"}}
	w.from = &Node{Name: "from", process: &process{command: &exec.Cmd{Process: self}, ended: make(chan struct{})}}
	w.network.add(w.from)
	w.network.add(w.to)
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	if w.to.proxy, err = listenFor(w.to, w.network); err != nil {
		t.Fatal(err)
	}
	w.to.proxy.aim(echo.Addr().String())
	t.Cleanup(w.to.proxy.close)
	w.dial()
	return w
}

func (w *wire) dial() {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.to.PeerAddr())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	w.conn, w.lines = conn, bufio.NewReader(conn)
}

// send sends a line; its echo is not waited for.
func (w *wire) send() {
	w.t.Helper()
	if _, err := io.WriteString(w.conn, "hello\n"); err != nil {
		w.t.Fatal(err)
	}
}

// receive waits for a line for so long.
func (w *wire) receive(limit time.Duration) error {
	if err := w.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.lines.ReadString('\n')
	return err
}

func (w *wire) echoes() {
	w.t.Helper()
	w.send()
	if err := w.receive(10 * time.Second); err != nil {
		w.t.Fatalf("no echo: %v", err)
	}
}

// loses checks that nothing comes back, and that the connection stays.
func (w *wire) loses() {
	w.t.Helper()
	w.send()
	if err := w.receive(100 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		w.t.Fatalf("a link that loses all: %v", err)
	}
}

func (w *wire) one(n *Node) []*Node { return []*Node{n} }

func TestDrop(t *testing.T) {
	for name, rule := range map[string]func(*wire){
		"both":  func(w *wire) { w.network.Partition(w.one(w.from), w.one(w.to)) },
		"there": func(w *wire) { w.network.OneWay(w.one(w.from), w.one(w.to)) },
		"back":  func(w *wire) { w.network.OneWay(w.one(w.to), w.one(w.from)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			w.echoes()
			rule(w)
			w.loses()
			w.network.Heal()
			if err := w.receive(10 * time.Second); err != nil {
				t.Fatalf("what was dropped is not delivered: %v", err)
			}
			w.echoes()
		})
	}
}

func TestCut(t *testing.T) {
	w := newWire(t)
	w.echoes()
	w.network.Cut(w.one(w.to), w.one(w.from))
	if err := w.receive(10 * time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection stays: %v", err)
	}
	w.dial()
	if err := w.receive(10 * time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a new connection: %v", err)
	}
	w.network.Heal()
	w.dial()
	w.echoes()
}

func TestDelay(t *testing.T) {
	const delay = 50 * time.Millisecond
	w := newWire(t)
	w.network.Delay(delay)
	began := time.Now()
	w.echoes()
	if took := time.Since(began); took < 2*delay {
		t.Errorf("there and back in %v", took)
	}
}

// TestOthersPass: a rule is for those whom it names.
func TestOthersPass(t *testing.T) {
	w := newWire(t)
	other := &Node{Name: "other"}
	w.network.Partition(w.one(other), w.one(w.to))
	w.echoes()
}
