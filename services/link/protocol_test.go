package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/peer/peertest"
)

// raw opens a connection to b that speaks the protocol by hand, hello done.
func raw(t *testing.T, port *peertest.Port) net.Conn {
	t.Helper()
	conn, err := port.Dial(patience(t), Protocol, "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := greet(conn, settings{streams: 100, message: 1 << 20, window: 1 << 20}, true); err != nil {
		t.Fatal(err)
	}
	return conn
}

// frame gives a frame.
func frame(k kind, stream uint32, payload string) string {
	return string(appendHeader(nil, k, stream, len(payload))) + payload
}

// announcement gives a frame that announces a message.
func announcement(stream uint32, size uint64) string {
	return frame(kindAnnounce, stream, string(binary.BigEndian.AppendUint64(nil, size)))
}

// small is a request.
var small = string(appendRequest(nil, new(Request), 0))

// next reads a frame.
func next(t *testing.T, conn net.Conn) (header, []byte) {
	t.Helper()
	_ = conn.SetReadDeadline(deadline(patience(t)))
	b := make([]byte, headerSize)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	h, err := parseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, h.length)
	if _, err := io.ReadFull(conn, payload); err != nil {
		t.Fatal(err)
	}
	return h, payload
}

func TestViolationsCloseTheConnection(t *testing.T) {
	for name, test := range map[string]struct{ sent, want string }{
		"garbage":              {strings.Repeat("GET / HTTP/1.1\r\n", 10), "a frame of "},
		"4 GiB":                {"\xff\xff\xff\xff\x01\x00\x00\x00\x00\x01", "a frame of 4294967295 bytes"},
		"one byte too many":    {string(appendHeader(nil, kindRequest, 1, maxPayload+1)), "a frame of 32769 bytes"},
		"half a frame":         {frame(kindRequest, 1, small)[:15], "within a frame"},
		"half a header":        {frame(kindRequest, 1, small)[:5], "within a frame"},
		"unknown type":         {frame(99, 1, "x"), "type 99"},
		"a response":           {frame(kindResponse, 1, small), "type 2 from the side that calls"},
		"going away":           {frame(kindGoAway, 0, ""), "type 10 from the side that calls"},
		"stream zero":          {frame(kindRequest, 0, small), "stream 0 is used again"},
		"no head":              {frame(kindRequest, 1, "\x00"), "a message of 1 bytes"},
		"long head":            {frame(kindRequest, 1, "\x00\x00\xff\xff"), "a head of 65535 bytes"},
		"empty head":           {frame(kindRequest, 1, "\x00\x00\x00\x00"), "malformed"},
		"many keys":            {frame(kindRequest, 1, "\x00\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x0f"), "malformed"},
		"huge announcement":    {announcement(1, 1<<40), "a message of 1099511627776 bytes"},
		"announced twice":      {announcement(1, 100) + announcement(1, 100), "stream 1 is used again"},
		"not granted":          {announcement(1, 1<<20) + announcement(2, 1<<20) + announcement(3, 1<<20) + frame(kindData, 3, "x"), "not granted"},
		"more than announced":  {announcement(1, 2) + frame(kindData, 1, "xxx"), "a piece of 3 bytes, where 2 are missing"},
		"an empty piece":       {announcement(1, 2) + frame(kindData, 1, ""), "a piece of 0 bytes"},
		"a short ping":         {frame(kindPing, 0, "x"), "type 8 with 1 bytes"},
		"credit for nothing":   {frame(kindCredit, 0, "\x00\x00\x00\x01"), "a credit of 1 bytes"},
		"more calls than fine": {announcement(1, 9) + announcement(2, 9) + announcement(3, 9) + announcement(4, 9) + announcement(5, 9), "more than 4 calls"},
	} {
		t.Run(name, func(t *testing.T) {
			written := new(logs)
			network := peertest.NewNetwork(t)
			b := start(t, network.Port("b"), echo, func(c *Config) {
				c.Streams, c.Memory, c.Logger = 4, 3<<20, slog.New(slog.NewTextHandler(written, nil))
			})
			other := start(t, network.Port("a"), echo)
			if _, err := other.Call(patience(t), "b", Request{}); err != nil {
				t.Fatal(err)
			}
			conn := raw(t, network.Port("x"))
			if _, err := io.WriteString(conn, test.sent); err != nil {
				t.Fatal(err)
			}
			if tcp := conn.(*net.TCPConn); strings.HasPrefix(name, "half") {
				_ = tcp.CloseWrite()
			}
			_ = conn.SetReadDeadline(deadline(patience(t)))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) {
				t.Error("the connection stays open")
			}
			eventually(t, "the log says why", func() bool { return strings.Contains(written.String(), test.want) })
			if level := "level=ERROR"; !strings.HasPrefix(name, "half") && !strings.Contains(written.String(), level) {
				t.Errorf("the log says %q", written)
			}
			if _, err := other.Call(patience(t), "b", Request{}); err != nil || len(other.snapshot()) != 1 {
				t.Errorf("another connection suffers: %v", err)
			}
			eventually(t, "nothing is held", func() bool { return idle(b) })
		})
	}
}

