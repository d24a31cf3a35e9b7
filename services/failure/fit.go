package failure

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// MaxWire bounds what a status takes of the trailers, in bytes as they are sent: the message, percent-encoded, and
// the whole status in base64. The default limit of grpc-java and of gRPC's C core is 8 KiB for all trailers together.
const MaxWire = 7 << 10

// MaxMessage bounds the message of a status, in bytes.
const MaxMessage = 2 << 10

// fit makes the message valid UTF-8 and cuts the status until it fits into MaxWire: first whatever details follow the
// first one, from the back, then a detail that is too large by itself, then the message.
func fit(p *spb.Status) error {
	p.Message = cut(strings.ToValidUTF8(p.GetMessage(), "\uFFFD"), MaxMessage)
	for len(p.Details) > 1 && wire(p) > MaxWire {
		p.Details = p.Details[:len(p.Details)-1]
	}
	if len(p.Details) == 1 && wire(p) > MaxWire && proto.Size(p.Details[0]) > MaxWire/4 {
		note := fmt.Sprintf(" (detail %s of %d bytes left out: too large for a status)",
			p.Details[0].GetTypeUrl(), len(p.Details[0].GetValue()))
		p.Details = nil
		p.Message = cut(p.Message, MaxMessage-len(note)) + note
	}
	for limit := len(p.Message); limit > 0 && wire(p) > MaxWire; {
		limit = limit * 3 / 4
		p.Message = cut(p.Message, limit)
	}
	return status.ErrorProto(p)
}

// wire is how many bytes the status takes in the trailers: grpc-message, and grpc-status-details-bin if there are
// details.
func wire(p *spb.Status) int {
	n := 0
	for i := range len(p.Message) {
		if c := p.Message[i]; c >= ' ' && c <= '~' && c != '%' {
			n++
		} else {
			n += 3 // gRPC over HTTP2: percent-encoded
		}
	}
	if len(p.Details) > 0 {
		n += base64.RawStdEncoding.EncodedLen(proto.Size(p))
	}
	return n
}

// cut shortens s to at most limit bytes, at the start of a character, and shows that it did.
func cut(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	end := max(limit-len(mark), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
