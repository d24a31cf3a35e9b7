package control

import (
	"context"
	"maps"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/placement"
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
		put, err := s.updated(ns, r)
		if err != nil {
			return nil, err
		}
		if err := s.tryUpdate(ctx, put); err != nil {
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

// updated is the current revision with what the request changes.
func (s *Server) updated(ns string, r *weftv1.UpdateRequest) (*catalogv1.PutRevision, error) {
	view := s.view()
	current := catalog.Current(view.Function(ns, r.GetName()))
	if current == nil {
		return nil, notFound(view, ns, r.GetName())
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
			return nil, invalid("environment variable %q is not set in revision %d", name, current.GetNumber())
		}
		delete(row.Environment, name)
	}
	maps.Copy(row.Environment, r.GetEnvironment())
	if err := checkEnvironment(row.Environment); err != nil {
		return nil, err
	}
	return &catalogv1.PutRevision{
		Namespace: ns, Name: r.GetName(), Revision: row, BaseRevision: current.GetNumber(),
	}, nil
}

// tryUpdate finds out whether the component of the current revision can run with what is new.
func (s *Server) tryUpdate(ctx context.Context, put *catalogv1.PutRevision) error {
	k := executor.Key{Namespace: put.GetNamespace(), Function: put.GetName(), Revision: put.GetBaseRevision()}
	r, err := s.config.Components.Revision(ctx, k)
	if err != nil {
		return err
	}
	return s.config.Executor.Try(ctx, placement.Runnable(k, put.GetRevision(), r.Path, r.World, r.Services))
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
		s.config.Logger.Info("deleted", "namespace", ns, "function", r.GetName(), "revisions", result.GetDeletedRevisions())
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
