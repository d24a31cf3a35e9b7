package lean

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// raw is a client that speaks in frames.
type raw struct {
	*http2.Framer
	t     *testing.T
	net   net.Conn
	block bytes.Buffer
	hpack *hpack.Encoder
}

func (f *fixture) raw(t *testing.T, settings ...http2.Setting) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return newRaw(t, nc, settings...)
}

func newRaw(t *testing.T, nc net.Conn, settings ...http2.Setting) *raw {
	t.Helper()
	c := &raw{Framer: http2.NewFramer(nc, nc), t: t, net: nc}
	c.hpack = hpack.NewEncoder(&c.block)
	c.patient()
	c.must(io.WriteString(nc, http2.ClientPreface))
	c.did(c.WriteSettings(settings...))
	return c
}

// patient has what the client reads and writes take 20 seconds from now, at most.
func (c *raw) patient() { _ = c.net.SetDeadline(time.Now().Add(20 * time.Second)) }

func (c *raw) did(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *raw) must(_ int, err error) {
	c.t.Helper()
	c.did(err)
}

// begin opens a stream: with a content-type, echo answers it, otherwise it is relayed. A GET ends with its headers.
func (c *raw) begin(id uint32, method, contentType string) {
	c.t.Helper()
	c.patient()
	c.did(c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: c.request(method, contentType), EndHeaders: true, EndStream: method == http.MethodGet,
	}))
}

// request gives the header block of a request.
func (c *raw) request(method, contentType string) []byte {
	c.t.Helper()
	c.block.Reset()
	for _, f := range [][2]string{{":method", method}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "x"}, {"content-type", contentType}} {
		if f[1] != "" {
			c.did(c.hpack.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
		}
	}
	return c.block.Bytes()
}

// call makes a call.
func (c *raw) call(id uint32, message string) {
	c.t.Helper()
	c.begin(id, http.MethodPost, "application/grpc")
	c.did(c.WriteData(id, true, append([]byte{0, 0, 0, 0, byte(len(message))}, message...)))
}

// data gives the data of a stream up to its end.
func (c *raw) data(id uint32) string {
	c.t.Helper()
	var data strings.Builder
	for {
		f, err := c.ReadFrame()
		c.did(err)
		if f.Header().StreamID != id {
			continue
		}
		switch f := f.(type) {
		case *http2.DataFrame:
			data.Write(f.Data())
		case *http2.RSTStreamFrame:
			c.t.Fatalf("stream %d was reset: %v", id, f.ErrCode)
		}
		if f.Header().Flags.Has(http2.FlagDataEndStream) {
			return data.String()
		}
	}
}

// only gives the server's only connection, once it has accepted that.
func (f *fixture) only(t *testing.T) (c *conn) {
	t.Helper()
	await(t, "the connection to be accepted", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for c = range f.conns {
			return true
		}
		return false
	})
	return c
}

