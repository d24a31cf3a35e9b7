package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	maxFrame      = 16 << 10 // the payload that every server takes in one frame, RFC 9113 section 4.2
	defaultWindow = 65535    // what may be sent before the server says more, RFC 9113 section 6.9.2
	window        = 1 << 30  // what the server may send before it hears from us
)

// conn is one connection and the calls on it. It belongs to one goroutine.
type conn struct {
	net    net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	framer *http2.Framer

	first         []byte               // the headers of the first call, which fill the server's table
	headers, data []byte               // the frames' payloads, the same for each call after it
	next          uint32               // ID of the next stream
	started       map[uint32]time.Time // the calls under way: when each began, or should have begun in an open loop
	uploads       []*upload            // requests that the server has not taken whole, the oldest first
	sendable      int64                // what the server still takes on this connection, in bytes
	streamWindow  int64                // what it takes on a new stream
	received      int64                // what came since the last WINDOW_UPDATE
	decoder       *hpack.Decoder
	status, text  string // grpc-status and grpc-message of the header block that is being decoded
	tally         tally
}

// upload is the rest of a request.
type upload struct {
	id     uint32
	rest   []byte
	window int64 // what the server still takes on the stream, in bytes
}

// drive calls on one connection until the end of the span.
func drive(ctx context.Context, config Config, share share) tally {
	c, err := dial(ctx, config)
	if err != nil {
		return tally{err: err}
	}
	defer c.net.Close()
	deadline, _ := ctx.Deadline()
	if err := c.net.SetDeadline(deadline); err != nil {
		return tally{err: err}
	}
	stop := context.AfterFunc(ctx, func() { c.net.Close() })
	defer stop()
	if share.rate > 0 {
		c.tally.err = c.open(share, deadline)
	} else {
		c.tally.err = c.closed(share)
	}
	return c.tally
}

func dial(ctx context.Context, config Config) (*conn, error) {
	var dialer net.Dialer
	nc, err := dialer.DialContext(ctx, "tcp", config.Address)
	if err != nil {
		return nil, err
	}
	c := &conn{
		net:      nc,
		in:       bufio.NewReaderSize(nc, 64<<10),
		out:      bufio.NewWriterSize(nc, 64<<10),
		next:     1,
		started:  map[uint32]time.Time{},
		sendable: defaultWindow, streamWindow: defaultWindow,
	}
	c.framer = http2.NewFramer(c.out, c.in)
	c.framer.SetReuseFrames()
	c.decoder = hpack.NewDecoder(4096, c.field)
	c.first, c.headers = headerBlocks(config)
	c.data = binary.BigEndian.AppendUint32([]byte{0}, uint32(len(config.Message)))
	c.data = append(c.data, config.Message...)
	return c, c.hello()
}

// headerBlocks encodes the request's headers as clients do: the first block adds them to the server's table, and the
// same few bytes refer to the table from then on.
func headerBlocks(config Config) (first, next []byte) {
	fields := []string{
		":method", "POST", ":scheme", "http", ":path", config.Method, ":authority", config.Address,
		"content-type", "application/grpc", "te", "trailers",
	}
	fields = append(fields, config.Metadata...)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encode := func() []byte {
		block.Reset()
		for i := 0; i+1 < len(fields); i += 2 {
			// Writing to a buffer can't fail.
			_ = encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(fields[i]), Value: fields[i+1]})
		}
		return bytes.Clone(block.Bytes())
	}
	return encode(), encode()
}

func (c *conn) hello() error {
	if _, err := c.out.WriteString(http2.ClientPreface); err != nil {
		return err
	}
	if err := c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		return err
	}
	return c.framer.WriteWindowUpdate(0, window)
}

// closed starts the first calls, then a new one as each ends, and returns when the last has ended.
func (c *conn) closed(s share) error {
	waiting := s.inFlight
	for {
		now := time.Now()
		for waiting > 0 && now.Before(s.end) && c.sendable > 0 {
			if err := c.call(now); err != nil {
				return err
			}
			waiting--
		}
		if len(c.started) == 0 && !now.Before(s.end) {
			return nil
		}
		if c.in.Buffered() == 0 {
			if err := c.out.Flush(); err != nil {
				return err
			}
		}
		ended, err := c.read()
		if err != nil {
			return err
		}
		if ended != 0 {
			now := time.Now()
			c.count(ended, now, s.within(now))
			if err := c.forget(ended); err != nil {
				return err
			}
			waiting++
		}
	}
}

