package outgoing

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
)

// maxConnections is how many services outside have a kept connection. For one more, that which was idle longest goes.
const maxConnections = 256

// connections keeps a connection for each service outside that was called.
type connections struct {
	tls *tls.Config

	mu        sync.Mutex
	byAddress map[string]*connection
	closed    bool
}

type connection struct {
	*grpc.ClientConn
	users int       // calls that use it
	last  time.Time // when the last one ended
}

func newConnections(config *tls.Config) *connections {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &connections{tls: config, byAddress: map[string]*connection{}}
}

var errClosed = errors.New("the node is shutting down")

// use gives a connection until done is called.
func (c *connections) use(address string) (_ *grpc.ClientConn, done func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, errClosed
	}
	conn := c.byAddress[address]
	if conn == nil {
		if len(c.byAddress) >= maxConnections && !c.dropIdle() {
			return nil, nil, fmt.Errorf("calls to %d services outside go on at this node; that is as many as it has connections for", maxConnections)
		}
		client, err := c.dial(address)
		if err != nil {
			return nil, nil, err
		}
		conn = &connection{ClientConn: client}
		c.byAddress[address] = conn
	}
	conn.users++
	return conn.ClientConn, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		conn.users--
		conn.last = time.Now()
	}, nil
}

// dropIdle closes the connection that was idle longest. It is called with mu held.
func (c *connections) dropIdle() bool {
	var oldest string
	for address, conn := range c.byAddress {
		if conn.users == 0 && (oldest == "" || conn.last.Before(c.byAddress[oldest].last)) {
			oldest = address
		}
	}
	if oldest == "" {
		return false
	}
	_ = c.byAddress[oldest].Close() // nobody uses it
	delete(c.byAddress, oldest)
	return true
}

// dial makes a connection, which connects when it is first used. Neither proxies nor service configurations that a name
// server gives are heeded: they could lead elsewhere than to the host that is allowed.
func (c *connections) dial(address string) (*grpc.ClientConn, error) {
	hostPort, secure, ok := catalog.SplitAddress(address)
	if !ok {
		return nil, fmt.Errorf("%q is no address", address)
	}
	security := insecure.NewCredentials()
	if secure {
		security = credentials.NewTLS(c.tls)
	}
	return grpc.NewClient("dns:///"+hostPort, grpc.WithTransportCredentials(security), grpc.WithNoProxy(), grpc.WithDisableServiceConfig(),
		grpc.WithUserAgent("weft"))
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conn := range c.byAddress {
		_ = conn.Close()
	}
	clear(c.byAddress)
}

// callOutside makes a call of a service outside. Limit bounds the response, in bytes; 0 means the default. Its errors are
// statuses, and those of the configuration.
func (c *Caller) callOutside(ctx context.Context, call executor.OutgoingCall, address string, limit int, md map[string][]string) ([]byte, error) {
	if err := c.config.Allow.Check(address); err != nil {
		return nil, &executor.Error{Reason: executor.Unsupported, Message: err.Error()}
	}
	conn, done, err := c.outside.use(address)
	if err != nil {
		return nil, &executor.Error{Reason: executor.NotLoaded, Message: err.Error()}
	}
	defer done()
	if limit <= 0 {
		limit = executor.DefaultMessage
	}
	// Those who called the caller, and how deep the call is, are nobody else's business.
	out := metadata.MD{}
	for key, values := range md {
		switch key {
		case CallerKey:
			out[key] = values[:1]
		case DepthKey, traceKey:
		default:
			out[key] = values
		}
	}
	var response []byte
	err = conn.Invoke(metadata.NewOutgoingContext(ctx, out), "/"+call.Service+"/"+call.Method, call.Message, &response,
		grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(limit), grpc.MaxCallSendMsgSize(limit))
	return response, err
}

// raw is a codec for bytes that are protobuf already.
type raw struct{}

// Marshal copies: grpc-go may read a request after its call was canceled.
func (raw) Marshal(message any) (mem.BufferSlice, error) {
	b, ok := message.([]byte)
	if !ok {
		return nil, fmt.Errorf("outgoing: %T is no request", message)
	}
	return mem.BufferSlice{mem.SliceBuffer(append([]byte{}, b...))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, message any) error {
	b, ok := message.(*[]byte)
	if !ok {
		return fmt.Errorf("outgoing: %T is no response", message)
	}
	*b = data.Materialize()
	return nil
}

func (raw) Name() string { return "proto" }
