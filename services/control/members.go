package control

import (
	"context"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Members is what the API needs of membership.Service: the nodes of the cluster, and who may be one. Errors are statuses,
// or those of Consensus.
type Members interface {
	List(*catalog.View) *weftv1.ListNodesResponse
	Drain(context.Context, *weftv1.DrainRequest) (*weftv1.DrainResponse, error)
	Remove(context.Context, *weftv1.RemoveRequest) (*weftv1.RemoveResponse, error)
	CreateToken(context.Context, *weftv1.CreateTokenRequest) (*weftv1.CreateTokenResponse, error)
	RevokeToken(context.Context, *weftv1.RevokeTokenRequest) (*weftv1.RevokeTokenResponse, error)
}

// ListNodes implements weft.v1.NodeService.
func (s *Server) ListNodes(ctx context.Context, r *weftv1.ListNodesRequest) (*weftv1.ListNodesResponse, error) {
	view, freshness, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	response := s.config.Members.List(view)
	response.Freshness = freshness
	return response, nil
}

// Drain implements weft.v1.NodeService.
func (s *Server) Drain(ctx context.Context, r *weftv1.DrainRequest) (*weftv1.DrainResponse, error) {
	if err := checkRequestID(r.GetRequestId()); err != nil {
		return nil, err
	}
	response, err := s.config.Members.Drain(ctx, r)
	return response, s.status(ctx, err)
}

// Remove implements weft.v1.NodeService.
func (s *Server) Remove(ctx context.Context, r *weftv1.RemoveRequest) (*weftv1.RemoveResponse, error) {
	if err := checkRequestID(r.GetRequestId()); err != nil {
		return nil, err
	}
	response, err := s.config.Members.Remove(ctx, r)
	return response, s.status(ctx, err)
}

// CreateToken implements weft.v1.NodeService.
func (s *Server) CreateToken(ctx context.Context, r *weftv1.CreateTokenRequest) (*weftv1.CreateTokenResponse, error) {
	response, err := s.config.Members.CreateToken(ctx, r)
	return response, s.status(ctx, err)
}

// RevokeToken implements weft.v1.NodeService.
func (s *Server) RevokeToken(ctx context.Context, r *weftv1.RevokeTokenRequest) (*weftv1.RevokeTokenResponse, error) {
	if err := checkRequestID(r.GetRequestId()); err != nil {
		return nil, err
	}
	response, err := s.config.Members.RevokeToken(ctx, r)
	return response, s.status(ctx, err)
}
