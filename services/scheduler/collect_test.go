package scheduler

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
)

// TestCollect: a collector that remembers gives what one gives that sees the catalog and the directory for the first
// time, and what did not change is the same pointer.
func TestCollect(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		now := time.Now()
		kept := newCollector(timing{}, now)
		names := []string{"a", "b", "c", "d"}
		functions := []string{"f", "g", "h"}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			name := rapid.SampledFrom(names).Draw(rt, "node")
			function := rapid.SampledFrom(functions).Draw(rt, "function")
			view := w.catalog.View()
			switch rapid.IntRange(0, 7).Draw(rt, "step") {
			case 0:
				w.member(t, "keeper") // the last scheduler can't go
				if !view.Removed(nodeID(name)) {
					w.member(t, name)
				}
			case 1:
				if view.NodeByName(name) != nil && view.NodeByName("keeper") != nil && rapid.IntRange(0, 3).Draw(rt, "remove") == 0 {
					w.do(t, &catalogv1.Command{Action: &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: nodeID(name)}}})
				}
			case 2:
				w.deploy(t, function, nil)
			case 3:
				if view.Function("default", function) != nil {
					w.do(t, &catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{DeleteFunction: &catalogv1.DeleteFunction{Namespace: "default", Name: function}}})
				}
			case 4:
				var nodes []string
				for _, n := range names {
					if rapid.Bool().Draw(rt, "placed") {
						nodes = append(nodes, nodeID(n))
					}
				}
				w.do(t, &catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{Placements: []*catalogv1.Placement{
					{Namespace: "default", Name: function, Revision: rapid.Uint32Range(1, 3).Draw(rt, "revision"), Nodes: nodes},
				}}}})
			case 5: // a catalog that does not follow on the one before
				var snapshot bytes.Buffer
				if err := w.catalog.Snapshot(&snapshot); err != nil {
					t.Fatal(err)
				}
				if err := w.catalog.Restore(&snapshot); err != nil {
					t.Fatal(err)
				}
			default:
				var revisions []string
				for _, f := range functions {
					revisions = append(revisions, fmt.Sprintf("%s/%d=%s", f, rapid.IntRange(1, 3).Draw(rt, "number"), rapid.SampledFrom([]string{"ready", "loading", "failed"}).Draw(rt, "state")))
				}
				if rapid.Bool().Draw(rt, "silent") {
					name = "-" + name
				}
				w.hear(t, map[string]string{name: strings.Join(revisions[:rapid.IntRange(0, 3).Draw(rt, "revisions")], " ")})
			}
			view, known := w.catalog.View(), w.View()
			got, _ := kept.collect(view, known, now)
			want, _ := newCollector(timing{}, now).collect(view, known, now)
			if !reflect.DeepEqual(got.Nodes, want.Nodes) && len(got.Nodes)+len(want.Nodes) > 0 {
				rt.Fatalf("nodes\n%s\nare not\n%s", text(got.Nodes), text(want.Nodes))
			}
			if text(got.Functions) != text(want.Functions) {
				rt.Fatalf("functions\n%s\nare not\n%s", text(got.Functions), text(want.Functions))
			}
			before := Input{Nodes: slices.Clone(got.Nodes), Functions: slices.Clone(got.Functions)}
			again, _ := kept.collect(view, known, now)
			if !slices.Equal(before.Nodes, again.Nodes) || !slices.Equal(before.Functions, again.Functions) {
				rt.Fatal("what has not changed was made anew")
			}
		}
	})
}

func text[T any](s []*T) string {
	var lines []string
	for _, v := range s {
		lines = append(lines, fmt.Sprintf("%+v", *v))
	}
	return strings.Join(lines, "\n")
}

// BenchmarkStep is what a deploy costs the leader of 1,000 executors and 10,000 functions with three replicas, from the
// catalog's new view to the plan.
func BenchmarkStep(b *testing.B) {
	w := emptyWorld()
	apply := func(cmd *catalogv1.Command) {
		w.index++
		cmd.RequestId = fmt.Sprint(w.index)
		if cmd.GetRaiseLevel() == nil {
			cmd.Level = level
		}
		if result := w.catalog.Apply(w.index, cmd); result.GetRefusal() != nil {
			b.Fatal(result)
		}
	}
	deploy := func(name string) {
		apply(&catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
			Namespace: "default", Name: name, Revision: &catalogv1.Revision{
				Digest: make([]byte, 32), SizeBytes: 1 << 20, Scheduling: &catalogv1.Scheduling{Replicas: 3},
			},
		}}})
	}
	apply(&catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}})
	for i := range largeNodes {
		name := fmt.Sprintf("n%04d", i)
		apply(&catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
			Node: &catalogv1.Node{Id: nodeID(name), Name: name, Executor: true, Scheduler: i == 0},
		}}})
		w.nodes[name] = &clusterv1.NodeState{
			Id: nodeID(name), Alive: true, Revisions: &clusterv1.RevisionChanges{Whole: true, Sequence: 1},
			Report: &clusterv1.Report{Name: name, MemoryBytes: 1 << 30, CodeBytes: 1 << 40},
		}
	}
	for i := range largeFunctions {
		deploy(fmt.Sprintf("f%05d", i))
	}
	c, planner := newCollector(timing{}, time.Now()), Planner{}
	step := func(known *directory.View) Plan {
		in, _ := c.collect(w.catalog.View(), known, time.Now())
		return planner.Plan(in)
	}
	names := map[string]string{}
	for name, s := range w.nodes {
		names[s.GetId()] = name
	}
	place := func(plan Plan) {
		apply(&catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{Placements: plan.Placements}}})
	}
	first := step(w.View())
	place(first)
	for _, p := range first.Placements {
		for _, id := range p.GetNodes() {
			of := w.nodes[names[id]].GetRevisions()
			of.Changed = append(of.Changed, &clusterv1.RevisionState{
				Namespace: p.GetNamespace(), Name: p.GetName(), Revision: p.GetRevision(), State: "ready", CodeBytes: 1 << 20,
			})
		}
	}
	known := w.View()
	step(known)
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		deploy(fmt.Sprintf("g%07d", i))
		b.StartTimer()
		plan := step(known)
		b.StopTimer()
		if plan.Moves != 3 {
			b.Fatal(plan.Moves)
		}
		place(plan)
		step(known)
		b.StartTimer()
	}
}
