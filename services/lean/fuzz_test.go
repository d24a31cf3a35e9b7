package lean

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// FuzzConnection sends any frames to a server: it must neither panic nor stop serving, and everything must end when the
// connection does. The input is a sequence of frames, each a type, flags, a stream, a length and as many bytes.
func FuzzConnection(f *testing.F) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "x"}, {"content-type", "application/grpc"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	unit := func(kind http2.FrameType, flags http2.Flags, stream byte, payload []byte) []byte {
		return append([]byte{byte(kind), byte(flags), stream, byte(len(payload))}, payload...)
	}
	begin := unit(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, block.Bytes())
	message := []byte{0, 0, 0, 0, 3, 'a', 'b', 'c'}
	join := func(units ...[]byte) []byte { return bytes.Join(units, nil) }
	f.Add(join(begin, unit(http2.FrameData, http2.FlagDataEndStream, 1, message)))
	f.Add(join(begin, unit(http2.FrameData, 0, 1, message[:4]), unit(http2.FrameData, http2.FlagDataEndStream, 1, message[4:])))
	f.Add(join(begin, unit(http2.FrameRSTStream, 0, 1, []byte{0, 0, 0, 8})))
	f.Add(join(unit(http2.FrameHeaders, 0, 1, block.Bytes()[:3]), unit(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, block.Bytes()[3:])))
	f.Add(join(unit(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, []byte{0x82, 0x86, 0x84, 0x41, 1, 'x'}), unit(http2.FrameData, http2.FlagDataEndStream, 1, message)))
	f.Add(join(begin, unit(http2.FrameWindowUpdate, 0, 1, []byte{0x7f, 0xff, 0xff, 0xff}), unit(http2.FrameWindowUpdate, 0, 0, []byte{0, 0, 0, 1})))
	f.Add(join(unit(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 0, 0}), begin, unit(http2.FrameData, http2.FlagDataEndStream, 1, message),
		unit(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 0, 2}), unit(http2.FrameSettings, 0, 0, []byte{0, 1, 0, 0, 0, 0})))
	f.Add(join(unit(http2.FramePing, 0, 0, make([]byte, 8)), unit(http2.FramePriority, 0, 3, []byte{0, 0, 0, 1, 0})))
	server := start(f, echo{}, httpOther(f), func(c *Config) { c.Streams = 4; c.HeaderList = 1 << 10 })
	f.Fuzz(func(_ *testing.T, input []byte) {
		near, far := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			server.Serve(far)
		}()
		go func() { _, _ = io.Copy(io.Discard, near) }()
		_ = near.SetDeadline(time.Now().Add(10 * time.Second))
		out := append([]byte(http2.ClientPreface), appendSettings(nil)...)
		for len(input) >= 4 {
			size := min(int(input[3]), len(input)-4)
			out = append(out, 0, 0, byte(size), input[0]%12, input[1])
			out = binary.BigEndian.AppendUint32(out, uint32(input[2]))
			out = append(out, input[4:4+size]...)
			input = input[4+size:]
		}
		_, _ = near.Write(out) // The server may have closed it.
		_ = near.Close()
		<-served
	})
}

// FuzzReferences checks that a block which is taken for one of references only decodes to the same again and again, and
// leaves the table as it is.
func FuzzReferences(f *testing.F) {
	f.Add([]byte{0x82, 0x86}, []byte{0x82, 0xbe})
	f.Add([]byte{0x40, 1, 'a', 1, 'b'}, []byte{0xbe, 0x82})
	f.Add([]byte{0x40, 1, 'a', 1, 'b', 0x40, 1, 'c', 1, 'd'}, []byte{0xff, 0x00})
	f.Fuzz(func(t *testing.T, before, block []byte) {
		if !onlyReferences(block) {
			return
		}
		d := newDecoder(1 << 10)
		if d.decode(before) != nil || d.decode(block) != nil {
			return
		}
		first := append([]hpack.HeaderField(nil), d.fields...)
		size := d.size
		if err := d.decode(block); err != nil {
			t.Fatalf("the second time: %v", err)
		}
		if size != d.size || len(first) != len(d.fields) {
			t.Fatalf("%v became %v", first, d.fields)
		}
		for i := range first {
			if first[i] != d.fields[i] {
				t.Fatalf("%v became %v", first, d.fields)
			}
		}
	})
}
