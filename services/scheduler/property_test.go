package scheduler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// drawCluster makes a cluster of some zones and functions. Memory and room for code are ample unless tight.
func drawCluster(t *rapid.T, tight bool) *cluster {
	c := newCluster()
	for i := range rapid.IntRange(0, 9).Draw(t, "nodes") {
		id := fmt.Sprintf("n%d", i)
		zone := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone")
		gpu := rapid.SampledFrom([]string{"yes", "no"}).Draw(t, "gpu")
		c.node("zone="+zone+",gpu="+gpu, id)
		c.with(id, func(n *Node) {
			n.Engine = rapid.SampledFrom([]string{"e", "f"}).Draw(t, "engine")
			n.Executor = rapid.IntRange(0, 9).Draw(t, "executor") > 0
			if tight {
				n.CodeBytes = uint64(rapid.IntRange(0, 8).Draw(t, "code")) << 20
				n.MemoryBytes = uint64(rapid.IntRange(0, 3).Draw(t, "memory")) << 25
			}
		})
	}
	for i := range rapid.IntRange(1, 8).Draw(t, "functions") {
		c.deploy(fmt.Sprintf("f%d", i), drawScheduling(t))
	}
	return c
}

func drawScheduling(t *rapid.T) *catalogv1.Scheduling {
	s := &catalogv1.Scheduling{
		Replicas: uint32(rapid.IntRange(0, 4).Draw(t, "replicas")),
		All:      rapid.IntRange(0, 4).Draw(t, "all") == 0,
		Spread:   rapid.SampledFrom([][]string{nil, {"zone"}, {"zone", "gpu"}}).Draw(t, "spread"),
	}
	if rapid.IntRange(0, 3).Draw(t, "require") == 0 {
		s.Require = map[string]string{"gpu": "yes"}
	}
	return s
}

// shake changes something: a node, what is ready, what is deployed.
func shake(t *rapid.T, c *cluster, tight bool) {
	nodes := slices.Sorted(maps.Keys(c.nodes))
	functions := slices.Sorted(maps.Keys(c.functions))
	if len(nodes) > 0 && rapid.Bool().Draw(t, "node") {
		id := rapid.SampledFrom(nodes).Draw(t, "which")
		switch rapid.IntRange(0, 6).Draw(t, "change") {
		case 6:
			c.with(id, func(n *Node) { n.Labels["zone"] = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone") })
		case 0, 1:
			c.health(rapid.SampledFrom([]Health{Silent, Alive, Lost}).Draw(t, "health"), id)
		case 2:
			c.with(id, func(n *Node) { n.Draining = !n.Draining })
		case 3:
			delete(c.nodes, id)
			for name := range c.functions {
				c.edit(name, func(f *Function) {
					for i := range f.Revisions {
						f.Revisions[i].Placed = slices.DeleteFunc(slices.Clone(f.Revisions[i].Placed), func(other string) bool { return other == id })
					}
				})
			}
		case 4:
			c.node("zone=a,gpu=yes", fmt.Sprintf("m%d", rapid.IntRange(0, 3).Draw(t, "new")))
		case 5:
			c.with(id, func(n *Node) {
				n.CodeBytes = 1 << 30
				if tight {
					n.CodeBytes = uint64(rapid.IntRange(0, 20).Draw(t, "code")) << 20
				}
			})
		}
		return
	}
	name := rapid.SampledFrom(functions).Draw(t, "function")
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		c.deploy(name, drawScheduling(t))
	case 1:
		c.deploy(fmt.Sprintf("g%d", rapid.IntRange(0, 3).Draw(t, "new")), drawScheduling(t))
	default:
		for _, r := range c.functions[name].Revisions {
			var ready, failed []string
			for _, id := range r.Placed {
				switch rapid.IntRange(0, 3).Draw(t, "state") {
				case 0:
				case 1:
					failed = append(failed, id)
				default:
					ready = append(ready, id)
				}
			}
			c.report(name, r.Number, ready, failed)
		}
	}
}

// TestRemembering: a planner that remembers plans like one that does not, and a plan leaves nothing to plan, but for the
// room that it makes itself.
func TestRemembering(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tight := rapid.Bool().Draw(t, "tight")
		c := drawCluster(t, tight)
		var planner Planner
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			in := c.input()
			want, got := MakePlan(in), planner.Plan(in)
			if d := difference(got, want); d != "" {
				t.Fatal(d)
			}
			if rapid.IntRange(0, 4).Draw(t, "applied") > 0 { // a proposal may fail
				c.apply(want)
				checkConstraints(t, c)
				again := MakePlan(c.input())
				for plans := 0; tight && len(again.Placements) > 0 && plans < 10; plans++ {
					again = c.apply(again).plan()
				}
				if len(again.Placements) > 0 {
					t.Fatalf("planned again: %v after %v", again.Placements, want.Placements)
				}
			}
			shake(t, c, tight)
		}
	})
}

