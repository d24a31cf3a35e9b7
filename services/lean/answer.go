package lean

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Header is the headers of answers. Answers that share one are cheap: it is encoded once. It is not changed.
type Header struct {
	fields []hpack.HeaderField
	shared bool // by answers; otherwise it belongs to one
}

// NewHeader makes the headers of answers with metadata, to requests of a content-type.
func NewHeader(contentType string, md metadata.MD) *Header {
	return &Header{appendMetadata([]hpack.HeaderField{
		{Name: ":status", Value: "200"}, {Name: "content-type", Value: contentType},
	}, md), true}
}

// okay is the trailer of calls that went well and have no more to say.
var okay = &Header{[]hpack.HeaderField{{Name: "grpc-status", Value: "0"}}, true}

// Answer ends the handler's work with a message, which is freed once it was sent or nobody wants it. It must be called once,
// unless Fail is.
func (s *Stream) Answer(header *Header, message mem.Buffer, trailer metadata.MD) {
	end := okay
	if len(trailer) > 0 {
		end = &Header{fields: appendMetadata([]hpack.HeaderField{okay.fields[0]}, trailer)}
	}
	data := part{isData: true, ahead: prefix, data: message.ReadOnlyData(), buffer: message}
	binary.BigEndian.PutUint32(data.prefix[1:], uint32(message.Len()))
	s.say(part{header: header}, data, part{header: end, end: true})
}

// Fail ends the handler's work with an error.
func (s *Stream) Fail(st *status.Status, trailer metadata.MD) { s.say(s.failure(st, trailer)) }

// failure is an answer that has a status only.
func (s *Stream) failure(st *status.Status, trailer metadata.MD) part {
	fields := []hpack.HeaderField{
		{Name: ":status", Value: "200"}, {Name: "content-type", Value: s.head.Metadata["content-type"][0]},
		{Name: "grpc-status", Value: strconv.Itoa(int(st.Code()))}, {Name: "grpc-message", Value: escape(st.Message())},
	}
	if p := st.Proto(); len(p.GetDetails()) > 0 {
		if details, err := proto.Marshal(p); err == nil { // as grpc-go: what can't be encoded is left out
			fields = append(fields, hpack.HeaderField{Name: "grpc-status-details-bin", Value: base64.RawStdEncoding.EncodeToString(details)})
		}
	}
	return part{header: &Header{fields: appendMetadata(fields, trailer)}, end: true}
}

// WriteStatus answers the request while the handler still reads it: what it reads from then on fails with
// context.DeadlineExceeded. The handler still ends by answering, which nobody hears. The error is always nil.
func (s *Stream) WriteStatus(st *status.Status) error {
	c := s.conn
	c.mu.Lock()
	s.put(s.failure(st, nil)) // first, as the handler then says what it makes of the rest
	if s.body.err == nil {
		s.body.err = context.DeadlineExceeded
	}
	s.body.tell()
	c.mu.Unlock()
	s.End(context.Canceled)
	return nil
}

// say ends the handler's work with an answer.
func (s *Stream) say(parts ...part) {
	c := s.conn
	c.mu.Lock()
	c.handlerEnded(s)
	now := c.takesNow(parts)
	s.put(parts...)
	if now {
		c.writeNow()
	}
	c.mu.Unlock()
	s.End(context.Canceled)
}

// put queues an answer, if the client waits for one. c.mu is held.
func (s *Stream) put(parts ...part) {
	if s.err != nil || s.said || s.conn.err != nil {
		for i := range parts {
			parts[i].free()
		}
		return
	}
	s.said = true
	s.parts = append(s.first[:0], parts...)
	s.conn.offer(s)
}

// appendMetadata adds metadata to fields, in gRPC's encoding.
func appendMetadata(fields []hpack.HeaderField, md metadata.MD) []hpack.HeaderField {
	for name, values := range md {
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
			fields = append(fields, hpack.HeaderField{Name: name, Value: value})
		}
	}
	return fields
}

// escape encodes a message as grpc-message wants it: percent-encoded, but for printable ASCII. What is not UTF-8
// becomes U+FFFD.
func escape(message string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, r := range message {
		if r >= ' ' && r <= '~' && r != '%' {
			b.WriteByte(byte(r))
			continue
		}
		for _, c := range []byte(string(r)) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
