package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// cluster is some nodes in one process, over loopback. It is their Peers too: it calls the methods of the node that is
// asked.
type cluster struct {
	t testing.TB

	mu    sync.Mutex
	nodes map[string]*Node // guarded by mu; by ID, those that run
	all   []*Node          // guarded by mu; by place, as they were last opened
	dirs  []Config         // guarded by mu
	cut   map[string]bool  // guarded by mu; nodes that can't be asked
	// watches end those of a node. Guarded by mu.
	watches map[string][]context.CancelFunc
}

// timed sets what a test does not want to wait for.
func timed(config Config) Config {
	setDefault(&config.governEvery, 50*time.Millisecond)
	setDefault(&config.stable, 200*time.Millisecond)
	setDefault(&config.contact, time.Second)
	setDefault(&config.stale, time.Second)
	return config
}

// newCluster starts a cluster of schedulers and waits until they vote, or stand by.
func newCluster(t testing.TB, size int, config Config) *cluster {
	t.Helper()
	c := &cluster{t: t, nodes: map[string]*Node{}, cut: map[string]bool{}, watches: map[string][]context.CancelFunc{}}
	c.add(config)
	for range size - 1 {
		c.add(config)
	}
	c.settle(min(size, maxVoters))
	return c
}

// add starts one more node, which joins if there are others.
func (c *cluster) add(config Config) *Node {
	c.t.Helper()
	config = timed(config)
	c.mu.Lock()
	place := len(c.all)
	var first *Node
	if place > 0 {
		first = c.all[0]
	}
	c.mu.Unlock()
	config.Dir, config.Name = c.t.TempDir(), fmt.Sprint("node-", place)
	if first != nil {
		follower := config.Follower
		config.Join = func(_ context.Context, a Application) (*Admission, error) {
			c.put(a.ID, config) //nolint:contextcheck // the test's will do
			first.Learn([]Address{a.Address})
			return first.Admit(a.ID, a.CertificateRequest, !follower)
		}
	}
	n := open(c.t, config)
	c.mu.Lock()
	c.all, c.dirs = append(c.all, n), append(c.dirs, config)
	c.mu.Unlock()
	c.meet(n)
	return n
}

// put writes the row of a node that joins.
func (c *cluster) put(id string, config Config) {
	c.t.Helper()
	apply(c.t, c.living(), &catalogv1.Command{RequestId: randomID(), Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
		Node: &catalogv1.Node{Id: id, Name: config.Name, Scheduler: !config.Follower, Executor: config.Executor},
	}}})
}

// meet makes a node reachable and tells all where all are.
func (c *cluster) meet(n *Node) {
	c.mu.Lock()
	c.nodes[n.ID()] = n
	nodes := make([]*Node, 0, len(c.nodes))
	for _, other := range c.nodes {
		nodes = append(nodes, other)
	}
	c.mu.Unlock()
	for _, other := range nodes {
		other.Learn(n.Addresses())
		n.Learn(other.Addresses())
	}
	n.SetPeers(c)
}

// stop closes the node at a place.
func (c *cluster) stop(place int) {
	c.t.Helper()
	n := c.at(place)
	c.forget(n)
	shut(c.t, n)
}

// kill ends a node without a word to the others.
func (c *cluster) kill(place int) {
	c.t.Helper()
	n := c.at(place)
	c.forget(n)
	n.mu.Lock()
	s := n.session
	n.mu.Unlock()
	if s != nil {
		s.setTerm(0) // it does not hand over
	}
	shut(c.t, n)
}

func (c *cluster) forget(n *Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, n.ID())
	for _, cancel := range c.watches[n.ID()] {
		cancel()
	}
	delete(c.watches, n.ID())
}

// start opens the node at a place again, on another port.
func (c *cluster) start(place int) *Node {
	c.t.Helper()
	c.mu.Lock()
	config := c.dirs[place]
	c.mu.Unlock()
	n := open(c.t, config)
	c.mu.Lock()
	c.all[place] = n
	c.mu.Unlock()
	c.meet(n)
	return n
}

func (c *cluster) at(place int) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[place]
}

// living returns any node that runs, a leader if there is one.
func (c *cluster) living() *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *Node
	for _, n := range c.nodes {
		if found = n; n.Status().Leads {
			break
		}
	}
	return found
}

// leader waits for a leader and returns its place.
func (c *cluster) leader() (place int) {
	c.t.Helper()
	eventually(c.t, "a leader", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, n := range c.all {
			if c.nodes[n.ID()] == n && n.Status().Leads {
				place = i
				return true
			}
		}
		return false
	})
	return place
}

// settle waits until so many nodes vote.
func (c *cluster) settle(voters int) {
	c.t.Helper()
	eventually(c.t, fmt.Sprint(voters, " voters"), func() bool { return c.count(Votes)+c.count(Leads) == voters })
}

// count counts the schedulers of a role, as the leader has it.
func (c *cluster) count(role string) (count int) {
	for _, r := range c.living().Roles() {
		if r == role {
			count++
		}
	}
	return count
}

