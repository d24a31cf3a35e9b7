// Package failpoint does to a cluster what happens to clusters.
package failpoint

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weft-run/weft/test/cluster"
)

// Target is a cluster that is to suffer. It is used from the goroutine of the test.
type Target struct {
	TB      testing.TB
	Cluster *cluster.Cluster
	Random  *rand.Rand

	refused map[*cluster.Node]bool
	removed map[*cluster.Node]bool
}

// NewTarget makes a cluster a target. The random numbers decide who suffers and how long.
func NewTarget(tb testing.TB, c *cluster.Cluster, random *rand.Rand) *Target {
	tb.Helper()
	return &Target{TB: tb, Cluster: c, Random: random, refused: make(map[*cluster.Node]bool), removed: make(map[*cluster.Node]bool)}
}

// Failpoint is one thing that happens.
type Failpoint struct {
	Name string
	// Nodes is how many nodes it needs; 0 if one is enough.
	Nodes int
	// Lossy: the disks of all nodes lose what is not synced at a kill.
	Lossy bool
	// Inject lets it happen and be over again. Afterwards the nodes of the cluster can agree again, but for those that
	// Target.Members leaves out.
	Inject func(t *Target)
}

// All are all failpoints.
func All() []Failpoint {
	var all []Failpoint
	for _, group := range [][]Failpoint{processes, networks, disks, damages, memberships} {
		all = append(all, group...)
	}
	return all
}

// ByName finds a failpoint.
func ByName(name string) (Failpoint, bool) {
	for _, f := range All() {
		if f.Name == name {
			return f, true
		}
	}
	return Failpoint{}, false
}

// Members are the nodes that belong to the cluster and that should know all of it.
func (t *Target) Members() (members []*cluster.Node) {
	for _, n := range t.Cluster.Nodes() {
		if !t.refused[n] && !t.removed[n] {
			members = append(members, n)
		}
	}
	return members
}

// leader is the node that leads.
func (t *Target) leader() *cluster.Node { return t.Cluster.Leader() }

// follower is a node that does not lead.
func (t *Target) follower() *cluster.Node { return t.pick(t.others(t.leader())) }

// others are all members but one.
func (t *Target) others(but *cluster.Node) (others []*cluster.Node) {
	for _, n := range t.Members() {
		if n != but {
			others = append(others, n)
		}
	}
	return others
}

func (t *Target) pick(nodes []*cluster.Node) *cluster.Node { return nodes[t.Random.IntN(len(nodes))] }

// shuffled are all members in any order.
func (t *Target) shuffled() []*cluster.Node {
	members := t.Members()
	t.Random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members
}

// hold lets a fault last for a while: long enough for an election.
func (t *Target) hold() { t.wait(2500*time.Millisecond, 5*time.Second) }

// wait waits for a time between two: traffic goes on meanwhile, and that is what is waited for.
func (t *Target) wait(least, most time.Duration) {
	time.Sleep(least + time.Duration(t.Random.Int64N(int64(most-least))))
}

// check fails the test on an error of the harness itself.
func (t *Target) check(err error) {
	t.TB.Helper()
	if err != nil {
		t.TB.Fatalf("failpoint: %v", err)
	}
}

func one(n *cluster.Node) []*cluster.Node { return []*cluster.Node{n} }
