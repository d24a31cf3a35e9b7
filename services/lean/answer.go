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
type Header struct{ fields []hpack.HeaderField }

// NewHeader makes the headers of answers with metadata, to requests of a content-type.
func NewHeader(contentType string, md metadata.MD) *Header {
	return &Header{appendMetadata([]hpack.HeaderField{
		{Name: ":status", Value: "200"}, {Name: "content-type", Value: contentType},
	}, md)}
}

// okay is the trailer of calls that went well and have no more to say.
var okay = &Header{[]hpack.HeaderField{{Name: "grpc-status", Value: "0"}}}

// Answer ends the handler's work with a message, which is freed once it was sent or nobody wants it. It must be called once,
// unless Fail or WriteStatus is.
func (s *Stream) Answer(header *Header, message mem.Buffer, trailer metadata.MD) {
	end := okay
	if len(trailer) > 0 {
		end = &Header{appendMetadata([]hpack.HeaderField{okay.fields[0]}, trailer)}
	}
	binary.BigEndian.PutUint32(s.prefix[1:], uint32(message.Len()))
	s.say(part{header: header}, part{isData: true, prefix: s.prefix[:], data: message.ReadOnlyData(), buffer: message},
		part{header: end, end: true})
}

// Fail ends the handler's work with an error.
func (s *Stream) Fail(st *status.Status, trailer metadata.MD) {
	fields := []hpack.HeaderField{
		{Name: ":status", Value: "200"}, {Name: "content-type", Value: s.head.Metadata["content-type"][0]},
		{Name: "grpc-status", Value: strconv.Itoa(int(st.Code()))}, {Name: "grpc-message", Value: escape(st.Message())},
	}
	if p := st.Proto(); len(p.GetDetails()) > 0 {
		if details, err := proto.Marshal(p); err == nil { // as grpc-go: what can't be encoded is left out
			fields = append(fields, hpack.HeaderField{Name: "grpc-status-details-bin", Value: base64.RawStdEncoding.EncodeToString(details)})
		}
	}
	s.say(part{header: &Header{appendMetadata(fields, trailer)}, end: true})
}

// WriteStatus ends the request while the handler still reads it: what it reads fails, and what it answers is dropped.
func (s *Stream) WriteStatus(st *status.Status) error {
	s.Fail(st, nil)
	s.stopReading(context.DeadlineExceeded) // last, as the handler then says what it makes of that
	return nil
}

// say queues an answer.
func (s *Stream) say(parts ...part) {
	c := s.conn
	c.mu.Lock()
	c.handlerEnded(s)
	if s.err != nil || s.said || c.err != nil {
		c.mu.Unlock()
		for i := range parts {
			parts[i].free()
		}
		return
	}
	s.said = true
	s.parts = append(s.first[:0], parts...)
	c.offer(s)
	c.mu.Unlock()
	s.End(context.Canceled)
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

// escape encodes a message as grpc-message wants it: percent-encoded, but for printable ASCII.
func escape(message string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(message) {
		if c := message[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
