package control

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/wit/contract"
)

// plan is what a deploy does to the contracts, worked out on one view of the catalog.
type plan struct {
	view  *catalog.View
	built *contract.Built
	bound *bound
	// changed are all contracts that change, of exports and of imports from outside, and base the versions of those that were
	// built on.
	changed []*weftv1.Contract
	base    map[string]uint64
	changes []*weftv1.Change
	// artifact is the component that is to run: that of the candidate, or what it was linked into. Its imports that others answer
	// are bound to imports; bindings say to whom, and notes what the user should know of that.
	artifact artifact
	imports  []*contract.Service
	bindings []*catalogv1.Binding
	notes    []string
}

// plan builds the contracts of a component on the stored ones, and binds its imports.
func (s *Server) plan(ctx context.Context, c *candidate, spec *weftv1.DeploySpec, allowBreaking bool) (*plan, error) {
	view := s.view()
	packages := contract.Packages(spec.GetName(), c.world)
	seeds := map[string]*weftv1.Contract{}
	for _, k := range spec.GetContracts() {
		if _, twice := seeds[k.GetPackage()]; twice {
			return nil, invalid("package %s has two contracts", k.GetPackage())
		}
		seeds[k.GetPackage()] = k
		packages = append(packages, k.GetPackage())
	}
	stored := view.Related(spec.GetNamespace(), packages)
	built, err := contract.Build(contract.Input{
		Function:      spec.GetName(),
		World:         c.world,
		Comments:      c.comments,
		Stored:        stored,
		Seeds:         seeds,
		AllowBreaking: allowBreaking,
	})
	if err != nil {
		return nil, err
	}
	if len(built.Services) == 0 {
		return nil, failure.New(codes.InvalidArgument, Unsupported,
			"the component exports no function that can be called: export an interface with functions from its world")
	}
	for _, k := range built.Contracts {
		stored[k.GetPackage()] = k
	}
	b := &binder{
		server: s, view: view, namespace: spec.GetNamespace(), function: spec.GetName(), requested: spec.GetBindings(),
		before:    catalog.Current(view.Function(spec.GetNamespace(), spec.GetName())).GetBindings(),
		contracts: stored, seeds: seeds, breaking: allowBreaking,
	}
	bound, err := b.bind(ctx, c.foreign)
	if err != nil {
		return nil, err
	}
	lost, err := s.deserted(ctx, view, spec.GetNamespace(), spec.GetName(), built.Services)
	if err != nil {
		return nil, err
	}
	dropped, err := s.dropped(ctx, view, spec.GetNamespace(), spec.GetName(), built)
	if err != nil {
		return nil, err
	}
	gained := s.gained(ctx, view, spec.GetNamespace(), spec.GetName(), built)
	lost = append(lost, dropped...)
	for _, change := range gained {
		if change.GetBreaking() {
			lost = append(lost, change)
		}
	}
	if len(lost) > 0 && !allowBreaking {
		return nil, &contract.BreakingError{Changes: lost}
	}
	gained = slices.DeleteFunc(gained, (*weftv1.Change).GetBreaking) // they are in lost
	changes := slices.Concat(built.Changes, bound.changes, lost, gained)
	slices.SortStableFunc(changes, func(a, b *weftv1.Change) int { return cmp.Compare(a.GetPath(), b.GetPath()) })
	p := &plan{
		view: view, built: built, bound: bound, changes: changes, base: built.Base,
		artifact: c.artifact, imports: bound.imports, bindings: bound.bindings,
	}
	for _, k := range built.Changed {
		if bound.changed[k.GetPackage()] == nil {
			p.changed = append(p.changed, k)
		}
	}
	p.changed = append(p.changed, bound.changedContracts()...)
	for pkg := range bound.changed {
		p.base[pkg] = view.ContractVersion(spec.GetNamespace(), pkg)
	}
	if spec.GetLink() {
		return p, s.linkPlan(ctx, c, spec, p)
	}
	return p, nil
}

// services are the full names of a plan's services, ordered.
func (p *plan) services() []string {
	var names []string
	for _, service := range p.built.Services {
		names = append(names, service.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// packages are the proto packages whose contracts the component uses, ordered.
func (p *plan) packages() []string {
	packages := map[string]bool{}
	for _, pkg := range p.bound.packages {
		packages[pkg] = true
	}
	for _, c := range p.built.Contracts {
		packages[c.GetPackage()] = true
	}
	return slices.Sorted(maps.Keys(packages))
}
