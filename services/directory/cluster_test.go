package directory_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/peer/peertest"
	"github.com/weft-run/weft/services/placement"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// signal is a channel that is closed when something changes.
type signal struct {
	mu      sync.Mutex
	changed chan struct{}
}

func (s *signal) lock() func() {
	s.mu.Lock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.mu.Unlock
}

func (s *signal) fire() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// cluster is nodes in one process with a leader that the test names.
type cluster struct {
	t       *testing.T
	network *peertest.Network
	grace   time.Duration

	signal
	leader  string
	members []string
	nodes   map[string]*node
}

// node is one of them.
type node struct {
	*directory.Directory
	cluster *cluster
	id      string
	port    *peertest.Port
	path    string
	peers   *peer.Peers
	started uint64

	signal
	revisions map[executor.Key]directory.Revision
	news      []directory.Revision
	report    *clusterv1.Report
	learned   map[string]consensus.Address
	gone      []string
}

func startCluster(t *testing.T, ids ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, network: peertest.NewNetwork(t), grace: 3 * time.Second, nodes: map[string]*node{}, members: ids}
	for _, id := range ids {
		c.add(id).start()
	}
	return c
}

func (c *cluster) add(id string) *node {
	n := &node{
		cluster: c, id: id, port: c.network.Port(id), path: filepath.Join(c.t.TempDir(), "directory"),
		revisions: map[executor.Key]directory.Revision{}, learned: map[string]consensus.Address{},
		report: &clusterv1.Report{Name: "name-" + id, Level: 2, Labels: map[string]string{"zone": "z-" + id}},
	}
	c.nodes[id] = n
	return n
}

