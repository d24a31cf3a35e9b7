package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

// Input is what a build is made from. Build changes nothing of it.
type Input struct {
	// Function is the name of the function that is deployed.
	Function string
	// World is what its component imports and exports.
	World *wit.World
	// Comments are the author's; nil keeps those that the contracts have.
	Comments doc.Comments
	// Stored are the contracts of the namespace, by package: those of the packages that Packages lists, and of all that import
	// these, since what they have in requests decides what is breaking; and what any of them imports. More do no harm.
	Stored map[string]*weftv1.Contract
	// Seeds are contracts whose names and numbers to start from, by package, where nothing is stored.
	Seeds map[string]*weftv1.Contract
	// AllowBreaking accepts changes that break callers. A field whose type changes gets a new number; what is removed
	// keeps its number, so that nothing else is ever given it.
	AllowBreaking bool
}

// Built is the result of a build.
type Built struct {
	// Contracts are all contracts that the component uses, as after the deploy, ordered by package. They are closed
	// over imports.
	Contracts []*weftv1.Contract
	// Changed are those of them that are not as they were stored. Their version is one higher.
	Changed []*weftv1.Contract
	// Base holds the version of each of Contracts that the build started from, by package; 0 if there was none.
	Base map[string]uint64
	// Changes are what callers see of it, ordered by path. Comments are not among them.
	Changes []*weftv1.Change
	// Services are what the component serves, ordered by name.
	Services []*Service
}

// Build maps what a component exports to protobuf, on top of the contracts that there are. It is a pure function: the
// same input gives the same bytes. It fails with a *RefusedError or, unless the input allows it, a *BreakingError.
//
// A change that only touches comments gives a contract a new version too.
func Build(in Input) (*Built, error) {
	p, err := survey(in.Function, in.World)
	if err != nil {
		return nil, err
	}
	x, err := newExtender(p, in)
	if err != nil {
		return nil, err
	}
	if err := x.assign(); err != nil {
		return nil, err
	}
	for _, u := range p.units {
		if err := x.unit(u); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(x.changes, func(a, b *weftv1.Change) int {
		return cmp.Or(cmp.Compare(a.GetPath(), b.GetPath()), cmp.Compare(a.GetDescription(), b.GetDescription()))
	})
	if breaking := breaking(x.changes); len(breaking) > 0 && !in.AllowBreaking {
		return nil, &BreakingError{Changes: breaking}
	}
	return x.finish(in)
}

func breaking(changes []*weftv1.Change) []*weftv1.Change {
	var out []*weftv1.Change
	for _, c := range changes {
		if c.GetBreaking() {
			out = append(out, c)
		}
	}
	return out
}

// newExtender opens the contracts of the plan's packages.
func newExtender(p *plan, in Input) (*extender, error) {
	x := &extender{
		book:    newBook(p, in.Comments),
		docs:    newDocs(in.Comments),
		defined: make(map[string]*wit.Type),
		fresh:   make(map[string]bool),
	}
	x.claiming = true
	for pkg, c := range in.Seeds {
		if in.Stored[pkg] == nil {
			x.before = append(x.before, c)
		}
	}
	for _, c := range in.Stored {
		x.before = append(x.before, c)
	}
	for _, u := range p.units {
		if x.ledgers[u.pkg] != nil {
			continue
		}
		c, err := open(u.pkg, in)
		if err != nil {
			return nil, err
		}
		if in.Stored[u.pkg] == nil {
			x.change(u.pkg, false, "package added")
			x.fresh[u.pkg] = in.Seeds[u.pkg] == nil
		}
		for _, f := range c.GetFiles() {
			x.docs.load(f)
		}
		x.ledgers[u.pkg] = newLedger(c)
	}
	return x, nil
}

// open returns a copy of the contract to start from.
func open(pkg string, in Input) (*weftv1.Contract, error) {
	if c := in.Stored[pkg]; c != nil {
		return proto.CloneOf(c), nil
	}
	seed := in.Seeds[pkg]
	if seed == nil {
		return &weftv1.Contract{Package: pkg}, nil
	}
	if err := checkSeed(pkg, seed); err != nil {
		return nil, err
	}
	c := proto.CloneOf(seed)
	c.Version = 0
	return c, nil
}

// finish turns the ledgers back into contracts, and binds the component to them.
func (x *extender) finish(in Input) (*Built, error) {
	home := x.home()
	contracts := make(map[string]*weftv1.Contract)
	for pkg, l := range x.ledgers {
		l.settle(x.docs, home)
		if len(l.contract.GetFiles()) == 0 && in.Stored[pkg] == nil {
			continue // nothing but aliases
		}
		contracts[pkg] = l.contract
	}
	if err := addImports(contracts, in); err != nil {
		return nil, err
	}
	built := &Built{Base: make(map[string]uint64)}
	for _, pkg := range slices.Sorted(maps.Keys(contracts)) {
		c, stored := contracts[pkg], in.Stored[pkg]
		c.Version = stored.GetVersion()
		built.Base[pkg] = c.GetVersion()
		if stored == nil || !proto.Equal(c, stored) {
			c.Version++
			built.Changed = append(built.Changed, c)
		}
		if size := proto.Size(c); size > maxContract {
			return nil, &RefusedError{Path: pkg, Msg: fmt.Sprintf("the contract would take %d bytes; the limit is %d", size, maxContract)}
		}
		built.Contracts = append(built.Contracts, c)
	}
	for _, c := range x.changes {
		if pkg := c.GetPath(); in.Stored[pkg] != nil || contracts[pkg] != nil || x.ledgers[pkg] == nil {
			built.Changes = append(built.Changes, c)
		}
	}
	if err := verify(built.Contracts); err != nil {
		return nil, err
	}
	var err error
	built.Services, err = Bind(in.Function, in.World, contracts)
	return built, err
}
