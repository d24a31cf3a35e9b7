package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

const (
	largeNodes     = 1000
	largeFunctions = 10_000
)

// large is a cluster with 30,000 placements, all of them ready.
func large() *cluster {
	c := newCluster()
	for i := range largeNodes {
		c.node(fmt.Sprintf("zone=z%d,region=r%d", i%6, i%2), fmt.Sprintf("n%04d", i))
	}
	for i := range largeFunctions {
		s := &catalogv1.Scheduling{Replicas: 3, Spread: []string{"zone"}}
		if i%10 == 0 {
			s.Require = map[string]string{"region": "r1"}
		}
		c.deploy(fmt.Sprintf("f%05d", i), s)
	}
	c.plan()
	return c.ready()
}

// TestLargeLoss: of 10,000 functions on 1,000 executors, exactly those placements move that a loss concerns.
func TestLargeLoss(t *testing.T) {
	t.Parallel()
	c := large()
	lost, before := c.placedOn("n0500"), c.placements()
	if lost < 20 || lost > 40 {
		t.Errorf("%d placements on one of the nodes, of 30 on average", lost)
	}
	plan := c.health(Lost, "n0500").plan()
	if plan.Moves != lost || len(plan.Placements) != lost || len(plan.Unplaced) != 0 {
		t.Errorf("%d moves, %d placements changed, %d unplaced; %d were lost", plan.Moves, len(plan.Placements), len(plan.Unplaced), lost)
	}
	after := c.placements()
	for p := range maps.Keys(before) {
		if !after[p] && p[len(p)-5:] != "n0500" {
			t.Errorf("%s moved", p)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d placements, before %d", len(after), len(before))
	}
}

// BenchmarkPlan plans for 10,000 functions with three replicas on 1,000 executors. "whole" starts from nothing known,
// the others remember the plan before.
func BenchmarkPlan(b *testing.B) {
	calm := large()
	in := calm.input()
	lost := calm.health(Lost, "n0500").input()
	calm.health(Alive, "n0500")
	deployed := Input{Nodes: in.Nodes, Functions: slices.Clone(in.Functions)}
	calm.deploy("f05000", replicas(3))
	deployed.Functions[5000] = calm.functions["f05000"]

	fresh := newCluster()
	fresh.nodes = calm.nodes
	for name := range calm.functions {
		fresh.deploy(name, spread(3, "zone"))
	}
	empty := fresh.input()

	b.Run("everything", func(b *testing.B) {
		for b.Loop() {
			if plan := MakePlan(empty); plan.Moves != 3*largeFunctions {
				b.Fatal(plan.Moves)
			}
		}
	})
	b.Run("loss/whole", func(b *testing.B) {
		for b.Loop() {
			if plan := MakePlan(lost); plan.Moves == 0 {
				b.Fatal(plan.Moves)
			}
		}
	})
	for _, bench := range []struct {
		name string
		then Input
	}{{"loss", lost}, {"deploy", deployed}} {
		b.Run(bench.name+"/remembering", func(b *testing.B) {
			var planner Planner
			planner.Plan(in)
			for b.Loop() {
				if plan := planner.Plan(bench.then); plan.Moves == 0 {
					b.Fatal(plan.Moves)
				}
				b.StopTimer()
				planner.Plan(in)
				b.StartTimer()
			}
		})
	}
}
