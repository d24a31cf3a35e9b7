package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// cluster is an input that tests write down in short and change from plan to plan.
type cluster struct {
	nodes     map[string]*Node
	functions map[string]*Function
}

func newCluster() *cluster {
	return &cluster{nodes: map[string]*Node{}, functions: map[string]*Function{}}
}

// node adds executors that are alive, with labels as "zone=a,region=eu".
func (c *cluster) node(labels string, ids ...string) *cluster {
	for _, id := range ids {
		n := &Node{ID: id, Executor: true, Health: Alive, Engine: "e", MemoryBytes: 1 << 30, CodeBytes: 1 << 30, Labels: map[string]string{}}
		for pair := range strings.SplitSeq(labels, ",") {
			if k, v, ok := strings.Cut(pair, "="); ok {
				n.Labels[k] = v
			}
		}
		c.nodes[id] = n
	}
	return c
}

// with changes a node, as a new value.
func (c *cluster) with(id string, change func(*Node)) *cluster {
	n := *c.nodes[id]
	n.Labels = maps.Clone(n.Labels)
	change(&n)
	c.nodes[id] = &n
	return c
}

func (c *cluster) health(h Health, ids ...string) *cluster {
	for _, id := range ids {
		c.with(id, func(n *Node) { n.Health = h })
	}
	return c
}

func (c *cluster) drain(ids ...string) *cluster {
	for _, id := range ids {
		c.with(id, func(n *Node) { n.Draining = true })
	}
	return c
}

// deploy adds a revision to a function, which becomes the current one.
func (c *cluster) deploy(name string, s *catalogv1.Scheduling) *cluster {
	return c.edit(name, func(f *Function) {
		f.Current++
		f.Revisions = append(f.Revisions, Revision{
			Number: f.Current, Digest: [32]byte{byte(f.Current)}, Scheduling: s, MemoryBytes: 64 << 20, CodeBytes: 1 << 20,
		})
	})
}

// edit changes a function, as a new value.
func (c *cluster) edit(name string, change func(*Function)) *cluster {
	f := &Function{Namespace: "default", Name: name}
	if old := c.functions[name]; old != nil {
		*f = *old
		f.Revisions = slices.Clone(old.Revisions)
	}
	change(f)
	c.functions[name] = f
	return c
}

// report sets where a revision is ready and failed.
func (c *cluster) report(name string, revision uint32, ready, failed []string) *cluster {
	return c.edit(name, func(f *Function) {
		for i := range f.Revisions {
			if f.Revisions[i].Number == revision {
				f.Revisions[i].Ready, f.Revisions[i].Failed = slices.Sorted(slices.Values(ready)), slices.Sorted(slices.Values(failed))
			}
		}
	})
}

// ready makes everything ready where it is placed.
func (c *cluster) ready() *cluster {
	for name, f := range c.functions {
		for _, r := range f.Revisions {
			c.report(name, r.Number, r.Placed, nil)
		}
	}
	return c
}

func (c *cluster) input() Input {
	return Input{
		Nodes:     slices.SortedFunc(maps.Values(c.nodes), compareNodes),
		Functions: slices.SortedFunc(maps.Values(c.functions), compareFunctions),
	}
}

// apply does what the catalog does with a plan. Revisions that are not placed and not current are left out, as the
// collector does it.
func (c *cluster) apply(plan Plan) *cluster {
	for _, p := range plan.Placements {
		c.edit(p.GetName(), func(f *Function) {
			for i := range f.Revisions {
				if f.Revisions[i].Number == p.GetRevision() {
					f.Revisions[i].Placed = p.GetNodes()
				}
			}
			f.Revisions = slices.DeleteFunc(f.Revisions, func(r Revision) bool { return r.Number != f.Current && len(r.Placed) == 0 })
		})
	}
	return c
}

// plan makes a plan and applies it.
func (c *cluster) plan() Plan {
	plan := MakePlan(c.input())
	c.apply(plan)
	return plan
}

// placed writes down where the revisions of a function are: "1: a b, 2: c".
func (c *cluster) placed(name string) string {
	var parts []string
	for _, r := range c.functions[name].Revisions {
		if len(r.Placed) > 0 {
			parts = append(parts, fmt.Sprintf("%d: %s", r.Number, strings.Join(r.Placed, " ")))
		}
	}
	return strings.Join(parts, ", ")
}

func replicas(n uint32) *catalogv1.Scheduling { return &catalogv1.Scheduling{Replicas: n} }

func all() *catalogv1.Scheduling { return &catalogv1.Scheduling{All: true} }

func ids(s string) []string { return strings.Fields(s) }