// answered tells whether the handlers of the server's only connection have answered, of which a stream is the last one.
func (f *fixture) answered(t *testing.T, last uint32) bool {
	t.Helper()
	s := f.only(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last == last && s.running == 0
}

// await asks until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

// TestResetsOfRequestsWithoutData resets more streams than there may be, all in what is read at once: the next call is answered.
func TestResetsOfRequestsWithoutData(t *testing.T) {
	f := start(t, echo{}, httpOther(t))
	c := f.raw(t)
	var out bytes.Buffer
	to := c.Framer
	c.Framer = http2.NewFramer(&out, nil)
	const streams = 250
	for i := range uint32(streams) {
		c.begin(2*i+1, http.MethodPost, "application/grpc")
		c.did(c.WriteRSTStream(2*i+1, http2.ErrCodeCancel))
	}
	c.call(2*streams+1, "x")
	c.must(c.net.Write(out.Bytes()))
	c.Framer = to
	if got := c.data(2*streams + 1); !strings.HasSuffix(got, "x") {
		t.Errorf("%q came", got)
	}
}

// TestResetsOfAnswersThatWait resets calls whose answers wait for the connection's window: nothing of them is kept.
func TestResetsOfAnswersThatWait(t *testing.T) {
	f := start(t, echo{}, httpOther(t))
	c := f.raw(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	go func() { _, _ = io.Copy(io.Discard, c.net) }()
	for i, size := range []int{60_000, 10_000} { // They fill the window, and more.
		id, data := uint32(2*i+1), append([]byte{0, 0, 0, byte(size >> 8), byte(size)}, make([]byte, size)...)
		c.begin(id, http.MethodPost, "application/grpc")
		for len(data) > 0 {
			n := min(len(data), maxFrame)
			c.did(c.WriteData(id, n == len(data), data[:n]))
			data = data[n:]
		}
	}
	kept := func() (open, lines int) {
		s := f.only(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.streams), len(s.ready) + len(s.starved)
	}
	await(t, "both answers, one of which waits", func() bool {
		open, lines := kept()
		return f.answered(t, 3) && open == 1 && lines == 1
	})
	for id := uint32(5); id < 1000; id += 2 {
		c.call(id, "x")
		await(t, "an answer that waits", func() bool { _, lines := kept(); return lines == 2 })
		c.did(c.WriteRSTStream(id, http2.ErrCodeCancel))
		await(t, "the stream to be gone", func() bool { open, _ := kept(); return open == 1 })
	}
	if _, lines := kept(); lines != 1 {
		t.Errorf("%d streams are kept in line", lines)
	}
}

// TestResetsOfRelayedAnswersThatWait resets relayed streams whose answers wait for the connection's window, for more than
// relayWindow in all: streams that come later have theirs.
func TestResetsOfRelayedAnswersThatWait(t *testing.T) {
	const size, streams = 60 << 10, 20
	f := start(t, echo{}, httpOther(t))
	c := f.raw(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	for i := range uint32(streams) {
		c.begin(2*i+1, http.MethodPost, "")
		for sent := 0; sent < size; sent += 15 << 10 {
			c.did(c.WriteData(2*i+1, sent+15<<10 == size, make([]byte, 15<<10)))
		}
	}
	await(t, "the answers to be here", func() bool {
		s := f.only(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		here := 65535 - s.window
		for _, stream := range s.streams {
			for _, p := range stream.parts {
				here += int64(len(p.data))
			}
		}
		return here >= relayWindow
	})
	for i := range uint32(streams) {
		c.did(c.WriteRSTStream(2*i+1, http2.ErrCodeCancel))
	}
	c.did(c.WriteWindowUpdate(0, 1<<20))
	c.begin(2*streams+1, http.MethodPost, "")
	c.did(c.WriteData(2*streams+1, true, []byte(" again")))
	if got := c.data(2*streams + 1); got != "hello again" {
		t.Errorf("%q came", got)
	}
}

// TestRelayedRequestWithoutDataBehindOthers makes requests that the other server does not read until its window is shut, and then
// one that ends with its headers.
func TestRelayedRequestWithoutDataBehindOthers(t *testing.T) {
	release := make(chan struct{})
	f := start(t, echo{}, httpOther(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-release
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(w, r.Method)
	}))
	defer close(release)
	c := f.raw(t)
	const streams = 40
	for i := range uint32(streams) {
		c.begin(2*i+1, http.MethodPost, "")
		for range 4 {
			c.did(c.WriteData(2*i+1, false, make([]byte, 16000)))
		}
	}
	await(t, "data that waits", func() bool {
		s := f.only(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.relay == nil {
			return false
		}
		s.relay.mu.Lock()
		defer s.relay.mu.Unlock()
		return len(s.relay.held) > 0
	})
	c.begin(2*streams+1, http.MethodGet, "")
	if got := c.data(2*streams + 1); got != "GET" {
		t.Errorf("%q came", got)
	}
}

// unread is a handler that reads nothing until it is told to.
type unread struct {
	echo
	release chan struct{}
}

func (u unread) Serve(s *Stream) {
	<-u.release
	u.echo.Serve(s)
}

// TestDataThatNobodyReads sends requests of which nothing is read: the streams for whose data there is no room are reset, the connection's others and
// other connections go on, and all is given back.
func TestDataThatNobodyReads(t *testing.T) {
	const streams, kept = 20, 3                                    // One window, and half of what all share: 192 KiB.
	for _, contentType := range []string{"application/grpc", ""} { // answered here, and relayed
		h := unread{release: make(chan struct{})}
		release := sync.OnceFunc(func() { close(h.release) })
		f := start(t, h, httpOther(t, func(http.ResponseWriter, *http.Request) { <-h.release }), func(c *Config) { c.Unread = 256 << 10 })
		t.Cleanup(release)
		c, other := f.raw(t), f.raw(t)
		for i := range uint32(streams) {
			c.begin(2*i+1, http.MethodPost, contentType)
			for range 4 {
				c.did(c.WriteData(2*i+1, false, make([]byte, 15000)))
			}
		}
		for reset := 0; reset < streams-kept; {
			f, err := c.ReadFrame()
			c.did(err)
			if r, ok := f.(*http2.RSTStreamFrame); ok && r.ErrCode == http2.ErrCodeEnhanceYourCalm {
				reset++
			}
		}
		if n := f.unread.Load(); n != 128<<10 {
			t.Errorf("%q: %d bytes are taken", contentType, n)
		}
		release()
		await(t, "all to be given back", func() bool { return f.unread.Load() == 0 })
		c.call(2*streams+1, "x")
		other.call(1, "y")
		if got := c.data(2*streams+1) + other.data(1); got != "\x00\x00\x00\x00\x01x\x00\x00\x00\x00\x01y" {
			t.Errorf("%q: %q came", contentType, got)
		}
	}
}

// TestDataThatIsReadIsGivenBack sends many times what may be unread.
func TestDataThatIsReadIsGivenBack(t *testing.T) {
	for _, contentType := range []string{"application/grpc", ""} { // answered here, and relayed
		f := start(t, echo{}, httpOther(t), func(c *Config) { c.Unread = 256 << 10 })
		c := f.raw(t)
		for i := range uint32(50) {
			c.begin(2*i+1, http.MethodPost, contentType)
			c.did(c.WriteData(2*i+1, false, []byte{0, 0, 0, 30000 >> 8, 30000 & 0xff}))
			for n := range 2 {
				c.did(c.WriteData(2*i+1, n == 1, make([]byte, 15000)))
			}
			if got := c.data(2*i + 1); len(got) < 30000 {
				t.Fatalf("%q: %d bytes came", contentType, len(got))
			}
			c.did(c.WriteWindowUpdate(0, 30005))
		}
		await(t, "all to be given back", func() bool {
			s := f.only(t)
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.unread == 0 && f.unread.Load() == 0
		})
	}
}

// TestClientThatPingsTooMuch checks the words that clients of gRPC look for.
func TestClientThatPingsTooMuch(t *testing.T) {
	c := start(t, echo{}, httpOther(t)).raw(t)
	for range maxStrikes + 2 {
		c.did(c.WritePing(false, [8]byte{1}))
	}
	if away := c.away(); away.ErrCode != http2.ErrCodeEnhanceYourCalm || string(away.DebugData()) != "too_many_pings" {
		t.Errorf("GOAWAY says %v %q", away.ErrCode, away.DebugData())
	}
}

// TestHeadersInPieces sends headers in as many frames as they may have, and then in one more.
func TestHeadersInPieces(t *testing.T) {
	for _, contentType := range []string{"application/grpc", ""} { // answered here, and relayed
		c := start(t, echo{}, httpOther(t)).raw(t)
		pieces := func(id uint32, n int) {
			t.Helper()
			block := c.request(http.MethodPost, contentType)
			c.did(c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:1]}))
			for range n - 1 {
				c.did(c.WriteContinuation(id, false, nil))
			}
			c.did(c.WriteContinuation(id, true, block[1:]))
		}
		pieces(1, maxContinuations)
		c.did(c.WriteData(1, true, []byte{0, 0, 0, 0, 1, 'x'}))
		if got := c.data(1); !strings.HasSuffix(got, "x") {
			t.Errorf("%q came", got)
		}
		pieces(3, maxContinuations+1)
		if away := c.away(); away.ErrCode != http2.ErrCodeEnhanceYourCalm || string(away.DebugData()) != "too_many_continuations" {
			t.Errorf("GOAWAY says %v %q", away.ErrCode, away.DebugData())
		}
	}
}

// TestFloodOfContinuations sends empty frames without end: the node reads no more of them than it says.
func TestFloodOfContinuations(t *testing.T) {
	c := start(t, echo{}, httpOther(t)).raw(t)
	c.did(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.request(http.MethodPost, "application/grpc")}))
	flooded := make(chan error, 1)
	go func() {
		frames := bytes.Repeat(appendFrame(nil, http2.FrameContinuation, 0, 1, 0), 1000)
		for {
			if _, err := c.net.Write(frames); err != nil {
				flooded <- err
				return
			}
		}
	}()
	if away := c.away(); away.ErrCode != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("GOAWAY says %v", away.ErrCode)
	}
	if err := <-flooded; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
}

