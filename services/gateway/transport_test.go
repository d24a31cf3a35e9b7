package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

// TestBytesThatAreNoHTTP2 sends what is not gRPC to the port: the connection is closed, and the next call works.
func TestBytesThatAreNoHTTP2(t *testing.T) {
	f := start(t, echo, func(c *Config) { c.Handshake = 200 * time.Millisecond })
	random := make([]byte, 64<<10)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(random)
	for name, data := range map[string][]byte{
		"HTTP/1":             []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"TLS":                append([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}, random[:512]...),
		"nothing":            nil,
		"half a preface":     []byte(http2.ClientPreface)[:10],
		"random":             random,
		"preface and random": append([]byte(http2.ClientPreface), random...),
		"frame of 16 MiB":    append([]byte(http2.ClientPreface), 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", f.address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
			_, _ = conn.Write(data) // The server may have closed it already.
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
				t.Errorf("the connection stays open: %v", err)
			}
			if a := f.call(f.dial(), place, []byte("x")); a.err != nil {
				t.Errorf("the next call: %v", a.err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestResponsesThatNobodyReads opens 10,000 streams whose responses of 64 KiB are never read, over ten connections. The
// node holds what Config.Memory allows and refuses the rest, and gives all back when the connections close.
func TestResponsesThatNobodyReads(t *testing.T) {
	const (
		connections, streams = 10, 1000
		size                 = 64 << 10
		bound                = 64 << 20
	)
	var answered atomic.Int64
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) {
		answered.Add(1)
		return executor.Response{Message: make([]byte, size)}, nil
	}, func(c *Config) { c.Memory = bound })
	before := heap()
	var clients []*rawConn
	for range connections {
		c := f.dialRaw(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		clients = append(clients, c)
		go func() { _, _ = io.Copy(io.Discard, c.net) }() // It takes frames, but its windows stay shut.
		for i := range streams {
			id := uint32(2*i + 1)
			c.headers(id, false)
			c.data(id, true, frame(0, nil))
		}
	}
	await(t, "all calls to be answered", func() bool { return answered.Load() == connections*streams && f.calls.Load() == 0 })
	grown := grownBy(before)
	if held := f.memory.inUse(); held < bound || held > bound*3/2 {
		t.Errorf("%d bytes are held; want %d to %d", held, bound, bound*3/2)
	}
	// 600 MiB were answered. Beside the bound there are 10,000 streams and their trailers.
	if grown > 3*bound {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	expect(t, f.call(f.dial(), place, nil).err, codes.ResourceExhausted, failure.Busy, "too many responses")
	for _, c := range clients {
		_ = c.net.Close()
	}
	await(t, "the memory to come back", func() bool { return f.memory.inUse() == 0 })
	if a := f.call(f.dial(), place, nil); a.err != nil || len(a.message) != size {
		t.Errorf("the next call: %d bytes, %v", len(a.message), a.err)
	}
}

// await asks until something holds. What it waits for happens in goroutines of grpc-go, which tell nobody.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	late := time.After(time.Minute)
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

// TestRequestsThatNeverEnd announces large messages and sends none of their bytes: they wait within Config.Memory, end
// after Config.Receive, and other connections are served meanwhile.
func TestRequestsThatNeverEnd(t *testing.T) {
	f := start(t, echo, func(c *Config) { c.Memory, c.Receive = 8<<20, 300*time.Millisecond })
	slow := f.dialRaw()
	const streams = 100
	announced := frame(0, make([]byte, 1<<20))[:5]
	for i := range streams {
		slow.headers(uint32(2*i+1), false)
		slow.data(uint32(2*i+1), false, announced)
	}
	await(t, "the slow connection to hold its share", func() bool { return f.memory.inUse() == 4<<20 })
	if a := f.call(f.dial(), place, make([]byte, 1<<20)); a.err != nil {
		t.Errorf("another connection: %v", a.err)
	}
	for range streams {
		_, st := slow.ended()
		if st.Code() != codes.DeadlineExceeded || st.Message() != "the request did not arrive within 300ms" {
			t.Fatal(st)
		}
	}
	await(t, "the memory to come back", func() bool { return f.memory.inUse() == 0 && f.calls.Load() == 0 })
}

// TestTrailersOfRequests ends a request that grpc-go serves with trailers: it is answered, and other streams of the connection go on.
func TestTrailersOfRequests(t *testing.T) {
	f := start(t, echo)
	c := f.dialRaw()
	c.headers(1, false, ":path", "/grpc.health.v1.Health/Watch")
	c.data(1, true, frame(0, nil))
	c.headers(3, false, "grpc-encoding", "gzip")
	c.data(3, false, frame(0, []byte("x")))
	c.block.Reset()
	c.must(c.encoder.WriteField(hpack.HeaderField{Name: "x-trailer", Value: "1"}))
	c.must(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: true}))
	if st := c.status(3); st.Code() != codes.OK {
		t.Error(st)
	}
	drained := make(chan error, 1)
	go func() { drained <- f.Drain(t.Context()) }()
	if st := c.status(1); st.Code() != codes.Unavailable {
		t.Errorf("the watch: %v", st)
	}
	_ = c.net.Close()
	if err := <-drained; err != nil {
		t.Errorf("Drain: %v", err)
	}
}

func TestTooManyStreams(t *testing.T) {
	release := make(chan struct{})
	f := start(t, func(ctx context.Context, r executor.Request) (executor.Response, error) {
		<-release
		return echo(ctx, r)
	}, func(c *Config) { c.Streams = 2 })
	c := f.dialRaw()
	for _, id := range []uint32{1, 3, 5} {
		c.headers(id, false)
		c.data(id, true, frame(0, nil))
	}
	for {
		f, err := c.framer.ReadFrame()
		c.must(err)
		if reset, ok := f.(*http2.RSTStreamFrame); ok {
			if reset.StreamID != 5 || reset.ErrCode != http2.ErrCodeRefusedStream {
				t.Errorf("stream %d: %v", reset.StreamID, reset.ErrCode)
			}
			break
		}
	}
	close(release)
}

func TestTooManyConnections(t *testing.T) {
	f := start(t, echo, func(c *Config) { c.Connections = 1 })
	first := f.dialRaw()
	await(t, "the connection to be counted", func() bool { return f.connections.Load() == 1 })
	second, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	if data, err := io.ReadAll(second); len(data) != 0 {
		t.Errorf("the second connection was greeted: %x, %v", data, err)
	}
	_ = first.net.Close()
	await(t, "the first connection to be gone", func() bool { return f.connections.Load() == 0 })
	if a := f.call(f.dial(), place, nil); a.err != nil {
		t.Errorf("once there is room: %v", a.err)
	}
}

// crowded is a listener of a process that has no file descriptor left for a while.
type crowded struct {
	net.Listener
	errors []error // of the calls of Accept to come; used by one goroutine
}

func (c *crowded) Accept() (net.Conn, error) {
	if len(c.errors) == 0 {
		return c.Listener.Accept()
	}
	err := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", c.errors[0])}
	c.errors = c.errors[1:]
	return nil, err
}

// TestAcceptFails: what passes does not end the gateway, and what does not pass does.
func TestAcceptFails(t *testing.T) {
	f := start(t, echo)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- f.Serve(&crowded{Listener: listener, errors: []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS}})
	}()
	f.address = listener.Addr().String()
	if a := f.call(f.dial(), place, nil); a.err != nil {
		t.Errorf("once there is room: %v", a.err)
	}
	f.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}

	g, err := New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop()
	if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := g.Serve(&crowded{Listener: listener, errors: []error{syscall.EMFILE, syscall.EINVAL}}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a listener that is none: %v", err)
	}
}

