package contract_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// TestRandom builds random worlds and changes them at random, keeping all of the rules that hold for any history:
//
//   - the same input gives the same bytes, and building on the result changes nothing
//   - what is compatible is accepted, what is breaking is refused
//   - names and numbers never change and are never given to something else
//   - no two fields of a message share a number
//   - every revision still binds to the numbers that it was built with
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &archive{contracts: map[string]*weftv1.Contract{}, given: map[string]string{}}
		world := wittest.World(t, "demo")
		if !a.build(t, world, false) {
			return // two names that clash even with the interface in front
		}
		serial := 0
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			e := newEvolution(t, world, &serial)
			breaking := rapid.IntRange(0, 2).Draw(t, "breaking") == 0
			if breaking && e.breaking() || !breaking && e.compatible() {
				if a.build(t, e.world, breaking) {
					world = e.world
				}
			}
		}
		a.rebind(t)
	})
}

// An archive keeps what was built, and all that was ever given.
type archive struct {
	contracts map[string]*weftv1.Contract
	given     map[string]string
	revisions []revision
}

// build builds a world; it is false where names clash.
func (a *archive) build(t *rapid.T, world *wit.World, breaking bool) bool {
	in := contract.Input{Function: "random-fn", World: world, Stored: a.contracts}
	built, err := contract.Build(in)
	var refused *contract.RefusedError
	if errors.As(err, &refused) {
		if !strings.Contains(refused.Msg, "is held by") {
			t.Fatalf("refused: %v", err)
		}
		return false
	}
	if breaking {
		if _, ok := errors.AsType[*contract.BreakingError](err); !ok {
			t.Fatalf("a breaking change is not refused: %v", err)
		}
		in.AllowBreaking = true
		built, err = contract.Build(in)
		if errors.As(err, &refused) {
			return false
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	second, err := contract.Build(in)
	if err != nil || !equal(built.Contracts, second.Contracts) {
		t.Fatalf("two builds differ: %v", err)
	}
	for _, c := range built.Contracts {
		a.contracts[c.GetPackage()] = c
		a.note(t, c)
	}
	in.Stored, in.AllowBreaking = a.contracts, false
	if idle, err := contract.Build(in); err != nil || len(idle.Changed)+len(idle.Changes) > 0 {
		t.Fatalf("building on the result changes it: %v, %v", err, idle)
	}
	if twice := shared(built.Services); twice != "" {
		t.Fatalf("two fields share a number: %s", twice)
	}
	a.revisions = append(a.revisions, revision{world, built.Services})
	return true
}

func equal(a, b []*weftv1.Contract) bool {
	for i := range a {
		if !proto.Equal(a[i], b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// note checks a contract against all that was given before, and remembers it.
func (a *archive) note(t *rapid.T, c *weftv1.Contract) {
	give := func(what, to string) {
		if had, ok := a.given[what]; ok && had != to {
			t.Fatalf("%s was given to %s and is now given to %s", what, had, to)
		}
		a.given[what] = to
	}
	for _, claim := range c.GetClaims() {
		kind := claim.GetForm()
		if kind != "enum" && kind != "value" {
			kind = ""
		}
		if claim.GetName() == "" {
			continue // an interface that has no service yet
		}
		give(fmt.Sprintf("the name of %s %s %s", c.GetPackage(), kind, claim.GetItem()), claim.GetName())
	}
	for _, f := range c.GetFiles() {
		for _, m := range f.GetMessageType() {
			for _, field := range m.GetField() {
				give(fmt.Sprintf("number %d of %s.%s", field.GetNumber(), c.GetPackage(), m.GetName()), field.GetName()+" "+field.GetType().String())
			}
		}
		for _, e := range f.GetEnumType() {
			for _, v := range e.GetValue() {
				give(fmt.Sprintf("number %d of %s.%s", v.GetNumber(), c.GetPackage(), e.GetName()), v.GetName())
			}
		}
	}
}

func (a *archive) rebind(t *rapid.T) {
	for i, r := range a.revisions {
		services, err := contract.Bind("random-fn", r.world, a.contracts)
		if err != nil || !reflect.DeepEqual(services, r.services) {
			t.Fatalf("revision %d of %d has other numbers now: %v", i+1, len(a.revisions), err)
		}
	}
}
