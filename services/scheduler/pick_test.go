package scheduler

import (
	"fmt"
	"slices"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

func spread(n uint32, keys ...string) *catalogv1.Scheduling {
	return &catalogv1.Scheduling{Replicas: n, Spread: keys}
}

// perValue counts the nodes of a function's current revision by their values of a label.
func (c *cluster) perValue(name, label string) map[string]int {
	counts := map[string]int{}
	f := c.functions[name]
	for _, id := range f.Revisions[len(f.Revisions)-1].Placed {
		counts[c.nodes[id].Labels[label]]++
	}
	return counts
}

func TestSpread(t *testing.T) {
	t.Parallel()
	c := newCluster().
		node("zone=a,rack=1", "a1", "a2", "a3").node("zone=a,rack=2", "a4").
		node("zone=b,rack=3", "b1", "b2").node("zone=b,rack=4", "b3").
		deploy("f", spread(4, "zone", "rack")).deploy("g", spread(3, "zone"))
	c.plan()
	if got := fmt.Sprint(c.perValue("f", "zone")); got != "map[a:2 b:2]" {
		t.Errorf("by zone: %s", got)
	}
	if got := fmt.Sprint(c.perValue("f", "rack")); got != "map[1:1 2:1 3:1 4:1]" {
		t.Errorf("by rack: %s", got)
	}
	if got := c.perValue("g", "zone"); max(got["a"], got["b"]) != 2 {
		t.Errorf("by zone: %v", got)
	}
}

// A label that some nodes do not have is one value more.
func TestSpreadWithoutLabel(t *testing.T) {
	t.Parallel()
	c := newCluster().node("zone=", "a", "b").node("", "c", "d").deploy("f", spread(2, "zone"))
	c.plan()
	placed := c.functions["f"].Revisions[0].Placed
	if len(placed) != 2 || (placed[0] < "c") == (placed[1] < "c") {
		t.Errorf("placed on %v", placed)
	}
}

// What is lost is replaced where the others are not.
func TestSpreadAfterLoss(t *testing.T) {
	t.Parallel()
	c := newCluster().node("zone=a", "a1", "a2").node("zone=b", "b1", "b2").node("zone=c", "c1", "c2").deploy("f", spread(3, "zone"))
	c.plan()
	gone := c.ready().functions["f"].Revisions[0].Placed[1]
	c.health(Lost, gone)
	if plan := c.plan(); plan.Moves != 1 {
		t.Errorf("moves: %d", plan.Moves)
	}
	if got := fmt.Sprint(c.perValue("f", "zone")); got != "map[a:1 b:1 c:1]" {
		t.Errorf("by zone: %s", got)
	}
}

func TestLeastLoaded(t *testing.T) {
	t.Parallel()
	c := newCluster().node("", "a", "b", "c")
	for i := range 30 {
		c.deploy(fmt.Sprintf("f%02d", i), nil)
	}
	c.plan()
	counts := map[string]int{}
	for _, f := range c.functions {
		counts[f.Revisions[0].Placed[0]]++
	}
	if counts["a"] != 10 || counts["b"] != 10 || counts["c"] != 10 {
		t.Errorf("placed %v", counts)
	}
	// A large one counts for several.
	c.edit("g", func(f *Function) {
		f.Current = 1
		f.Revisions = []Revision{{Number: 1, CodeBytes: 500 << 20}}
	})
	c.plan()
	large := c.functions["g"].Revisions[0].Placed[0]
	for i := range 20 {
		c.deploy(fmt.Sprintf("h%02d", i), nil)
	}
	c.plan()
	for name, f := range c.functions {
		if name[0] == 'h' && f.Revisions[0].Placed[0] == large {
			t.Errorf("%s is placed beside the large one", name)
		}
	}
}

// Room is counted within a plan, and code that is not loaded yet is counted too.
func TestRoom(t *testing.T) {
	t.Parallel()
	c := newCluster().node("", "a").with("a", func(n *Node) { n.CodeBytes = 10 << 20 })
	for i := range 12 {
		c.deploy(fmt.Sprintf("f%02d", i), nil)
	}
	if plan := c.plan(); plan.Moves != 10 || len(plan.Unplaced) != 2 {
		t.Fatalf("%d placed, %d unplaced", plan.Moves, len(plan.Unplaced))
	}
	if plan := c.plan(); plan.Moves != 0 || len(plan.Unplaced) != 2 {
		t.Errorf("again: %d placed, %d unplaced", plan.Moves, len(plan.Unplaced))
	}
	// The node loads five of them: what they take is no longer free, and no longer to come.
	for i := range 5 {
		c.report(fmt.Sprintf("f%02d", i), 1, ids("a"), nil)
	}
	c.with("a", func(n *Node) { n.CodeBytes -= 5 << 20 })
	if plan := c.plan(); plan.Moves != 0 {
		t.Errorf("after loading: %d placed", plan.Moves)
	}
}

// Code that is loaded already takes no room.
func TestRoomOfLoadedCode(t *testing.T) {
	t.Parallel()
	c := newCluster().node("", "a").with("a", func(n *Node) { n.CodeBytes = 1 << 20 })
	c.deploy("f", nil).report("f", 1, ids("a"), nil).deploy("g", nil)
	c.plan()
	if f, g := c.placed("f"), c.placed("g"); f != "1: a" || g != "1: a" {
		t.Errorf("placed on %q and %q", f, g)
	}
}

// Labels that change count at once.
func TestSpreadAfterRelabelling(t *testing.T) {
	t.Parallel()
	c := newCluster().node("zone=a", "a", "b").node("zone=b", "c", "d").deploy("f", spread(2, "zone"))
	var planner Planner
	c.apply(planner.Plan(c.input()))
	for _, id := range ids("a b c d") {
		c.with(id, func(n *Node) { n.Labels["zone"] = map[string]string{"a": "x", "b": "y", "c": "x", "d": "y"}[id] })
	}
	c.deploy("g", spread(2, "zone"))
	c.apply(planner.Plan(c.input()))
	if got := c.perValue("g", "zone"); got["x"] != 1 || got["y"] != 1 {
		t.Errorf("by zone: %v", got)
	}
}

// Room that one function leaves goes to another in the next plan.
func TestRoomLeft(t *testing.T) {
	t.Parallel()
	c := newCluster().node("", "a", "b").with("a", func(n *Node) { n.CodeBytes = 1 << 20 }).with("b", func(n *Node) { n.CodeBytes = 0 })
	c.deploy("g", nil)
	c.plan()
	if got := c.placed("g"); got != "1: a" {
		t.Fatalf("g is placed on %q", got)
	}
	c.edit("g", func(f *Function) {
		f.Revisions[0].Scheduling = &catalogv1.Scheduling{Require: map[string]string{"gpu": "1"}}
	})
	c.deploy("f", nil)
	var planner Planner
	c.apply(planner.Plan(c.input()))
	if got := c.placed("f"); got != "" {
		t.Errorf("f is placed on %q already", got)
	}
	c.apply(planner.Plan(c.input()))
	if got := c.placed("f"); got != "1: a" {
		t.Errorf("f is placed on %q", got)
	}
}

// Of equally loaded nodes, one with an engine that has compiled the component is taken.
func TestEngine(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		name := fmt.Sprintf("f%02d", i)
		c := newCluster().node("", "a", "b", "c", "d").with("a", func(n *Node) { n.Engine = "new" }).with("d", func(n *Node) { n.Engine = "new" })
		c.deploy(name, replicas(1))
		c.edit(name, func(f *Function) { f.Revisions[0].Placed, f.Revisions[0].Ready = ids("a"), ids("a") })
		c.health(Lost, "a")
		c.plan()
		if got := c.placed(name); got != "1: d" {
			t.Errorf("%s: placed on %q", name, got)
		}
	}
}

