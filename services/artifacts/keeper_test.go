package artifacts

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// state is a catalog with some nodes, and a leader that may be away.
type state struct {
	*catalog.Catalog
	t *testing.T

	mu       sync.Mutex
	index    uint64 // guarded by mu
	leads    bool   // guarded by mu
	asked    int    // guarded by mu
	swept    int    // guarded by mu
	keptCode map[Digest]bool
}

// newState makes a catalog in which the nodes a, b and c are schedulers and x, y and z executors.
func newState(t *testing.T) *state {
	t.Helper()
	s := &state{Catalog: catalog.New(), t: t, leads: true}
	s.apply(&catalogv1.Command{Level: 1, Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: 2}}})
	for i, id := range []string{"a", "b", "c", "x", "y", "z"} {
		s.apply(&catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: &catalogv1.Node{
			Id: nodeID(id), Name: "node-" + id, Scheduler: i < 3, Executor: i >= 3,
			Labels: map[string]string{"zone": map[bool]string{true: "east", false: "west"}[id == "b" || id == "y" || id == "z"]},
		}}}})
	}
	return s
}

// nodeID is an ID as the catalog wants it.
func nodeID(letter string) string { return fmt.Sprintf("%020x", letter[0]) }

func (s *state) apply(c *catalogv1.Command) *catalogv1.Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index++
	c.RequestId = fmt.Sprint("request-", s.index)
	c.Level = max(c.GetLevel(), 2)
	if c.GetRaiseLevel() != nil {
		c.Level = 1
	}
	r := s.Apply(s.index, c)
	if r.GetRefusal() != nil {
		s.t.Fatalf("refused: %v", r.GetRefusal())
	}
	return r
}

// deploy makes a revision that names an artifact, and places it.
func (s *state) deploy(name string, d Digest, on ...string) {
	s.t.Helper()
	r := s.apply(&catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: d[:]},
	}}})
	p := &catalogv1.Placement{Namespace: "default", Name: name, Revision: r.GetRevision()}
	for _, letter := range on {
		p.Nodes = append(p.Nodes, nodeID(letter))
	}
	s.apply(&catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{
		Placements: []*catalogv1.Placement{p},
	}}})
}

func (s *state) delete(name string) {
	s.t.Helper()
	s.apply(&catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{
		DeleteFunction: &catalogv1.DeleteFunction{Namespace: "default", Name: name},
	}})
}

func (s *state) setLeader(leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads = leads
}

func (s *state) Linearize(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if !s.leads {
		return errTest
	}
	return nil
}

func (s *state) sweepCode(keep func(Digest) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swept++
	for d := range s.keptCode {
		s.keptCode[d] = keep(d)
	}
	return nil
}

// keeper starts the keeper of the first node, under the ID of a letter.
func (s *state) keeper(ns *nodes, letter string, change func(*KeeperConfig)) *Keeper {
	s.t.Helper()
	c := KeeperConfig{
		Node: nodeID(letter), Store: ns.first().store, Fetcher: NewFetcher(ns.config()), View: s.View, Linearize: s.Linearize,
		SweepCode: s.sweepCode, Logger: slog.New(slog.DiscardHandler), Every: 20 * time.Millisecond,
	}
	if change != nil {
		change(&c)
	}
	k := NewKeeper(c)
	s.t.Cleanup(k.Close)
	return k
}

// TestRepair: a scheduler that was down gets what was deployed meanwhile, what is deployed from now on, and what it had and
// is damaged. An executor gets nothing by itself.
func TestRepair(t *testing.T) {
	ns, s := newNodes(t, 2), newState(t)
	a, b := ns.first(), ns.all[1]
	old, damaged, unnamed := b.put(t, random(1000)), b.put(t, random(1001)), b.put(t, random(1002))
	a.put(t, random(1001))
	a.damage(t, damaged, random(5))
	s.deploy("old", old)
	s.deploy("damaged", damaged)
	s.keeper(ns, "a", nil)
	eventually(t, "a has all that is named", func() bool { return a.has(old) && a.has(damaged) })
	later := b.put(t, random(1003))
	s.deploy("later", later)
	eventually(t, "a has what came later", func() bool { return a.has(later) })
	if a.has(unnamed) {
		t.Error("a has what nobody names")
	}
	others := newNodes(t, 2)
	others.all[1].put(t, random(1000))
	k := s.keeper(others, "x", nil)
	if err := k.repair(t.Context()); err != nil || others.first().has(old) {
		t.Errorf("an executor: %v", err)
	}
}

// TestRepairIsTriedAgain: until somebody has what is missing.
func TestRepairIsTriedAgain(t *testing.T) {
	ns, s := newNodes(t, 2), newState(t)
	data := random(1000)
	d := put(t, open(t), data)
	s.deploy("calc", d)
	k := s.keeper(ns, "a", nil)
	if err := k.repair(t.Context()); err == nil {
		t.Fatal("it is nowhere, and there is no error")
	}
	ns.all[1].put(t, data)
	eventually(t, "a has it", func() bool { return ns.first().has(d) })
}

