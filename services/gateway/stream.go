package gateway

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

	"github.com/weft-run/weft/services/failure"
)

// handle answers what grpc-go gets and what is not weft's own. It is grpc-go's handler of unknown services.
func (g *Gateway) handle(_ any, stream grpc.ServerStream) (err error) {
	ctx := stream.Context()
	from, ok := grpc.ServerTransportStreamFromContext(ctx).(streamSource)
	if !ok {
		return errNoSource()
	}
	c := g.begin(from.Method())
	defer func() {
		if p := recover(); p != nil {
			err = c.panicked(p)
		}
		if err != nil {
			stream.SetTrailer(c.failureTrailers())
		}
		c.ended(ctx, err)
	}()
	a, err := c.run(ctx, from, metadataOf(ctx))
	if err != nil {
		return err
	}
	_ = from.SendHeader(a.header.metadata) // If it fails, so does SendMsg.
	if err := stream.SendMsg(raw{a.message}); err != nil {
		return err // The connection broke; nobody reads the status.
	}
	if a.trailer != nil {
		stream.SetTrailer(a.trailer)
	}
	return nil
}

func errNoSource() error {
	return failure.New(codes.Internal, failure.Internal, "this build's grpc-go offers no way to read a request")
}

type metadataKey struct{}

// keepMetadata puts the metadata of a request into its context where metadataOf finds it: grpc-go's own function copies
// it for each call.
func keepMetadata(ctx context.Context, info *tap.Info) (context.Context, error) {
	return context.WithValue(ctx, metadataKey{}, info.Header), nil
}

// metadataOf gives the metadata of a request. It must not be changed.
func metadataOf(ctx context.Context) metadata.MD {
	md, _ := ctx.Value(metadataKey{}).(metadata.MD)
	return md
}
