package control

import (
	"context"
	"encoding/hex"
	"errors"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
)

// Get implements weft.v1.FunctionService.
func (s *Server) Get(ctx context.Context, r *weftv1.GetRequest) (*weftv1.GetResponse, error) {
	ns, err := target(r.GetNamespace(), r.GetName())
	if err != nil {
		return nil, err
	}
	view, freshness, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	row := view.Function(ns, r.GetName())
	if row == nil {
		return nil, notFound(view, ns, r.GetName())
	}
	return &weftv1.GetResponse{Function: s.describe(ctx, view, row, r.GetTranscoder()), Freshness: freshness}, nil
}

// List implements weft.v1.FunctionService.
func (s *Server) List(ctx context.Context, r *weftv1.ListRequest) (*weftv1.ListResponse, error) {
	ns, err := namespace(r.GetNamespace())
	if err != nil {
		return nil, err
	}
	view, freshness, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	response := &weftv1.ListResponse{Freshness: freshness}
	for _, row := range view.Functions(ns) {
		response.Functions = append(response.Functions, s.brief(view, row))
	}
	return response, nil
}

// Schema implements weft.v1.FunctionService.
func (s *Server) Schema(ctx context.Context, r *weftv1.SchemaRequest) (*weftv1.SchemaResponse, error) {
	ns, err := namespace(r.GetNamespace())
	if err != nil {
		return nil, err
	}
	view := s.view()
	var contracts []*weftv1.Contract
	if r.GetName() == "" {
		contracts = view.Contracts(ns)
	} else {
		if err := checkName(r.GetName()); err != nil {
			return nil, err
		}
		row := view.Function(ns, r.GetName())
		if row == nil {
			return nil, notFound(view, ns, r.GetName())
		}
		for _, pkg := range catalog.Current(row).GetPackages() {
			if c := view.Contract(ns, pkg); c != nil {
				contracts = append(contracts, c)
			}
		}
	}
	files, err := contract.Files(contracts)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	return &weftv1.SchemaResponse{Contracts: contracts, Files: files}, nil
}

// Status implements weft.v1.NodeService.
func (s *Server) Status(context.Context, *weftv1.StatusRequest) (*weftv1.StatusResponse, error) {
	status := s.config.Consensus.Status()
	r := &weftv1.StatusResponse{
		Node:         s.config.Node,
		Version:      s.config.Version,
		Engine:       s.config.Executor.Fingerprint(),
		Leader:       s.config.Consensus.Leader(),
		AppliedIndex: status.Applied,
		StateHash:    hex.EncodeToString(status.Hash),
		Started:      timestamppb.New(s.started),
		Id:           status.ID,
		Cluster:      status.Cluster,
		Roles:        s.config.Roles,
		Term:         status.Term,
		Stale:        durationpb.New(status.Stale),
		SecretKeys:   s.config.Keys.IDs(),
	}
	if leader := s.view().Node(r.GetLeader()); leader != nil {
		r.Leader = leader.GetName()
	}
	if err := errors.Join(status.Fault, status.Fork); err != nil {
		r.Fault = err.Error()
	}
	return r, nil
}
