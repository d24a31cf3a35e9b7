package weft

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Status tells of the node that answers.
func (c *Client) Status(ctx context.Context) (*weftv1.StatusResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.nodes.Status(ctx, &weftv1.StatusRequest{})
	return r, wrap(err)
}

// Nodes tells of every node of the cluster, ordered by name, as fresh as Get. What is known of a node beyond the catalog
// is some seconds old at most, or older while nobody leads.
func (c *Client) Nodes(ctx context.Context, options ...ReadOption) (*weftv1.ListNodesResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.nodes.ListNodes(ctx, &weftv1.ListNodesRequest{Consistency: consistency(options)})
	return r, wrap(err)
}

// Drain moves everything off a node, named by name or ID, and keeps it empty. It waits for that as long as wait says;
// the answer tells how much is left.
func (c *Client) Drain(ctx context.Context, node string, wait time.Duration) (*weftv1.DrainResponse, error) {
	ctx, cancel := c.boundAfter(ctx, wait)
	defer cancel()
	r, err := c.nodes.Drain(ctx, &weftv1.DrainRequest{Node: node, Wait: durationpb.New(wait), RequestId: rand.Text()})
	return r, wrap(err)
}

// Undrain lets placements come back to a node.
func (c *Client) Undrain(ctx context.Context, node string) (*weftv1.DrainResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.nodes.Drain(ctx, &weftv1.DrainRequest{Node: node, Undo: true, RequestId: rand.Text()})
	return r, wrap(err)
}

// Remove takes a node, named by name or ID, out of the cluster for good.
func (c *Client) Remove(ctx context.Context, node string) (*weftv1.RemoveResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.nodes.Remove(ctx, &weftv1.RemoveRequest{Node: node, RequestId: rand.Text()})
	return r, wrap(err)
}

// CreateToken makes a join token, which any number of nodes may use while it is good. Zero means 1 hour.
func (c *Client) CreateToken(ctx context.Context, life time.Duration) (*weftv1.CreateTokenResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	request := &weftv1.CreateTokenRequest{}
	if life != 0 {
		request.Life = durationpb.New(life)
	}
	r, err := c.nodes.CreateToken(ctx, request)
	return r, wrap(err)
}

// RevokeToken makes a token, given itself or by its ID, worthless.
func (c *Client) RevokeToken(ctx context.Context, token string) error {
	if token == "" {
		return errNoToken
	}
	return c.revoke(ctx, token)
}

// RevokeAllTokens makes every token worthless.
func (c *Client) RevokeAllTokens(ctx context.Context) error { return c.revoke(ctx, "") }

var errNoToken = errors.New("weft: no token is named")

func (c *Client) revoke(ctx context.Context, token string) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	_, err := c.nodes.RevokeToken(ctx, &weftv1.RevokeTokenRequest{Token: token, RequestId: rand.Text()})
	return wrap(err)
}
