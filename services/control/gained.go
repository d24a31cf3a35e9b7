package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
)

// gained is what the function's new revision answers and its current one does not, although the contracts have it, so that
// contract.Build has nothing to say about it: services that a function exports or did, or that were imported from outside.
// The oldest function that exports one, unless there is a route, answers calls that name none, which may be this one from
// now on. If it lacks methods, that breaks those who call them.
func (s *Server) gained(ctx context.Context, view *catalog.View, namespace, name string, built *contract.Built) []*weftv1.Change {
	current := catalog.Current(view.Function(namespace, name))
	var all []*weftv1.Change
	for _, service := range built.Services {
		_, exported := slices.BinarySearch(current.GetServices(), service.Name)
		stored := view.Contract(namespace, service.Name[:strings.LastIndexByte(service.Name, '.')])
		if exported || methodsOf([]*weftv1.Contract{stored}, service.Name) == 0 {
			continue
		}
		var description string
		switch before, now := view.Owner(namespace, service.Name), view.OwnerWith(namespace, service.Name, name); before {
		case "":
			description = fmt.Sprintf("service exported by %s; no other function exports it", name)
		case now:
			description = fmt.Sprintf("service exported by %s, too; %s goes on answering calls that name no function", name, before)
		default:
			description = fmt.Sprintf("service exported by %s, too, and it answers calls that name no function from now on, instead of %s; to keep that, weft route %s %s",
				name, before, service.Name, before)
			all = append(all, s.lacks(ctx, view, namespace, before, name, service)...)
		}
		all = append(all, &weftv1.Change{Path: service.Name, Description: description})
	}
	return all
}

// lacks are the methods of a service that its owner has and the function that takes its place does not. An owner whose
// component can't be read keeps nobody from deploying another function: that the two were not compared is all it says then.
func (s *Server) lacks(ctx context.Context, view *catalog.View, namespace, owner, name string, service *contract.Service) []*weftv1.Change {
	function := view.Function(namespace, owner)
	revision := catalog.Current(function)
	r, err := s.config.Components.Revision(ctx, keyOf(function, revision))
	if err != nil {
		return []*weftv1.Change{{
			Path: service.Name,
			Description: fmt.Sprintf("methods of %s could not be compared with those of %s, whose revision %d can't be read: %v",
				name, owner, revision.GetNumber(), err),
		}}
	}
	var all []*weftv1.Change
	_, methods := lostMethods(r.Services, service)
	for _, m := range methods {
		all = append(all, &weftv1.Change{
			Path:        service.Name + "/" + m,
			Description: fmt.Sprintf("method not exported by %s, which would answer calls that name no function, instead of %s", name, owner),
			Breaking:    true,
		})
	}
	return all
}
