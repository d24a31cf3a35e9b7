package replication

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	grpcpeer "google.golang.org/grpc/peer"

	"github.com/weft-run/weft/consensus"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// Peers reaches other nodes; *peer.Peers does.
type Peers interface {
	Conn(node string) (grpc.ClientConnInterface, error)
}

// Client asks other nodes: a consensus.Peers. It is safe for concurrent use.
type Client struct{ peers Peers }

var _ consensus.Peers = (*Client)(nil)

// New makes a client.
func New(peers Peers) *Client { return &Client{peers} }

// Apply implements consensus.Peers.
func (c *Client) Apply(ctx context.Context, node string, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	conn, err := c.peers.Conn(node)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", consensus.ErrUnreachable, err)
	}
	var taken grpcpeer.Peer
	r, err := clusterv1.NewLogServiceClient(conn).Apply(ctx, &clusterv1.ApplyRequest{Command: cmd}, grpc.Peer(&taken))
	if err != nil {
		return nil, lost(node, taken.Addr != nil, err)
	}
	if r.GetResult() == nil {
		return nil, errorOf(r.GetFailure(), node)
	}
	return r.GetResult(), nil
}

// Linearize implements consensus.Peers. Nothing is proposed, so whatever goes wrong on the way is ErrUnreachable.
func (c *Client) Linearize(ctx context.Context, node string) (uint64, error) {
	conn, err := c.peers.Conn(node)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", consensus.ErrUnreachable, err)
	}
	r, err := clusterv1.NewLogServiceClient(conn).Linearize(ctx, &clusterv1.LinearizeRequest{})
	if err != nil {
		return 0, fmt.Errorf("%w: node %s: %w", consensus.ErrUnreachable, node, err)
	}
	if r.GetFailure() != clusterv1.Failure_FAILURE_UNSPECIFIED {
		return 0, errorOf(r.GetFailure(), node)
	}
	return r.GetIndex(), nil
}

// lost is the error of a command whose answer did not come. grpc-go tells the peer of a call once the call has a stream on
// a connection; without one it has surely not been sent.
func lost(node string, sent bool, err error) error {
	if !sent {
		return fmt.Errorf("%w: node %s: %w", consensus.ErrUnreachable, node, err)
	}
	return fmt.Errorf("%w: node %s: %w", consensus.ErrOutcomeUnknown, node, err)
}