// Ties are broken by the function and the node, not by what else there is.
func TestTies(t *testing.T) {
	t.Parallel()
	one := newCluster().node("", "a", "b", "c", "d")
	one.deploy("f", nil).plan()
	two := newCluster().node("", "a", "b", "c", "d").with("a", func(n *Node) { n.Draining = one.functions["f"].Revisions[0].Placed[0] != "a" })
	two.deploy("f", nil).plan()
	if a, b := one.placed("f"), two.placed("f"); a != b {
		t.Errorf("placed %q and %q", a, b)
	}
	used := map[string]bool{}
	for i := range 40 {
		c := newCluster().node("", "a", "b", "c", "d")
		name := fmt.Sprintf("f%02d", i)
		c.deploy(name, nil).plan()
		used[c.placed(name)] = true
	}
	if len(used) != 4 {
		t.Errorf("of four nodes, first functions go to %d", len(used))
	}
}

func TestOrderOfInput(t *testing.T) {
	t.Parallel()
	c := newCluster().node("zone=a", "a", "b").node("zone=b", "c", "d").deploy("f", spread(2, "zone")).deploy("g", all()).deploy("h", replicas(3))
	in := c.input()
	want := MakePlan(in)
	slices.Reverse(in.Nodes)
	slices.Reverse(in.Functions)
	if d := difference(MakePlan(in), want); d != "" {
		t.Error(d)
	}
}