// TestPlan tells stories: each step changes the cluster, plans, and looks at where the function f is.
func TestPlan(t *testing.T) {
	t.Parallel()
	type step struct {
		change func(*cluster)
		placed string
		why    string // of what is unplaced; "" if nothing is
	}
	nothing := func(*cluster) {}
	tests := []struct {
		name  string
		start *cluster
		steps []step
	}{
		{"nothing to place on", newCluster().deploy("f", nil), []step{
			{nothing, "", "there are no executors"},
			{func(c *cluster) { c.node("", "a") }, "1: a", ""},
		}},
		{"one replica by default", newCluster().node("", "a").deploy("f", nil), []step{{nothing, "1: a", ""}}},
		{"more replicas than nodes", newCluster().node("", "a", "b").deploy("f", replicas(3)), []step{
			{nothing, "1: a b", "of 2 executors: 2 have it"},
			{func(c *cluster) { c.node("", "c") }, "1: a b c", ""},
			{func(c *cluster) { c.node("", "d") }, "1: a b c", ""},
		}},
		{
			"requirements", newCluster().node("region=eu", "a").node("region=us", "b", "c").drain("a").
				deploy("f", &catalogv1.Scheduling{Require: map[string]string{"region": "eu"}}), []step{
				{nothing, "", "of 3 executors: 2 lack region=eu, 1 is draining"},
				{func(c *cluster) { c.with("b", func(n *Node) { n.Labels["region"] = "eu" }) }, "1: b", ""},
				{func(c *cluster) { c.ready().with("b", func(n *Node) { n.Labels["region"] = "us" }) }, "", "of 3 executors: 2 lack region=eu, 1 is draining"},
			},
		},
		{"too little memory", newCluster().node("", "a").with("a", func(n *Node) { n.MemoryBytes = 32 << 20 }).deploy("f", nil), []step{
			{nothing, "", "of 1 executor: 1 has less memory than 64 MiB"},
			{func(c *cluster) { c.with("a", func(n *Node) { n.MemoryBytes = 0 }) }, "1: a", ""},
		}},
		{"no room for code", newCluster().node("", "a").with("a", func(n *Node) { n.CodeBytes = 1 << 19 }).deploy("f", nil), []step{
			{nothing, "", "of 1 executor: 1 has no room for 1 MiB of code"},
			{func(c *cluster) { c.with("a", func(n *Node) { n.CodeBytes = 1 << 20 }) }, "1: a", ""},
			{func(c *cluster) { c.ready().with("a", func(n *Node) { n.CodeBytes = 0 }) }, "1: a", ""},
		}},
		{"a scheduler is no executor", newCluster().node("", "a", "b").with("a", func(n *Node) { n.Executor = false }).deploy("f", all()), []step{
			{nothing, "1: b", ""},
		}},
		{"nothing new on a silent node", newCluster().node("", "a", "b").health(Silent, "a").deploy("f", all()), []step{
			{nothing, "1: b", ""},
			{func(c *cluster) { c.health(Alive, "a") }, "1: a b", ""},
			{func(c *cluster) { c.health(Silent, "a", "b") }, "1: a b", ""},
		}},
		{"a silent node keeps what it has", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().node("", "b").health(Silent, "a") }, "1: a", ""},
			{func(c *cluster) { c.health(Lost, "a") }, "1: b", ""},
			{func(c *cluster) { c.health(Alive, "a") }, "1: b", ""},
		}},
		{"lost, with no other", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().health(Lost, "a") }, "1: a", "of 1 executor: 1 is lost"},
			{func(c *cluster) { c.health(Alive, "a") }, "1: a", ""},
		}},
		{"drained: ready elsewhere first", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().drain("a") }, "1: a", "of 1 executor: 1 is draining"},
			{func(c *cluster) { c.node("", "b") }, "1: a b", ""},
			{func(c *cluster) { c.report("f", 1, ids("a"), ids("b")) }, "1: a b", ""},
			{func(c *cluster) { c.ready() }, "1: b", ""},
		}},
		{"drained before it was ready", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.node("", "b").drain("a") }, "1: b", ""},
		}},
		{"drained, and fails on all others", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.node("", "b").drain("a").report("f", 1, nil, ids("a")) }, "1: b", ""},
			{func(c *cluster) { c.report("f", 1, nil, ids("b")) }, "1: b", ""},
		}},
		{"a drain that is called off", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().drain("a").node("", "b") }, "1: a b", ""},
			{func(c *cluster) { c.with("a", func(n *Node) { n.Draining = false }) }, "1: a", ""},
		}},
		{"everywhere: a drained node goes when another is ready", newCluster().node("", "a", "b").deploy("f", all()), []step{
			{nothing, "1: a b", ""},
			{func(c *cluster) { c.report("f", 1, ids("a"), nil).drain("a") }, "1: a b", ""},
			{func(c *cluster) { c.ready() }, "1: b", ""},
			{func(c *cluster) { c.ready().drain("b") }, "1: b", "of 2 executors: 2 are draining"},
		}},
		{"everywhere: a node that comes back", newCluster().node("", "a", "b").deploy("f", all()), []step{
			{nothing, "1: a b", ""},
			{func(c *cluster) { c.ready().health(Lost, "b") }, "1: a", ""},
			{func(c *cluster) { c.health(Alive, "b") }, "1: a b", ""},
			{func(c *cluster) { c.ready().health(Lost, "a", "b") }, "1: a b", "of 2 executors: 2 are lost"},
		}},
		{"everywhere: where there is no room", newCluster().node("", "a", "b").with("b", func(n *Node) { n.CodeBytes = 0 }).deploy("f", all()), []step{
			{nothing, "1: a", "of 2 executors: 1 has it, 1 has no room for 1 MiB of code"},
		}},
		{"a revision takes over when it is ready everywhere", newCluster().node("", "a", "b").deploy("f", replicas(2)), []step{
			{nothing, "1: a b", ""},
			{func(c *cluster) { c.ready().deploy("f", replicas(2)) }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, ids("a"), nil) }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, ids("a b"), nil) }, "2: a b", ""},
		}},
		{"it takes over without nodes that are lost", newCluster().node("", "a", "b").deploy("f", replicas(2)), []step{
			{nothing, "1: a b", ""},
			{func(c *cluster) { c.ready().deploy("f", replicas(2)) }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, ids("a"), nil).health(Silent, "b") }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.health(Lost, "b") }, "2: a b", "of 2 executors: 1 has it, 1 is lost"},
		}},
		{"one that fails takes nothing over", newCluster().node("", "a", "b").deploy("f", replicas(2)), []step{
			{nothing, "1: a b", ""},
			{func(c *cluster) { c.ready().deploy("f", replicas(2)) }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, nil, ids("a b")) }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, ids("a"), ids("b")) }, "1: a b, 2: a b", ""},
		}},
		{"it takes over where most nodes run it", newCluster().node("", "a", "b", "c").deploy("f", all()), []step{
			{nothing, "1: a b c", ""},
			{func(c *cluster) { c.ready().deploy("f", all()) }, "1: a b c, 2: a b c", ""},
			{func(c *cluster) { c.report("f", 2, ids("a b"), ids("c")) }, "2: a b c", ""},
		}},
		{"the older one is kept running meanwhile", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().deploy("f", nil) }, "1: a, 2: a", ""},
			{func(c *cluster) { c.report("f", 2, nil, ids("a")).node("", "b") }, "1: a, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, nil, ids("a b")).health(Lost, "a") }, "1: b, 2: b", ""},
			{func(c *cluster) { c.report("f", 1, ids("b"), nil) }, "1: b, 2: b", ""},
			{func(c *cluster) { c.report("f", 2, ids("b"), nil) }, "2: b", ""},
		}},
		{"of several, the newest that is ready is kept", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().deploy("f", nil) }, "1: a, 2: a", ""},
			{func(c *cluster) { c.deploy("f", nil) }, "1: a, 3: a", ""},
			{func(c *cluster) { c.report("f", 3, nil, ids("a")).deploy("f", nil) }, "1: a, 4: a", ""},
			{func(c *cluster) { c.report("f", 4, ids("a"), nil) }, "4: a", ""},
		}},
		{"nothing is dropped on hearsay", newCluster().node("", "a", "b").deploy("f", nil).deploy("f", nil).deploy("f", nil), []step{
			{func(c *cluster) { // a new leader has heard of a only
				c.edit("f", func(f *Function) { f.Revisions[0].Placed, f.Revisions[1].Placed = ids("a"), ids("b") }).health(Silent, "b")
			}, "1: a, 2: b, 3: a", ""},
			{func(c *cluster) { c.report("f", 2, ids("b"), nil).health(Alive, "b") }, "2: b, 3: a", ""},
		}},
		{"failing on a node, it is tried on two more", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.node("", "b").report("f", 1, nil, ids("a")) }, "1: a b", ""},
			{func(c *cluster) { c.node("", "c").report("f", 1, nil, ids("a b")) }, "1: a b c", ""},
			{func(c *cluster) { c.node("", "d").report("f", 1, nil, ids("a b c")) }, "1: a b c", ""},
			{func(c *cluster) { c.report("f", 1, ids("b"), ids("a c")) }, "1: b", ""},
		}},
		{"failing on a node that comes right", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.node("", "b").report("f", 1, nil, ids("a")) }, "1: a b", ""},
			{func(c *cluster) { c.report("f", 1, ids("a"), nil) }, "1: a", ""},
		}},
		{"it is not tried where it has just failed", newCluster().node("", "a", "b").deploy("f", nil).report("f", 1, nil, ids("a")), []step{
			{func(c *cluster) { c.drain("b") }, "", "of 2 executors: 1 has failed to load it, 1 is draining"},
			{func(c *cluster) { c.report("f", 1, nil, nil) }, "1: a", ""},
		}},
		{"a silent node is no replacement", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().drain("a").node("", "b") }, "1: a b", ""},
			{func(c *cluster) { c.ready().health(Silent, "b") }, "1: a b", ""},
			{func(c *cluster) { c.health(Alive, "b") }, "1: b", ""},
		}},
		{"a silent node takes nothing over", newCluster().node("", "a", "b").deploy("f", all()), []step{
			{nothing, "1: a b", ""},
			{func(c *cluster) { c.ready().deploy("f", all()) }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.report("f", 2, ids("a b"), nil).health(Silent, "b") }, "1: a b, 2: a b", ""},
			{func(c *cluster) { c.health(Alive, "b") }, "2: a b", ""},
		}},
		{"one that answers where it is about to be placed is kept alone", newCluster().node("", "a").deploy("f", replicas(2)), []step{
			{nothing, "1: a", "of 1 executor: 1 has it"},
			{func(c *cluster) { c.deploy("f", nil) }, "1: a, 2: a", "of 1 executor: 1 has it"},
			{func(c *cluster) {
				c.deploy("f", nil).report("f", 1, ids("b"), nil).health(Silent, "a").node("", "b")
			}, "1: a b, 3: b", ""},
		}},
		{"it goes where it is still loaded, room or not", newCluster().node("", "a").with("a", func(n *Node) { n.CodeBytes = 0 }).deploy("f", nil), []step{
			{nothing, "", "of 1 executor: 1 has no room for 1 MiB of code"},
			{func(c *cluster) { c.report("f", 1, ids("a"), nil) }, "1: a", ""},
		}},
		{"the same code with other limits needs no room", newCluster().node("", "a").deploy("f", nil), []step{
			{nothing, "1: a", ""},
			{func(c *cluster) { c.ready().with("a", func(n *Node) { n.CodeBytes = 0 }).deploy("f", nil) }, "1: a",
				"of 1 executor: 1 has no room for 1 MiB of code"},
			{func(c *cluster) {
				c.edit("f", func(f *Function) { f.Revisions[1].Digest = f.Revisions[0].Digest })
			}, "1: a, 2: a", ""},
		}},
		{"fewer replicas", newCluster().node("", "a", "b", "c").deploy("f", replicas(3)), []step{
			{nothing, "1: a b c", ""},
			{func(c *cluster) {
				c.ready().edit("f", func(f *Function) { f.Revisions[0].Scheduling = replicas(2) }).node("", "d")
			}, "1: a b", ""},
		}},
		{"a held function", newCluster().node("", "a").deploy("f", nil).edit("f", func(f *Function) { f.Held = true }), []step{
			{nothing, "", ""},
			{func(c *cluster) { c.edit("f", func(f *Function) { f.Held = false }) }, "1: a", ""},
		}},
		{"a node that is not in the catalog", newCluster().node("", "a").deploy("f", nil), []step{
			{func(c *cluster) { c.edit("f", func(f *Function) { f.Revisions[0].Placed = ids("gone") }) }, "1: a", ""},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := tt.start
			var planner Planner
			for i, s := range tt.steps {
				s.change(c)
				again := planner.Plan(c.input())
				plan := c.plan()
				if difference(plan, again) != "" {
					t.Errorf("step %d: the planner that remembers: %s", i, difference(plan, again))
				}
				if got := c.placed("f"); got != s.placed {
					t.Errorf("step %d: placed %q, want %q", i, got, s.placed)
				}
				var why []string
				for _, u := range plan.Unplaced {
					why = append(why, u.Reason)
				}
				if got := strings.Join(why, "; "); got != s.why {
					t.Errorf("step %d: unplaced because %q, want %q", i, got, s.why)
				}
				if more := MakePlan(c.input()); len(more.Placements) > 0 {
					t.Errorf("step %d: planned again: %v", i, more.Placements)
				}
			}
		})
	}
}

// difference tells how two plans differ; "" if they do not.
func difference(a, b Plan) string {
	if as, bs := fmt.Sprint(a.Placements, a.Unplaced, a.Moves), fmt.Sprint(b.Placements, b.Unplaced, b.Moves); as != bs {
		return as + "\nis not\n" + bs
	}
	return ""
}