// start starts a node, or starts it again.
func (n *node) start() {
	t := n.cluster.t
	t.Helper()
	n.started++
	n.peers = peer.New(peer.Config{Port: n.port})
	var err error
	n.Directory, err = directory.New(directory.Config{
		ID: n.id, Leadership: n.cluster, Peers: n.peers, Placements: n, Self: n.self, Path: n.path, Grace: n.cluster.grace,
		Members: n.cluster.Members, Roles: func() map[string]string { return map[string]string{n.id: "leader"} },
		HashAt: func(index uint64) ([]byte, bool) { return []byte("hash"), index == 7 },
		Learn:  n.learn, Gone: n.forget, Logger: slog.New(slog.DiscardHandler), Interval: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Register(n.peers)
	n.port.SetDown(false)
	n.peers.Start()
	n.Start()
	stop, peers := n.Directory, n.peers
	t.Cleanup(func() { stop.Close(); peers.Close() })
}

// kill ends a node without a word.
func (n *node) kill() {
	n.port.SetDown(true)
	n.port.Cut()
	n.peers.Close()
	n.Close()
}

func (n *node) self() *clusterv1.Report {
	defer n.lock()()
	r := &clusterv1.Report{
		Name: n.report.GetName(), Level: n.report.GetLevel(), Labels: n.report.GetLabels(), Fault: n.report.GetFault(),
		AppliedIndex: n.report.GetAppliedIndex(), StateHash: n.report.GetStateHash(),
	}
	r.Address = &clusterv1.Address{Node: n.id, Incarnation: n.started, Cluster: fmt.Sprintf("%s:%d", n.id, n.started)}
	return r
}

func (n *node) learn(all []consensus.Address) {
	defer n.lock()()
	for _, a := range all {
		n.learned[a.Node] = a
	}
}

func (n *node) forget(id string) {
	defer n.lock()()
	n.gone = append(n.gone, id)
}

// Snapshot implements directory.Placements.
func (n *node) Snapshot() []directory.Revision {
	defer n.lock()()
	return slices.Collect(maps.Values(n.revisions))
}

// News implements directory.Placements.
func (n *node) News() []directory.Revision {
	defer n.lock()()
	news := n.news
	n.news = nil
	return news
}

// Changed implements directory.Placements.
func (n *node) Changed() <-chan struct{} {
	defer n.lock()()
	return n.changed
}

// set sets how a revision does; an empty state removes it.
func (n *node) set(k executor.Key, state string) {
	defer n.lock()()
	if state == "" {
		delete(n.revisions, k)
		n.news = append(n.news, directory.Revision{Key: k, State: placement.StateIdle})
	} else {
		n.news = append(n.news, directory.Revision{Key: k, State: state})
		n.revisions[k] = directory.Revision{Key: k, State: state}
	}
	n.fire()
}

func (n *node) check(f func()) {
	defer n.lock()()
	f()
}

// Leader implements directory.Leadership.
func (c *cluster) Leader() (string, <-chan struct{}) {
	defer c.lock()()
	return c.leader, c.changed
}

func (c *cluster) lead(id string) {
	defer c.lock()()
	c.leader = id
	c.fire()
}

// Members gives the IDs of the catalog.
func (c *cluster) Members() []string {
	defer c.lock()()
	return slices.Clone(c.members)
}

func (c *cluster) setMembers(ids ...string) {
	defer c.lock()()
	c.members = ids
}

// await waits until a node's view is as it should be.
func (n *node) await(what string, is func(*directory.View) bool) {
	n.cluster.t.Helper()
	ctx, cancel := context.WithTimeout(n.cluster.t.Context(), 30*time.Second)
	defer cancel()
	for {
		v := n.View()
		if is(v) {
			return
		}
		select {
		case <-v.Changed():
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			for other := range v.Nodes() {
				n.cluster.t.Logf("%s: %+v", n.id, other)
			}
			n.cluster.t.Fatalf("node %s does not come to see %s", n.id, what)
		}
	}
}

func (c *cluster) await(what string, is func(*directory.View) bool) {
	c.t.Helper()
	for _, n := range c.nodes {
		n.await(what, is)
	}
}

func key(i int) executor.Key {
	return executor.Key{Namespace: "default", Function: fmt.Sprint("f", i), Revision: 1}
}

// ready tells whether a revision is ready on exactly these nodes.
func ready(k executor.Key, ids ...string) func(*directory.View) bool {
	return func(v *directory.View) bool { return slices.Equal(v.Ready(k), ids) }
}

func alive(id string, want bool) func(*directory.View) bool {
	return func(v *directory.View) bool { n := v.Node(id); return n != nil && n.Alive == want }
}

func TestEverybodyLearnsWhatIsReadyWhere(t *testing.T) {
	c := startCluster(t, "a", "b", "c")
	c.nodes["b"].set(key(1), placement.StateReady)
	c.lead("a")
	c.await("f1 on b", ready(key(1), "b"))
	c.nodes["a"].set(key(1), placement.StateReady)
	c.nodes["c"].set(key(1), placement.StateLoading)
	c.await("f1 on a and b", ready(key(1), "a", "b"))
	c.nodes["b"].set(key(1), placement.StateFailed)
	c.await("f1 on a", ready(key(1), "a"))
	c.nodes["a"].set(key(1), "")
	c.await("f1 nowhere", ready(key(1)))
	c.await("what b and c say of f1", func(v *directory.View) bool {
		all := v.StateOf(key(1))
		return len(all) == 2 && all[0].Node.Name == "name-b" && all[0].State == placement.StateFailed &&
			all[1].Node.ID == "c" && all[1].State == placement.StateLoading && v.Named("name-c").Zone() == "z-c"
	})
	b := c.nodes["b"]
	defer b.lock()()
	if b.learned["c"].Cluster != "c:1" || b.learned["a"].Incarnation != 1 {
		t.Errorf("b learned of %v", b.learned)
	}
}

func TestLeadersComeAndGo(t *testing.T) {
	c := startCluster(t, "a", "b", "c")
	c.lead("a")
	for i, id := range c.members {
		c.nodes[id].set(key(i), placement.StateReady)
	}
	everything := func(v *directory.View) bool {
		return ready(key(0), "a")(v) && ready(key(1), "b")(v) && ready(key(2), "c")(v)
	}
	c.await("everything", everything)
	c.nodes["a"].kill()
	delete(c.nodes, "a")
	c.lead("")
	c.nodes["b"].set(key(7), placement.StateReady)
	if !everything(c.nodes["b"].View()) || !everything(c.nodes["c"].View()) {
		t.Fatal("without a leader it is forgotten what was known")
	}
	c.lead("c")
	c.await("what became ready meanwhile", ready(key(7), "b"))
	c.await("a lost", alive("a", false))
	c.await("where a had f0", ready(key(0), "a"))
	c.nodes["b"].set(key(7), "")
	c.await("f7 gone", ready(key(7)))
}

// TestRestartWithoutSchedulers starts a node again while nobody leads: it knows the others from its disk.
func TestRestartWithoutSchedulers(t *testing.T) {
	c := startCluster(t, "a", "b", "c")
	c.lead("a")
	c.nodes["c"].set(key(1), placement.StateReady)
	c.await("f1 on c", ready(key(1), "c"))
	c.lead("")
	b := c.nodes["b"]
	b.kill()
	b.learned = map[string]consensus.Address{}
	b.start()
	if !ready(key(1), "c")(b.View()) || !b.View().ReadyAnywhere(key(1)) {
		t.Fatal("it does not know where f1 is ready")
	}
	if b.learned["c"].Cluster != "c:1" {
		t.Errorf("it learned of %v", b.learned)
	}
	if b.Age() < time.Hour {
		t.Errorf("a leader was heard %v ago", b.Age())
	}
	c.lead("c")
	c.await("the new process of b", func(v *directory.View) bool {
		n := v.Node("b")
		return n != nil && n.Alive && n.Address.Incarnation == 2
	})
}

func TestStoppingIsToldAtOnce(t *testing.T) {
	c := startCluster(t, "a", "b", "c")
	c.lead("a")
	c.nodes["b"].set(key(1), placement.StateReady)
	c.await("f1 on b", ready(key(1), "b"))
	c.nodes["b"].Stopping()
	c.await("b stopping", func(v *directory.View) bool {
		n := v.Node("b")
		return n.Stopping && n.Alive && !n.Usable() && !v.ReadyAnywhere(key(1))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c.nodes["c"].set(key(1), placement.StateReady)
	if err := c.nodes["a"].WaitReady(ctx, key(1)); err != nil {
		t.Error(err)
	}
	cancel()
	if err := c.nodes["a"].WaitReady(ctx, key(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("what is never ready: %v", err)
	}
}

func TestMembersLeaveEverywhere(t *testing.T) {
	c := startCluster(t, "a", "b", "c")
	c.lead("a")
	c.await("c", alive("c", true))
	c.nodes["c"].kill()
	delete(c.nodes, "c")
	c.setMembers("a", "b")
	c.await("c gone", func(v *directory.View) bool { return v.Node("c") == nil && v.Node("b") != nil })
	for _, n := range c.nodes {
		n.check(func() {
			if !slices.Equal(n.gone, []string{"c"}) {
				t.Errorf("%s was told of %v", n.id, n.gone)
			}
		})
	}
}

// TestABrokenStreamIsTakenUpAgain cuts connections while readiness changes.
func TestABrokenStreamIsTakenUpAgain(t *testing.T) {
	c := startCluster(t, "a", "b", "c")
	c.lead("a")
	for i := range 20 {
		c.nodes["b"].set(key(i), placement.StateReady)
		c.nodes["c"].set(key(i), placement.StateReady)
		if i%5 == 2 {
			c.nodes["a"].port.Cut()
		}
		if i%2 == 1 {
			c.nodes["c"].set(key(i), "")
		}
		c.await("f on b", func(v *directory.View) bool { return slices.Contains(v.Ready(key(i)), "b") })
	}
	c.await("everything", func(v *directory.View) bool {
		for i := range 20 {
			want := []string{"b", "c"}
			if i%2 == 1 {
				want = want[:1]
			}
			if !slices.Equal(v.Ready(key(i)), want) {
				return false
			}
		}
		return true
	})
}

func TestDamagedFilesAreIgnored(t *testing.T) {
	c := startCluster(t)
	n := c.add("a")
	if err := os.WriteFile(n.path, []byte("weft directory 1\nnonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.start()
	c.lead("a")
	c.setMembers("a")
	n.await("itself", alive("a", true))
}
