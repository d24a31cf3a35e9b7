package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// shownCalls is how many calls deep a description goes, maxCalls how many it shows in all.
const (
	shownCalls = 5
	maxCalls   = 256
)

// deserted are the bindings of other functions that a new revision would leave without an answer. Functions that are linked
// have theirs.
func (s *Server) deserted(ctx context.Context, view *catalog.View, namespace, name string, services []*contract.Service) ([]*weftv1.Change, error) {
	var lost []*weftv1.Change
	for call := range view.Callers(namespace, name) {
		if call.Linked {
			continue
		}
		at := slices.IndexFunc(services, func(s *contract.Service) bool { return s.Name == call.Service })
		description := fmt.Sprintf("service no longer exported by %s, which answers import %s of function %s", name, call.Import, call.Function)
		if at >= 0 {
			caller := view.Function(namespace, call.Function)
			r, err := s.config.Components.Revision(ctx, keyOf(caller, catalog.Current(caller)))
			if err != nil {
				return nil, fmt.Errorf("read function %s, which calls %s: %w", call.Function, name, err)
			}
			if description = unserved(services[at], r.Imports, call); description == "" {
				continue
			}
		}
		lost = append(lost, &weftv1.Change{Path: call.Service, Description: description, Breaking: true})
	}
	return lost, nil
}

// unserved says why a service can't answer an import any more; it is empty if it can.
func unserved(service *contract.Service, imports []*contract.Service, call catalog.Call) string {
	at := slices.IndexFunc(imports, func(s *contract.Service) bool { return s.Interface == call.Import })
	if at < 0 {
		return ""
	}
	if !contract.Compatible(version(service.Interface), version(call.Import)) {
		return fmt.Sprintf("%s does not answer import %s of function %s", service.Interface, call.Import, call.Function)
	}
	if refused, ok := errors.AsType[*contract.RefusedError](contract.Serves(service, imports[at])); ok {
		return fmt.Sprintf("function %s could not call it any more: %s", call.Function, refused)
	}
	return ""
}

// calls is the tree of what a revision calls.
func calls(view *catalog.View, namespace string, bindings []*catalogv1.Binding, depth int, left *int) []*weftv1.Call {
	var all []*weftv1.Call
	for _, b := range bindings {
		if *left--; *left < 0 {
			return all
		}
		c := &weftv1.Call{
			Function: b.GetFunction(), Address: b.GetAddress(), Service: b.GetService(), LinkedRevision: b.GetLink().GetRevision(),
		}
		if depth > 1 && b.GetFunction() != "" {
			next := b.GetLink().GetBindings()
			if b.GetLink() == nil {
				next = catalog.Current(view.Function(namespace, b.GetFunction())).GetBindings()
			}
			c.Calls = calls(view, namespace, next, depth-1, left)
		}
		all = append(all, c)
	}
	return all
}

// callers are the names of the functions that are bound to one.
func callers(view *catalog.View, namespace, name string) []string {
	var names []string
	for call := range view.Callers(namespace, name) {
		names = append(names, call.Function)
	}
	return slices.Compact(names)
}

// bindings says what satisfies the imports of a component: first those that are linked, which its world does not have any more.
func bindings(view *catalog.View, namespace string, world *wit.World, rows []*catalogv1.Binding) []*weftv1.Binding {
	var all []*weftv1.Binding
	for _, row := range rows {
		link := row.GetLink()
		if link == nil {
			continue
		}
		b := &weftv1.Binding{
			Import: row.GetImport(), Target: "function", Function: row.GetFunction(), Service: row.GetService(), LinkedRevision: link.GetRevision(),
		}
		current := catalog.Current(view.Function(namespace, row.GetFunction()))
		if current.GetNumber() != link.GetRevision() {
			b.NewerRevision = current.GetNumber()
		}
		all = append(all, b)
	}
	for _, i := range world.Imports {
		b := &weftv1.Binding{Import: i.ID, Target: "host"}
		at, ok := slices.BinarySearchFunc(rows, i.ID, func(row *catalogv1.Binding, id string) int { return strings.Compare(row.GetImport(), id) })
		ok = ok && rows[at].GetLink() == nil
		switch {
		case ok && rows[at].GetFunction() != "":
			b.Target, b.Function, b.Service = "function", rows[at].GetFunction(), rows[at].GetService()
		case ok:
			b.Target, b.Address, b.Service = "address", rows[at].GetAddress(), rows[at].GetService()
		case len(i.Functions) == 0 && !slices.ContainsFunc(i.Types, func(t wit.NamedType) bool { return t.Resource != nil }):
			b.Target = "types"
		}
		all = append(all, b)
	}
	for _, f := range world.ImportFunctions {
		all = append(all, &weftv1.Binding{Import: f.Name, Target: "host"})
	}
	return all
}
