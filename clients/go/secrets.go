package weft

import (
	"context"
	"crypto/rand"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// SetSecret sets a secret of the namespace, in place of the one of its key, and returns its version: 1 for a new one. With a
// function's name only that function may read it, and sees it rather than the namespace's; empty means all functions. The
// value is 1 byte to 64 KiB of UTF-8. Nothing gives it back but wasi:config in a function.
func (c *Client) SetSecret(ctx context.Context, function, key string, value []byte) (version uint64, err error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.secrets.SetSecret(ctx, &weftv1.SetSecretRequest{
		Namespace: c.namespace, Function: function, Key: key, Value: value, RequestId: rand.Text(),
	})
	return r.GetVersion(), wrap(err)
}

// Secrets tells of the secrets of the namespace, those of its functions included, and not what they are. As fresh as Get.
func (c *Client) Secrets(ctx context.Context, options ...ReadOption) (*weftv1.ListSecretsResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.secrets.ListSecrets(ctx, &weftv1.ListSecretsRequest{Namespace: c.namespace, Consistency: consistency(options)})
	return r, wrap(err)
}

// DeleteSecret deletes a secret of a function, or of the namespace where function is empty.
func (c *Client) DeleteSecret(ctx context.Context, function, key string) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	_, err := c.secrets.DeleteSecret(ctx, &weftv1.DeleteSecretRequest{
		Namespace: c.namespace, Function: function, Key: key, RequestId: rand.Text(),
	})
	return wrap(err)
}

// ResealSecrets has the node that answers encrypt the namespace's secrets anew with its first key, those that are not yet.
// It may be repeated.
func (c *Client) ResealSecrets(ctx context.Context) (*weftv1.ResealSecretsResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.secrets.ResealSecrets(ctx, &weftv1.ResealSecretsRequest{Namespace: c.namespace})
	return r, wrap(err)
}