// away gives the GOAWAY that comes next.
func (c *raw) away() *http2.GoAwayFrame {
	c.t.Helper()
	for {
		f, err := c.ReadFrame()
		c.did(err)
		if away, ok := f.(*http2.GoAwayFrame); ok {
			return away
		}
	}
}

// TestGoAwayIsHeard checks that a client which was sending when it was sent away can still do so, and hears of it.
func TestGoAwayIsHeard(t *testing.T) {
	f := start(t, echo{}, httpOther(t))
	near, far := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		f.Serve(far)
	}()
	went := make(chan http2.ErrCode, 1)
	go func() {
		defer close(went)
		for frames := http2.NewFramer(nil, near); ; {
			f, err := frames.ReadFrame()
			if away, ok := f.(*http2.GoAwayFrame); ok || err != nil {
				if ok {
					went <- away.ErrCode
				}
				return
			}
		}
	}()
	c := newRaw(t, near)
	c.did(c.WriteData(0x7ff, false, nil)) // of a stream that was never opened
	if code := <-went; code != http2.ErrCodeProtocol {
		t.Errorf("GOAWAY says %v", code)
	}
	c.did(c.WriteData(0x7ff, false, make([]byte, 1000)))
	_ = near.Close()
	<-served
}

// TestHeadersOfOneAnswerAreNotRemembered: they would take the places of those that come again.
func TestHeadersOfOneAnswerAreNotRemembered(t *testing.T) {
	var e encoder
	e.init()
	for range 2 * remembered {
		e.encode(&Header{fields: okay.fields})
	}
	first := bytes.Clone(e.encode(okay))
	if len(e.known) != 1 || e.known[0].header != okay || !bytes.Equal(e.encode(okay), first) {
		t.Errorf("%d are remembered", len(e.known))
	}
}

