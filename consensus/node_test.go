package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/internal/testlog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	testcluster "github.com/weft-run/weft/test/cluster"
)

// testLog writes a node's log to the test's.
func testLog(t testing.TB) *slog.Logger {
	t.Helper()
	return testlog.New(t, slog.LevelDebug)
}

// open starts a node that is closed when the test ends. Whatever config leaves out is set for a test: short pauses.
func open(t testing.TB, config Config) *Node {
	t.Helper()
	if config.Logger == nil {
		config.Logger = testLog(t)
	}
	if config.OnStuck == nil {
		config.OnStuck = func(err error) { t.Errorf("stuck: %v", err) }
	}
	setDefault(&config.retry, 10*time.Millisecond)
	n, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, n) })
	return n
}

func shut(t testing.TB, n *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

func deploy(id, name string) *catalogv1.Command {
	return &catalogv1.Command{RequestId: id, Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: make([]byte, 32)},
	}}}
}

func apply(t testing.TB, n *Node, cmd *catalogv1.Command) *catalogv1.Result {
	t.Helper()
	result, err := n.Apply(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	if result.GetRefusal() != nil {
		t.Fatalf("refused: %v", result)
	}
	return result
}

func TestApplyAndRestart(t *testing.T) {
	dir := t.TempDir()
	started := time.Now()
	n := open(t, Config{Dir: dir, Name: "one"})
	eventually(t, "the node is in the catalog", func() bool { return n.introduced(n.Catalog().View()) })
	first := apply(t, n, deploy("a", "orders"))
	t.Logf("first command %v after the start", time.Since(started))
	if got := n.Catalog().View().Function("default", "orders"); got.GetCurrent() != 1 || got.GetRevisions()[0].GetCreatedUnixNanos() == 0 {
		t.Fatalf("the catalog has %v after Apply returned", got)
	}
	if n.Leader() != "one" || n.Name() != "one" {
		t.Fatalf("leader %q, name %q", n.Leader(), n.Name())
	}
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := n.Status()
	if before.Fault != nil || !before.Leads || before.Term == 0 || before.Applied != first.GetIndex() {
		t.Fatalf("status %+v", before)
	}
	port := n.Addr().String()
	shut(t, n)
	if _, err := n.Apply(t.Context(), deploy("x", "x")); !errors.Is(err, ErrClosed) {
		t.Fatalf("apply after close: %v", err)
	}

	n = open(t, Config{Dir: dir, Name: "renamed"}) // on another port
	if got := n.Catalog().View(); got.Index() != before.Applied || string(got.Hash()) != string(before.Hash) {
		t.Fatalf("right after the start the catalog is at %d, want %d", got.Index(), before.Applied)
	}
	if n.Addr().String() == port {
		t.Skip("the system gave the same port again")
	}
	if again := apply(t, n, deploy("a", "orders")); again.GetIndex() != first.GetIndex() || again.GetRevision() != 1 {
		t.Fatalf("the request was applied again after a restart: %v", again)
	}
	if got := apply(t, n, deploy("b", "orders")); got.GetRevision() != 2 {
		t.Fatalf("result %v", got)
	}
	if status := n.Status(); status.Fork != nil || status.ID != before.ID || status.Cluster != before.Cluster || status.Leader != "renamed" {
		t.Fatalf("status %+v", status)
	}
	eventually(t, "the catalog has the new name", func() bool { return n.Catalog().View().Node(n.ID()).GetName() == "renamed" })
}

// eventually waits for something that no channel tells.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in 15 s: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestConcurrentApplies(t *testing.T) {
	const workers, each = 16, 25
	n := open(t, Config{Dir: t.TempDir()})
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := range each {
				result, err := n.Apply(t.Context(), deploy(fmt.Sprint(w, "-", i), fmt.Sprint("f", w)))
				if err != nil || result.GetRevision() != uint32(i+1) {
					t.Errorf("worker %d, command %d: %v, %v", w, i, result, err)
					return
				}
				if got := n.Catalog().View().Index(); got < result.GetIndex() {
					t.Errorf("the catalog is at %d after Apply returned %d", got, result.GetIndex())
				}
			}
		})
	}
	wait.Wait()
	if got := n.Catalog().View().Len(); got != workers {
		t.Errorf("%d functions, want %d", got, workers)
	}
}

