package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/placement"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Update implements weft.v1.FunctionService.
func (s *Server) Update(ctx context.Context, r *weftv1.UpdateRequest) (*weftv1.UpdateResponse, error) {
	response, err := s.update(ctx, r)
	return response, s.changeStatus(ctx, err)
}

func (s *Server) update(ctx context.Context, r *weftv1.UpdateRequest) (_ *weftv1.UpdateResponse, err error) {
	ns, err := target(r.GetNamespace(), r.GetName())
	if err != nil {
		return nil, err
	}
	if err := checkLimits(r.GetLimits()); err != nil {
		return nil, err
	}
	if err := checkScheduling(r.GetScheduling()); err != nil {
		return nil, err
	}
	if err := checkBindings(r.GetBindings()); err != nil {
		return nil, err
	}
	limit, err := wait(r.GetWait())
	if err != nil {
		return nil, err
	}
	if err := checkRequestID(r.GetRequestId()); err != nil {
		return nil, err
	}
	if err := s.catchUp(ctx, false); err != nil {
		return nil, err
	}
	id := requestID(r.GetRequestId())
	var held candidate
	defer func() { s.release(&held, !errors.Is(err, consensus.ErrOutcomeUnknown)) }()
	for attempt := 1; ; attempt++ {
		u, err := s.updated(ctx, ns, r, &held)
		if err != nil {
			return nil, err
		}
		if err := s.config.Executor.Try(ctx, u.runs); err != nil {
			return nil, err
		}
		if len(held.held) > 0 {
			if err := s.config.Replicas.Replicate(ctx, u.runs.Digest); err != nil {
				return nil, err
			}
		}
		result, err := s.apply(ctx, id, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: u.put}})
		if err != nil {
			return nil, err
		}
		refused := result.GetRefusal()
		if refused == nil {
			function, ready, warnings, err := s.settled(ctx,
				executor.Key{Namespace: ns, Function: r.GetName(), Revision: result.GetRevision()}, limit)
			return &weftv1.UpdateResponse{Function: function, Ready: ready, Warnings: slices.Concat(u.notes, warnings)}, err
		}
		if refused.GetReason() != catalogv1.Refusal_REASON_CONFLICT || attempt == maxAttempts {
			return nil, failure.Refused(refused)
		}
		if err := s.pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// updated is the current revision with what a request changes.
type updated struct {
	put *catalogv1.PutRevision
	// runs is the revision as the executor wants it, and notes what the user should know of its imports.
	runs  executor.Revision
	notes []string
}

// updated works out what a request changes. It adds to held what it puts into the store.
func (s *Server) updated(ctx context.Context, ns string, r *weftv1.UpdateRequest, held *candidate) (*updated, error) {
	view := s.view()
	current := catalog.Current(view.Function(ns, r.GetName()))
	if current == nil {
		return nil, notFound(view, ns, r.GetName())
	}
	row := proto.CloneOf(current)
	row.Number, row.CreatedUnixNanos = 0, 0
	setLimits(row, r.GetLimits())
	setScheduling(row, r.GetScheduling())
	if err := setEnvironment(row, current.GetNumber(), r); err != nil {
		return nil, err
	}
	u := &updated{put: &catalogv1.PutRevision{Namespace: ns, Name: r.GetName(), Revision: row, BaseRevision: current.GetNumber()}}
	k := executor.Key{Namespace: ns, Function: r.GetName(), Revision: current.GetNumber()}
	runs, err := s.config.Components.Revision(ctx, k)
	if err != nil {
		return nil, err
	}
	a, imports := artifact{digest: runs.Digest, path: runs.Path, world: runs.World, size: row.GetSizeBytes()}, runs.Imports
	if r.Link != nil || len(r.GetBindings()) > 0 {
		if a, imports, err = s.relink(ctx, view, u, a, r, held); err != nil {
			return nil, err
		}
	}
	u.runs = placement.Runnable(k, row, a.path, a.world, runs.Services, imports)
	return u, nil
}

// setEnvironment writes what a request changes of the environment into a row of the catalog.
func setEnvironment(row *catalogv1.Revision, number uint32, r *weftv1.UpdateRequest) error {
	if row.Environment == nil {
		row.Environment = map[string]string{}
	}
	for _, name := range r.GetUnsetEnvironment() {
		if _, ok := row.Environment[name]; !ok {
			return invalid("environment variable %q is not set in revision %d", name, number)
		}
		delete(row.Environment, name)
	}
	maps.Copy(row.Environment, r.GetEnvironment())
	return checkEnvironment(row.Environment)
}

