package gateway

import (
	"context"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
)

// unary is around every unary call of weft's own services.
func (g *Gateway) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (response any, err error) {
	defer func() { g.ended(info.FullMethod, recover(), &err) }()
	return next(ctx, request)
}

// stream wraps the handler of a stream of weft's own services.
func (g *Gateway) stream(method string, desc grpc.StreamDesc) grpc.StreamHandler {
	return func(service any, stream grpc.ServerStream) (err error) {
		defer func() { g.ended(method, recover(), &err) }()
		if !desc.ServerStreams {
			return desc.Handler(service, stream)
		}
		ctx, cancel := context.WithCancel(stream.Context())
		defer cancel()
		defer context.AfterFunc(g.life, cancel)()
		return desc.Handler(service, &watched{ServerStream: stream, gateway: g, ctx: ctx, both: desc.ClientStreams})
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

// watched is a stream that lasts as long as its client wants, but not longer than the gateway.
type watched struct {
	grpc.ServerStream
	gateway *Gateway
	ctx     context.Context //nolint:containedctx // it is what Context gives
	both    bool            // the client sends messages, too, and the handler waits for them
}

func (w *watched) Context() context.Context { return w.ctx }

// RecvMsg ends when the gateway drains. The read that it leaves behind ends with the stream.
func (w *watched) RecvMsg(message any) error {
	if !w.both {
		return w.ServerStream.RecvMsg(message)
	}
	result := make(chan error, 1)
	go func() { result <- w.ServerStream.RecvMsg(message) }()
	select {
	case err := <-result:
		return err
	case <-w.gateway.life.Done():
		return errDraining()
	}
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
