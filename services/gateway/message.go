package gateway

import (
	"context"
	"encoding/binary"
	"errors"
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
	expired := time.AfterFunc(g.config.Receive, func() {
		_ = from.WriteStatus(status.Convert(failure.Newf(codes.DeadlineExceeded, failure.Deadline,
			"the request did not arrive within %v", g.config.Receive)))
	})
	defer expired.Stop()

	var header [5]byte
	if err := from.ReadMessageHeader(header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return message{}, failure.New(codes.Unimplemented, failure.Cardinality,
				"the request has no message; a unary method takes exactly one")
		}
		return message{}, readError(ctx, err)
	}
	compressed, err := isCompressed(header[0], from.RecvCompress())
	if err != nil {
		return message{}, err
	}
	size := int64(binary.BigEndian.Uint32(header[1:]))
	if size > to.Message {
		return message{}, tooLarge(size, to)
	}
	var m message
	if compressed {
		m, err = g.readCompressed(ctx, from, size, to)
	} else {
		m, err = g.readPlain(ctx, from, size)
	}
	if err != nil {
		return message{}, err
	}
	err = from.ReadMessageHeader(header[:])
	if errors.Is(err, io.EOF) {
		return m, nil
	}
	m.free()
	if err == nil {
		return message{}, failure.New(codes.Unimplemented, failure.Cardinality,
			"the request has more than one message; a unary method takes exactly one")
	}
	return message{}, readError(ctx, err)
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

func (g *Gateway) readCompressed(ctx context.Context, from source, size int64, to *router.Destination) (message, error) {
	claim, err := g.memory.request(ctx, originOf(ctx), min(size*maxRatio, size+to.Message))
	if err != nil {
		return message{}, readError(ctx, err)
	}
	packed, err := from.Read(int(size))
	if err != nil {
		claim.release()
		return message{}, readError(ctx, err)
	}
	defer packed.Free()
	plain, err := decompress(packed, from.RecvCompress(), to)
	if err != nil {
		claim.release()
		return message{}, err
	}
	claim.shrink(int64(plain.Len()))
	return join(plain, claim), nil
}

func decompress(packed mem.BufferSlice, name string, to *router.Destination) (mem.BufferSlice, error) {
	reader := packed.Reader()
	defer func() { _ = reader.Close() }() // It never fails.
	plain, err := encoding.GetCompressor(name).Decompress(reader)
	if err != nil {
		return nil, notDecompressed(name, err)
	}
	data, err := mem.ReadAll(io.LimitReader(plain, to.Message+1), mem.DefaultBufferPool())
	if err != nil {
		data.Free()
		return nil, notDecompressed(name, err)
	}
	if size := int64(data.Len()); size > to.Message {
		data.Free()
		return nil, tooLarge(size, to)
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
