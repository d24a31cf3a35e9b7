// Package validate finds what in the record of a run breaks weft's promises.
package validate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/weft-run/weft/test/robustness/model"
)

// Sample is what a node said about itself.
type Sample struct {
	Node  string
	Index uint64 // of its catalog
	Hash  string // of the catalog's state there
	Fault string
	At    time.Duration
}

// Record is what was seen in a run.
type Record struct {
	Operations []model.Operation
	Samples    []Sample
	// Owner is the owner of the service before the first Route.
	Owner string
	// Lossy nodes lose what their local copy of the catalog had not synced, so that they go back in time with a kill.
	Lossy bool
}

// Violation is a promise that was broken.
type Violation struct {
	// Rule is its name.
	Rule string
	// What was seen, and where.
	What string
	// History is the history that can't be explained, if the rule is about one.
	History *History
}

func (v Violation) String() string { return v.Rule + ": " + v.What }

// History is what porcupine says of the operations on one function.
type History struct {
	Function string
	Model    porcupine.Model
	Info     porcupine.LinearizationInfo
}

// patience is how long porcupine may look for an explanation of one history.
const patience = time.Minute

// Check returns all violations in a record.
func Check(r Record) []Violation {
	return slices.Concat(linearizable(r), monotonic(r), consistent(r), forks(r), calls(r))
}

// linearizable checks that each function's history has an explanation.
func linearizable(r Record) (violations []Violation) {
	specification := model.Model(r.Owner)
	histories := model.Histories(r.Operations)
	for _, function := range slices.Sorted(maps.Keys(histories)) {
		result, info := porcupine.CheckOperationsVerbose(specification, histories[function], patience)
		if result == porcupine.Ok {
			continue
		}
		what := fmt.Sprintf("%d operations on %s have no order that explains them", len(histories[function]), function)
		if result == porcupine.Unknown {
			what = fmt.Sprintf("no order that explains the %d operations on %s was found within %v", len(histories[function]), function, patience)
		}
		violations = append(violations, Violation{
			Rule: "linearizable", What: what, History: &History{Function: function, Model: specification, Info: info},
		})
	}
	return violations
}

// life is one life of a node, from a start to its end.
type life struct {
	node  string
	start int
}

// monotonic checks that what a node shows never goes back in time, and that linearizable reads go forward whoever is
// asked.
func monotonic(r Record) (violations []Violation) {
	lives := make(map[life][]model.Operation)
	for _, o := range r.Operations {
		if o.Index == 0 {
			continue
		}
		if o.Kind == model.Get || o.Kind == model.Owner {
			lives[life{}] = append(lives[life{}], o)
		}
		l := life{o.Node, o.Start}
		if !r.Lossy {
			l.start = 0 // the local copy outlives a kill
		}
		lives[l] = append(lives[l], o)
	}
	for l, reads := range lives {
		whose := "reads at " + l.node
		if l.node == "" {
			whose = "linearizable reads"
		}
		if v := backwards(reads); v != "" {
			violations = append(violations, Violation{Rule: "monotonic", What: whose + ": " + v})
		}
	}
	return violations
}

// backwards finds a read that began after another one had ended, and saw an older catalog.
func backwards(reads []model.Operation) string {
	byEnd := slices.SortedFunc(slices.Values(reads), func(a, b model.Operation) int { return int(a.Ended - b.Ended) })
	byBegin := slices.SortedFunc(slices.Values(reads), func(a, b model.Operation) int { return int(a.Began - b.Began) })
	var newest model.Operation
	ended := 0
	for _, o := range byBegin {
		for ; ended < len(byEnd) && byEnd[ended].Ended < o.Began; ended++ {
			if byEnd[ended].Index > newest.Index {
				newest = byEnd[ended]
			}
		}
		if o.Index < newest.Index {
			return fmt.Sprintf("a %s at %s saw index %d from %v on; a %s at %s had seen %d by %v",
				o.Kind, o.Node, o.Index, o.Began, newest.Kind, newest.Node, newest.Index, newest.Ended)
		}
	}
	return ""
}

// consistent checks that nodes show the same at the same index.
func consistent(r Record) (violations []Violation) {
	type place struct {
		function string
		index    uint64
	}
	seen := make(map[place]model.Operation)
	for _, o := range r.Operations {
		if o.Index == 0 {
			continue
		}
		at := place{o.Function, o.Index}
		first, ok := seen[at]
		if !ok {
			seen[at] = o
			continue
		}
		if first.Seen != o.Seen {
			violations = append(violations, Violation{Rule: "consistent", What: fmt.Sprintf(
				"%s at index %d is %q at %s and %q at %s", o.Function, o.Index, first.Seen, first.Node, o.Seen, o.Node)})
		}
	}
	return violations
}

// forks checks that nodes have the same catalog at the same index.
func forks(r Record) (violations []Violation) {
	seen := make(map[uint64]Sample)
	for _, s := range r.Samples {
		first, ok := seen[s.Index]
		if !ok {
			seen[s.Index] = s
			continue
		}
		if first.Hash != s.Hash {
			violations = append(violations, Violation{Rule: "fork", What: fmt.Sprintf(
				"the catalog at index %d has hash %s at %s (%v) and %s at %s (%v)", s.Index, first.Hash, first.Node, first.At, s.Hash, s.Node, s.At)})
		}
	}
	return violations
}

// calls checks that each call was answered by a revision that somebody had asked for by then.
func calls(r Record) (violations []Violation) {
	made := make(map[string]model.Operation)
	for _, o := range r.Operations {
		if o.Effect() && o.Mark != "" {
			made[o.Function+" "+o.Mark] = o
		}
	}
	for _, o := range r.Operations {
		if o.Kind != model.Call {
			continue
		}
		m, ok := made[o.Function+" "+o.Seen]
		if !ok || m.Began > o.Ended {
			violations = append(violations, Violation{Rule: "call", What: fmt.Sprintf(
				"%s answered at %v by revision %q, which nobody had made by then", o.Function, o.Ended, o.Seen)})
		}
	}
	return violations
}
