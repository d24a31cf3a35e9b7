package control

import (
	"cmp"
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/logs"
)

// Peer is another node that runs functions.
type Peer struct{ ID, Name string }

// Peers is what the API needs of other nodes.
type Peers interface {
	// Executors lists the other nodes that run functions and are heard of.
	Executors() []Peer
	// Conn gives the connection to a node.
	Conn(node string) (grpc.ClientConnInterface, error)
}

// Logs implements weft.v1.FunctionService: the lines of all nodes, in the order of their time.
func (s *Server) Logs(r *weftv1.LogsRequest, stream grpc.ServerStreamingServer[weftv1.LogsResponse]) error {
	ns, err := target(r.GetNamespace(), r.GetName())
	if err != nil {
		return err
	}
	if view := s.view(); view.Function(ns, r.GetName()) == nil {
		return notFound(view, ns, r.GetName())
	}
	tail := min(cmp.Or(r.GetTail(), logs.DefaultLines), logs.DefaultLines)
	wanted := &weftv1.LogsRequest{Namespace: ns, Name: r.GetName(), Follow: r.GetFollow(), Tail: tail}
	sources := func() []source {
		if s.view().Function(ns, r.GetName()) == nil {
			return nil // it was deleted, and its log with it
		}
		all := []source{{node: s.config.Node, read: func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
			s.lines(ctx, wanted, line, caughtUp)
			return nil
		}}}
		if s.config.Peers != nil {
			for _, p := range s.config.Peers.Executors() {
				all = append(all, source{node: p.Name, read: s.remoteLines(p, wanted)})
			}
		}
		return all
	}
	if err := gather(stream.Context(), sources, r.GetFollow(), int(tail), stream.Send); err != nil {
		return err
	}
	if stream.Context().Err() != nil {
		// The client is gone, or the gateway drains and the client is there to be told.
		return failure.New(codes.Unavailable, Closing, "the node is shutting down")
	}
	return nil
}

// lines passes on the lines of this node.
func (s *Server) lines(ctx context.Context, r *weftv1.LogsRequest, line func(*weftv1.LogsResponse) bool, caughtUp func()) {
	emit := func(l executor.Line) bool {
		return line(&weftv1.LogsResponse{
			Time:     timestamppb.New(l.Time),
			Revision: l.Key.Revision,
			Stream:   l.Stream,
			Level:    l.Level,
			Context:  l.Context,
			Message:  l.Message,
			CallId:   l.CallID,
			Node:     s.config.Node,
		})
	}
	if r.GetFollow() {
		s.config.Logs.Follow(ctx, r.GetNamespace(), r.GetName(), int(r.GetTail()), caughtUp)(emit)
		return
	}
	s.config.Logs.Read(r.GetNamespace(), r.GetName(), int(r.GetTail()))(emit)
	caughtUp()
}

// remoteLines reads the lines of another node.
func (s *Server) remoteLines(p Peer, r *weftv1.LogsRequest) func(context.Context, func(*weftv1.LogsResponse) bool, func()) error {
	return func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
		conn, err := s.config.Peers.Conn(p.ID)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := clusterv1.NewLineServiceClient(conn).Read(ctx, &clusterv1.ReadRequest{Request: r})
		if err != nil {
			return err
		}
		for {
			next, err := stream.Recv()
			if err != nil {
				return err
			}
			if l := next.GetLine(); l == nil {
				caughtUp()
			} else if !line(l) {
				return nil
			}
		}
	}
}

// lineServer is what other nodes ask for the lines of this one.
type lineServer struct {
	clusterv1.UnimplementedLineServiceServer

	server *Server
}

// Read implements weft.cluster.v1.LineService.
func (l lineServer) Read(r *clusterv1.ReadRequest, stream grpc.ServerStreamingServer[clusterv1.ReadResponse]) error {
	var failed error
	send := func(response *clusterv1.ReadResponse) bool {
		failed = stream.Send(response)
		return failed == nil
	}
	l.server.lines(stream.Context(), r.GetRequest(),
		func(line *weftv1.LogsResponse) bool {
			return send(&clusterv1.ReadResponse{Event: &clusterv1.ReadResponse_Line{Line: line}})
		},
		func() { send(&clusterv1.ReadResponse{Event: &clusterv1.ReadResponse_CaughtUp{CaughtUp: true}}) })
	return failed
}

// RegisterPeer adds what other nodes ask of the API to the gRPC server of the cluster port.
func (s *Server) RegisterPeer(r grpc.ServiceRegistrar) {
	clusterv1.RegisterLineServiceServer(r, lineServer{server: s})
}
