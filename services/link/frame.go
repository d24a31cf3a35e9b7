package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// A frame is a header of 10 bytes and a payload: length of the payload (4, big endian), type (1), flags (1, zero), stream (4).
const (
	headerSize = 10
	// maxPayload bounds every frame.
	maxPayload = 32 << 10
	// pieceSize is how much of an announced message goes in a frame: with its header, what fits one TLS record.
	pieceSize = 16<<10 - headerSize
)

// kind is the type of a frame.
type kind uint8

// The types of frames. DESIGN.md says what each holds.
const (
	kindRequest  kind = 1 // a whole request
	kindResponse kind = 2 // a whole response
	kindAnnounce kind = 3 // the length of a message that comes in pieces
	kindGrant    kind = 4 // the announced message may come
	kindData     kind = 5 // a piece of it
	kindCredit   kind = 6 // so many bytes of pieces were read
	kindCancel   kind = 7 // nobody waits for the answer
	kindPing     kind = 8
	kindPong     kind = 9
	kindGoAway   kind = 10 // send no more requests

	// kindSkip is set in types that a receiver who doesn't know them skips.
	kindSkip kind = 0x80
)

type header struct {
	length int
	kind   kind
	stream uint32
}

func appendHeader(b []byte, k kind, stream uint32, length int) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, byte(k), 0)
	return binary.BigEndian.AppendUint32(b, stream)
}

// parseHeader reads the header in the first bytes of b.
func parseHeader(b []byte) (header, error) {
	_ = b[headerSize-1]
	h := header{kind: kind(b[4]), stream: binary.BigEndian.Uint32(b[6:])}
	length := binary.BigEndian.Uint32(b)
	if length > maxPayload {
		return h, violationf("a frame of %d bytes; %d are allowed", length, maxPayload)
	}
	h.length = int(length)
	return h, nil
}

// violation is a rule of the protocol that the peer broke.
type violation struct{ text string }

func (v *violation) Error() string { return "the peer broke the protocol: " + v.text }

func violationf(format string, args ...any) error { return &violation{fmt.Sprintf(format, args...)} }

// The hello opens a connection in both directions: magic (8), the highest version that the sender speaks (1), the lowest
// (1), the length of the settings (2), settings: pairs of varints, a number and a value.
const (
	magic         = "weftcall"
	version       = 1
	lowestVersion = 1
	// minWindow leaves room for a piece although the peer keeps back what is not a quarter of the window yet.
	minWindow   = 64 << 10
	helloSize   = len(magic) + 4
	maxSettings = 1024
)

// settings are what one side allows the other.
type settings struct {
	streams uint32 // open at once
	message int64  // bytes of a request or a response, header included
	window  int64  // bytes of pieces that are on their way
}

// The numbers of settings. Unknown ones are ignored.
const (
	settingStreams = 1
	settingMessage = 2
	settingWindow  = 3
)

func hello(s settings) []byte {
	var pairs []byte
	for _, v := range [...]uint64{settingStreams, uint64(s.streams), settingMessage, uint64(s.message), settingWindow, uint64(s.window)} {
		pairs = binary.AppendUvarint(pairs, v)
	}
	b := []byte(magic)
	b = append(b, version, lowestVersion)
	b = binary.BigEndian.AppendUint16(b, uint16(len(pairs)))
	return append(b, pairs...)
}

// readHello reads the peer's hello. It allocates no more than a hello may have.
func readHello(r io.Reader) (settings, error) {
	var b [helloSize + maxSettings]byte
	if _, err := io.ReadFull(r, b[:helloSize]); err != nil {
		return settings{}, fmt.Errorf("no hello: %w", err)
	}
	if string(b[:len(magic)]) != magic {
		return settings{}, violationf("it begins with %q", b[:len(magic)])
	}
	if highest, lowest := b[len(magic)], b[len(magic)+1]; highest < lowestVersion || lowest > version {
		return settings{}, violationf("it speaks versions %d to %d, this node %d to %d; upgrade the older one",
			lowest, highest, lowestVersion, version)
	}
	length := binary.BigEndian.Uint16(b[len(magic)+2:])
	if length > maxSettings {
		return settings{}, violationf("settings of %d bytes", length)
	}
	pairs := b[helloSize : helloSize+int(length)]
	if _, err := io.ReadFull(r, pairs); err != nil {
		return settings{}, fmt.Errorf("half a hello: %w", err)
	}
	return parseSettings(pairs)
}

func parseSettings(pairs []byte) (settings, error) {
	var s settings
	for c := (cursor[[]byte]{rest: pairs}); len(c.rest) > 0; {
		number, value := c.uvarint(), c.uvarint()
		if c.bad {
			return s, violationf("settings are cut off")
		}
		switch number {
		case settingStreams:
			s.streams = uint32(min(value, 1<<31))
		case settingMessage:
			s.message = int64(min(value, MaxMessage))
		case settingWindow:
			s.window = int64(min(value, 1<<31))
		}
	}
	if s.streams == 0 || s.message < maxPayload || s.window < minWindow {
		return s, violationf("it allows %d streams, messages of %d bytes and a window of %d", s.streams, s.message, s.window)
	}
	return s, nil
}

// greet exchanges hellos. Whoever dials speaks first.
func greet(conn net.Conn, own settings, dialed bool) (settings, error) {
	if dialed {
		if _, err := conn.Write(hello(own)); err != nil {
			return settings{}, err
		}
		return readHello(conn)
	}
	theirs, err := readHello(conn)
	if broken := new(violation); err == nil || errors.As(err, &broken) { // Say which versions would do.
		if _, failed := conn.Write(hello(own)); err == nil {
			err = failed
		}
	}
	return theirs, err
}
