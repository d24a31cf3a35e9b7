package weft

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"

	"google.golang.org/protobuf/proto"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// ReadOption says how a request reads the catalog.
type ReadOption func(*weftv1.Consistency)

// Linearizable fails a read, after 10 s without a leader, rather than answer with what may be stale.
func Linearizable() ReadOption {
	return func(c *weftv1.Consistency) { *c = weftv1.Consistency_CONSISTENCY_LINEARIZABLE }
}

// Stale reads what the node that answers knows, without asking the leader.
func Stale() ReadOption {
	return func(c *weftv1.Consistency) { *c = weftv1.Consistency_CONSISTENCY_STALE }
}

func consistency(options []ReadOption) weftv1.Consistency {
	c := weftv1.Consistency_CONSISTENCY_UNSPECIFIED
	for _, o := range options {
		o(&c)
	}
	return c
}

// Get describes a function. By default the answer shows every change acknowledged before; where no leader is found within
// 2 s, it is what the node knows. Its freshness tells which.
func (c *Client) Get(ctx context.Context, name string, options ...ReadOption) (*weftv1.GetResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.functions.Get(ctx, &weftv1.GetRequest{
		Namespace: c.namespace, Name: name, Consistency: consistency(options),
	})
	return r, wrap(err)
}

// Transcoder returns the code that turns a function's large messages into values and back, in WebAssembly's text format. It is
// empty where there is none; [Client.Get] says why.
func (c *Client) Transcoder(ctx context.Context, name string) (string, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.functions.Get(ctx, &weftv1.GetRequest{Namespace: c.namespace, Name: name, Transcoder: true})
	return r.GetFunction().GetTranscoding().GetText(), wrap(err)
}

// List tells of all functions of the namespace, ordered by name, as fresh as Get.
func (c *Client) List(ctx context.Context, options ...ReadOption) (*weftv1.ListResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.functions.List(ctx, &weftv1.ListRequest{Namespace: c.namespace, Consistency: consistency(options)})
	return r, wrap(err)
}

// Update makes a revision with other limits or environment. The request's namespace and request ID are filled in
// where they are empty.
func (c *Client) Update(ctx context.Context, request *weftv1.UpdateRequest) (*weftv1.UpdateResponse, error) {
	cancel := func() {}
	if request.Link == nil && len(request.GetBindings()) == 0 { // nothing is compiled
		ctx, cancel = c.bound(ctx)
	}
	defer cancel()
	request = proto.CloneOf(request)
	setDefault(&request.Namespace, c.namespace)
	setDefault(&request.RequestId, rand.Text())
	r, err := c.functions.Update(ctx, request)
	return r, wrap(err)
}

// Route makes a function the owner of a service and returns the owner before, empty if there was none.
func (c *Client) Route(ctx context.Context, service, function string) (previous string, err error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.functions.Route(ctx, &weftv1.RouteRequest{
		Namespace: c.namespace, Service: service, Name: function, RequestId: rand.Text(),
	})
	return r.GetPrevious(), wrap(err)
}

// Delete removes a function with all its revisions and returns how many there were. Its contracts stay.
func (c *Client) Delete(ctx context.Context, name string) (revisions uint32, err error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.functions.Delete(ctx, &weftv1.DeleteRequest{Namespace: c.namespace, Name: name, RequestId: rand.Text()})
	return r.GetRevisions(), wrap(err)
}

// Forget drops the contract of a proto package that no function uses.
func (c *Client) Forget(ctx context.Context, pkg string) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	_, err := c.functions.Forget(ctx, &weftv1.ForgetRequest{
		Namespace: c.namespace, Package: pkg, RequestId: rand.Text(),
	})
	return wrap(err)
}

// Schema returns the contracts that a function uses with all the files they import; of the whole namespace, if name is
// empty.
func (c *Client) Schema(ctx context.Context, name string) (*weftv1.SchemaResponse, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	r, err := c.functions.Schema(ctx, &weftv1.SchemaRequest{Namespace: c.namespace, Name: name})
	return r, wrap(err)
}

// LogOptions says which lines of a log to read.
type LogOptions struct {
	// Follow goes on with new lines as they come, until the context ends.
	Follow bool
	// Tail is how many of the last lines to begin with; zero means all that are kept.
	Tail uint32
}

// Logs reads the log of a function, oldest line first. An error is the last thing that it yields. It reads from the
// server while the loop runs, and stops when the loop does.
func (c *Client) Logs(ctx context.Context, name string, o LogOptions) iter.Seq2[*weftv1.LogsResponse, error] {
	return func(yield func(*weftv1.LogsResponse, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := c.functions.Logs(ctx, &weftv1.LogsRequest{
			Namespace: c.namespace, Name: name, Follow: o.Follow, Tail: o.Tail,
		})
		if err != nil {
			yield(nil, wrap(err))
			return
		}
		for {
			line, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(line, wrap(err)) || err != nil {
				return
			}
		}
	}
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
