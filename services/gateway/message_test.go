package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	gzipencoding "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
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

func TestMessagesOfAllSizes(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	for _, size := range []int{0, 1, 4095, 4096, 4097, 16 << 10, 64<<10 + 1, 1 << 20, 4 << 20} {
		for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzipencoding.Name)}} {
			sent := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7}, size/7+1)[:size]
			a := callWith(t.Context(), conn, place, sent, options...)
			if a.err != nil || !bytes.Equal(a.message, sent) {
				t.Errorf("%d bytes, compressed %t: got %d bytes, %v", size, options != nil, len(a.message), a.err)
			}
		}
	}
	if held := f.memory.inUse(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func TestNotExactlyOneMessage(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	for count, words := range map[int]string{0: "has no message", 2: "more than one message"} {
		desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		stream, err := conn.NewStream(t.Context(), desc, place, grpc.ForceCodecV2(bytesCodec{}))
		if err != nil {
			t.Fatal(err)
		}
		for range count {
			message := []byte("m")
			if err := stream.SendMsg(&message); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		var message []byte
		expect(t, stream.RecvMsg(&message), codes.Unimplemented, failure.Cardinality, words)
	}
}

func TestMessagesOverTheLimit(t *testing.T) {
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		return executor.Response{Message: make([]byte, len(r.Message)*2)}, nil
	})
	f.deploy("default", "orders", 10_000, nil, ordersService)
	conn := f.dial()
	if a := f.call(conn, place, make([]byte, 5000)); a.err != nil || len(a.message) != 10_000 {
		t.Errorf("at the limit: %d bytes, %v", len(a.message), a.err)
	}
	zip := grpc.UseCompressor(gzipencoding.Name)
	for name, test := range map[string]struct {
		size    int
		options []grpc.CallOption
		reason  failure.Reason
		words   string
	}{
		"response":            {5001, nil, failure.ResponseTooLarge, "a response of 10002 bytes is over the limit of default/orders@2, 10000 bytes"},
		"request":             {10_001, nil, failure.RequestTooLarge, "a request of 10001 bytes is over the limit of default/orders@2, 10000 bytes"},
		"huge request":        {100 << 20, nil, failure.RequestTooLarge, "104857600 bytes is over"},
		"compressed":          {10_001, []grpc.CallOption{zip}, failure.RequestTooLarge, "is over the limit"},
		"compressed response": {5001, []grpc.CallOption{zip}, failure.ResponseTooLarge, "is over the limit"},
		"bomb":                {8 << 20, []grpc.CallOption{zip}, failure.RequestTooLarge, "is over the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			a := callWith(t.Context(), conn, place, make([]byte, test.size), test.options...)
			expect(t, a.err, codes.ResourceExhausted, test.reason, test.words)
			info := status.Convert(a.err).Details()[0].(*errdetails.ErrorInfo)
			if info.GetMetadata()["limit_bytes"] != "10000" {
				t.Errorf("ErrorInfo %v", info)
			}
			if a := f.call(conn, place, []byte("next")); a.err != nil {
				t.Errorf("the next call: %v", a.err)
			}
		})
	}
	if held := f.memory.inUse(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func TestContentTypesThatAreNoProtobuf(t *testing.T) {
	f := start(t, echo)
	a := callWith(t.Context(), f.dial(), place, nil, grpc.CallContentSubtype("json"))
	expect(t, a.err, codes.InvalidArgument, failure.InvalidMetadata, `"application/grpc+json"`)
}

func TestDamagedCompression(t *testing.T) {
	f := start(t, echo)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte("x"), 1000))
	_ = w.Close()
	for name, data := range map[string][]byte{"garbage": []byte("no gzip at all"), "cut": packed.Bytes()[:packed.Len()-9]} {
		c := f.dialRaw()
		c.headers(1, false, "grpc-encoding", "gzip")
		c.data(1, true, frame(1, data))
		if st := c.status(1); st.Code() != codes.InvalidArgument || !strings.Contains(st.Message(), "not valid gzip") {
			t.Errorf("%s: %v", name, st)
		}
	}
}

func TestCompressedRequestsGetCompressedResponses(t *testing.T) {
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) {
		return executor.Response{Message: bytes.Repeat([]byte("x"), 10_000)}, nil
	})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("request"))
	_ = w.Close()
	for encoding, request := range map[string][]byte{"gzip": frame(1, packed.Bytes()), "identity": frame(0, []byte("request"))} {
		c := f.dialRaw()
		c.headers(1, false, "grpc-encoding", encoding)
		c.data(1, true, request)
		got, size := "identity", 0
		for ended := false; !ended; {
			f, err := c.framer.ReadFrame()
			c.must(err)
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				for _, field := range f.Fields {
					if field.Name == "grpc-encoding" {
						got = field.Value
					}
				}
				ended = f.StreamEnded()
			case *http2.DataFrame:
				size += len(f.Data())
			default:
			}
		}
		if got != encoding || (size < 1000) != (encoding == "gzip") {
			t.Errorf("%s: the response of %d bytes is in %s", encoding, size, got)
		}
	}
}
