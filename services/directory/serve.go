package directory

import (
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/peer"
)

type exchange = grpc.BidiStreamingServer[clusterv1.ExchangeRequest, clusterv1.ExchangeResponse]

// Exchange implements clusterv1.DirectoryServiceServer.
func (d *Directory) Exchange(stream exchange) error {
	node := peer.From(stream.Context())
	if node == "" {
		return status.Error(codes.Unauthenticated, "directory: this service is for nodes")
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	c := d.collecting()
	if c == nil {
		return status.Error(codes.FailedPrecondition, "directory: this node does not lead")
	}
	if err := c.report(node, first); err != nil {
		return refusal(err)
	}
	r, missing := c.join(first.GetKnown())
	defer c.leave(r)
	for _, news := range missing {
		if err := stream.Send(news); err != nil {
			return err
		}
	}
	// The goroutine ends when this call does, which cancels the stream.
	reading := make(chan error, 1)
	if !d.task(func() { reading <- c.read(node, stream) }) {
		return status.Error(codes.Unavailable, "directory: the node is shutting down")
	}
	for {
		select {
		case b, ok := <-r.batches:
			if !ok {
				return status.Error(codes.FailedPrecondition, "directory: this node leads no more, or the reader was too slow")
			}
			if err := b.send(stream); err != nil {
				return err
			}
		case err := <-reading:
			return refusal(err)
		case <-d.ctx.Done():
			return status.Error(codes.Unavailable, "directory: the node is shutting down")
		}
	}
}

// read takes in the reports of a stream until it ends.
func (c *collector) read(node string, stream exchange) error {
	for {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := c.report(node, request); err != nil {
			return err
		}
	}
}

// task runs f, unless the directory is closed.
func (d *Directory) task(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.tasks.Go(f)
	return true
}

// refusal gives the status for a report that can't be taken.
func refusal(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	code := codes.InvalidArgument
	switch {
	case errors.Is(err, errGap):
		code = codes.OutOfRange
	case errors.Is(err, errStranger):
		code = codes.PermissionDenied
	}
	return status.Error(code, err.Error())
}