// checkConstraints checks what holds after every plan.
func checkConstraints(t *rapid.T, c *cluster) {
	for name, f := range c.functions {
		for i := range f.Revisions {
			r := &f.Revisions[i]
			unheard := slices.ContainsFunc(r.Placed, func(id string) bool { return c.nodes[id].Health != Alive })
			for _, id := range r.Placed {
				if n := c.nodes[id]; !n.mayRun(r) && (!unheard || r.Number == f.Current) {
					t.Fatalf("%s: revision %d is placed on %s, which may not run it", name, r.Number, id)
				}
			}
			if !slices.IsSorted(r.Placed) || len(slices.Compact(slices.Clone(r.Placed))) != len(r.Placed) {
				t.Fatalf("%s: revision %d is placed on %v", name, r.Number, r.Placed)
			}
		}
		current := f.Revisions[len(f.Revisions)-1]
		for _, n := range c.nodes {
			free := n.Health == Alive && !n.Draining && n.mayRun(&current) && !slices.Contains(current.Failed, n.ID)
			if free && n.CodeBytes >= 100<<20 && len(current.Placed) == 0 {
				t.Fatalf("%s is placed nowhere though %s could run it", name, n.ID)
			}
			if free && n.CodeBytes >= 100<<20 && current.Scheduling.GetAll() && !slices.Contains(current.Placed, n.ID) {
				t.Fatalf("%s is to run everywhere and is not placed on %s", name, n.ID)
			}
		}
	}
}

// settledCluster is one where everything is placed and ready.
func settledCluster(t *rapid.T) *cluster {
	c := drawCluster(t, false)
	c.plan()
	return c.ready()
}

// placements lists all placements of current revisions as function/node.
func (c *cluster) placements() map[string]bool {
	all := map[string]bool{}
	for name, f := range c.functions {
		for _, r := range f.Revisions {
			for _, id := range r.Placed {
				all[fmt.Sprintf("%s/%d/%s", name, r.Number, id)] = true
			}
		}
	}
	return all
}

// placedOn counts the placements on a node.
func (c *cluster) placedOn(id string) int {
	count := 0
	for _, f := range c.functions {
		for _, r := range f.Revisions {
			if slices.Contains(r.Placed, id) {
				count++
			}
		}
	}
	return count
}

// TestLoss: what a lost node had moves, and nothing else.
func TestLoss(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := settledCluster(t)
		if len(c.nodes) == 0 {
			return
		}
		gone := rapid.SampledFrom(slices.Sorted(maps.Keys(c.nodes))).Draw(t, "lost")
		lost, before := c.placedOn(gone), c.placements()
		plan := c.health(Lost, gone).plan()
		if plan.Moves > lost {
			t.Fatalf("%d moves for %d placements that are lost", plan.Moves, lost)
		}
		after := c.placements()
		for p := range before {
			if !after[p] && p[len(p)-len(gone):] != gone {
				t.Fatalf("%s was moved though %s is lost", p, gone)
			}
		}
		c.ready().health(Alive, gone)
		for _, p := range c.plan().Placements {
			if f := c.functions[p.GetName()]; !f.Revisions[0].Scheduling.GetAll() && len(p.GetNodes()) > max(1, int(f.Revisions[0].Scheduling.GetReplicas())) {
				t.Fatalf("the node that came back took %v", p)
			}
		}
	})
}

