package replication

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// Node is what a Server needs of consensus.Node: what a leader does for others, without forwarding it, and what any
// scheduler does for nodes without a log.
type Node interface {
	LocalApply(context.Context, *catalogv1.Command) (*catalogv1.Result, error)
	LocalLinearize(context.Context) (index uint64, err error)
	Feed(ctx context.Context, from consensus.Position, sink consensus.Sink) error
}

// Server answers other nodes. It is safe for concurrent use.
type Server struct {
	clusterv1.UnimplementedLogServiceServer

	node Node
}

// NewServer makes a server over a node.
func NewServer(node Node) *Server { return &Server{node: node} }

// Register adds the service to those that peers may call.
func (s *Server) Register(r grpc.ServiceRegistrar) { clusterv1.RegisterLogServiceServer(r, s) }

// Apply implements weft.cluster.v1.LogService.
func (s *Server) Apply(ctx context.Context, r *clusterv1.ApplyRequest) (*clusterv1.ApplyResponse, error) {
	result, err := s.node.LocalApply(ctx, r.GetCommand())
	if err != nil {
		failure, err := answer(err)
		return &clusterv1.ApplyResponse{Failure: failure}, err
	}
	return &clusterv1.ApplyResponse{Result: result}, nil
}

// Linearize implements weft.cluster.v1.LogService.
func (s *Server) Linearize(ctx context.Context, _ *clusterv1.LinearizeRequest) (*clusterv1.LinearizeResponse, error) {
	index, err := s.node.LocalLinearize(ctx)
	if err != nil {
		failure, err := answer(err)
		return &clusterv1.LinearizeResponse{Failure: failure}, err
	}
	return &clusterv1.LinearizeResponse{Index: index}, nil
}

// answer gives a failure for the response, or a status where no failure says it.
func answer(err error) (clusterv1.Failure, error) {
	if failure := failureOf(err); failure != clusterv1.Failure_FAILURE_UNSPECIFIED {
		return failure, nil
	}
	return clusterv1.Failure_FAILURE_UNSPECIFIED, status.Error(codes.Unknown, err.Error())
}
