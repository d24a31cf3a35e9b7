package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

var followerConfig = Config{Follower: true, Executor: true}

// same waits until a node shows what another one does.
func same(t *testing.T, n, as *Node) {
	t.Helper()
	want := as.Status()
	eventually(t, "the follower has the catalog", func() bool {
		got := n.Status()
		return got.Applied >= want.Applied && (got.Applied > want.Applied || bytes.Equal(got.Hash, want.Hash))
	})
}

func TestFollower(t *testing.T) {
	c := newCluster(t, 1, Config{})
	first := c.at(0)
	for i := range 10 {
		apply(t, first, deploy(fmt.Sprint("before-", i), fmt.Sprint("f", i)))
	}
	n := c.add(followerConfig)
	same(t, n, first)
	apply(t, n, deploy("through", "through")) // is forwarded, and shown here
	if n.Catalog().View().Function("default", "through") == nil {
		t.Error("the follower does not show what was applied through it")
	}
	apply(t, first, deploy("last", "last"))
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.Catalog().View().Function("default", "last") == nil {
		t.Error("the follower does not show what was acknowledged before Linearize")
	}
	eventually(t, "it knows how it is", func() bool {
		s := n.Status()
		return s.Role == Follows && s.Stale < 3*time.Second && s.Leader == first.ID()
	})

	// All schedulers are gone: it shows what it has, and says how old that is, across its own restart.
	c.stop(0)
	eventually(t, "it is stale", func() bool { return n.Stale() > 1500*time.Millisecond })
	want := n.Status()
	c.stop(1)
	n = c.start(1)
	if got := n.Status(); got.Applied != want.Applied || !bytes.Equal(got.Hash, want.Hash) || got.Stale < want.Stale {
		t.Fatalf("after a restart without schedulers: %+v, before: %+v", got, want)
	}
	n.config.patience = 100 * time.Millisecond
	if _, err := n.Apply(t.Context(), deploy("none", "none")); !errors.Is(err, ErrNoLeader) {
		t.Errorf("apply without schedulers: %v", err)
	}

	// They are back.
	c.start(0)
	apply(t, c.at(0), deploy("again", "again"))
	eventually(t, "it follows again", func() bool { return n.Catalog().View().Function("default", "again") != nil })
	if s := n.Status(); s.Fork != nil || s.Fault != nil {
		t.Errorf("status %+v", s)
	}
}

// TestFollowerMovesOn goes from one scheduler to the next as they die, and from one that is cut off from the leader.
func TestFollowerMovesOn(t *testing.T) {
	c := newCluster(t, 3, Config{})
	n := c.add(followerConfig)
	for round := range 3 {
		victim := round
		c.kill(victim)
		name := fmt.Sprint("f", round)
		apply(t, c.living(), deploy(name, name))
		eventually(t, "the follower has it", func() bool { return n.Catalog().View().Function("default", name) != nil })
		c.start(victim)
		c.settle(3)
	}
}

// TestSnapshotForFollower has a log that does not reach back to the follower, and one that has forked.
func TestSnapshotForFollower(t *testing.T) {
	c := newCluster(t, 1, Config{journal: 1 << 10})
	first := c.at(0)
	n := c.add(followerConfig)
	same(t, n, first)
	c.stop(1)
	for i := range 50 {
		apply(t, first, deploy(fmt.Sprint(i), fmt.Sprint("f", i%7)))
	}
	if err := first.session.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	last, err := first.session.guard.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.session.guard.DeleteRange(1, last-5); err != nil {
		t.Fatal(err)
	}
	first.tail.restart(last)
	n = c.start(1)
	same(t, n, first)

	// The follower's memory is damaged: it finds out, says so, and is given the right catalog, for good.
	c.stop(1)
	wrong := catalog.New()
	for i := range first.Catalog().View().Index() {
		wrong.Apply(i+1, deploy(fmt.Sprint("wrong-", i), "wrong"))
	}
	n = c.start(1)
	var image bytes.Buffer
	if err := wrong.Snapshot(&image); err != nil {
		t.Fatal(err)
	}
	same(t, n, first)
	n.copy.mu.Lock()
	err = n.catalog.Restore(&image)
	n.copy.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the fork is found", func() bool { return n.Status().Fork != nil })
	same(t, n, first)
	if n.Catalog().View().Function("default", "wrong") != nil {
		t.Error("the wrong function is still there")
	}
	want := n.Status()
	c.stop(0)
	c.stop(1)
	n = c.start(1)
	if got := n.Status(); got.Applied != want.Applied || !bytes.Equal(got.Hash, want.Hash) || got.Fork != nil {
		t.Errorf("after a restart: %+v, want %+v", got, want)
	}
}