// relink binds imports anew, and links them if that is asked for, or was done before and nobody says otherwise.
func (s *Server) relink(ctx context.Context, view *catalog.View, u *updated, a artifact, r *weftv1.UpdateRequest, held *candidate) (
	artifact, []*contract.Service, error,
) {
	row := u.put.GetRevision()
	before := catalog.Linked(row)
	link := before
	if r.Link != nil {
		link = r.GetLink()
	}
	if !link && !before {
		imports, err := s.rebind(ctx, view, u.put, a.world, r.GetBindings())
		return a, imports, err
	}
	component, world, err := uploaded(row, a.path, a.world)
	if err != nil {
		return a, nil, err
	}
	imports, err := s.rebind(ctx, view, u.put, world, r.GetBindings())
	if err != nil {
		return a, nil, err
	}
	var body io.Reader = bytes.NewReader(component)
	if link {
		l := &linker{server: s, view: view, namespace: u.put.GetNamespace(), function: r.GetName(), memory: row.GetMemoryBytes()}
		out, err := l.link(ctx, component, world, row.GetBindings())
		if err != nil {
			return a, nil, err
		}
		row.Bindings, u.notes, imports = out.bindings, out.notes, routed(out.bindings, imports)
		body = out.composition.Reader()
	}
	if a, err = s.keep(ctx, body); err != nil {
		return a, nil, err
	}
	held.held = append(held.held, a.digest)
	row.Digest, row.SizeBytes = a.digest[:], a.size
	return a, imports, nil
}

// rebind binds those imports of a revision anew that are requested.
func (s *Server) rebind(ctx context.Context, view *catalog.View, put *catalogv1.PutRevision, world *wit.World, requested map[string]string) (
	[]*contract.Service, error,
) {
	foreign, err := s.foreign(world)
	if err != nil {
		return nil, err
	}
	row := put.GetRevision()
	b := &binder{
		server: s, view: view, namespace: put.GetNamespace(), function: put.GetName(), requested: requested, before: row.GetBindings(),
		contracts: view.Related(put.GetNamespace(), contract.Packages(put.GetName(), world)),
	}
	bound, err := b.bind(ctx, foreign)
	if err != nil {
		return nil, err
	}
	row.Bindings = bound.bindings
	row.Packages = slices.Concat(row.GetPackages(), bound.packages)
	slices.Sort(row.Packages)
	row.Packages = slices.Compact(row.Packages)
	put.Contracts, put.BaseVersions = bound.changedContracts(), map[string]uint64{}
	for pkg := range bound.changed {
		put.BaseVersions[pkg] = view.ContractVersion(put.GetNamespace(), pkg)
	}
	return bound.imports, nil
}

// Route implements weft.v1.FunctionService.
func (s *Server) Route(ctx context.Context, r *weftv1.RouteRequest) (*weftv1.RouteResponse, error) {
	ns, err := target(r.GetNamespace(), r.GetName())
	if err != nil {
		return nil, err
	}
	result, err := s.change(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_SetRoute{SetRoute: &catalogv1.SetRoute{
			Namespace: ns, Service: r.GetService(), Function: r.GetName(),
		}},
	})
	return &weftv1.RouteResponse{Previous: result.GetPreviousOwner()}, s.changeStatus(ctx, err)
}

// Delete implements weft.v1.FunctionService.
func (s *Server) Delete(ctx context.Context, r *weftv1.DeleteRequest) (*weftv1.DeleteResponse, error) {
	ns, err := target(r.GetNamespace(), r.GetName())
	if err != nil {
		return nil, err
	}
	result, err := s.change(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_DeleteFunction{DeleteFunction: &catalogv1.DeleteFunction{
			Namespace: ns, Name: r.GetName(),
		}},
	})
	if err == nil {
		s.config.Logger.Info("deleted", "namespace", ns, "function", r.GetName(), "revisions", result.GetDeletedRevisions(),
			"secrets", result.GetDeletedSecrets())
	}
	return &weftv1.DeleteResponse{Revisions: result.GetDeletedRevisions()}, s.changeStatus(ctx, err)
}

// Forget implements weft.v1.FunctionService.
func (s *Server) Forget(ctx context.Context, r *weftv1.ForgetRequest) (*weftv1.ForgetResponse, error) {
	ns, err := namespace(r.GetNamespace())
	if err != nil {
		return nil, err
	}
	_, err = s.change(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_ForgetContract{ForgetContract: &catalogv1.ForgetContract{
			Namespace: ns, Package: r.GetPackage(),
		}},
	})
	return &weftv1.ForgetResponse{}, s.changeStatus(ctx, err)
}

// change applies a command that nothing has to be worked out for.
func (s *Server) change(ctx context.Context, id string, command *catalogv1.Command) (*catalogv1.Result, error) {
	if err := checkRequestID(id); err != nil {
		return nil, err
	}
	result, err := s.apply(ctx, requestID(id), command)
	if err != nil {
		return nil, err
	}
	if r := result.GetRefusal(); r != nil {
		return nil, failure.Refused(r)
	}
	return result, nil
}
