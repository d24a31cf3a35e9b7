package link

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
)

// Protocol is what connections of this package say in ALPN.
const Protocol = "weft-call"

// Port is this node's cluster port; *consensus.Node is one. The connections that it gives and takes are authenticated.
type Port interface {
	// ID is this node's.
	ID() string
	// Handle sets who gets the connections of a protocol that peers open; nil for nobody.
	Handle(protocol string, handler consensus.Handler)
	// Dial opens a connection to a node, wherever it is now, and makes sure that it is that node.
	Dial(ctx context.Context, protocol, node string) (net.Conn, error)
}

// Request is a call on its way. Its deadline and its cancellation are those of the context beside it.
type Request struct {
	executor.Request
	// Hops is how many nodes it has left behind: 1 when the node that took the call from its client forwards it.
	Hops int
}

// Response is the answer to a call.
type Response struct {
	executor.Response
	Load Load
}

// Load is how busy the answering node was when it answered.
type Load struct {
	// InFlight is how many calls the node had begun and not answered.
	InFlight int
	// Queue is how many of them waited for their turn.
	Queue int
}

// Handler answers a call of a peer, whose node ID it is told. It is called from many goroutines at once.
//
// ctx ends with the caller's deadline, when the caller cancels the call or goes away, and when the link is closed. The request's
// message belongs to the link again once the handler returns; the response's message belongs to the link from then on, and
// nobody changes it any more.
//
// The errors that arrive as they are: *executor.Error and *executor.FunctionError, context.Canceled and context.DeadlineExceeded,
// and each of them inside of NotStarted. Others arrive as an *executor.Error with reason INTERNAL. So does a panic. The Load and
// the Timings of the response travel with an error too.
type Handler func(ctx context.Context, peer string, r Request) (Response, error)

// Config configures a Link. A zero field means its default.
type Config struct {
	Port    Port
	Handler Handler

	// Connections is how many connections to one node there are at most. They are opened as they are needed. Default: 2.
	Connections int
	// Streams is how many calls of a peer may be open on one connection. Default: 4096.
	Streams int
	// Calls is how many calls of all peers run or wait in handlers at once; more are refused, so that they may be tried
	// elsewhere. Default: 16384.
	Calls int
	// Message bounds a request and a response, each with its metadata, in bytes. Default and maximum: 1 GiB.
	Message int64
	// Memory bounds, in bytes, what requests of peers may hold, and again what responses may hold until their callers get
	// them. A message of more than 4 KiB waits for its turn; one larger than half of Memory is refused. Default: 256 MiB.
	Memory int64

	// DialTimeout bounds the opening of a connection, the exchange of settings included. Default: 5 s.
	DialTimeout time.Duration
	// Silence is how long a peer may say nothing, or take nothing, until its connections are given up. After a quarter
	// of it, it is asked for a sign of life. Default: 4 s.
	Silence time.Duration

	// Logger is told of connections that break rules. Nil: slog.Default.
	Logger *slog.Logger
	// Registerer gets the metrics. Nil: nobody.
	Registerer prometheus.Registerer
}

// Link calls functions on other nodes and answers their calls. Its methods are safe for concurrent use.
type Link struct{ config Config }

// New makes a link. It must be closed.
func New(config Config) *Link { return &Link{config} }

// Start begins to take calls of peers.
func (l *Link) Start() {}

// Close ends the link: peers are told to send no more calls, those that run are let finish until ctx is done, and then
// all connections are closed. The error is that of ctx if calls were cut off.
func (l *Link) Close(context.Context) error { return nil }

// Drop cuts all connections to and from a node that left the cluster.
func (l *Link) Drop(string) {}

// Call runs a call on another node. It returns when ctx is done, at the latest. The request is read until Call returns,
// and never changed.
//
// Its errors are *NotStartedError, *LostError, the error of ctx, and what the handler at the node returned (see Handler).
func (l *Link) Call(_ context.Context, node string, _ Request) (Response, error) {
	return Response{}, &NotStartedError{Node: node, Err: ErrClosed}
}