// TestJoin: a node that joins gets what is to run everywhere and what lacks an executor; nothing that is placed moves.
func TestJoin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := settledCluster(t)
		before := c.placements()
		plan := c.node("zone=a,gpu=yes", "new").plan()
		after := c.placements()
		for p := range before {
			if !after[p] {
				t.Fatalf("%s was moved by a node that joined", p)
			}
		}
		if plan.Moves != len(after)-len(before) || c.placedOn("new") != plan.Moves {
			t.Fatalf("%d moves, %d placements on the new node", plan.Moves, c.placedOn("new"))
		}
		for name, f := range c.functions {
			if r := f.Revisions[0]; r.Scheduling.GetAll() && !slices.Contains(r.Placed, "new") {
				t.Fatalf("%s is not on the new node", name)
			}
		}
	})
}

// TestDrain: a drained node is free in the end, at each step as many executors are ready as before, and no more is moved
// than it had.
func TestDrain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := settledCluster(t)
		if len(c.nodes) == 0 {
			return
		}
		gone := rapid.SampledFrom(slices.Sorted(maps.Keys(c.nodes))).Draw(t, "drained")
		had := c.placedOn(gone)
		ready := map[string]int{}
		for name, f := range c.functions {
			ready[name] = len(f.Revisions[0].Placed)
		}
		c.drain(gone)
		moves := 0
		for range 20 {
			moves += c.plan().Moves
			for name, f := range c.functions {
				now := 0
				r := &f.Revisions[0]
				for _, id := range r.Placed {
					if slices.Contains(r.Ready, id) {
						now++
					}
				}
				want := ready[name]
				if r.Scheduling.GetAll() {
					want = max(want-1, min(want, 1))
				}
				if now < want {
					t.Fatalf("%s: %d executors are ready, not %d", name, now, want)
				}
				for _, id := range r.Placed { // the replacements become ready one after the other
					if !slices.Contains(r.Ready, id) && rapid.Bool().Draw(t, "ready") {
						c.report(name, 1, append(slices.Clone(r.Ready), id), nil)
					}
				}
			}
		}
		moves += c.ready().plan().Moves
		if moves > had {
			t.Fatalf("%d moves for %d placements", moves, had)
		}
		for _, f := range c.functions {
			r := &f.Revisions[0]
			if !slices.Contains(r.Placed, gone) {
				continue
			}
			for id, n := range c.nodes {
				if id != gone && n.mayRun(r) && !slices.Contains(r.Placed, id) {
					t.Fatalf("%s is still on %s though %s could run it", f.Name, gone, id)
				}
			}
		}
	})
}

// TestEven: placed on an empty cluster, replicas differ by one at most between the values of a label, as far as there are
// nodes, and the load of the nodes is even.
func TestEven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster()
		zones := rapid.IntRange(1, 4).Draw(t, "zones")
		size := map[string]int{}
		for z := range zones {
			zone := string(rune('a' + z))
			size[zone] = rapid.IntRange(1, 4).Draw(t, "nodes")
			for i := range size[zone] {
				c.node("zone="+zone, fmt.Sprintf("%s%d", zone, i))
			}
		}
		for i := range rapid.IntRange(1, 10).Draw(t, "functions") {
			c.deploy(fmt.Sprintf("f%d", i), spread(uint32(rapid.IntRange(1, 8).Draw(t, "replicas")), "zone"))
		}
		c.plan()
		for name := range c.functions {
			counts := c.perValue(name, "zone")
			for a, full := range size {
				for b := range size {
					if counts[b] > counts[a]+1 && counts[a] < full {
						t.Fatalf("%s: %v of %v", name, counts, size)
					}
				}
			}
		}
	})
}

// TestDeterminism: the order in which nodes and functions come does not matter.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tight := rapid.Bool().Draw(t, "tight")
		c := drawCluster(t, tight)
		for range rapid.IntRange(0, 5).Draw(t, "steps") {
			c.plan()
			shake(t, c, tight)
		}
		in := c.input()
		other := Input{Nodes: slices.Clone(in.Nodes), Functions: slices.Clone(in.Functions)}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(other.Nodes), func(i, j int) { other.Nodes[i], other.Nodes[j] = other.Nodes[j], other.Nodes[i] })
		random.Shuffle(len(other.Functions), func(i, j int) {
			other.Functions[i], other.Functions[j] = other.Functions[j], other.Functions[i]
		})
		if d := difference(MakePlan(other), MakePlan(in)); d != "" {
			t.Fatal(d)
		}
	})
}
