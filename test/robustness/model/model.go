// Package model says how weft's catalog should behave, as a sequential specification that porcupine checks histories
// against. Each function is a machine of its own, and so is the owner of the service that traffic routes.
package model

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Kind is a kind of operation.
type Kind string

const (
	// Deploy makes a revision, and the function if it is the first.
	Deploy Kind = "deploy"
	// Update makes a revision of a function that is there.
	Update Kind = "update"
	// Delete removes a function with all its revisions.
	Delete Kind = "delete"
	// Get reads a function, linearizably.
	Get Kind = "get"
	// Stale reads a function as one node knows it: its state at any time before the end of the read.
	Stale Kind = "stale"
	// Route makes a function the owner of the service.
	Route Kind = "route"
	// Owner reads the owner of the service, linearizably.
	Owner Kind = "owner"
	// Call calls a function. It is no operation of the catalog; package validate checks it.
	Call Kind = "call"
)

// Input is what was asked for.
type Input struct {
	Kind Kind `json:"kind"`
	// Function is the function's name; that of the service for Route and Owner.
	Function string `json:"function"`
	// Mark is what tells the revision that is made from all others; for Route, the new owner.
	Mark string `json:"mark,omitempty"`
}

// Output is what came back.
type Output struct {
	// Unknown: the operation has taken effect, will, or never does.
	Unknown bool `json:"unknown,omitempty"`
	// NotFound: there was no such function.
	NotFound bool `json:"not_found,omitempty"`
	// Revision is the number of the revision that was made; 0 if the answer did not tell.
	Revision uint32 `json:"revision,omitempty"`
	// Deleted is how many revisions a Delete removed.
	Deleted int `json:"deleted,omitempty"`
	// Seen is what was read: revisions as State has them, or an owner; the mark of the revision that answered a Call;
	// for Route, the owner before.
	Seen string `json:"seen,omitempty"`
	// Error is what the client was told, for people.
	Error string `json:"error,omitempty"`
}

// Operation is one operation of a client, and when it began and ended, since the beginning of the run. An operation
// that failed without effect is none, unless it was told NotFound.
type Operation struct {
	Client int `json:"client"`
	// Node is the name of the node that was asked, and Start says which of its starts that was.
	Node  string `json:"node"`
	Start int    `json:"start"`
	// Index is the log index of the catalog that was read; 0 if the answer did not tell.
	Index uint64 `json:"index,omitempty"`
	Input
	Output
	Began time.Duration `json:"began_nanos"`
	Ended time.Duration `json:"ended_nanos"`
}

// Effect tells whether the operation may have changed the catalog.
func (o Operation) Effect() bool {
	switch o.Kind {
	case Deploy, Update, Delete, Route:
		return !o.NotFound
	default:
		return false
	}
}

// State is the state of one function, or of the owner.
type State struct {
	// Last is the number that was given last. Numbers outlive a deletion.
	Last uint32
	// Seen is the revisions, "1:mark 2:mark"; empty if the function is not there. The name of the owner.
	Seen string
}

// Append is State.Seen with one revision more.
func Append(seen string, number uint32, mark string) string {
	return strings.TrimPrefix(fmt.Sprintf("%s %d:%s", seen, number, mark), " ")
}

// Step tells whether an operation may have had its output in a state, and gives the state after it.
func Step(s State, in Input, out Output) (bool, State) {
	switch in.Kind {
	case Deploy:
		if out.NotFound {
			return false, s
		}
		return s.add(in, out)
	case Update:
		if s.Seen == "" {
			return out.NotFound || out.Unknown, s
		}
		if out.NotFound {
			return false, s
		}
		return s.add(in, out)
	case Delete:
		count := len(strings.Fields(s.Seen))
		if count == 0 {
			return out.NotFound || out.Unknown, s
		}
		if out.NotFound || !out.Unknown && out.Deleted != count {
			return false, s
		}
		return true, State{Last: s.Last}
	case Route:
		return out.Unknown || out.Seen == s.Seen, State{Seen: in.Mark}
	case Get, Stale, Owner:
		return out.Seen == s.Seen, s
	default:
		return false, s
	}
}

func (s State) add(in Input, out Output) (bool, State) {
	number := s.Last + 1
	if out.Revision != 0 && out.Revision != number {
		return false, s
	}
	return true, State{Last: number, Seen: Append(s.Seen, number, in.Mark)}
}

// Model is the specification for porcupine; owner is the owner of the service before the first Route.
func Model(owner string) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return nil },
		Step: func(state, input, output any) (bool, any) {
			in := input.(Input)
			s, ok := state.(State)
			if !ok && (in.Kind == Route || in.Kind == Owner) {
				s = State{Seen: owner}
			}
			legal, next := Step(s, in, output.(Output))
			return legal, next
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: func(in, out any) string { return describe(in.(Input), out.(Output)) },
		DescribeState:     func(state any) string { return fmt.Sprint(state) },
	}
}

// Histories gives the operations of each function as porcupine wants them.
func Histories(operations []Operation) map[string][]porcupine.Operation {
	histories := make(map[string][]porcupine.Operation)
	earliest := make(map[string]int) // function and what was seen, to the place of the first stale read of it
	for _, o := range operations {
		if o.Kind == Call || o.Unknown && !o.Effect() {
			continue
		}
		p := porcupine.Operation{ClientId: o.Client, Input: o.Input, Call: int64(o.Began), Output: o.Output, Return: int64(o.Ended)}
		switch {
		case o.Unknown:
			p.Return = math.MaxInt64
		case o.Kind == Stale:
			// The state that it saw may be from any time before it ended. Of several that saw the same, the one that ended
			// first says all.
			p.Call = 0
			key := o.Function + "\n" + o.Seen
			if at, ok := earliest[key]; ok {
				if first := &histories[o.Function][at]; first.Return > p.Return {
					*first = p
				}
				continue
			}
			earliest[key] = len(histories[o.Function])
		}
		histories[o.Function] = append(histories[o.Function], p)
	}
	return histories
}

func describe(in Input, out Output) string {
	result := out.Seen
	switch {
	case out.Unknown:
		result = "? " + out.Error
	case out.NotFound:
		result = "not found"
	case in.Kind == Deploy || in.Kind == Update:
		result = fmt.Sprint(out.Revision)
	case in.Kind == Delete:
		result = fmt.Sprint(out.Deleted)
	}
	return fmt.Sprintf("%s(%s %s) → %s", in.Kind, in.Function, in.Mark, result)
}
