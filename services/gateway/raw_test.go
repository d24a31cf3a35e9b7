package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// rawConn is a client that writes the frames that a test wants.
type rawConn struct {
	t       *testing.T
	net     net.Conn
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

// dialRaw connects and says hello, with the settings that are given.
func (f *fixture) dialRaw(settings ...http2.Setting) *rawConn {
	t := f.t.(*testing.T)
	t.Helper()
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	c := &rawConn{t: t, net: conn, framer: http2.NewFramer(conn, conn)}
	c.encoder = hpack.NewEncoder(&c.block)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	c.must(c.framer.WriteSettings(settings...))
	return c
}

func (c *rawConn) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// headers begins a call of Place, or of a :path that comes first.
func (c *rawConn) headers(stream uint32, end bool, pairs ...string) {
	c.t.Helper()
	c.must(c.tryHeaders(stream, end, pairs...))
}

func (c *rawConn) tryHeaders(stream uint32, end bool, pairs ...string) error {
	c.block.Reset()
	path := place
	if len(pairs) > 0 && pairs[0] == ":path" {
		path, pairs = pairs[1], pairs[2:]
	}
	fields := append([]string{":method", "POST", ":scheme", "http", ":path", path, ":authority", "test",
		"content-type", "application/grpc", "te", "trailers"}, pairs...)
	for i := 0; i < len(fields); i += 2 {
		_ = c.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: end,
	})
}

func (c *rawConn) data(stream uint32, end bool, data []byte) {
	c.t.Helper()
	c.must(c.framer.WriteData(stream, end, data))
}

// frame puts gRPC's prefix before a message.
func frame(flag byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(message))), message...)
}

// status reads until a stream ends and gives its status.
func (c *rawConn) status(stream uint32) *status.Status {
	c.t.Helper()
	for {
		if id, st := c.ended(); id == stream {
			return st
		}
	}
}

// ended reads until any stream ends and gives its status.
func (c *rawConn) ended() (stream uint32, _ *status.Status) {
	c.t.Helper()
	for {
		f, err := c.framer.ReadFrame()
		c.must(err)
		if reset, ok := f.(*http2.RSTStreamFrame); ok && reset.ErrCode != http2.ErrCodeNo {
			c.t.Fatalf("stream %d was reset: %v", reset.StreamID, reset.ErrCode)
		}
		h, ok := f.(*http2.MetaHeadersFrame)
		if !ok || !h.StreamEnded() {
			continue
		}
		st := &spb.Status{}
		for _, field := range h.Fields {
			switch field.Name {
			case "grpc-status":
				number, err := strconv.ParseInt(field.Value, 10, 32)
				c.must(err)
				st.Code = int32(number)
			case "grpc-message":
				st.Message, err = url.PathUnescape(field.Value)
				c.must(err)
			case "grpc-status-details-bin":
				details, err := base64.RawStdEncoding.DecodeString(field.Value)
				c.must(err)
				c.must(proto.Unmarshal(details, st)) // It repeats the code and the message.
			}
		}
		return h.StreamID, status.FromProto(st)
	}
}
