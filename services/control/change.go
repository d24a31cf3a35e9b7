package control

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

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

func (s *Server) update(ctx context.Context, r *weftv1.UpdateRequest) (*weftv1.UpdateResponse, error) {
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
	for attempt := 1; ; attempt++ {
		put, runs, err := s.updated(ctx, ns, r)
		if err != nil {
			return nil, err
		}
		if err := s.config.Executor.Try(ctx, runs); err != nil {
			return nil, err
		}
		result, err := s.apply(ctx, id, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: put}})
		if err != nil {
			return nil, err
		}
		refused := result.GetRefusal()
		if refused == nil {
			function, ready, warnings, err := s.settled(ctx,
				executor.Key{Namespace: ns, Function: r.GetName(), Revision: result.GetRevision()}, limit)
			return &weftv1.UpdateResponse{Function: function, Ready: ready, Warnings: warnings}, err
		}
		if refused.GetReason() != catalogv1.Refusal_REASON_CONFLICT || attempt == maxAttempts {
			return nil, failure.Refused(refused)
		}
		if err := s.pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// updated is the current revision with what the request changes, and as the executor wants it.
func (s *Server) updated(ctx context.Context, ns string, r *weftv1.UpdateRequest) (*catalogv1.PutRevision, executor.Revision, error) {
	view := s.view()
	current := catalog.Current(view.Function(ns, r.GetName()))
	if current == nil {
		return nil, executor.Revision{}, notFound(view, ns, r.GetName())
	}
	row := proto.CloneOf(current)
	row.Number, row.CreatedUnixNanos = 0, 0
	setLimits(row, r.GetLimits())
	setScheduling(row, r.GetScheduling())
	if row.Environment == nil {
		row.Environment = map[string]string{}
	}
	for _, name := range r.GetUnsetEnvironment() {
		if _, ok := row.Environment[name]; !ok {
			return nil, executor.Revision{}, invalid("environment variable %q is not set in revision %d", name, current.GetNumber())
		}
		delete(row.Environment, name)
	}
	maps.Copy(row.Environment, r.GetEnvironment())
	if err := checkEnvironment(row.Environment); err != nil {
		return nil, executor.Revision{}, err
	}
	put := &catalogv1.PutRevision{Namespace: ns, Name: r.GetName(), Revision: row, BaseRevision: current.GetNumber()}
	k := executor.Key{Namespace: ns, Function: r.GetName(), Revision: current.GetNumber()}
	runs, err := s.config.Components.Revision(ctx, k)
	if err != nil {
		return nil, executor.Revision{}, err
	}
	if len(r.GetBindings()) > 0 {
		if runs.Imports, err = s.rebind(ctx, view, put, runs.World, r.GetBindings()); err != nil {
			return nil, executor.Revision{}, err
		}
	}
	return put, placement.Runnable(k, row, runs.Path, runs.World, runs.Services, runs.Imports), nil
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
		contracts: map[string]*weftv1.Contract{},
	}
	for _, c := range view.Contracts(put.GetNamespace()) {
		b.contracts[c.GetPackage()] = c
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
