package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	maxMessage = 16<<10 - prefix // what fits the smallest frame size that HTTP/2 has, RFC 9113 section 4.2
	prefix     = 5               // gRPC's prefix of a message: a flag and its length
	window     = 1 << 30         // what the server may send before it hears from us
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
	started       map[uint32]time.Time // the calls under way
	sendable      int64                // what the server still takes on this connection, in bytes
	received      int64                // what came since the last WINDOW_UPDATE
	decoder       *hpack.Decoder
	status, text  string // grpc-status and grpc-message of the header block that is being decoded
	tally         tally
}

// drive keeps a number of calls in flight on one connection until the end.
func drive(ctx context.Context, config Config, inFlight int, begin, end time.Time) tally {
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
	c.tally.err = c.loop(inFlight, begin, end)
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
		sendable: 65535, // RFC 9113 section 6.9.2
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

// loop starts the first calls, then a new one as each ends, and returns when the last has ended.
func (c *conn) loop(inFlight int, begin, end time.Time) error {
	waiting := inFlight
	for {
		now := time.Now()
		for waiting > 0 && now.Before(end) && c.sendable >= int64(len(c.data)) {
			if err := c.call(now); err != nil {
				return err
			}
			waiting--
		}
		if len(c.started) == 0 && !now.Before(end) {
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
			c.count(ended, begin, end)
			waiting++
		}
	}
}

func (c *conn) call(now time.Time) error {
	id := c.next
	c.next += 2
	c.started[id] = now
	c.sendable -= int64(len(c.data))
	headers := c.headers
	if id == 1 {
		headers = c.first
	}
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers, EndHeaders: true})
	if err != nil {
		return err
	}
	return c.framer.WriteData(id, true, c.data)
}

// count notes a call that has ended, with the status that was last decoded.
func (c *conn) count(id uint32, begin, end time.Time) {
	start := c.started[id]
	delete(c.started, id)
	now := time.Now()
	switch {
	case now.Before(begin) || now.After(end):
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
			return 0, c.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return 0, c.framer.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		if id == 0 {
			c.sendable += int64(f.Increment)
		}
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