func TestSnapshotsShortenTheLog(t *testing.T) {
	dir := t.TempDir()
	config := Config{Dir: dir, snapshotEvery: 50, snapshotCheck: 10 * time.Millisecond, journal: 4 << 10}
	n := open(t, config)
	for i := range 300 {
		apply(t, n, deploy(fmt.Sprint(i), fmt.Sprint("f", i%7)))
	}
	eventually(t, "two snapshots", func() bool {
		names, _ := filepath.Glob(filepath.Join(dir, "raft", "snapshots", "*[0-9]", "state.bin"))
		return len(names) == snapshotsKept
	})
	status := n.Status()
	shut(t, n)

	// A snapshot that was never finished is in the way of nothing, and goes.
	unfinished := filepath.Join(dir, "raft", "snapshots", "2-7-1.tmp")
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		t.Fatal(err)
	}
	// The newest snapshot is damaged: the one before it serves, with the log.
	names, err := filepath.Glob(filepath.Join(dir, "raft", "snapshots", "*[0-9]", "state.bin"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	flip(t, names[len(names)-1], -40)
	n = open(t, config)
	if _, err := os.Stat(unfinished); err == nil {
		t.Error("an unfinished snapshot was kept")
	}
	apply(t, n, deploy("last", "f0"))
	if got := n.Status(); got.Fork != nil || got.Applied <= status.Applied || got.Fault != nil {
		t.Fatalf("status %+v", got)
	}
	if got := apply(t, n, deploy("299", "f5")); got.GetIndex() != status.Applied {
		t.Fatalf("a request ID was lost: %v", got)
	}
}

// flip changes one bit of a file at an offset; a negative one counts from the end.
func flip(t testing.TB, path string, offset int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if offset < 0 {
		offset += len(b)
	}
	b[offset] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, Config{Dir: dir})
	_, err := Open(Config{Dir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Fatalf("second open: %v", err)
	}
}

func TestLostLogIsAnError(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	apply(t, n, deploy("a", "orders"))
	shut(t, n)
	if err := os.RemoveAll(filepath.Join(dir, "raft")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrDamaged) {
		t.Fatalf("open without the log: %v", err)
	}
}

// TestDamagedLogFiles: a log that can't be opened, or that has lost all it had, is an error that says so, and no crash.
func TestDamagedLogFiles(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	for i := range 10 {
		apply(t, n, deploy(fmt.Sprint(i), fmt.Sprint("f", i)))
	}
	shut(t, n)
	for _, damage := range []struct {
		file string
		size int64
	}{{"wal-meta.db", 0}, {"wal-meta.db", 8192}, {"*.wal", 0}, {"*.wal", -1}} {
		t.Run(fmt.Sprint(damage), func(t *testing.T) {
			broken := filepath.Join(t.TempDir(), "consensus")
			if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			found, err := filepath.Glob(filepath.Join(broken, "raft", "log", damage.file))
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			if damage.size < 0 {
				err = os.Remove(found[0])
			} else {
				err = os.Truncate(found[0], damage.size)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(Config{Dir: broken, Logger: testLog(t)}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), broken) {
				t.Errorf("open: %v", err)
			}
		})
	}
}

// TestLostEndOfLog: a log that ends before what the node has shown is not gone on with, as what was acknowledged would be lost, and its numbers
// given again.
func TestLostEndOfLog(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	for i := range 10 {
		apply(t, n, deploy(fmt.Sprint(i), fmt.Sprint("f", i)))
	}
	shut(t, n)
	segments, err := filepath.Glob(filepath.Join(dir, "raft", "log", "*.wal"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	if err := testcluster.CutOff(segments[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n = open(t, Config{Dir: dir})
		eventually(t, "the node says so", func() bool { return errors.Is(n.Status().Fault, ErrDamaged) })
		if _, err := n.Apply(t.Context(), deploy("more", "more")); !errors.Is(err, ErrDamaged) {
			t.Errorf("apply: %v", err)
		}
		if got := n.Catalog().View().Len(); got != 10 {
			t.Errorf("%d functions are shown", got)
		}
		shut(t, n) // and again after a restart
	}
}

// TestInterruptedFirstStart leaves a half-made log in a directory that was never started.
func TestInterruptedFirstStart(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	apply(t, n, deploy("a", "orders"))
	shut(t, n)
	id, err := loadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	id.Started = false
	if err := id.save(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "catalog")); err != nil {
		t.Fatal(err)
	}
	n = open(t, Config{Dir: dir})
	if got := apply(t, n, deploy("a", "orders")); got.GetRevision() != 1 {
		t.Fatalf("result %v", got)
	}
}

func TestTooLarge(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir()})
	big := deploy("a", "orders")
	big.GetPutRevision().GetRevision().Services = []string{strings.Repeat("x", MaxCommand)}
	if _, err := n.Apply(t.Context(), big); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("apply: %v", err)
	}
	big.GetPutRevision().GetRevision().Services[0] = strings.Repeat("x", MaxCommand-200)
	result, err := n.Apply(t.Context(), big)
	if err != nil || result.GetRefusal().GetReason() != catalogv1.Refusal_REASON_INVALID {
		t.Fatalf("just small enough: %v, %v", result, err)
	}
	apply(t, n, deploy("b", "orders"))
}

func raiseLevel(id string, level uint32) *catalogv1.Command {
	return &catalogv1.Command{RequestId: id, Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}}
}
