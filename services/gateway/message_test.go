package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/router"
)

// bytesSource is the stream of a client that sends bytes and then ends, as grpc-go's transport has it.
type bytesSource struct {
	data     *bytes.Reader
	encoding string
}

func (s bytesSource) ReadMessageHeader(header []byte) error {
	_, err := io.ReadFull(s.data, header)
	return err
}

func (s bytesSource) Read(n int) (mem.BufferSlice, error) {
	if n > s.data.Len() {
		return nil, io.ErrUnexpectedEOF
	}
	var frames mem.BufferSlice
	for n > 0 {
		frame := make([]byte, min(n, 16<<10))
		if _, err := io.ReadFull(s.data, frame); err != nil {
			return nil, err
		}
		frames = append(frames, mem.Copy(frame, mem.DefaultBufferPool()))
		n -= len(frame)
	}
	return frames, nil
}

func (s bytesSource) RecvCompress() string             { return s.encoding }
func (s bytesSource) WriteStatus(*status.Status) error { return nil }
func (s bytesSource) Method() string                   { return place }
func (s bytesSource) SetHeader(metadata.MD) error      { return nil }
func (s bytesSource) SendHeader(metadata.MD) error     { return nil }
func (s bytesSource) SetTrailer(metadata.MD) error     { return nil }

var _ source = bytesSource{}

// FuzzReceive reads arbitrary bytes as a request: what is taken is within the limit and exactly one message, and
// nothing stays held.
func FuzzReceive(f *testing.F) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(make([]byte, 30_000))
	_ = w.Close()
	f.Add(frame(0, []byte("hello")), false)
	f.Add(frame(0, make([]byte, 20_000)), false)
	f.Add(frame(1, packed.Bytes()), true)
	f.Add(frame(1, packed.Bytes()), false)
	f.Add(append(frame(0, nil), frame(0, nil)...), false)
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff}, false)
	f.Fuzz(func(t *testing.T, data []byte, compressed bool) {
		const limit = 64 << 10
		g := &Gateway{config: Config{}.withDefaults(), memory: newMemory(1 << 20)}
		to := &router.Destination{Key: executor.Key{Namespace: "default", Function: "f", Revision: 1}, Message: limit}
		from := bytesSource{data: bytes.NewReader(data)}
		if compressed {
			from.encoding = "gzip"
		}
		m, err := g.receive(context.Background(), from, to)
		if err == nil {
			if len(m.bytes) > limit || from.data.Len() != 0 {
				t.Errorf("a message of %d bytes, %d left", len(m.bytes), from.data.Len())
			}
			if data[0] == 0 && !bytes.Equal(m.bytes, data[5:]) {
				t.Errorf("the message %x is not what was sent, %x", m.bytes, data[5:])
			}
			m.free()
		}
		switch c := status.Code(err); c {
		case codes.OK, codes.InvalidArgument, codes.ResourceExhausted, codes.Unimplemented, codes.Internal:
		default:
			t.Errorf("%v", err)
		}
		if held := g.memory.inUse(); held != 0 {
			t.Errorf("%d bytes are held", held)
		}
	})
}
