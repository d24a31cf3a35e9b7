package directory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/placement"
)

func keyNumber(i int) executor.Key {
	return executor.Key{Namespace: "default", Function: fmt.Sprint("f", i), Revision: 1}
}

// stateOf makes the state of a node: incarnation and number of its report, and changes of its revisions.
func stateOf(id string, incarnation, number uint64, changes *clusterv1.RevisionChanges) *clusterv1.NodeState {
	return &clusterv1.NodeState{
		Id: id, Alive: true, Revisions: changes, HeardUnixNanos: int64(number),
		Report: &clusterv1.Report{
			Name: fmt.Sprintf("%s-%d", id, number), Number: number,
			Address: &clusterv1.Address{Node: id, Incarnation: incarnation},
		},
	}
}

// all makes changes that are everything, of revisions that are ready.
func all(sequence uint64, numbers ...int) *clusterv1.RevisionChanges {
	return &clusterv1.RevisionChanges{Whole: true, Sequence: sequence, Changed: readyStates(numbers...)}
}

// delta makes the changes from one sequence to the next.
func delta(base uint64, ready, gone []int) *clusterv1.RevisionChanges {
	return &clusterv1.RevisionChanges{Base: base, Sequence: base + 1, Changed: readyStates(ready...), Gone: readyStates(gone...)}
}

func readyStates(numbers ...int) []*clusterv1.RevisionState {
	var list []*clusterv1.RevisionState
	for _, i := range numbers {
		list = append(list, messageOf(Revision{Key: keyNumber(i), State: placement.StateReady}))
	}
	return list
}

// readyOn lists the numbers of the revisions that the index has on a node, which must be those that the node has.
func readyOn(t *testing.T, v *View, id string) []int {
	t.Helper()
	var found []int
	for i := range 10 {
		k := keyNumber(i)
		_, has := slices.BinarySearch(v.Ready(k), id)
		if n := v.Node(id); n != nil {
			if r, _ := n.Revision(k); (r.State == placement.StateReady) != has {
				t.Errorf("%v: the index says %t, the node %v", k, has, r)
			}
		}
		if has {
			found = append(found, i)
		}
	}
	if n := v.Node(id); n != nil && n.Ready() != len(found) {
		t.Errorf("node %s counts %d ready; %v are", id, n.Ready(), found)
	}
	return found
}

// TestRevisionIsWhole expects all that is known of a revision on a node to reach other nodes.
func TestRevisionIsWhole(t *testing.T) {
	want := Revision{Key: keyNumber(1), State: placement.StateReady, Reason: "a reason", CodeBytes: 5, Plain: "no room for code"}
	if got := revisionOf(messageOf(want)); got != want {
		t.Errorf("it is %+v", got)
	}
}