func TestHeadersOverTheLimit(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	a := f.call(conn, place, nil, "x-long", string(bytes.Repeat([]byte("x"), 20<<10)))
	if a.err == nil {
		t.Error("20 KiB of headers were taken")
	}
	if a := f.call(conn, place, nil); a.err != nil {
		t.Errorf("the next call: %v", a.err)
	}
}

func TestPingsAreEnforced(t *testing.T) {
	f := start(t, echo)
	c := f.dialRaw()
	var sent error
	for range 10 {
		if sent = c.framer.WritePing(false, [8]byte{1}); sent != nil {
			break
		}
	}
	for {
		f, err := c.framer.ReadFrame()
		if err != nil {
			t.Fatalf("the connection ended without GOAWAY: %v (pings: %v)", err, sent)
		}
		if away, ok := f.(*http2.GoAwayFrame); ok {
			if away.ErrCode != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("GOAWAY says %v", away.ErrCode)
			}
			return
		}
	}
}

func TestMalformedFraming(t *testing.T) {
	f := start(t, echo)
	for name, test := range map[string]struct {
		data []byte
		code codes.Code
	}{
		"flag of 7":               {frame(7, []byte("x")), codes.Internal},
		"compressed with nothing": {frame(1, []byte("x")), codes.Internal},
		"half a prefix":           {[]byte{0, 0}, codes.InvalidArgument},
		"half a message":          {frame(0, make([]byte, 100))[:50], codes.InvalidArgument},
		"one and a half":          {append(frame(0, nil), 0, 0), codes.InvalidArgument},
	} {
		c := f.dialRaw()
		c.headers(1, false)
		c.data(1, true, test.data)
		if st := c.status(1); st.Code() != test.code {
			t.Errorf("%s: %v", name, st)
		}
	}
}
