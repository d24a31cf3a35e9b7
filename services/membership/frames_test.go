package membership

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-run/weft/consensus"
)

// request is what a client sends: its preface, and a header block in so many frames after the first, twice.
func request(t *testing.T, continued int) []byte {
	t.Helper()
	var block, sent bytes.Buffer
	if err := hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":method", Value: "POST"}); err != nil {
		t.Fatal(err)
	}
	sent.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&sent, nil)
	err := framer.WriteSettings()
	for stream := uint32(1); stream <= 3; stream += 2 {
		err = errors.Join(err, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: continued == 0}))
		for i := range continued {
			err = errors.Join(err, framer.WriteContinuation(stream, i == continued-1, nil))
		}
		err = errors.Join(err, framer.WriteData(stream, true, bytes.Repeat([]byte{byte(http2.FrameContinuation)}, 1000)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return sent.Bytes()
}

// arriving is a connection on which something arrives.
type arriving struct {
	net.Conn
	from io.Reader
}

func (a *arriving) Read(p []byte) (int, error) { return a.from.Read(p) }

func TestContinuations(t *testing.T) {
	for _, pieces := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader,
	} {
		for continued, want := range map[int]error{0: nil, 1: nil, maxContinuations: nil, maxContinuations + 1: errContinuations, 100: errContinuations} {
			sent := request(t, continued)
			g := &guest{Conn: &arriving{from: pieces(bytes.NewReader(sent))}, frames: newFrames()}
			got, err := io.ReadAll(g)
			if !errors.Is(err, want) || want == nil && !bytes.Equal(got, sent) {
				t.Errorf("%d frames: %v, %d bytes of %d", continued, err, len(got), len(sent))
			}
		}
	}
}

// TestEndlessHeaders sends frames that continue a header block until the join endpoint is fed up.
func TestEndlessHeaders(t *testing.T) {
	m := start(t, options{name: "one"})
	conn, err := tls.Dial("tcp", m.addr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{consensus.JoinProtocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, nil)
	if err := errors.Join(framer.WriteSettings(), framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})); err != nil {
		t.Fatal(err)
	}
	for range 1_000_000 { // more than buffers between here and there hold
		if err := framer.WriteContinuation(1, false, nil); err != nil {
			return
		}
	}
	t.Error("it takes them without end")
}
