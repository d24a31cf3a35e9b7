package consensus

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/metrics"
	"github.com/hashicorp/raft-wal/verifier"
)

// TestStalledLeader has the disk of a leader hold a write. It steps down, and another node takes over, within the watchdog's
// time and an election; what was on its way is applied once.
func TestStalledLeader(t *testing.T) {
	disks := map[string]*faultyDisk{}
	c := newCluster(t, 3, Config{openLog: func(dir string, log *raftLogger) (logStore, error) {
		d := disks[dir]
		if d == nil {
			d = &faultyDisk{}
			disks[dir] = d // nodes are opened one after the other
		}
		return d.openLog(dir, log)
	}, stall: 300 * time.Millisecond})
	old := c.leader()
	n := c.at(old)
	apply(t, n, deploy("before", "before"))
	var d *faultyDisk
	for dir, other := range disks {
		if len(dir) > len(n.config.Dir) && dir[:len(n.config.Dir)] == n.config.Dir {
			d = other
		}
	}
	hang := make(chan struct{})
	d.set(func() { d.hang = hang })
	started := time.Now()
	_, err := n.Apply(t.Context(), deploy("during", "during"))
	if !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, ErrStorage) {
		t.Errorf("the write that stalled: %v", err)
	}
	other := c.at((old + 1) % 3)
	apply(t, other, deploy("during", "during")) // as the caller does who was told that
	took := time.Since(started)
	t.Logf("applied %v after the disk began to stall", took)
	if took > 6*time.Second {
		t.Errorf("it took %v until another node had taken over", took)
	}
	if s := n.Status(); s.Leads || !errors.Is(s.Fault, ErrStorage) {
		t.Errorf("the node with the stalled disk: %+v", s)
	}
	if _, err := n.Apply(t.Context(), deploy("refused", "refused")); !errors.Is(err, ErrStorage) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("a write through the node with the stalled disk: %v", err)
	}
	d.set(func() { d.hang = nil })
	close(hang)
	eventually(t, "the node is back", func() bool { return n.Status().Fault == nil })
	apply(t, n, deploy("after", "after"))
	checkOnce(t, n, "before", "during", "after")
	c.agree()
}

// verified is a log behind raft-wal's verifier, which compares what was written with what is read, here and on the leader.
type verified struct {
	*verifier.LogStore
	raft.StableStore
}

func (v verified) Close() error { return v.LogStore.Close() }

// TestVerifiedLog runs a cluster over raft-wal's verifier, through segments, snapshots and a change of leaders.
func TestVerifiedLog(t *testing.T) {
	var mu sync.Mutex
	checked, wrong := 0, []error(nil)
	report := func(r verifier.VerificationReport) {
		mu.Lock()
		defer mu.Unlock()
		var mismatch verifier.ErrChecksumMismatch
		switch {
		case r.Err == nil && r.SkippedRange == nil:
			checked++
		case errors.As(r.Err, &mismatch):
			wrong = append(wrong, fmt.Errorf("%v: %w", r.Range, r.Err))
		}
	}
	checkpoint := func(entry *raft.Log) (bool, error) { return entry.Type == raft.LogCommand && entry.Index%10 == 0, nil }
	c := newCluster(t, 3, Config{snapshotEvery: 50, snapshotCheck: 20 * time.Millisecond, openLog: func(dir string, log *raftLogger) (logStore, error) {
		store, err := openLog(dir, log)
		if err != nil {
			return nil, err
		}
		return verified{verifier.NewLogStore(store, checkpoint, report, metrics.NewAtomicCollector(verifier.MetricDefinitions)), store}, nil
	}})
	for round := range 3 {
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := range 50 {
					name := fmt.Sprint(round, "-", w, "-", i)
					if _, err := c.at(w%3).Apply(t.Context(), deploy(name, fmt.Sprint("f", w))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		if err := c.at(c.leader()).HandOver(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c.agree()
	eventually(t, "logs are verified", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return checked > 20
	})
	mu.Lock()
	defer mu.Unlock()
	for _, err := range wrong {
		t.Error(err)
	}
}

var _ logStore = verified{}
