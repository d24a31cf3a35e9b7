package consensus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func entry(t *testing.T, index uint64, name string) *raft.Log {
	t.Helper()
	data, err := encodeEntry(deploy(name, name))
	if err != nil {
		t.Fatal(err)
	}
	return &raft.Log{Type: raft.LogCommand, Index: index, Data: data}
}

// TestHaltedStateMachine has a damaged entry in the middle of a batch: what is before it is applied, nothing after it
// ever is, and there is no snapshot that raft could cut the log by.
func TestHaltedStateMachine(t *testing.T) {
	r := openReplica(t, t.TempDir(), 1<<20)
	var halts []error
	f := &fsm{catalog: r.catalog, copy: r.localCopy, applied: new(mark), trail: new(trail), halt: func(err error) { halts = append(halts, err) }}
	damaged := entry(t, 2, "b")
	damaged.Data[7] ^= 1
	configuration := &raft.Log{Type: raft.LogConfiguration, Index: 4}
	responses := f.ApplyBatch([]*raft.Log{entry(t, 1, "a"), damaged, entry(t, 3, "c"), configuration})
	if err, _ := responses[0].(error); err != nil {
		t.Errorf("response to the good entry: %v", err)
	}
	for i, response := range append(responses[1:], f.Apply(entry(t, 5, "d"))) {
		if err, _ := response.(error); !errors.Is(err, ErrDamaged) {
			t.Errorf("response %d after it: %v", i, response)
		}
	}
	if view := r.catalog.View(); view.Index() != 1 || view.Len() != 1 || len(halts) != 1 {
		t.Errorf("the catalog is at %d with %d functions after %d halts", view.Index(), view.Len(), len(halts))
	}
	if _, err := f.Snapshot(); !errors.Is(err, ErrDamaged) {
		t.Errorf("snapshot: %v", err)
	}
	dir := r.crash()
	r.shut()
	again := openReplica(t, dir, 1<<20)
	defer again.shut()
	if got := again.catalog.View().Index(); got != 1 {
		t.Errorf("the copy is at %d", got)
	}
}

// TestJournalWithGap has a record that does not follow the one before it.
func TestJournalWithGap(t *testing.T) {
	r := openReplica(t, t.TempDir(), 1<<20)
	r.run(1, 3)
	r.mu.Lock()
	if _, err := r.journal.Write(appendRecord(nil, 5, 4, entry(t, 5, "gap").Data)); err != nil {
		t.Fatal(err)
	}
	r.mu.Unlock()
	dir := r.crash()
	r.shut()
	again := openReplica(t, dir, 1<<20)
	defer again.shut()
	if got := again.catalog.View(); got.Index() != 3 || got.Function("default", "gap") != nil {
		t.Errorf("the copy is at %d", got.Index())
	}
}

// TestLinearizeWaitsForTheStateMachine holds the state machine back while an entry is committed.
func TestLinearizeWaitsForTheStateMachine(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir()})
	apply(t, n, deploy("a", "a"))
	at := n.session.raft.CommitIndex()
	n.copy.mu.Lock()
	applied := make(chan error, 1)
	go func() {
		_, err := n.Apply(context.Background(), deploy("b", "b"))
		applied <- err
	}()
	eventually(t, "the entry is committed", func() bool { return n.session.raft.CommitIndex() > at })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := n.Linearize(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("linearize before the entry is applied: %v", err)
	}
	n.copy.mu.Unlock()
	if err := n.Linearize(t.Context()); err != nil || n.Catalog().View().Function("default", "b") == nil {
		t.Errorf("linearize after it: %v", err)
	}
	if err := <-applied; err != nil {
		t.Error(err)
	}
}

// TestLinearizeAtOnce reads before anything was written: the last entry is the barrier, which the state machine does
// not see.
func TestLinearizeAtOnce(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir(), patience: 5 * time.Second})
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestLinearizeInAnotherTerm has a node that led in another term than the one raft proves: what was committed before
// the new term began may not be known yet.
func TestLinearizeInAnotherTerm(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir(), patience: 200 * time.Millisecond})
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.session.setTerm(n.session.leads() - 1)
	if err := n.Linearize(t.Context()); !errors.Is(err, ErrNoLeader) {
		t.Fatalf("linearize: %v", err)
	}
}
