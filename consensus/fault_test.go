package consensus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

// faultyDisk makes the log of a node fail on demand.
type faultyDisk struct {
	mu     sync.Mutex
	logs   error         // guarded by mu; what writes to the log return
	stable error         // guarded by mu; what writes of term and vote return
	after  bool          // guarded by mu; the write is made all the same before the error
	hang   chan struct{} // guarded by mu; writes to the log wait until it is closed
	opened int           // guarded by mu
}

func (d *faultyDisk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *faultyDisk) openLog(dir string, log *raftLogger) (logStore, error) {
	d.set(func() { d.opened++ })
	store, err := openLog(dir, log)
	if err != nil {
		return nil, err
	}
	return &faultyLog{logStore: store, disk: d}, nil
}

type faultyLog struct {
	logStore
	disk *faultyDisk
}

func (f *faultyLog) IsMonotonic() bool { return true }

func (f *faultyLog) StoreLogs(entries []*raft.Log) error {
	f.disk.mu.Lock()
	err, after, hang := f.disk.logs, f.disk.after, f.disk.hang
	f.disk.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if err != nil && !after {
		return err
	}
	return errors.Join(f.logStore.StoreLogs(entries), err)
}

func (f *faultyLog) SetUint64(key []byte, value uint64) error {
	f.disk.mu.Lock()
	err := f.disk.stable
	f.disk.mu.Unlock()
	if err != nil {
		return err
	}
	return f.logStore.SetUint64(key, value)
}

func (f *faultyLog) Set(key, value []byte) error {
	f.disk.mu.Lock()
	err := f.disk.stable
	f.disk.mu.Unlock()
	if err != nil {
		return err
	}
	return f.logStore.Set(key, value)
}

// mend repeats a command until it is applied, as a client does, and fails on an error that it should not get.
func mend(t *testing.T, n *Node, id, name string) {
	t.Helper()
	eventually(t, "the command is applied", func() bool {
		result, err := n.Apply(t.Context(), deploy(id, name))
		if err != nil && !errors.Is(err, ErrStorage) && !errors.Is(err, ErrOutcomeUnknown) {
			t.Fatalf("apply: %v", err)
		}
		return err == nil && result.GetRefusal() == nil
	})
}

func TestDiskFull(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("written=%v", after), func(t *testing.T) {
			d := &faultyDisk{}
			dir := t.TempDir()
			n := open(t, Config{Dir: dir, openLog: d.openLog, quiet: true})
			apply(t, n, deploy("before", "before"))
			d.set(func() { d.logs, d.stable, d.after = syscall.ENOSPC, syscall.ENOSPC, after })

			_, err := n.Apply(t.Context(), deploy("during", "during"))
			if !errors.Is(err, ErrStorage) || !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("the write that found the disk full: %v", err)
			}
			eventually(t, "writes are refused at once", func() bool {
				started := time.Now()
				_, err := n.Apply(t.Context(), deploy("refused", "refused"))
				return errors.Is(err, ErrStorage) && !errors.Is(err, ErrOutcomeUnknown) && time.Since(started) < time.Second
			})
			if err := n.Linearize(t.Context()); !errors.Is(err, ErrStorage) {
				t.Fatalf("linearize: %v", err)
			}
			if n.Catalog().View().Function("default", "before") == nil || n.Status().Fault == nil {
				t.Fatalf("not serving what is known: %+v", n.Status())
			}

			d.set(func() { d.logs, d.stable = nil, nil })
			mend(t, n, "during", "during")
			mend(t, n, "after", "after")
			checkOnce(t, n, "before", "during", "after")
			shut(t, n)
			n = open(t, Config{Dir: dir})
			if err := n.Linearize(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkOnce(t, n, "before", "during", "after")
		})
	}
}

// checkOnce checks that each function has one revision: its command took effect once.
func checkOnce(t *testing.T, n *Node, names ...string) {
	t.Helper()
	view := n.Catalog().View()
	for _, name := range names {
		if got := view.Function("default", name).GetCurrent(); got != 1 {
			t.Errorf("function %q is at revision %d, want 1", name, got)
		}
	}
	if status := n.Status(); status.Fault != nil || status.Fork != nil {
		t.Errorf("status %+v", status)
	}
}

// TestDiskFullAtStart opens a node whose log can't be opened: it shows what it knows, and takes part once it can.
func TestDiskFullAtStart(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	apply(t, n, deploy("before", "before"))
	shut(t, n)
	d := &faultyDisk{}
	full := true
	n = open(t, Config{Dir: dir, openLog: func(dir string, log *raftLogger) (logStore, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if full {
			return nil, syscall.ENOSPC
		}
		return openLog(dir, log)
	}})
	if n.Catalog().View().Function("default", "before") == nil || !errors.Is(n.Status().Fault, ErrStorage) || n.Leader() != "" {
		t.Fatalf("status %+v", n.Status())
	}
	d.set(func() { full = false })
	mend(t, n, "after", "after")
	checkOnce(t, n, "before", "after")
}

