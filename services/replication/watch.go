package replication

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// piece is how much of a snapshot goes into one message.
const piece = 256 << 10

// Watch implements weft.cluster.v1.LogService.
func (s *Server) Watch(r *clusterv1.WatchRequest, stream grpc.ServerStreamingServer[clusterv1.WatchResponse]) error {
	err := s.node.Feed(stream.Context(), consensus.Position{Index: r.GetIndex(), Hash: r.GetStateHash()}, &outgoing{stream})
	switch {
	case errors.Is(err, consensus.ErrNoLog), errors.Is(err, consensus.ErrClosed):
		return status.Error(codes.Unavailable, err.Error())
	case err == nil, status.Code(err) != codes.Unknown:
		return err
	}
	return status.FromContextError(err).Err()
}

// outgoing is the sink of a watch that another node made.
type outgoing struct {
	stream grpc.ServerStreamingServer[clusterv1.WatchResponse]
}

// Snapshot implements consensus.Sink.
func (o *outgoing) Snapshot(r io.Reader) error {
	for {
		b := make([]byte, piece) // the stream may hold it for a while
		n, err := io.ReadFull(r, b)
		if n > 0 {
			if err := o.stream.Send(&clusterv1.WatchResponse{Step: &clusterv1.WatchResponse_Snapshot{Snapshot: b[:n]}}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return o.stream.Send(&clusterv1.WatchResponse{Step: &clusterv1.WatchResponse_Snapshot{}})
		}
		if err != nil {
			return err
		}
	}
}

// Entries implements consensus.Sink.
func (o *outgoing) Entries(entries []consensus.Entry) error {
	step := &clusterv1.Entries{Entries: make([]*clusterv1.Entry, len(entries))}
	for i, e := range entries {
		step.Entries[i] = &clusterv1.Entry{Index: e.Index, Data: e.Data}
	}
	return o.stream.Send(&clusterv1.WatchResponse{Step: &clusterv1.WatchResponse_Entries{Entries: step}})
}

// Heartbeat implements consensus.Sink.
func (o *outgoing) Heartbeat(h consensus.Heartbeat) error {
	return o.stream.Send(&clusterv1.WatchResponse{Step: &clusterv1.WatchResponse_Heartbeat{Heartbeat: &clusterv1.Heartbeat{
		Index: h.Index, StateHash: h.Hash, StaleNanos: h.StaleNanos, Leader: h.Leader,
	}}})
}

// Watch implements consensus.Peers.
func (c *Client) Watch(ctx context.Context, node string, from consensus.Position, sink consensus.Sink) error {
	conn, err := c.peers.Conn(node)
	if err != nil {
		return fmt.Errorf("%w: %w", consensus.ErrUnreachable, err)
	}
	ctx, cancel := context.WithCancel(ctx) // ends the stream if the sink fails
	defer cancel()
	stream, err := clusterv1.NewLogServiceClient(conn).Watch(ctx, &clusterv1.WatchRequest{Index: from.Index, StateHash: from.Hash})
	if err != nil {
		return fmt.Errorf("%w: node %s: %w", consensus.ErrUnreachable, node, err)
	}
	for {
		r, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("%w: node %s: watch: %w", consensus.ErrUnreachable, node, err)
		}
		if err := take(stream, r, sink); err != nil {
			return err
		}
	}
}

// take gives one step to the sink.
func take(stream grpc.ServerStreamingClient[clusterv1.WatchResponse], r *clusterv1.WatchResponse, sink consensus.Sink) error {
	switch step := r.GetStep().(type) {
	case *clusterv1.WatchResponse_Snapshot:
		return sink.Snapshot(&incoming{stream: stream, rest: step.Snapshot, ended: len(step.Snapshot) == 0})
	case *clusterv1.WatchResponse_Entries:
		entries := make([]consensus.Entry, 0, len(step.Entries.GetEntries()))
		for _, e := range step.Entries.GetEntries() {
			entries = append(entries, consensus.Entry{Index: e.GetIndex(), Data: e.GetData()})
		}
		return sink.Entries(entries)
	case *clusterv1.WatchResponse_Heartbeat:
		h := step.Heartbeat
		return sink.Heartbeat(consensus.Heartbeat{
			Position: consensus.Position{Index: h.GetIndex(), Hash: h.GetStateHash()}, StaleNanos: h.GetStaleNanos(), Leader: h.GetLeader(),
		})
	}
	return nil // of a newer weft, which tells what an older one must know in another way
}

// incoming reads a snapshot from the pieces that come, up to the empty one that ends it.
type incoming struct {
	stream grpc.ServerStreamingClient[clusterv1.WatchResponse]
	rest   []byte
	ended  bool
}

// Read implements io.Reader.
func (in *incoming) Read(p []byte) (int, error) {
	for len(in.rest) == 0 {
		if in.ended {
			return 0, io.EOF
		}
		r, err := in.stream.Recv()
		if err != nil {
			return 0, fmt.Errorf("%w: snapshot: %w", consensus.ErrUnreachable, noEOF(err))
		}
		step, ok := r.GetStep().(*clusterv1.WatchResponse_Snapshot)
		if !ok {
			return 0, errors.New("replication: a snapshot without an end")
		}
		in.rest, in.ended = step.Snapshot, len(step.Snapshot) == 0
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// noEOF keeps the end of a stream from being taken for that of a snapshot.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