func TestMerge(t *testing.T) {
	known := stateOf("a", 5, 10, all(3, 1, 2))
	for name, test := range map[string]struct {
		news *clusterv1.NodeState
		gap  bool
		name string
		want []int
	}{
		"the next changes":                 {stateOf("a", 5, 11, delta(3, []int{4}, []int{1})), false, "a-11", []int{2, 4}},
		"no changes":                       {stateOf("a", 5, 11, nil), false, "a-11", []int{1, 2}},
		"changes that are known":           {stateOf("a", 5, 11, delta(2, []int{4}, nil)), false, "a-11", []int{1, 2}},
		"changes after a gap":              {stateOf("a", 5, 11, delta(4, []int{4}, nil)), true, "", nil},
		"everything, newer":                {stateOf("a", 5, 11, all(9, 2, 7)), false, "a-11", []int{2, 7}},
		"everything, older":                {stateOf("a", 5, 9, all(2, 7)), false, "a-10", []int{1, 2}},
		"an older report":                  {stateOf("a", 5, 9, nil), false, "a-10", []int{1, 2}},
		"an earlier process":               {stateOf("a", 4, 99, all(99, 7)), false, "a-10", []int{1, 2}},
		"a later process":                  {stateOf("a", 6, 1, all(1, 7)), false, "a-1", []int{7}},
		"changes of a later process":       {stateOf("a", 6, 1, delta(3, []int{7}, nil)), true, "", nil},
		"a later process with no word":     {stateOf("a", 6, 1, nil), true, "", nil},
		"changes back and forth, the same": {stateOf("a", 5, 11, delta(3, []int{1}, []int{9})), false, "a-11", []int{1, 2}},
	} {
		before, err := ViewOf(&clusterv1.ExchangeResponse{Nodes: []*clusterv1.NodeState{known}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := before.merge(&clusterv1.ExchangeResponse{Nodes: []*clusterv1.NodeState{test.news}})
		if test.gap {
			if !errors.Is(err, errGap) {
				t.Errorf("%s: %v; want a gap", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := readyOn(t, m.View, "a"); !slices.Equal(got, test.want) || m.Node("a").Name != test.name {
			t.Errorf("%s: %v of %s are ready; want %v of %s", name, got, m.Node("a").Name, test.want, test.name)
		}
		if got := readyOn(t, before, "a"); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("%s: the view before has changed to %v", name, got)
		}
	}
}

func TestTopologyChangesOnlyWithNodes(t *testing.T) {
	v, err := ViewOf(&clusterv1.ExchangeResponse{Nodes: []*clusterv1.NodeState{stateOf("a", 1, 1, all(1, 1))}})
	if err != nil {
		t.Fatal(err)
	}
	next := func(change func(*clusterv1.NodeState)) bool {
		s := v.Node("a").with(nil)
		s.Report = proto.CloneOf(s.GetReport())
		change(s)
		m, err := v.merge(&clusterv1.ExchangeResponse{Nodes: []*clusterv1.NodeState{s}})
		if err != nil {
			t.Fatal(err)
		}
		moved := m.Topology() != v.Topology()
		v = m.View
		return moved
	}
	if next(func(s *clusterv1.NodeState) { s.Report.AppliedIndex, s.Report.Calls, s.HeardUnixNanos = 9, 9, 9 }) {
		t.Error("news of the log changed the topology")
	}
	if next(func(s *clusterv1.NodeState) { s.Revisions = delta(1, []int{2}, nil) }) {
		t.Error("readiness changed the topology")
	}
	for i, change := range []func(*clusterv1.NodeState){
		func(s *clusterv1.NodeState) { s.Alive = false },
		func(s *clusterv1.NodeState) { s.Report.Stopping = true },
		func(s *clusterv1.NodeState) { s.Report.Labels = map[string]string{"zone": "z"} },
		func(s *clusterv1.NodeState) {
			s.Report.Address = &clusterv1.Address{Incarnation: 1, Cluster: "elsewhere:1"}
		},
	} {
		if !next(change) {
			t.Errorf("change %d did not change the topology", i)
		}
	}
}

// TestMergeKeepsUpWithAnything lets a node change at random and a reader hear of it in every way that leaders come up with:
// late, twice, with gaps, whole. Whatever the reader takes in, it has what the node had at some moment, later ones later.
func TestMergeKeepsUpWithAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := []map[int]bool{{}, {1: true}} // by sequence
		var deltas []*clusterv1.RevisionChanges
		view, last := newView(), uint64(0)
		incarnation := uint64(1)
		rt.Repeat(map[string]func(*rapid.T){
			"change": func(rt *rapid.T) {
				now := maps.Clone(history[len(history)-1])
				i, ready := rapid.IntRange(0, 9).Draw(rt, "revision"), rapid.Bool().Draw(rt, "ready")
				d := delta(uint64(len(history)-1), nil, nil)
				if ready {
					now[i] = true
					d.Changed = readyStates(i)
				} else {
					delete(now, i)
					d.Gone = readyStates(i)
				}
				history, deltas = append(history, now), append(deltas, d)
			},
			"hear": func(rt *rapid.T) {
				var changes *clusterv1.RevisionChanges
				switch at := rapid.IntRange(1, len(history)-1).Draw(rt, "at"); {
				case rapid.Bool().Draw(rt, "whole"):
					changes = all(uint64(at), slices.Collect(maps.Keys(history[at]))...)
				case at == 1:
					return
				default:
					changes = deltas[at-2]
				}
				m, err := view.merge(&clusterv1.ExchangeResponse{Nodes: []*clusterv1.NodeState{stateOf("a", incarnation, 1, changes)}})
				if err != nil {
					if !errors.Is(err, errGap) {
						rt.Fatal(err)
					}
					return
				}
				view = m.View
			},
			"": func(rt *rapid.T) {
				n := view.Node("a")
				if n == nil {
					return
				}
				if n.sequence < last {
					rt.Fatalf("the reader went back from %d to %d", last, n.sequence)
				}
				last = n.sequence
				got := map[int]bool{}
				for _, i := range readyOn(t, view, "a") {
					got[i] = true
				}
				if !maps.Equal(got, history[last]) {
					rt.Fatalf("at %d the reader has %v; the node had %v", last, got, history[last])
				}
			},
		})
	})
}
