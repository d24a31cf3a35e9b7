package gateway

import (
	"context"
	"errors"
	"io"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
)

const (
	// ownMessage bounds the requests of weft's own services: uploads come in pieces.
	ownMessage = 4 << 20
	// openMessage bounds those of services that are for everybody who calls functions. They name something, and no more.
	openMessage = 4 << 10
)

// unary makes a stream of a method of weft's own services, so that its request is read as others are.
func unary(m grpc.MethodDesc) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: m.MethodName, Handler: func(service any, stream grpc.ServerStream) error {
		response, err := m.Handler(service, stream.Context(), stream.RecvMsg, nil)
		if err != nil {
			return err
		}
		return stream.SendMsg(response)
	}}
}

// stream wraps the handler of a stream of weft's own services, whose messages are up to so many bytes.
func (g *Gateway) stream(method string, desc grpc.StreamDesc, limit int64) grpc.StreamHandler {
	return func(service any, stream grpc.ServerStream) (err error) {
		defer func() { g.ended(method, recover(), &err) }()
		ctx := stream.Context()
		from, ok := grpc.ServerTransportStreamFromContext(ctx).(streamSource)
		if !ok {
			return errNoSource()
		}
		if desc.ServerStreams {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(g.life, cancel)()
		}
		return desc.Handler(service, &ownStream{ServerStream: stream, gateway: g, ctx: ctx, from: from, desc: desc, limit: limit})
	}
}

// ended counts a call, and makes an error of a panic.
func (g *Gateway) ended(method string, panicked any, err *error) {
	if panicked != nil {
		g.config.Logger.Error("panic in a call", "method", method, "panic", panicked, "stack", string(debug.Stack()))
		*err = failure.New(codes.Internal, failure.Internal, "a fault of weft; the node's log says more")
	}
	g.metrics.own.WithLabelValues(method, status.Code(*err).String()).Inc()
}

// ownStream is a stream of weft's own services. Its messages share Config.Memory with those of functions. One that the server feeds lasts as
// long as its client wants, but not longer than the gateway.
type ownStream struct {
	grpc.ServerStream
	gateway *Gateway
	ctx     context.Context //nolint:containedctx // it is what Context gives
	from    source
	desc    grpc.StreamDesc
	limit   int64 // of a request
}

func (o *ownStream) Context() context.Context { return o.ctx }

// RecvMsg of a stream on which both sides send ends when the gateway drains. The read that it leaves behind ends with the stream.
func (o *ownStream) RecvMsg(into any) error {
	if !o.desc.ClientStreams || !o.desc.ServerStreams {
		return o.receive(into)
	}
	result := make(chan error, 1)
	go func() { result <- o.receive(into) }()
	select {
	case err := <-result:
		return err
	case <-o.gateway.life.Done():
		return errDraining()
	}
}

// receive reads the next request. A client that sends several may take its time between them, but not within one.
func (o *ownStream) receive(into any) error {
	g, ctx := o.gateway, o.ServerStream.Context()
	one := !o.desc.ClientStreams
	if one {
		defer g.expire(o.from).Stop()
	}
	var header [5]byte
	if err := o.from.ReadMessageHeader(header[:]); err != nil {
		switch {
		case !errors.Is(err, io.EOF):
			return readError(ctx, err)
		case one:
			return errNoMessage()
		}
		return io.EOF
	}
	if !one {
		defer g.expire(o.from).Stop()
	}
	m, err := g.read(ctx, o.from, header, o.limit)
	if size, ok := errors.AsType[overLimit](err); ok {
		err = failure.Newf(codes.ResourceExhausted, failure.RequestTooLarge,
			"a request of %d bytes is over the limit of this service, %d bytes", size, o.limit)
		return failure.With(err, limitFact(o.limit))
	}
	if err != nil {
		return err
	}
	defer m.free()
	if one {
		if err := end(ctx, o.from); err != nil {
			return err
		}
	}
	if err := standard.Unmarshal(mem.BufferSlice{m.buffer}, into); err != nil {
		return failure.Newf(codes.InvalidArgument, failure.MalformedRequest, "the request is not what the method takes: %v", err)
	}
	return nil
}

// leastAnswer is what an answer of a stream with several counts at least, in bytes: grpc-go does not tell when one of up to 1 KiB is sent.
const leastAnswer = 2 << 10

// SendMsg sends an answer. What has not gone out is counted.
func (o *ownStream) SendMsg(message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return o.ServerStream.SendMsg(message)
	}
	size := proto.Size(m)
	if size <= smallMessage && !o.desc.ServerStreams {
		return o.ServerStream.SendMsg(message)
	}
	claim, ok := o.gateway.memory.response(originOf(o.ctx), int64(max(size, leastAnswer)))
	if !ok {
		return errTooMuchUnread("")
	}
	data, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(make([]byte, 0, max(size, leastAnswer)), m)
	if err != nil {
		claim.release()
		return err
	}
	return o.ServerStream.SendMsg(raw{mem.NewBuffer(&data, claim)})
}

func errDraining() error {
	return failure.New(codes.Unavailable, failure.Draining, "this node is about to stop; connect again")
}

// unknownOwnMethod says that a service of weft's own has no such method.
func unknownOwnMethod(method string, own *grpc.ServiceDesc) error {
	names := func(yield func(string) bool) {
		for _, m := range own.Methods {
			if !yield(m.MethodName) {
				return
			}
		}
		for _, s := range own.Streams {
			if !yield(s.StreamName) {
				return
			}
		}
	}
	return failure.Newf(codes.Unimplemented, failure.UnknownMethod, "service %s has no method %s%s",
		own.ServiceName, method, near.Hint(near.Names(method, names)))
}
