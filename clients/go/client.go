package weft

import (
	"context"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// DefaultNamespace is the namespace of a client that names none.
const DefaultNamespace = "default"

// DefaultTimeout bounds a request to weft's own API whose context has no deadline. Deploys, logs and calls of
// functions have no bound of the client's own: the context bounds them, and each revision's limit its calls.
const DefaultTimeout = 30 * time.Second

// Client talks to one address of a weft cluster, in one namespace. All its methods are safe for concurrent use.
type Client struct {
	conn      *grpc.ClientConn
	functions weftv1.FunctionServiceClient
	nodes     weftv1.NodeServiceClient
	secrets   weftv1.SecretServiceClient
	namespace string
	timeout   time.Duration
}

// Option configures a Client.
type Option func(*options)

type options struct {
	namespace string
	timeout   time.Duration
	dial      []grpc.DialOption
}

// WithNamespace sets the namespace of all requests and calls. Empty means DefaultNamespace.
func WithNamespace(namespace string) Option {
	return func(o *options) { o.namespace = namespace }
}

// WithTimeout replaces DefaultTimeout. Zero or less means no bound.
func WithTimeout(d time.Duration) Option {
	return func(o *options) { o.timeout = d }
}

// WithDialOptions adds options of grpc-go, after the client's own: transport credentials, interceptors, a service
// config in place of the client's retries.
func WithDialOptions(dial ...grpc.DialOption) Option {
	return func(o *options) { o.dial = append(o.dial, dial...) }
}

// Connect makes a client of the server at addr, a host and port or any target that grpc-go accepts. It does not wait
// for the server: the first request does. Close the client after use.
//
// Requests that are safe to repeat are repeated a few times while the server can't be reached; changes carry a request
// ID, so that a repeated one is applied once. Calls of functions are never repeated.
func Connect(addr string, opts ...Option) (*Client, error) {
	o := options{timeout: DefaultTimeout}
	for _, opt := range opts {
		opt(&o)
	}
	if o.namespace == "" {
		o.namespace = DefaultNamespace
	}
	if err := checkAddress(addr); err != nil {
		return nil, err
	}
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
	}, o.dial...)
	conn, err := grpc.NewClient(addr, dial...)
	if err != nil {
		return nil, fmt.Errorf("weft: %s: %w", addr, err)
	}
	return &Client{
		conn:      conn,
		functions: weftv1.NewFunctionServiceClient(conn),
		nodes:     weftv1.NewNodeServiceClient(conn),
		secrets:   weftv1.NewSecretServiceClient(conn),
		namespace: o.namespace,
		timeout:   o.timeout,
	}, nil
}

func checkAddress(addr string) error {
	web := strings.HasPrefix(addr, "http://") || strings.HasPrefix(addr, "https://") // to gRPC it would be a name with a port behind it
	if !web && strings.Contains(addr, "://") || strings.HasPrefix(addr, "unix:") || strings.HasPrefix(addr, "passthrough:") {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return fmt.Errorf("weft: address %q is no host:port, such as 127.0.0.1:7070", addr)
	}
	if n, err := strconv.Atoi(port); err == nil && (n < 0 || n > math.MaxUint16) {
		return fmt.Errorf("weft: address %q: a port is at most %d", addr, math.MaxUint16)
	}
	return nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Namespace is the namespace of the client's requests.
func (c *Client) Namespace() string { return c.namespace }

// Conn is the connection, for generated stubs. Calls on it that are to reach another namespace than "default" carry
// the metadata weft-namespace.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// bound gives a request its default deadline.
func (c *Client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return c.boundAfter(ctx, 0)
}

// boundAfter is bound for a request that asks the server to wait first.
func (c *Client) boundAfter(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	if _, set := ctx.Deadline(); set || c.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, wait+c.timeout)
}

// outgoing adds the metadata that tells the gateway the namespace.
func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.namespace == DefaultNamespace {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "weft-namespace", c.namespace)
}

// serviceConfig repeats what is safe to repeat. A server that knows better answers with grpc-retry-pushback-ms.
const serviceConfig = `{
  "methodConfig": [{
    "name": [
      {"service": "weft.v1.FunctionService", "method": "Get"},
      {"service": "weft.v1.FunctionService", "method": "List"},
      {"service": "weft.v1.FunctionService", "method": "Schema"},
      {"service": "weft.v1.FunctionService", "method": "Update"},
      {"service": "weft.v1.FunctionService", "method": "Route"},
      {"service": "weft.v1.FunctionService", "method": "Delete"},
      {"service": "weft.v1.FunctionService", "method": "Forget"},
      {"service": "weft.v1.NodeService"},
      {"service": "weft.v1.SecretService"}
    ],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.1s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`