// agree waits until all nodes that run show the same catalog.
func (c *cluster) agree() {
	c.t.Helper()
	eventually(c.t, "all nodes show the same catalog", func() bool {
		want := c.living().Status()
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, n := range c.nodes {
			if got := n.Status(); got.Applied != want.Applied || !bytes.Equal(got.Hash, want.Hash) {
				return false
			}
		}
		return true
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if status := n.Status(); status.Fork != nil || status.Fault != nil {
			c.t.Errorf("node %s: %+v", n.Name(), status)
		}
	}
}

var _ Peers = (*cluster)(nil)

// ask returns a node that can be asked.
func (c *cluster) ask(node string) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[node]; n != nil && !c.cut[node] {
		return n, nil
	}
	return nil, ErrUnreachable
}

// Apply implements Peers.
func (c *cluster) Apply(ctx context.Context, node string, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	n, err := c.ask(node)
	if err != nil {
		return nil, err
	}
	return n.LocalApply(ctx, cmd)
}

// Linearize implements Peers.
func (c *cluster) Linearize(ctx context.Context, node string) (uint64, error) {
	n, err := c.ask(node)
	if err != nil {
		return 0, err
	}
	return n.LocalLinearize(ctx)
}

// Watch implements Peers.
func (c *cluster) Watch(ctx context.Context, node string, from Position, sink Sink) error {
	n, err := c.ask(node)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	c.watches[node] = append(c.watches[node], cancel)
	c.mu.Unlock()
	return n.Feed(ctx, from, sink)
}

func TestThreeVoters(t *testing.T) {
	c := newCluster(t, 3, Config{})
	for i := range 3 {
		n := c.at(i)
		apply(t, n, deploy(fmt.Sprint("at-", i), fmt.Sprint("f", i)))
		if n.Catalog().View().Function("default", fmt.Sprint("f", i)) == nil {
			t.Errorf("node %d does not show what was applied through it", i)
		}
		if err := n.Linearize(t.Context()); err != nil {
			t.Errorf("linearize at node %d: %v", i, err)
		}
	}
	c.agree()
	for i := range 3 {
		if s := c.at(i).Status(); s.Role != Votes && s.Role != Leads || s.Leader == "" || s.Stale > 5*time.Second {
			t.Errorf("node %d: %+v", i, s)
		}
	}
}

// TestLeaderIsKilled loses nothing that was acknowledged, and finds the next leader.
func TestLeaderIsKilled(t *testing.T) {
	c := newCluster(t, 3, Config{})
	for round := range 2 {
		old := c.leader()
		at := (old + 1) % 3
		var acked []string
		for i := range 20 {
			name := fmt.Sprint("f", round, "-", i)
			apply(t, c.at((old+i)%3), deploy(name, name))
			acked = append(acked, name)
		}
		c.kill(old)
		started := time.Now()
		apply(t, c.at(at), deploy(fmt.Sprint("after-", round), fmt.Sprint("after-", round)))
		t.Logf("a command %v after the leader was killed", time.Since(started))
		for _, n := range []*Node{c.at(at), c.at((old + 2) % 3)} {
			if err := n.Linearize(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, name := range append(acked, fmt.Sprint("after-", round)) {
				if got := n.Catalog().View().Function("default", name).GetCurrent(); got != 1 {
					t.Errorf("function %s is at revision %d", name, got)
				}
			}
		}
		c.start(old)
		c.agree()
	}
}

// TestStoppedLeaderHandsOver does not make the others wait for an election.
func TestStoppedLeaderHandsOver(t *testing.T) {
	c := newCluster(t, 3, Config{heartbeat: 10 * time.Second, election: 10 * time.Second, patience: 5 * time.Second})
	old := c.leader()
	c.stop(old)
	apply(t, c.at((old+1)%3), deploy("a", "a"))
}

// TestDedupeAcrossLeaders applies a command again under another leader.
func TestDedupeAcrossLeaders(t *testing.T) {
	c := newCluster(t, 3, Config{})
	first := apply(t, c.at(0), deploy("once", "f"))
	old := c.leader()
	if err := c.at(old).HandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another leads", func() bool { return !c.at(old).Status().Leads && c.at(old).Leader() != "" })
	if again := apply(t, c.at(old), deploy("once", "f")); again.GetIndex() != first.GetIndex() || again.GetRevision() != 1 {
		t.Errorf("again: %v, first: %v", again, first)
	}
}

// TestNoMajority tells a command that may be committed yet from one that was not proposed.
func TestNoMajority(t *testing.T) {
	c := newCluster(t, 3, Config{patience: 1500 * time.Millisecond})
	leader := c.leader()
	for i := range 3 {
		if i != leader {
			c.kill(i)
		}
	}
	n := c.at(leader)
	if _, err := n.Apply(t.Context(), deploy("lost", "lost")); !errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("apply that loses the majority: %v", err)
	}
	if _, err := n.Apply(t.Context(), deploy("none", "none")); !errors.Is(err, ErrNoLeader) || errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("apply without a majority: %v", err)
	}
	if err := n.Linearize(t.Context()); !errors.Is(err, ErrNoLeader) {
		t.Fatalf("linearize without a majority: %v", err)
	}
	if n.Catalog().View().Node(n.ID()) == nil {
		t.Error("what is known is not shown")
	}
}