// TestTermCanNotBeWritten takes the leadership away when term and vote can't be written: raft must wait, not panic.
func TestTermCanNotBeWritten(t *testing.T) {
	d := &faultyDisk{stable: syscall.ENOSPC}
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	apply(t, n, deploy("before", "before"))
	shut(t, n)
	n = open(t, Config{Dir: dir, openLog: d.openLog})
	eventually(t, "writes are refused", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := n.Apply(ctx, deploy("during", "during"))
		return errors.Is(err, ErrStorage) && strings.Contains(err.Error(), "no space left")
	})
	d.set(func() { d.stable = nil })
	mend(t, n, "during", "during")
	checkOnce(t, n, "before", "during")

	// Closing a node while raft waits for the disk must not hang, nor let raft go on.
	shut(t, n)
	d.set(func() { d.stable = syscall.EIO })
	n = open(t, Config{Dir: dir, openLog: d.openLog})
	eventually(t, "raft waits for the disk", func() bool { return n.Status().Fault != nil })
	shut(t, n)
}

func TestStalledDisk(t *testing.T) {
	d := &faultyDisk{}
	dir := t.TempDir()
	n := open(t, Config{Dir: dir, openLog: d.openLog, stall: 50 * time.Millisecond, quiet: true})
	mend(t, n, "before", "before") // the disk of the test may be as slow
	hang := make(chan struct{})
	d.set(func() { d.hang = hang })
	started := time.Now()
	_, err := n.Apply(t.Context(), deploy("during", "during"))
	if !errors.Is(err, ErrStorage) || !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, errStalled) || time.Since(started) > 2*time.Second {
		t.Fatalf("the write that stalled, after %v: %v", time.Since(started), err)
	}
	eventually(t, "writes are refused at once", func() bool {
		_, err := n.Apply(t.Context(), deploy("refused", "refused"))
		return errors.Is(err, ErrStorage) && !errors.Is(err, ErrOutcomeUnknown)
	})
	if n.Leader() != "" {
		t.Errorf("%q leads on a stalled disk", n.Leader())
	}
	d.set(func() { d.hang = nil })
	close(hang) // the write that was given up reaches the disk now
	mend(t, n, "during", "during")
	checkOnce(t, n, "before", "during")
}

// TestStuckDisk never comes back: OnStuck is told.
func TestStuckDisk(t *testing.T) {
	d := &faultyDisk{}
	stuck := make(chan error, 1)
	n := open(t, Config{
		Dir: t.TempDir(), openLog: d.openLog, stall: 200 * time.Millisecond, stuck: time.Second,
		OnStuck: func(err error) { stuck <- err },
	})
	mend(t, n, "before", "before") // the disk of the test may be as slow
	hang := make(chan struct{})
	defer close(hang)
	d.set(func() { d.hang = hang })
	_, _ = n.Apply(t.Context(), deploy("during", "during"))
	select {
	case err := <-stuck:
		if !errors.Is(err, ErrStorage) {
			t.Errorf("stuck: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told of a disk that is stuck")
	}
}

// TestDamagedEntry has an entry in the log whose bits have flipped, and one of a newer format: the node shows what was
// before it and applies nothing after it.
func TestDamagedEntry(t *testing.T) {
	newer := func(entry []byte) { entry[0] = 9 }
	flipped := func(entry []byte) { entry[len(entry)-1] ^= 4 }
	for name, damage := range map[string]func([]byte){"flipped": flipped, "newer": newer} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			n := open(t, Config{Dir: dir})
			apply(t, n, deploy("a", "a"))
			entry, err := encodeEntry(deploy("b", "b"))
			if err != nil {
				t.Fatal(err)
			}
			damage(entry)
			if _, err := n.session.propose(t.Context(), entry, time.Second); !errors.Is(err, ErrDamaged) {
				t.Fatalf("apply: %v", err)
			}
			for range 2 {
				eventually(t, "the node says so", func() bool { return errors.Is(n.Status().Fault, ErrDamaged) })
				if _, err := n.Apply(t.Context(), deploy("c", "c")); !errors.Is(err, ErrDamaged) || errors.Is(err, ErrOutcomeUnknown) {
					t.Fatalf("apply: %v", err)
				}
				if view := n.Catalog().View(); view.Function("default", "a") == nil || view.Len() != 1 {
					t.Fatalf("%d functions", view.Len())
				}
				shut(t, n)
				n = open(t, Config{Dir: dir}) // and again after a restart
			}
		})
	}
}

// TestNewerLevel meets a command that only a newer weft can apply.
func TestNewerLevel(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir, snapshotEvery: 1, snapshotCheck: 5 * time.Millisecond})
	const newer = catalog.Level + 1
	eventually(t, "the node has raised itself as far as it can", func() bool { return n.Catalog().View().Level() == catalog.Level })
	apply(t, n, raiseLevel("up", newer))
	cmd := deploy("new", "new")
	cmd.Level = newer
	if _, err := n.Apply(t.Context(), cmd); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "upgrade") {
		t.Fatalf("apply: %v", err)
	}
	shut(t, n)
	n = open(t, Config{Dir: dir})
	eventually(t, "the node says that it must be upgraded", func() bool { return errors.Is(n.Status().Fault, ErrDamaged) })
	if got := n.Catalog().View().Level(); got != newer {
		t.Fatalf("level %d", got)
	}
}