func TestEscape(t *testing.T) {
	for message, want := range map[string]string{
		"plain ~": "plain ~", "50%": "50%25", "a\nb": "a%0Ab", "ü": "%C3%BC", "a\xffb": "a%EF%BF%BDb",
	} {
		if got := escape(message); got != want {
			t.Errorf("%q became %q; want %q", message, got, want)
		}
	}
}

// late answers a request with a status while it reads it.
type late struct {
	echo
	wrote, answer chan struct{}
	read          chan error
}

func (l late) Serve(s *Stream) {
	_ = s.WriteStatus(status.New(codes.DeadlineExceeded, "late"))
	close(l.wrote)
	_, err := readAll(s)
	l.read <- err
	<-l.answer
	s.Fail(status.New(codes.Internal, "nobody hears it"), nil)
}

// TestWriteStatus checks that a handler counts until it has answered, whatever the client was told before.
func TestWriteStatus(t *testing.T) {
	h := late{wrote: make(chan struct{}), answer: make(chan struct{}), read: make(chan error, 1)}
	f := start(t, h, httpOther(t))
	c := f.raw(t)
	c.begin(1, http.MethodPost, "application/grpc")
	c.did(c.WriteData(1, false, []byte{0, 0}))
	<-h.wrote
	if err := <-h.read; err == nil || status.Code(err) == codes.OK {
		t.Errorf("reading goes on: %v", err)
	}
	running := func() int {
		s := f.only(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.running
	}
	if n := running(); n != 1 {
		t.Errorf("%d handlers run", n)
	}
	close(h.answer)
	await(t, "the handler to end", func() bool { return running() == 0 })
}