// call begins a call, the latency of which counts from a time.
func (c *conn) call(from time.Time) error {
	id := c.next
	c.next += 2
	c.started[id] = from
	headers := c.headers
	if id == 1 {
		headers = c.first
	}
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers, EndHeaders: true})
	if err != nil {
		return err
	}
	c.uploads = append(c.uploads, &upload{id: id, rest: c.data, window: c.streamWindow})
	return c.upload()
}

// upload sends of the requests what the server takes.
func (c *conn) upload() error {
	kept := c.uploads[:0]
	for _, u := range c.uploads {
		for len(u.rest) > 0 {
			n := min(int64(len(u.rest)), maxFrame, u.window, c.sendable)
			if n <= 0 {
				break
			}
			if err := c.framer.WriteData(u.id, n == int64(len(u.rest)), u.rest[:n]); err != nil {
				return err
			}
			u.rest = u.rest[n:]
			u.window -= n
			c.sendable -= n
		}
		if len(u.rest) > 0 {
			kept = append(kept, u)
		}
	}
	clear(c.uploads[len(kept):])
	c.uploads = kept
	return nil
}

// forget drops the rest of the request of a call that has ended, and tells the server so.
func (c *conn) forget(id uint32) error {
	at := slices.IndexFunc(c.uploads, func(u *upload) bool { return u.id == id })
	if at < 0 {
		return nil
	}
	c.uploads = slices.Delete(c.uploads, at, at+1)
	return c.framer.WriteRSTStream(id, http2.ErrCodeCancel)
}

// count notes a call that ended now, with the status that was last decoded.
func (c *conn) count(id uint32, now time.Time, counts bool) {
	start := c.started[id]
	delete(c.started, id)
	switch {
	case !counts:
	case c.status == "0":
		c.tally.latencies.add(now.Sub(start))
	default:
		c.tally.failed++
		if c.tally.firstError == "" {
			c.tally.firstError = fmt.Sprintf("grpc-status %s: %s", c.status, c.text)
		}
	}
}

// read handles one frame and gives the stream that it ended, if it did.
func (c *conn) read() (uint32, error) {
	frame, err := c.framer.ReadFrame()
	if err != nil {
		return 0, err
	}
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.HeadersFrame:
		if !f.HeadersEnded() {
			return 0, fmt.Errorf("headers of more than one frame on stream %d", id)
		}
		c.status, c.text = "", ""
		if _, err := c.decoder.Write(f.HeaderBlockFragment()); err != nil {
			return 0, err
		}
		if f.StreamEnded() {
			return id, c.decoder.Close()
		}
		return 0, c.decoder.Close()
	case *http2.DataFrame:
		return 0, c.took(int64(f.Length))
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return 0, c.settings(f)
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return 0, c.framer.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		return 0, c.mayUpload(id, int64(f.Increment))
	case *http2.RSTStreamFrame:
		c.status, c.text = "reset", f.ErrCode.String()
		if _, ok := c.started[id]; ok {
			return id, nil
		}
	case *http2.GoAwayFrame:
		return 0, fmt.Errorf("the server says goodbye: %s %s", f.ErrCode, f.DebugData())
	}
	return 0, nil
}

// settings takes over what the server says of its windows.
func (c *conn) settings(f *http2.SettingsFrame) error {
	if size, ok := f.Value(http2.SettingInitialWindowSize); ok {
		for _, u := range c.uploads {
			u.window += int64(size) - c.streamWindow
		}
		c.streamWindow = int64(size)
	}
	if err := c.framer.WriteSettingsAck(); err != nil {
		return err
	}
	return c.upload()
}

// mayUpload makes a window larger, that of the connection if the stream is 0.
func (c *conn) mayUpload(stream uint32, more int64) error {
	if stream == 0 {
		c.sendable += more
		return c.upload()
	}
	for _, u := range c.uploads {
		if u.id == stream {
			u.window += more
			return c.upload()
		}
	}
	return nil
}

// took counts received bytes and gives the window back when half of it is used.
func (c *conn) took(n int64) error {
	c.received += n
	if c.received < window/2 {
		return nil
	}
	n, c.received = c.received, 0
	return c.framer.WriteWindowUpdate(0, uint32(n))
}

func (c *conn) field(f hpack.HeaderField) {
	switch f.Name {
	case "grpc-status":
		c.status = f.Value
	case "grpc-message":
		c.text = f.Value
	}
}
