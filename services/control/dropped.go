package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
)

// dropped is what the function's current revision answers and its new one does not, although the contracts keep it, so that
// contract.Build has nothing to say about it: whole services, and methods that an older version of an interface lacks.
// That other functions have them, too, is of no use to those who name this one.
func (s *Server) dropped(ctx context.Context, view *catalog.View, namespace, name string, built *contract.Built) ([]*weftv1.Change, error) {
	function := view.Function(namespace, name)
	current := catalog.Current(function)
	lost := droppedServices(view, namespace, name, current, built.Services)
	var shrunk []*contract.Service
	for _, service := range built.Services {
		_, exported := slices.BinarySearch(current.GetServices(), service.Name)
		if exported && len(service.Methods) < methodsOf(built.Contracts, service.Name) {
			shrunk = append(shrunk, service)
		}
	}
	if len(shrunk) == 0 {
		return lost, nil
	}
	before, err := s.config.Components.Revision(ctx, keyOf(function, current))
	if err != nil {
		return nil, fmt.Errorf("read revision %d of %s, to compare its methods: %w", current.GetNumber(), name, err)
	}
	for _, service := range shrunk {
		lost = append(lost, droppedMethods(name, before.Services, service)...)
	}
	return lost, nil
}

func droppedServices(view *catalog.View, namespace, name string, current *catalogv1.Revision, services []*contract.Service) []*weftv1.Change {
	var lost []*weftv1.Change
	for _, service := range current.GetServices() {
		if slices.ContainsFunc(services, func(s *contract.Service) bool { return s.Name == service }) {
			continue
		}
		others := slices.DeleteFunc(view.Exporters(namespace, service), func(other string) bool { return other == name })
		description := fmt.Sprintf("service no longer exported by %s", name)
		switch owner := view.Owner(namespace, service); {
		case len(others) == 0:
			description += ", nor by any other function"
		case owner == name:
			description += fmt.Sprintf("; %s answers calls that name no function", others[0])
		default:
			description += fmt.Sprintf("; %s goes on answering calls that name no function", owner)
		}
		lost = append(lost, &weftv1.Change{Path: service, Description: description, Breaking: true})
	}
	return lost
}

func droppedMethods(name string, before []*contract.Service, service *contract.Service) []*weftv1.Change {
	old, methods := lostMethods(before, service)
	var lost []*weftv1.Change
	for _, m := range methods {
		lost = append(lost, &weftv1.Change{
			Path:        service.Name + "/" + m,
			Description: fmt.Sprintf("method no longer exported by %s, whose interface is %s now, after %s", name, service.Interface, old.Interface),
			Breaking:    true,
		})
	}
	return lost
}

// lostMethods finds the service among those of another revision, by its name, and gives that and the names of the methods
// that it has and service has not; nil if there is no such service.
func lostMethods(before []*contract.Service, service *contract.Service) (old *contract.Service, methods []string) {
	at := slices.IndexFunc(before, func(s *contract.Service) bool { return s.Name == service.Name })
	if at < 0 {
		return nil, nil
	}
	for _, m := range before[at].Methods {
		if !slices.ContainsFunc(service.Methods, func(kept *contract.Method) bool { return kept.Name == m.Name }) {
			methods = append(methods, m.Name)
		}
	}
	return before[at], methods
}

// methodsOf is how many methods a service has in the contracts.
func methodsOf(contracts []*weftv1.Contract, service string) int {
	dot := strings.LastIndexByte(service, '.')
	for _, c := range contracts {
		if c.GetPackage() != service[:dot] {
			continue
		}
		for _, f := range c.GetFiles() {
			at := slices.IndexFunc(f.GetService(), func(d *descriptorpb.ServiceDescriptorProto) bool { return d.GetName() == service[dot+1:] })
			if at >= 0 {
				return len(f.GetService()[at].GetMethod())
			}
		}
	}
	return 0
}