// TestFollowerKnowsNoScheduler asks whom a follower watches whose catalog ends before the row of the only scheduler.
func TestFollowerKnowsNoScheduler(t *testing.T) {
	const follower, scheduler, other = "00000000000000000001", "00000000000000000002", "00000000000000000003"
	n := &Node{catalog: catalog.New(), identity: identity{ID: follower}, book: &book{
		own: Address{Node: follower}, others: map[string]Address{scheduler: {Node: scheduler}},
	}}
	n.catalog.Apply(1, raiseLevel("up", 2))
	row := func(index uint64, id string, votes bool) {
		result := n.catalog.Apply(index, &catalogv1.Command{RequestId: id, Level: 2, Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
			Node: &catalogv1.Node{Id: id, Name: "n" + id, Scheduler: votes, Executor: true},
		}}})
		if result.GetRefusal() != nil {
			t.Fatal(result)
		}
	}
	for _, step := range []func(){
		func() {}, func() { row(2, follower, false) }, func() { row(3, scheduler, true) },
	} {
		step()
		if got := n.schedulers(); !slices.Equal(got, []string{scheduler}) {
			t.Errorf("it watches %q", got)
		}
	}
	row(4, other, false)
	if got := n.schedulers(); !slices.Equal(got, []string{scheduler}) {
		t.Errorf("beside a node that is no scheduler it watches %q", got)
	}
}

// script is Peers whose watches bring what a test wants.
type script struct {
	*cluster

	entries func(after uint64) []Entry
}

func (s script) Watch(ctx context.Context, _ string, from Position, sink Sink) error {
	if err := sink.Entries(s.entries(from.Index)); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestFollowerHalts at an entry that it can't apply, and shows what was before it.
func TestFollowerHalts(t *testing.T) {
	newer := deploy("new", "new")
	newer.Level = catalog.Level + 1
	for name, cmd := range map[string]*catalogv1.Command{"newer": newer, "flipped": deploy("flipped", "flipped")} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 1, Config{})
			n := c.add(followerConfig)
			same(t, n, c.at(0))
			c.stop(0)
			var from atomic.Uint64
			n.SetPeers(script{c, func(at uint64) []Entry {
				from.Store(at)
				entries := []Entry{entryOf(t, at+1, raiseLevel("up", catalog.Level+1)), entryOf(t, at+2, cmd), entryOf(t, at+3, deploy("after", "after"))}
				if name == "flipped" {
					entries[1].Data[9] ^= 1
				}
				return entries
			}})
			eventually(t, "the follower halts", func() bool { return errors.Is(n.Status().Fault, ErrDamaged) })
			if view := n.Catalog().View(); view.Index() != from.Load()+1 || view.Level() != catalog.Level+1 {
				t.Errorf("it shows index %d at level %d", view.Index(), view.Level())
			}
			if _, err := n.Apply(t.Context(), deploy("x", "x")); !errors.Is(err, ErrDamaged) {
				t.Errorf("apply: %v", err)
			}
		})
	}
}

func entryOf(t *testing.T, index uint64, cmd *catalogv1.Command) Entry {
	t.Helper()
	data, err := encodeEntry(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return Entry{Index: index, Data: data}
}

// TestManyFollowers has a hundred nodes follow one scheduler.
func TestManyFollowers(t *testing.T) {
	const count = 100
	c := newCluster(t, 1, Config{Logger: quietLog})
	config := followerConfig
	config.Logger = quietLog
	followers := make([]*Node, count)
	for i := range followers {
		followers[i] = c.add(config)
	}
	first := c.at(0)
	var writers sync.WaitGroup
	started := time.Now()
	for w := range 8 {
		writers.Go(func() {
			for i := range 50 {
				if _, err := first.Apply(t.Context(), deploy(fmt.Sprint(w, "-", i), fmt.Sprint("f", w))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	t.Logf("400 commands in %v with %d followers", time.Since(started), count)
	for _, n := range followers {
		same(t, n, first)
		if s := n.Status(); s.Fork != nil || s.Fault != nil {
			t.Errorf("%+v", s)
		}
	}
	t.Logf("all have them after %v", time.Since(started))
}
