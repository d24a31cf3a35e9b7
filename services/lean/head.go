package lean

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/metadata"
)

// Head is what the headers of a gRPC request say. It is shared by the requests of a connection that look the same: nobody
// changes it.
type Head struct {
	// Path is the full method: "/demo.orders.v1.Orders/Place".
	Path string
	// Metadata is as grpc-go gives it to handlers: binary values are decoded, what belongs to the protocol is left out.
	Metadata metadata.MD
	// Timeout is how long the caller waits; zero if it does not say.
	Timeout time.Duration
	// Note is for the Handler to keep what it found out when it was asked whether it takes the request.
	Note any
}

// maxBlock bounds a header block as it is sent, for each byte that its fields may have: a block that says little in many bytes
// has no purpose.
const maxBlock = 2

// remembered is how many header blocks a direction of a connection remembers.
const remembered = 8

// decoder decodes header blocks. It belongs to the goroutine that reads.
type decoder struct {
	hpack   *hpack.Decoder
	limit   int
	size    int
	fields  []hpack.HeaderField // of the block that is decoded, as far as they are within the limit
	pseudo  bool                // no other field came yet
	invalid bool
	length  int64 // content-length; -1 if absent

	known []knownHead
}

// knownHead is a block of references and what it stands for.
type knownHead struct {
	block  []byte
	head   *Head
	length int64
}

func newDecoder(limit int) *decoder {
	d := &decoder{limit: limit}
	d.hpack = hpack.NewDecoder(tableSize, d.field)
	d.hpack.SetMaxStringLength(limit)
	return d
}

// tableSize is the size of HPACK's table that both sides begin with.
const tableSize = 4096

// recall gives the head of a block that came before and still means the same; nil if there is none.
func (d *decoder) recall(block []byte) *knownHead {
	for i := range d.known {
		if bytes.Equal(d.known[i].block, block) {
			return &d.known[i]
		}
	}
	return nil
}

// decode reads a block into fields. The error is one of the connection: the table is no longer known.
func (d *decoder) decode(block []byte) error {
	if !onlyReferences(block) {
		d.known = d.known[:0]
	}
	d.fields, d.size, d.pseudo, d.invalid, d.length = d.fields[:0], 0, true, false, -1
	if _, err := d.hpack.Write(block); err != nil {
		return err
	}
	return d.hpack.Close()
}

// remember keeps what the block that was decoded last stands for, if it may come again.
func (d *decoder) remember(block []byte, head *Head) {
	if onlyReferences(block) && len(d.known) < remembered {
		d.known = append(d.known, knownHead{bytes.Clone(block), head, d.length})
	}
}

// onlyReferences tells whether a block consists of indexed fields, and so neither changes the table nor says anything new.
func onlyReferences(block []byte) bool {
	continued := false // the index goes on
	for _, b := range block {
		if !continued && b&0x80 == 0 {
			return false
		}
		continued = continued && b&0x80 != 0 || !continued && b == 0xff
	}
	return len(block) > 0
}

// field takes a field from the decoder of HPACK.
func (d *decoder) field(f hpack.HeaderField) {
	if d.size += int(f.Size()); d.size > d.limit {
		return // It goes on, so that the table stays right.
	}
	d.fields = append(d.fields, f)
	pseudo := f.IsPseudo()
	switch {
	case pseudo && !d.pseudo, !httpguts.ValidHeaderFieldValue(f.Value):
		d.invalid = true
	case pseudo:
	case !validName(f.Name):
		d.invalid = true
	case f.Name == "content-length":
		n, err := strconv.ParseUint(f.Value, 10, 63)
		d.invalid = d.invalid || err != nil || d.length >= 0 && d.length != int64(n)
		d.length = int64(n)
	case f.Name == "te":
		d.invalid = d.invalid || !strings.EqualFold(f.Value, "trailers")
	}
	d.pseudo = d.pseudo && pseudo
}

// validName tells whether HTTP/2 allows the name of a field: RFC 9113, sections 8.2 and 8.2.2.
func validName(name string) bool {
	switch name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return false
	}
	for i := range len(name) {
		if c := name[i]; c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return httpguts.ValidHeaderFieldName(name)
}

func (d *decoder) tooLarge() bool { return d.size > d.limit }

// isRequest tells whether the fields can begin a request: RFC 9113, section 8.3.1.
func (d *decoder) isRequest() bool {
	if d.invalid {
		return false
	}
	var method, scheme, path, authority int
	for _, f := range d.fields { // Those that begin with a colon come first.
		switch {
		case !f.IsPseudo():
		case f.Name == ":method":
			method++
		case f.Name == ":scheme":
			scheme++
		case f.Name == ":path" && f.Value != "":
			path++
		case f.Name == ":authority":
			authority++
		default:
			return false
		}
	}
	return method == 1 && scheme == 1 && path == 1 && authority <= 1
}

// isTrailer tells whether the fields can end a request.
func (d *decoder) isTrailer() bool {
	return !d.invalid && (len(d.fields) == 0 || !d.fields[0].IsPseudo())
}

// head makes the head of a plain unary gRPC request. It is nil for what is not: another server says what is wrong with it.
func (d *decoder) head() *Head {
	h := &Head{Metadata: make(metadata.MD, len(d.fields))}
	for _, f := range d.fields {
		ok := true
		switch f.Name {
		case ":method":
			ok = f.Value == "POST"
		case ":path":
			h.Path = f.Value
			ok = strings.HasPrefix(f.Value, "/") && strings.LastIndexByte(f.Value, '/') > 0
		case ":scheme", "te":
		case "grpc-encoding":
			ok = f.Value == "identity"
		case "grpc-timeout":
			h.Timeout, ok = parseTimeout(f.Value)
		case "grpc-message-type", "grpc-message", "grpc-status":
			ok = false
		default:
			value := f.Value
			if strings.HasSuffix(f.Name, "-bin") {
				value, ok = decodeBinary(value)
			}
			h.Metadata[f.Name] = append(h.Metadata[f.Name], value)
		}
		if !ok {
			return nil
		}
	}
	switch authority, host := h.Metadata[":authority"], h.Metadata["host"]; {
	case len(host) > 1 || len(authority)+len(host) == 0:
		return nil
	case len(authority) == 0:
		h.Metadata[":authority"] = host
	}
	delete(h.Metadata, "host")
	return h
}

// decodeBinary decodes the value of a header that ends in "-bin", which may be padded.
func decodeBinary(text string) (string, bool) {
	encoding := base64.RawStdEncoding
	if len(text)%4 == 0 {
		encoding = base64.StdEncoding
	}
	value, err := encoding.DecodeString(text)
	return string(value), err == nil
}

// parseTimeout reads grpc-timeout: at most eight digits and a unit. A timeout of nothing is for another server to refuse.
func parseTimeout(text string) (time.Duration, bool) {
	if len(text) < 2 || len(text) > 9 {
		return 0, false
	}
	var unit time.Duration
	switch text[len(text)-1] {
	case 'H':
		unit = time.Hour
	case 'M':
		unit = time.Minute
	case 'S':
		unit = time.Second
	case 'm':
		unit = time.Millisecond
	case 'u':
		unit = time.Microsecond
	case 'n':
		unit = time.Nanosecond
	}
	number, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if err != nil || unit == 0 || number == 0 {
		return 0, false
	}
	if number > uint64(math.MaxInt64/unit) {
		return math.MaxInt64, true
	}
	return time.Duration(number) * unit, true
}
