package router

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
)

// table is what one view of the catalog says about the targets that were asked for. It holds only targets that exist and
// name no revision, so callers can't make it grow beyond the services that are deployed.
type table struct {
	view    *catalog.View
	entries sync.Map // Target → []*Destination
}

// candidates gives the revisions that may answer the target, the wanted one first. There is at least one.
func (t *table) candidates(target Target) ([]*Destination, error) {
	if found, ok := t.entries.Load(target); ok {
		return found.([]*Destination), nil //nolint:forcetypeassert // nothing else is put in
	}
	found, err := t.resolve(target)
	if err == nil && target.Revision == 0 {
		t.entries.Store(target, found)
	}
	return found, err
}

func (t *table) resolve(target Target) ([]*Destination, error) {
	name := target.Function
	if name == "" {
		if name = t.view.Owner(target.Namespace, target.Service); name == "" {
			return nil, t.unknownService(target)
		}
	}
	function := t.view.Function(target.Namespace, name)
	if function == nil {
		return nil, t.unknownFunction(target)
	}
	wanted := target.Revision
	if wanted == 0 {
		wanted = function.GetCurrent()
	}
	revisions := function.GetRevisions()
	at := slices.IndexFunc(revisions, func(r *catalogv1.Revision) bool { return r.GetNumber() == wanted })
	if at < 0 {
		return nil, failure.Newf(codes.Unimplemented, failure.UnknownFunction,
			"function %s in namespace %s has no revision %d; it has %s", name, target.Namespace, wanted, numbers(revisions))
	}
	if !exports(revisions[at], target.Service) {
		return nil, t.notExported(target, name, wanted)
	}
	found := []*Destination{destination(function, revisions[at])}
	if target.Revision != 0 {
		return found, nil
	}
	for _, older := range slices.Backward(revisions[:at]) {
		if exports(older, target.Service) {
			found = append(found, destination(function, older))
		}
	}
	return found, nil
}

func destination(f *catalogv1.Function, r *catalogv1.Revision) *Destination {
	message := int64(r.GetMessageBytes())
	if message <= 0 {
		message = executor.DefaultMessage
	}
	return &Destination{
		Key:     executor.Key{Namespace: f.GetNamespace(), Function: f.GetName(), Revision: r.GetNumber()},
		Message: message,
	}
}

func exports(r *catalogv1.Revision, service string) bool {
	_, ok := slices.BinarySearch(r.GetServices(), service)
	return ok
}

func (t *table) unknownService(target Target) error {
	services := func(yield func(string) bool) {
		for service := range t.view.Services(target.Namespace) {
			if !yield(service) {
				return
			}
		}
	}
	hint := near.Hint(near.Names(target.Service, services))
	if len(t.view.Functions(target.Namespace)) == 0 {
		hint = ": nothing is deployed there"
	}
	return failure.Newf(codes.Unimplemented, failure.UnknownService, "no service %s in namespace %s%s",
		target.Service, target.Namespace, hint)
}

func (t *table) unknownFunction(target Target) error {
	names := func(yield func(string) bool) {
		for _, f := range t.view.Functions(target.Namespace) {
			if !yield(f.GetName()) {
				return
			}
		}
	}
	return failure.Newf(codes.Unimplemented, failure.UnknownFunction, "no function %s in namespace %s%s",
		target.Function, target.Namespace, near.Hint(near.Names(target.Function, names)))
}

func (t *table) notExported(target Target, name string, revision uint32) error {
	message := fmt.Sprintf("function %s (revision %d) does not export %s", name, revision, target.Service)
	if others := t.view.Exporters(target.Namespace, target.Service); len(others) > 0 {
		if len(others) > 3 {
			others = append(slices.Clone(others[:3]), "others")
		}
		message += "; exported by " + strings.Join(others, ", ")
	}
	return failure.New(codes.Unimplemented, failure.NotExported, message)
}

// numbers lists the newest revisions of a function.
func numbers(revisions []*catalogv1.Revision) string {
	const shown = 5
	var list []string
	for _, r := range slices.Backward(revisions) {
		if len(list) == shown {
			list = append(list, "older ones")
			break
		}
		list = append(list, fmt.Sprint(r.GetNumber()))
	}
	return strings.Join(list, ", ")
}
