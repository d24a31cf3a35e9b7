package artifacts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Peers reaches other nodes; *peer.Peers is one.
type Peers interface {
	Conn(node string) (grpc.ClientConnInterface, error)
}

// Cluster tells what this node knows of the others now; [Locator] is one. Its methods are safe for concurrent use.
type Cluster interface {
	// Schedulers are the IDs of those of which a majority must have an artifact, this node's included if it is one.
	Schedulers() []string
	// Holders are IDs of nodes that may have an artifact, in the order in which to ask them, without this node's.
	Holders(digest Digest) []string
	// Engines are IDs of nodes that may have compiled code of an artifact for this node's engine, in the order in which to
	// ask them, without this node's.
	Engines(digest Digest) []string
	// Name is what people call a node.
	Name(node string) string
}

// Config configures what moves artifacts between nodes.
type Config struct {
	// Node is this node's ID.
	Node    string
	Store   *Store
	Peers   Peers
	Cluster Cluster
	// Logger is told of peers that send what they should not. Nil: slog.Default.
	Logger *slog.Logger

	// Stall is how long a peer may be silent in the middle of something. Default: 30 s.
	Stall time.Duration
	// Patience is how long Replicator goes on trying nodes that can't be reached. Default: 10 s.
	Patience time.Duration
	// Parallel is how many artifacts Fetcher pulls at once, and Replicator pushes; each of them waits in line. Default: 2
	// pulls and 4 pushes.
	Parallel int
}

func (c Config) withDefaults(parallel int) Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Stall <= 0 {
		c.Stall = 30 * time.Second
	}
	if c.Patience <= 0 {
		c.Patience = 10 * time.Second
	}
	if c.Parallel <= 0 {
		c.Parallel = parallel
	}
	return c
}

// chunkSize is how much one message carries.
const chunkSize = 256 << 10

// errStalled says that a peer was silent for too long.
var errStalled = errors.New("it has been silent for too long")

// watched gives a context that ends when alive was not called for so long. Stop must be called.
func watched(ctx context.Context, stall time.Duration) (_ context.Context, alive, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(stall, func() { cancel(errStalled) })
	return ctx, func() { timer.Reset(stall) }, func() {
		timer.Stop()
		cancel(nil)
	}
}

// because gives the reason why a watched call failed: that of its context, where that is the cause.
func because(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		return cause
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return &remoteError{s}
	}
	return err
}

// remoteError is what a peer answered.
type remoteError struct{ status *status.Status }

func (e *remoteError) Error() string {
	if e.status.Code() == codes.Unavailable {
		return e.status.Message()
	}
	return fmt.Sprintf("%s (%v)", e.status.Message(), e.status.Code())
}

func (e *remoteError) GRPCStatus() *status.Status { return e.status }

// chunks reads what comes in messages.
type chunks struct {
	next func() ([]byte, error)
	rest []byte
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		var err error
		if c.rest, err = c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// stream sends what r gives, until io.EOF, in chunks. Each belongs to whoever gets it.
func stream(r io.Reader, send func(chunk []byte) error) error {
	for {
		buffer := make([]byte, chunkSize)
		n, err := io.ReadFull(r, buffer)
		if n > 0 {
			if err := send(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