// TestKeeperSweeps: each node removes what no revision names, and nothing without a leader.
func TestKeeperSweeps(t *testing.T) {
	ns, s := newNodes(t, 1), newState(t)
	a := ns.first()
	kept, gone := a.put(t, random(1000)), a.put(t, random(1001))
	orphan, deleted := a.put(t, random(1002)), Digest{9}
	young := put(t, a.store, random(1003))
	a.store.keep(young, "b")
	a.store.Release(young, true)
	for _, d := range []Digest{kept, gone, orphan} {
		a.age(t, d, 2*time.Hour)
	}
	s.deploy("kept", kept)
	s.deploy("gone", gone)
	s.keptCode = map[Digest]bool{kept: true, gone: true, young: true, deleted: true}
	s.setLeader(false)
	k := s.keeper(ns, "a", func(c *KeeperConfig) { c.Every = time.Hour })
	if err := k.sweep(t.Context()); err == nil || !a.has(orphan) {
		t.Fatalf("swept without a leader: %v", err)
	}
	s.setLeader(true)
	if err := k.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !a.has(kept) || !a.has(gone) || a.has(orphan) || !a.has(young) {
		t.Errorf("kept %v, gone %v, orphan %v, young %v", a.has(kept), a.has(gone), a.has(orphan), a.has(young))
	}
	s.delete("gone")
	if err := k.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !a.has(kept) || a.has(gone) {
		t.Errorf("kept %v, gone %v", a.has(kept), a.has(gone))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.keptCode[kept] || s.keptCode[gone] || !s.keptCode[young] || s.keptCode[deleted] {
		t.Errorf("compiled code is kept: %v", s.keptCode)
	}
}

// TestKeeperSweepsWhenADeployEnds: a deploy that comes to nothing, or a rehearsal, leaves nothing for an hour.
func TestKeeperSweepsWhenADeployEnds(t *testing.T) {
	ns, s := newNodes(t, 1), newState(t)
	s.keeper(ns, "a", func(c *KeeperConfig) { c.Every = time.Hour })
	d := put(t, ns.first().store, random(1000))
	ns.first().store.Release(d, true)
	eventually(t, "it is swept", func() bool { return !ns.first().has(d) })
}

// TestExecutorKeepsACache: what is placed on an executor stays, and of the rest as much as there is room for.
func TestExecutorKeepsACache(t *testing.T) {
	ns, s := newNodes(t, 1), newState(t)
	a := ns.first()
	var all []Digest
	for i := range 4 {
		d := a.put(t, random(1000+i))
		a.age(t, d, time.Duration(9-i)*time.Hour)
		all = append(all, d)
	}
	s.deploy("here", all[0], "x")
	s.deploy("there", all[1], "y")
	s.deploy("nowhere", all[2])
	k := s.keeper(ns, "x", func(c *KeeperConfig) { c.Every, c.Cache = time.Hour, 1500 })
	if err := k.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true, false} { // placed here, the older of the cache, the younger, unnamed
		if a.has(all[i]) != want {
			t.Errorf("artifact %d is there: %v", i, !want)
		}
	}
}

func TestLocator(t *testing.T) {
	s := newState(t)
	d := Digest{1}
	s.deploy("calc", d, "x", "y")
	s.deploy("other", Digest{2}, "z")
	dead := map[string]bool{}
	l := &Locator{
		Node: nodeID("a"), Engine: "e1", View: s.View, Alive: func(node string) bool { return !dead[node] },
		EngineOf: func(node string) string {
			return map[string]string{nodeID("x"): "e1", nodeID("y"): "e2", nodeID("b"): "e2"}[node]
		},
	}
	letters := func(ids []string) (text string) {
		for _, id := range ids {
			for _, letter := range []string{"a", "b", "c", "x", "y", "z"} {
				if id == nodeID(letter) {
					text += letter
				}
			}
		}
		return text
	}
	sorted := slices.Sorted(slices.Values(l.Schedulers()))
	if letters(sorted) != "abc" || l.Name(nodeID("b")) != "node-b" || l.Name("stranger") != "stranger" {
		t.Errorf("schedulers %v, names %s and %s", l.Schedulers(), l.Name(nodeID("b")), l.Name("stranger"))
	}
	if got := letters(l.Holders(d)); got != "cbxy" { // c and x are in the zone of a
		t.Errorf("holders %s", got)
	}
	dead[nodeID("c")] = true
	if got := letters(l.Holders(d)); got != "bxyc" {
		t.Errorf("holders %s, with c down", got)
	}
	if got := letters(l.Engines(d)); got != "bx" { // b has another engine, but may know who has the code
		t.Errorf("engines %s", got)
	}
	if got := letters(l.Holders(Digest{3})); got != "bc" {
		t.Errorf("holders of what nobody names: %s", got)
	}
	l.Voters = func() []string { return []string{"v"} }
	if got := l.Schedulers(); len(got) != 1 || got[0] != "v" {
		t.Errorf("voters %v", got)
	}
	here := placedHere(s.View(), nodeID("x"))
	if len(here) != 1 || !here[d] {
		t.Errorf("placed on x: %v", here)
	}
}
