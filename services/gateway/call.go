package gateway

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/services/router"
)

// defaultNamespace is that of a caller who names none.
const defaultNamespace = "default"

// call is one call of a function.
type call struct {
	gateway *Gateway
	started time.Time
	path    string // "/demo.orders.v1.Orders/Place"
	id      string

	counted     bool                // in gateway.calls
	timed       bool                // the caller wants to know the timings
	destination *router.Destination // nil until it is known
	series      *series             // those of the destination
	received    int
	sent        int
	node        string // who answered; empty while no node has
	timings     executor.Timings
	lane        int // of the worker that ran it
}

// reply is what the caller of a call that went well gets.
type reply struct {
	header  *answered
	message mem.Buffer
	trailer metadata.MD
}

// begin makes a call. It must be ended, also if it may not run.
func (g *Gateway) begin(path string) *call {
	return &call{gateway: g, started: time.Now(), id: g.ids.next(), path: path}
}

// receive reads the request. Requests that are still to come have a bound of their own, which small ones that come whole need not mind.
func (c *call) receive(ctx context.Context, from source) (message, error) {
	g := c.gateway
	defer g.receiving.Add(-1)
	if g.receiving.Add(1) > int64(g.config.Calls) {
		return message{}, failure.Newf(codes.ResourceExhausted, failure.Busy,
			"this node waits for %d requests already; try again later", g.config.Calls)
	}
	return g.receive(ctx, from, c.destination)
}

// count counts a call, whose request is here: those that are still to come leave the node to others.
func (c *call) count() error {
	g := c.gateway
	c.counted = true
	if g.calls.Add(1) > int64(g.config.Calls) {
		return failure.Newf(codes.ResourceExhausted, failure.Busy,
			"this node answers %d calls already; try again later", g.config.Calls)
	}
	return nil
}

// run is the way of a call as the package's documentation tells it.
func (c *call) run(ctx context.Context, from source, md metadata.MD) (reply, error) {
	g := c.gateway
	target, method, err := c.target(md)
	if err != nil {
		return reply{}, err
	}
	var here bool
	if c.destination, here = g.config.Router.Here(target); !here {
		if c.destination, err = g.config.Router.Route(ctx, target); err != nil {
			return reply{}, err
		}
	}
	c.series = g.metrics.of(c.destination.Key.Namespace, c.destination.Key.Function)
	request, err := c.receive(ctx, from)
	if err != nil {
		return reply{}, err
	}
	c.received = len(request.bytes)
	if err := c.count(); err != nil {
		request.free()
		return reply{}, err
	}
	response, err := c.execute(ctx, request, here, executor.Request{
		Key: c.destination.Key, Service: target.Service, Method: method, Message: request.bytes, Buffer: request.buffer,
		Metadata: withoutCallers(md), CallID: c.id,
	})
	return c.result(ctx, response, err, target, method)
}

// result makes an answer of what the call gave.
func (c *call) result(ctx context.Context, response router.Response, err error, target router.Target, method string) (reply, error) {
	c.timings, c.lane, c.node = response.Timings, response.Lane, response.Node
	if err != nil {
		return reply{}, c.failed(ctx, err, target, method)
	}
	return c.answer(ctx, response.Response)
}

// execute runs the call, on this node if it is of a revision that is ready here.
func (c *call) execute(ctx context.Context, request message, here bool, r executor.Request) (router.Response, error) {
	if here && request.isSmall() {
		if response, ok, err := c.gateway.await(ctx, r); ok {
			if err == nil {
				request.free() // after an error, somebody may still read it
			}
			return response, err
		}
	}
	defer request.free() // The Caller reads it until it returns, and no longer.
	return c.gateway.config.Caller.Call(ctx, r)
}

// target reads the path and the metadata that is for weft.
func (c *call) target(md metadata.MD) (target router.Target, method string, err error) {
	slash := strings.LastIndexByte(c.path, '/')
	target = router.Target{Namespace: namespaceOf(md), Service: c.path[1:slash], Function: first(md, "weft-function")}
	method = c.path[slash+1:]
	c.timed = first(md, "weft-timings") != ""
	if own := c.gateway.own[target.Service]; own != nil {
		return target, method, unknownOwnMethod(method, own)
	}
	if target.Revision, err = revisionOf(md); err != nil {
		return target, method, err
	}
	if kind := first(md, "content-type"); !isPlain(kind) {
		return target, method, failure.Newf(codes.InvalidArgument, failure.InvalidMetadata,
			"content-type is %.60q; functions take application/grpc or application/grpc+proto", kind)
	}
	return target, method, nil
}

func isPlain(contentType string) bool {
	return contentType == "application/grpc" || contentType == "application/grpc+proto"
}

// withoutCallers takes out what only weft says: who calls, and how deep the call is.
func withoutCallers(md metadata.MD) metadata.MD {
	if len(md[outgoing.CallerKey]) == 0 && len(md[outgoing.DepthKey]) == 0 {
		return md
	}
	md = maps.Clone(md)
	delete(md, outgoing.CallerKey)
	delete(md, outgoing.DepthKey)
	return md
}

func namespaceOf(md metadata.MD) string {
	if name := first(md, "weft-namespace"); name != "" {
		return name
	}
	return defaultNamespace
}

