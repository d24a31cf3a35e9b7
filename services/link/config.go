package link

import (
	"cmp"
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
	// Message bounds a request and a response, each with its metadata, in bytes. Default and maximum: MaxMessage.
	Message int64
	// Memory bounds, in bytes, what the requests of peers hold, what their responses hold until they are sent, and what
	// responses to this node hold until they are there: each of the three, over all messages of more than 4 KiB. One peer
	// gets half of it. A message that is larger than that half counts as half. Default: 256 MiB.
	Memory int64
	// Window is how many bytes of large messages may be on their way on one connection, in each direction: how much of them
	// a small message finds ahead of itself in the network. Default: 1 MiB.
	Window int64

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

// MaxMessage bounds Config.Message, in bytes.
const MaxMessage = 1 << 30

// withDefaults fills in what is zero, and keeps the rest within what the protocol can say.
func (c Config) withDefaults() Config {
	c.Connections = cmp.Or(c.Connections, 2)
	c.Streams = min(cmp.Or(c.Streams, 4096), 1<<30)
	c.Calls = cmp.Or(c.Calls, 16384)
	c.Message = min(max(cmp.Or(c.Message, MaxMessage), maxPayload), MaxMessage)
	c.Memory = cmp.Or(c.Memory, 256<<20)
	c.Window = min(max(cmp.Or(c.Window, 1<<20), minWindow), 1<<30)
	c.DialTimeout = cmp.Or(c.DialTimeout, 5*time.Second)
	c.Silence = cmp.Or(c.Silence, 4*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c
}
