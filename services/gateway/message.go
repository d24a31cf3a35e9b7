package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/router"
)

// source is what a request is read from: a *lean.Stream, or a streamSource.
type source interface {
	// ReadMessageHeader fills the five bytes before a message; io.EOF means that the client sends no more.
	ReadMessageHeader([]byte) error
	// Read gives the next n bytes. The caller frees them.
	Read(n int) (mem.BufferSlice, error)
	// RecvCompress is the request's grpc-encoding. grpc-go has checked that it is one that it knows.
	RecvCompress() string
	// WriteStatus ends the stream; reads then fail.
	WriteStatus(*status.Status) error
}

// streamSource is the stream of a call as grpc-go's transport has it (internal/transport.ServerStream). See the package's
// documentation.
type streamSource interface {
	grpc.ServerTransportStream
	source
}

// message is a request. Its bytes are valid until it is freed.
type message struct {
	bytes  []byte
	buffer mem.Buffer
	claim  *claim
}

// free gives back what the message holds.
func (m *message) free() {
	m.buffer.Free()
	m.claim.release()
}

// isSmall tells whether nothing was claimed for the message, so that it may be left to the collector.
func (m *message) isSmall() bool { return m.claim == nil }

// receive reads the only message of a request and the end of the stream after it: a server that answers before the end
// resets the stream.
func (g *Gateway) receive(ctx context.Context, from source, to *router.Destination) (message, error) {
	defer g.expire(from).Stop()

	var header [5]byte
	if err := from.ReadMessageHeader(header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return message{}, errNoMessage()
		}
		return message{}, readError(ctx, err)
	}
	m, err := g.read(ctx, from, header, to.Message)
	if size, ok := errors.AsType[overLimit](err); ok {
		return message{}, tooLarge(int64(size), to)
	}
	if err != nil {
		return message{}, err
	}
	if err := end(ctx, from); err != nil {
		m.free()
		return message{}, err
	}
	return m, nil
}

// expire ends a stream whose request takes too long to arrive, unless it is stopped before.
func (g *Gateway) expire(from source) *time.Timer {
	return time.AfterFunc(g.config.Receive, func() {
		_ = from.WriteStatus(status.Convert(failure.Newf(codes.DeadlineExceeded, failure.Deadline,
			"the request did not arrive within %v", g.config.Receive)))
	})
}

func errNoMessage() error {
	return failure.New(codes.Unimplemented, failure.Cardinality, "the request has no message; a unary method takes exactly one")
}

// end reads the end of a stream after its only message.
func end(ctx context.Context, from source) error {
	var header [5]byte
	err := from.ReadMessageHeader(header[:])
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return failure.New(codes.Unimplemented, failure.Cardinality, "the request has more than one message; a unary method takes exactly one")
	}
	return readError(ctx, err)
}

// overLimit is the size of a message that is over its limit, as far as it is known.
type overLimit int64

func (o overLimit) Error() string {
	return fmt.Sprintf("a message of %d bytes is over its limit", int64(o))
}

// read reads the message of a header.
func (g *Gateway) read(ctx context.Context, from source, header [5]byte, limit int64) (message, error) {
	compressed, err := isCompressed(header[0], from.RecvCompress())
	if err != nil {
		return message{}, err
	}
	size := int64(binary.BigEndian.Uint32(header[1:]))
	switch {
	case size > limit:
		return message{}, overLimit(size)
	case compressed:
		return g.readCompressed(ctx, from, size, limit)
	}
	return g.readPlain(ctx, from, size)
}

func (g *Gateway) readPlain(ctx context.Context, from source, size int64) (message, error) {
	claim, err := g.memory.request(ctx, originOf(ctx), size)
	if err != nil {
		return message{}, readError(ctx, err)
	}
	data, err := from.Read(int(size))
	if err != nil {
		claim.release()
		return message{}, readError(ctx, err)
	}
	return join(data, claim), nil
}

// join puts the frames of a message into one buffer, without a copy if there is only one.
func join(data mem.BufferSlice, claim *claim) message {
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	data.Free() // One frame is now the buffer's.
	return message{bytes: buffer.ReadOnlyData(), buffer: buffer, claim: claim}
}

// maxRatio bounds how much larger deflated data can become: 258 bytes of two bits (RFC 1951).
const maxRatio = 1032

func (g *Gateway) readCompressed(ctx context.Context, from source, size, limit int64) (message, error) {
	claim, err := g.memory.request(ctx, originOf(ctx), min(size*maxRatio, size+limit))
	if err != nil {
		return message{}, readError(ctx, err)
	}
	packed, err := from.Read(int(size))
	if err != nil {
		claim.release()
		return message{}, readError(ctx, err)
	}
	defer packed.Free()
	plain, err := decompress(packed, from.RecvCompress(), limit)
	if err != nil {
		claim.release()
		return message{}, err
	}
	claim.shrink(int64(plain.Len()))
	return join(plain, claim), nil
}

func decompress(packed mem.BufferSlice, name string, limit int64) (mem.BufferSlice, error) {
	reader := packed.Reader()
	defer func() { _ = reader.Close() }() // It never fails.
	plain, err := encoding.GetCompressor(name).Decompress(reader)
	if err != nil {
		return nil, notDecompressed(name, err)
	}
	data, err := mem.ReadAll(io.LimitReader(plain, limit+1), mem.DefaultBufferPool())
	if err != nil {
		data.Free()
		return nil, notDecompressed(name, err)
	}
	if size := int64(data.Len()); size > limit {
		data.Free()
		return nil, overLimit(size)
	}
	return data, nil
}

func notDecompressed(name string, err error) error {
	return failure.Newf(codes.InvalidArgument, failure.MalformedRequest, "the request is not valid %s: %v", name, err)
}

// isCompressed reads the first byte of a message (gRPC over HTTP2, "Length-Prefixed-Message").
func isCompressed(flag byte, encoding string) (bool, error) {
	switch {
	case flag == 0:
		return false, nil
	case flag == 1 && encoding != "" && encoding != "identity":
		return true, nil
	case flag == 1:
		return false, failure.New(codes.Internal, failure.MalformedRequest,
			"the request is marked as compressed, but grpc-encoding does not say how")
	default:
		return false, failure.Newf(codes.Internal, failure.MalformedRequest,
			"the request's message begins with the byte %d; 0 or 1 is expected", flag)
	}
}

func tooLarge(size int64, to *router.Destination) error {
	text := "a request of %d bytes is over the limit of %s, %d bytes; weft update --max-message raises it"
	err := failure.Newf(codes.ResourceExhausted, failure.RequestTooLarge, text, size, to.Key, to.Message)
	return failure.With(err, limitFact(to.Message))
}

// readError says why a request could not be read.
func readError(ctx context.Context, err error) error {
	switch {
	case expired(ctx):
		return failure.New(codes.DeadlineExceeded, failure.Deadline, "the deadline came before the request was here")
	case ctx.Err() != nil:
		return failure.New(codes.Canceled, failure.Canceled, "the caller went away before the request was here")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return failure.New(codes.InvalidArgument, failure.MalformedRequest, "the request ends in the middle of its message")
	default:
		return failure.Newf(codes.Unavailable, failure.Canceled, "the connection broke before the request was here: %v", err)
	}
}