// revisionOf gives the revision that the caller wants; zero if it names none.
func revisionOf(md metadata.MD) (uint32, error) {
	text := first(md, "weft-revision")
	if text == "" {
		return 0, nil
	}
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil || number == 0 {
		return 0, failure.Newf(codes.InvalidArgument, failure.InvalidMetadata,
			"weft-revision is %.40q; a number from 1 on is expected", text)
	}
	return uint32(number), nil
}

func first(md metadata.MD, key string) string {
	if values := md[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// failed gives the status of a call that was not brought to an end, or whose function returned an error.
func (c *call) failed(ctx context.Context, err error, target router.Target, method string) error {
	if fault := new(executor.Error); errors.As(err, &fault) && fault.Reason == executor.Canceled && expired(ctx) {
		err = &executor.Error{Reason: executor.Deadline, Message: "the deadline came before the answer", Err: err}
	}
	err = failure.FromCall(err, failure.Call{
		Key: c.destination.Key, ID: c.id, HideTraps: c.gateway.config.HideTraps,
	})
	if failure.ReasonOf(err) == failure.UnknownMethod {
		return c.gateway.schemas.unknownMethod(target, method, c.destination.Key)
	}
	return err
}

// expired tells whether the deadline of a call is over. grpc-go ends the stream then, so the context may say that it was
// canceled.
func expired(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !time.Now().Before(deadline)
}

// answer makes the answer of a call that went well.
func (c *call) answer(ctx context.Context, response executor.Response) (reply, error) {
	size := int64(len(response.Message))
	if size > c.destination.Message {
		text := "a response of %d bytes is over the limit of %s, %d bytes; weft update --max-message raises it"
		err := failure.Newf(codes.ResourceExhausted, failure.ResponseTooLarge, text, size, c.destination.Key, c.destination.Message)
		return reply{}, failure.With(err, limitFact(c.destination.Message))
	}
	a := reply{header: c.header(), message: mem.SliceBuffer(response.Message)}
	if size > smallMessage {
		claim, ok := c.gateway.memory.response(originOf(ctx), size)
		if !ok {
			return reply{}, errTooMuchUnread("; the function did run")
		}
		message := response.Message // only where its address is needed is there an allocation
		a.message = mem.NewBuffer(&message, claim)
	}
	c.sent = len(response.Message)
	if len(response.Trailers) > 0 {
		a.trailer = metadata.Join(guestTrailers(response.Trailers), traceTrailers(response.Trailers[outgoing.TraceKey]))
	}
	if c.timed {
		a.trailer = metadata.Join(a.trailer, c.timingTrailers())
	}
	return a, nil
}

func errTooMuchUnread(more string) error {
	return failure.New(codes.ResourceExhausted, failure.Busy, "this node holds too many responses that their callers have not read"+more)
}

// header says who answers.
func (c *call) header() *answered {
	node := c.node
	if node == "" {
		node = c.gateway.config.Node
	}
	return c.series.header(c.destination.Key.Revision, node)
}

// failureTrailers go with the status of a call that failed. A failed call has no headers, so who answered is there, too.
func (c *call) failureTrailers() metadata.MD {
	if c.series == nil {
		return nil
	}
	return metadata.Join(c.timingTrailers(), c.header().metadata)
}

// ended tells the metrics and the log how a call went.
func (c *call) ended(ctx context.Context, err error) {
	if c.counted {
		c.gateway.calls.Add(-1)
	}
	code := status.Code(err)
	took := time.Since(c.started)
	if c.series == nil {
		c.gateway.metrics.unrouted.observe(c.lane, code, took, 0, 0)
	} else {
		c.series.observe(c.lane, code, took, c.received, c.sent)
	}
	logger := c.gateway.config.Logger
	if logger.Enabled(ctx, slog.LevelDebug) {
		logger.LogAttrs(ctx, slog.LevelDebug, "call", c.attributes(ctx, code, took, err)...)
	}
}

// panicked makes an error of a panic.
func (c *call) panicked(p any) error {
	c.gateway.config.Logger.Error("panic in a call", "method", c.path, "call", c.id, "panic", p, "stack", string(debug.Stack()))
	return failure.Newf(codes.Internal, failure.Internal, "a fault of weft; the node's log says more under call %s", c.id)
}

// attributes are those of the access log.
func (c *call) attributes(ctx context.Context, code codes.Code, took time.Duration, err error) []slog.Attr {
	attributes := []slog.Attr{
		slog.String("method", c.path), slog.String("call", c.id), slog.String("peer", originOf(ctx).text()),
		slog.String("code", code.String()), slog.Duration("took", took),
		slog.Duration("queue", c.timings.Queue), slog.Duration("run", c.timings.Run),
		slog.Int("received", c.received), slog.Int("sent", c.sent),
	}
	if d := c.destination; d != nil {
		attributes = append(attributes, slog.String("revision", d.Key.String()))
	}
	if err != nil {
		attributes = append(attributes, slog.String("error", status.Convert(err).Message()))
	}
	return attributes
}

// limitFact is what an ErrorInfo says of a limit.
func limitFact(limit int64) map[string]string {
	return map[string]string{"limit_bytes": strconv.FormatInt(limit, 10)}
}
