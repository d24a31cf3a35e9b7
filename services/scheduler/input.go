package scheduler

import (
	"cmp"
	"slices"
	"strings"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/directory"
)

// Health is what the leader makes of a node's silence.
type Health uint8

const (
	// Silent is a node that is not heard of now, but not for long enough to be lost, or that is about to stop. What is
	// placed there stays, and nothing new comes.
	Silent Health = iota
	// Alive is a node that reports.
	Alive
	// Lost is a node that was not heard of for longer than the grace period.
	Lost
)

// Node is a node as a plan sees it. It is not changed once it is part of an Input.
type Node struct {
	ID       string
	Labels   map[string]string
	Executor bool
	Draining bool
	Health   Health
	// Engine is the fingerprint of its engine: nodes with equal ones can use each other's compiled code.
	Engine string
	// MemoryBytes is what functions may use; 0 if it is not known, and then every limit fits.
	MemoryBytes uint64
	// CodeBytes is what is free for more compiled code.
	CodeBytes uint64
}

// Function is a function as a plan sees it. It is not changed once it is part of an Input.
type Function struct {
	Namespace, Name string
	// Held: nothing is to change for it now.
	Held bool
	// Current is the number of the revision that is to answer calls.
	Current uint32
	// Revisions are the current one and all others that are placed, ordered by number.
	Revisions []Revision
}

// Revision is a revision as a plan sees it.
type Revision struct {
	Number uint32
	// Digest names its component.
	Digest [32]byte
	// Scheduling says where it is to run; nil means one replica anywhere.
	Scheduling *catalogv1.Scheduling
	// MemoryBytes is the limit of an instance.
	MemoryBytes uint64
	// CodeBytes is the size of its compiled code, or the best guess.
	CodeBytes uint64
	// Placed are the IDs of the nodes where it is placed now, ordered.
	Placed []string
	// Ready and Failed are the IDs of nodes that say so, ordered, each in one of them at most. Nodes where it is not
	// placed may be among them.
	Ready, Failed []string
}

// Input is all that a plan depends on, in any order. It may share nodes and functions with other inputs: none of them
// is changed. IDs of nodes are there once, and so are functions.
type Input struct {
	Nodes     []*Node
	Functions []*Function
}

// ordered puts nodes and functions in order.
func (in Input) ordered() Input {
	return Input{Nodes: sorted(in.Nodes, compareNodes), Functions: sorted(in.Functions, compareFunctions)}
}

// sorted returns the slice itself where it is sorted, which is so for all but tests.
func sorted[T any](s []T, compare func(a, b T) int) []T {
	if slices.IsSortedFunc(s, compare) {
		return s
	}
	return slices.SortedFunc(slices.Values(s), compare)
}

func compareNodes(a, b *Node) int { return strings.Compare(a.ID, b.ID) }

func compareFunctions(a, b *Function) int {
	if a == b {
		return 0
	}
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

// Plan is what to change so that everything is placed as it should be.
type Plan struct {
	// Placements are those that change, whole, ordered by function and revision. One without nodes places the revision
	// nowhere.
	Placements []*catalogv1.Placement
	// Unplaced are the revisions that have fewer executors than they should have even after the plan, and why, in the same
	// order.
	Unplaced []directory.Unplaced
	// Moves counts the placements of a revision on a node that are new.
	Moves int
}

// MakePlan gives the plan for an input. It is a pure function.
func MakePlan(in Input) Plan { return new(Planner).Plan(in) }
