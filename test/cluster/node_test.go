package cluster

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/test/wat"
)

// alone is a cluster of one node that leads, with a function named calc.
func alone(t *testing.T) (*Cluster, *Node) {
	t.Helper()
	c := New(t)
	n := c.Found(Spec{Name: "alone"})
	c.Leader()
	n.Must("deploy", wat.Guest{}.File(t), "--name", "calc")
	return c, n
}

func (n *Node) adds(t *testing.T) {
	t.Helper()
	if out := n.Must("call", "Calc/Add", `{"a":1,"b":2}`); !strings.Contains(out, `"value": 3`) {
		t.Errorf("%s answers %s", n.Name, out)
	}
}

// refuses checks that a command fails with something in its message.
func (n *Node) refuses(t *testing.T, message string, args ...string) {
	t.Helper()
	if r := n.Weft(args...); r.Code != 1 || !strings.Contains(r.Err, message) {
		t.Errorf("weft %s: exit status %d, %q; want %q in it", strings.Join(args, " "), r.Code, r.Err, message)
	}
}

func TestLife(t *testing.T) {
	c, n := alone(t)
	n.adds(t)
	pid := n.pid()
	n.Kill()
	if n.Alive() {
		t.Error("alive after a kill")
	}
	n.Restart()
	n.adds(t)
	if n.pid() == pid || n.Starts() != 2 {
		t.Errorf("process %d after %d, start %d", n.pid(), pid, n.Starts())
	}
	n.Stop()
	if n.Alive() || len(c.Alive()) != 0 {
		t.Error("alive after a stop")
	}
	n.Move()
	n.Restart()
	n.adds(t)
}

func TestPause(t *testing.T) {
	c, n := alone(t)
	n.Pause()
	if s, err := n.Status(t.Context()); !errors.Is(err, context.DeadlineExceeded) && err == nil {
		t.Errorf("a paused node answers: %v", s)
	}
	n.Resume()
	c.Leader()
	n.adds(t)
}

func TestRefusedStart(t *testing.T) {
	c, n := alone(t)
	second := c.node(Spec{Name: "second"})
	second.Dir = n.Dir
	err := second.start()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("a second process on the directory: %v", err)
	}
	if !strings.Contains(second.Log(), n.Dir) {
		t.Errorf("its log: %s", second.Log())
	}
	n.adds(t)
}

func TestFullDisk(t *testing.T) {
	c, n := alone(t)
	check(t, n.Disk.Fill())
	n.refuses(t, "DISK_FULL", "deploy", wat.Guest{Mark: "during"}.File(t), "--name", "during")
	n.refuses(t, "no space left", "update", "calc", "--env", "A=1", "--wait", "0s")
	n.adds(t)
	check(t, n.Disk.Mend())
	c.Eventually("a deploy after it", func() error {
		if r := n.Weft("deploy", wat.Guest{Mark: "after"}.File(t), "--name", "after"); r.Code != 0 {
			return errors.New(r.Err)
		}
		return nil
	})
	n.adds(t)
}

func TestStalledDisk(t *testing.T) {
	c, n := alone(t)
	check(t, n.Disk.Stall())
	n.refuses(t, "", "update", "calc", "--env", "A=1", "--wait", "0s")
	n.adds(t)
	check(t, n.Disk.Mend())
	c.Eventually("an update after it", func() error {
		if r := n.Weft("update", "calc", "--env", "A=2"); r.Code != 0 {
			return errors.New(r.Err)
		}
		return nil
	})
}

// TestLossyDisk: what was acknowledged was synced before.
func TestLossyDisk(t *testing.T) {
	c := New(t)
	n := c.node(Spec{Name: "alone"})
	check(t, n.Disk.Lose())
	check(t, n.start())
	c.Leader()
	file := wat.Guest{}.File(t)
	for _, name := range []string{"one", "two", "three"} {
		n.Must("deploy", file, "--name", name)
		n.Kill()
		n.Restart()
		c.Leader()
	}
	for _, name := range []string{"one", "two", "three"} {
		n.Must("describe", name)
		n.Must("call", "Calc/Add", "{}", "--function", name)
	}
}

// TestUnfinishedSnapshot: no file of a snapshot that raft still writes is taken for one that it can be damaged in.
func TestUnfinishedSnapshot(t *testing.T) {
	n := &Node{Dir: t.TempDir()}
	for _, name := range []string{"2-24-1795769312143", "2-28-1795769312200.tmp"} {
		dir := filepath.Join(n.Dir, "consensus/raft/snapshots", name)
		check(t, os.MkdirAll(dir, 0o700))
		check(t, os.WriteFile(filepath.Join(dir, "state.bin"), nil, 0o600))
	}
	files, err := n.Files(Snapshot)
	check(t, err)
	if len(files) != 1 || !strings.Contains(files[0], "/2-24-1795769312143/") {
		t.Errorf("snapshots: %q", files)
	}
}

func TestDamage(t *testing.T) {
	path := t.TempDir() + "/file"
	write := func(text string) {
		t.Helper()
		check(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write("abcdef\x00\x00")
	check(t, Flip(path))
	if got, _ := os.ReadFile(path); string(got) != "abctef\x00\x00" {
		t.Errorf("flipped: %q", got)
	}
	check(t, CutOff(path))
	if got, _ := os.ReadFile(path); string(got) != "abc\x00\x00\x00\x00\x00" {
		t.Errorf("cut off: %q", got)
	}
	write("abcdef")
	check(t, CutOff(path))
	if got, _ := os.ReadFile(path); string(got) != "abc" {
		t.Errorf("cut off: %q", got)
	}
}

// TestNothingOutlivesTheTest runs a test process that is killed while its node runs.
func TestNothingOutlivesTheTest(t *testing.T) {
	const inside = "WEFT_TEST_INSIDE"
	if os.Getenv(inside) != "" {
		n := New(t).Found(Spec{Name: "orphan"})
		_, _ = os.Stdout.WriteString("pid " + readPid(n) + "\n")
		time.Sleep(time.Hour) // it is killed before
	}
	command := exec.Command(os.Args[0], "-test.run=^TestNothingOutlivesTheTest$")
	command.Env = append(os.Environ(), inside+"=1")
	out, err := command.StdoutPipe()
	check(t, err)
	check(t, start(command))
	pid := firstPid(t, out)
	check(t, command.Process.Kill())
	_ = command.Wait() // it was killed
	check(t, Poll(patience, func() error {
		if _, err := os.Stat("/proc/" + pid + "/fd"); err == nil {
			return errors.New("the node runs")
		}
		return nil
	}))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
