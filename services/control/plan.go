package control

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/wit/contract"
)

// plan is what a deploy does to the contracts, worked out on one view of the catalog.
type plan struct {
	view    *catalog.View
	built   *contract.Built
	changes []*weftv1.Change
}

// plan builds the contracts of a component on the stored ones.
func (s *Server) plan(c *candidate, spec *weftv1.DeploySpec, allowBreaking bool) (*plan, error) {
	view := s.view()
	stored := map[string]*weftv1.Contract{}
	for _, k := range view.Contracts(spec.GetNamespace()) {
		stored[k.GetPackage()] = k
	}
	seeds := map[string]*weftv1.Contract{}
	for _, k := range spec.GetContracts() {
		if _, twice := seeds[k.GetPackage()]; twice {
			return nil, invalid("package %s has two contracts", k.GetPackage())
		}
		seeds[k.GetPackage()] = k
	}
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
	lost := lostServices(view, spec.GetNamespace(), spec.GetName(), built.Services)
	if len(lost) > 0 && !allowBreaking {
		return nil, &contract.BreakingError{Changes: lost}
	}
	changes := slices.Concat(built.Changes, lost)
	slices.SortStableFunc(changes, func(a, b *weftv1.Change) int { return cmp.Compare(a.GetPath(), b.GetPath()) })
	return &plan{view: view, built: built, changes: changes}, nil
}

// lostServices are the services that the function exports now, that its new revision does not, and that nobody else
// does. Their contracts stay, so contract.Build has nothing to say about them.
func lostServices(view *catalog.View, namespace, name string, services []*contract.Service) []*weftv1.Change {
	exported := map[string]bool{}
	for _, service := range services {
		exported[service.Name] = true
	}
	var lost []*weftv1.Change
	for _, service := range catalog.Current(view.Function(namespace, name)).GetServices() {
		others := slices.ContainsFunc(view.Exporters(namespace, service), func(other string) bool { return other != name })
		if exported[service] || others {
			continue
		}
		lost = append(lost, &weftv1.Change{
			Path:        service,
			Description: fmt.Sprintf("service no longer exported by %s, nor by any other function", name),
			Breaking:    true,
		})
	}
	return lost
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
	for _, c := range p.built.Contracts {
		packages[c.GetPackage()] = true
	}
	return slices.Sorted(maps.Keys(packages))
}