func TestBadHellos(t *testing.T) {
	good := string(hello(settings{1, maxPayload, minWindow}))
	newer := string(bytes.Replace([]byte(good), []byte{version, lowestVersion}, []byte{9, 1}, 1))
	for hello, want := range map[string]string{
		"":                             "EOF",
		"weft":                         "EOF",
		"GET / HTTP/1.1\r\n\r\n":       `it begins with "GET / HT"`,
		good[:8] + "\x09\x07" + "\x00": "EOF",
		good[:8] + "\x09\x07\x00\x00":  "it speaks versions 7 to 9, this node 1 to 1",
		good[:10] + "\xff\xff":         "settings of 65535 bytes",
		good[:10] + "\x00\x00":         "it allows 0 streams",
		good[:10] + "\x00\x01\x01":     "settings are cut off",
		good[:len(good)-1]:             "half a hello",
		good:                           "",
		newer:                          "",
	} {
		_, err := readHello(strings.NewReader(hello))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", hello, err, want)
		}
	}
	network := peertest.NewNetwork(t)
	start(t, network.Port("b"), echo, func(c *Config) { c.DialTimeout = 50 * time.Millisecond })
	for _, hello := range []string{"", "weft", "garbage garbage garbage"} { // Who says nothing is not waited for either.
		conn, err := network.Port("x").Dial(patience(t), Protocol, "b")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, hello); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(deadline(patience(t)))
		if n, err := io.Copy(io.Discard, conn); hello == "" && n > 0 || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q is answered with %d bytes, %v", hello, n, err)
		}
		_ = conn.Close()
	}
}

func TestFramesByHand(t *testing.T) {
	network := peertest.NewNetwork(t)
	b := start(t, network.Port("b"), echo)
	conn := raw(t, network.Port("x"))
	send := func(frames ...string) {
		t.Helper()
		if _, err := io.WriteString(conn, strings.Join(frames, "")); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(stream uint32, message string) {
		t.Helper()
		h, payload := next(t, conn)
		if h.kind != kindResponse || h.stream != stream {
			t.Fatalf("a frame of type %d on stream %d", h.kind, h.stream)
		}
		r, failure, err := parseResponse(payload, "b")
		if failure != nil || err != nil || string(r.Message) != message {
			t.Fatalf("%q, %v, %v", r.Message, failure, err)
		}
	}
	// Frames that may be skipped, and those about what is over, change nothing.
	send(frame(kindSkip|99, 7, "whatever"), frame(kindCancel, 5, ""), frame(kindGrant, 5, ""), frame(kindData, 5, "late"), frame(kindPong, 0, "12345678"))
	send(frame(kindRequest, 1, small+"hello"))
	answer(1, "hello")
	send(frame(kindPing, 0, "abcdefgh"))
	if h, payload := next(t, conn); h.kind != kindPong || string(payload) != "abcdefgh" {
		t.Fatalf("a ping is answered by type %d", h.kind)
	}
	send(frame(kindRequest, 1, small+"a stream may be used again"))
	answer(1, "a stream may be used again")
	// A head may end in what this version does not know.
	grown := small + "new"
	binary.BigEndian.PutUint32([]byte(grown), 0)
	longer := binary.BigEndian.AppendUint32(nil, uint32(len(grown)-headPrefix))
	send(frame(kindRequest, 2, string(longer)+grown[headPrefix:]+"body"))
	answer(2, "body")
	// A message may be announced however small it is, and come in any pieces.
	send(announcement(3, uint64(len(small)+5)))
	if h, _ := next(t, conn); h.kind != kindGrant || h.stream != 3 {
		t.Fatalf("an announcement is answered by type %d", h.kind)
	}
	send(frame(kindData, 3, small[:3]), frame(kindData, 3, small[3:]+"hell"), frame(kindData, 3, "o"))
	answer(3, "hello")
	// A large response waits to be granted, and goes no further than credit allows.
	large := announcement(4, uint64(len(small)+100_000))
	send(large)
	if h, _ := next(t, conn); h.kind != kindGrant {
		t.Fatal(h.kind)
	}
	message := small + strings.Repeat("x", 100_000)
	for len(message) > 0 {
		n := min(len(message), maxPayload)
		send(frame(kindData, 4, message[:n]))
		message = message[n:]
	}
	if h, _ := next(t, conn); h.kind != kindAnnounce || h.stream != 4 {
		t.Fatal(h.kind)
	}
	send(frame(kindRequest, 5, small+"meanwhile"))
	answer(5, "meanwhile")
	send(frame(kindGrant, 4, ""))
	for got := 0; got < 100_000; {
		h, payload := next(t, conn)
		if h.kind != kindData || h.length > pieceSize {
			t.Fatalf("type %d, %d bytes", h.kind, h.length)
		}
		got += len(payload)
	}
	// Who cancels a message that is coming holds no memory for it any more.
	send(announcement(6, 1<<20))
	if h, _ := next(t, conn); h.kind != kindGrant {
		t.Fatal(h.kind)
	}
	send(frame(kindData, 6, "piece"), frame(kindCancel, 6, ""), frame(kindData, 6, "late"))
	eventually(t, "nothing is held", func() bool { return idle(b) })
}

// TestRefusedWhileStopping: what is not started says so, whatever it is.
func TestRefusedWhileStopping(t *testing.T) {
	network := peertest.NewNetwork(t)
	b := start(t, network.Port("b"), echo)
	conn := raw(t, network.Port("x"))
	if _, err := io.WriteString(conn, frame(kindRequest, 1, small)); err != nil {
		t.Fatal(err)
	}
	next(t, conn)
	closed := make(chan error, 1)
	go func() { closed <- b.Close(patience(t)) }()
	if h, _ := next(t, conn); h.kind != kindGoAway {
		t.Fatalf("type %d", h.kind)
	}
	if _, err := io.WriteString(conn, frame(kindRequest, 2, small)+announcement(3, 1<<20)); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []uint32{2, 3} {
		h, payload := next(t, conn)
		_, failure, err := parseResponse(payload, "b")
		if h.kind != kindResponse || h.stream != stream || err != nil {
			t.Fatalf("type %d, %v", h.kind, err)
		}
		if fault := new(executor.Error); !errors.As(as[*NotStartedError](t, failure), &fault) || fault.Reason != executor.Closing {
			t.Errorf("stream %d: %v", stream, failure)
		}
	}
	_ = conn.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