// TestAllComeBackElsewhere restarts all nodes at once, on other ports.
func TestAllComeBackElsewhere(t *testing.T) {
	c := newCluster(t, 3, Config{})
	apply(t, c.at(1), deploy("a", "a"))
	c.agree()
	for i := range 3 {
		c.stop(i)
	}
	for i := range 3 {
		c.start(i)
	}
	apply(t, c.at(0), deploy("b", "b"))
	apply(t, c.at(2), deploy("c", "c"))
	c.agree()
}

// TestStandbys has seven schedulers: two stand by, and one gets the vote of a dead voter.
func TestStandbys(t *testing.T) {
	c := newCluster(t, 7, Config{dead: 2 * time.Second})
	eventually(t, "two stand by", func() bool { return c.count(StandsBy) == 2 })
	apply(t, c.at(6), deploy("a", "a"))
	victim := 0
	for i := range 7 {
		if c.at(i).Status().Role == Votes {
			victim = i
		}
	}
	id := c.at(victim).ID()
	c.kill(victim)
	eventually(t, "a standby has the vote of the dead one", func() bool {
		return c.living().Roles()[id] == StandsBy && c.count(Votes)+c.count(Leads) == 5
	})
	c.start(victim)
	apply(t, c.at(victim), deploy("b", "b"))
	if got := c.at(victim).Status().Role; got != StandsBy {
		t.Errorf("the voter that came back is %q", got)
	}
	c.agree()
}

func removeNode(id string) *catalogv1.Command {
	return &catalogv1.Command{RequestId: randomID(), Action: &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: id}}}
}

// TestRemovals takes out a voter, and the leader through itself and through another node.
func TestRemovals(t *testing.T) {
	c := newCluster(t, 5, Config{})
	left := map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true}
	remove := func(victim, through int) {
		t.Helper()
		n := c.at(victim)
		apply(t, c.at(through), removeNode(n.ID()))
		delete(left, victim)
		c.forget(n)
		eventually(t, "raft has let it go", func() bool {
			_, there := c.living().Roles()[n.ID()]
			return !there
		})
		shut(t, n)
		c.settle(len(left))
	}
	other := func(not int) int {
		for i := range left {
			if i != not {
				return i
			}
		}
		panic("nobody is left")
	}
	leader := c.leader()
	remove(other(leader), leader)
	remove(leader, leader)
	leader = c.leader()
	remove(leader, other(leader))
	apply(t, c.at(c.leader()), deploy("a", "a"))
	c.agree()
}

// TestRemovalThatWouldStopTheCluster is refused: without one of the two voters that are left of three, nobody could write.
func TestRemovalThatWouldStopTheCluster(t *testing.T) {
	c := newCluster(t, 3, Config{})
	leader := c.leader()
	dead, alive := (leader+1)%3, (leader+2)%3
	c.kill(dead)
	eventually(t, "the leader knows", func() bool {
		for _, m := range c.at(leader).session.members() {
			if string(m.id) == c.at(dead).ID() {
				return !m.alive
			}
		}
		return false
	})
	result, err := c.at(leader).Apply(t.Context(), removeNode(c.at(alive).ID()))
	if err != nil || result.GetRefusal().GetReason() != catalogv1.Refusal_REASON_IN_USE {
		t.Fatalf("removal of a voter that is needed: %v, %v", result, err)
	}
	apply(t, c.at(leader), removeNode(c.at(dead).ID()))
	apply(t, c.at(alive), deploy("a", "a"))
}

// TestJoinBySnapshot takes in a scheduler that the log does not reach back to, and an executor.
func TestJoinBySnapshot(t *testing.T) {
	c := newCluster(t, 1, Config{snapshotEvery: 50, snapshotCheck: 10 * time.Millisecond, trailing: 5})
	first := c.at(0)
	for i := range 200 {
		apply(t, first, deploy(fmt.Sprint(i), fmt.Sprint("f", i%7)))
	}
	eventually(t, "the log is shortened", func() bool {
		index, err := first.session.guard.FirstIndex()
		return err == nil && index > 100
	})
	c.add(Config{snapshotEvery: 50, snapshotCheck: 10 * time.Millisecond, trailing: 5})
	c.add(followerConfig)
	c.settle(2)
	apply(t, c.at(1), deploy("through", "through"))
	c.agree()
	c.stop(1)
	c.start(1)
	if again := apply(t, c.at(1), deploy("199", "f3")); again.GetRevision() != 29 {
		t.Errorf("a request from before the snapshot was applied again: %v", again)
	}
	c.agree()
}
