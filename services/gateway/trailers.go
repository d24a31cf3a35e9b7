package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/metadata"
)

// template is the trailers of an answer, to be filled in. grpc-go copies them, so the next call may have them.
type template struct {
	md                             metadata.MD
	function, revision, queue, run []string
}

var templates = sync.Pool{New: func() any {
	t := template{function: make([]string, 1), revision: make([]string, 1), queue: make([]string, 1), run: make([]string, 1)}
	t.md = metadata.MD{
		"weft-function": t.function, "weft-revision": t.revision, "weft-queue-us": t.queue, "weft-run-us": t.run,
	}
	return &t
}}

// setTrailers tells the caller who answered and how long it took; after a failure also the mark of the call, by which
// its lines in the function's log are found.
func (c *call) setTrailers(failed bool) {
	t := templates.Get().(*template) //nolint:forcetypeassert // nothing else is put in
	defer templates.Put(t)
	t.function[0] = c.destination.Key.Function
	t.revision[0] = strconv.FormatUint(uint64(c.destination.Key.Revision), 10)
	t.queue[0] = strconv.FormatInt(c.timings.Queue.Microseconds(), 10)
	t.run[0] = strconv.FormatInt(c.timings.Run.Microseconds(), 10)
	// An error means that the stream has ended already, and nobody reads them.
	_ = c.source.SetTrailer(t.md)
	if failed {
		_ = c.source.SetTrailer(metadata.MD{"weft-call": {c.id}})
	}
	if c.gateway.node != nil {
		_ = c.source.SetTrailer(c.gateway.node)
	}
}

// maxGuestTrailers bounds what a function may add to the trailers, in bytes as HTTP/2 counts them. Together with a status
// (failure.MaxWire) and weft's own trailers it stays below the 8 KiB that many clients take.
const maxGuestTrailers = 512

// guestTrailers gives the trailers of a function that may be sent, in order of their names as far as there is room:
// not those that belong to gRPC and to weft, nor what HTTP/2 can not carry.
func guestTrailers(given map[string][]string) metadata.MD {
	var md metadata.MD
	left := maxGuestTrailers
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !allowedTrailer(key) {
			continue
		}
		for _, value := range given[key] {
			left -= len(key) + len(value) + 32 // RFC 7541, section 4.1
			if left < 0 {
				return md
			}
			if strings.HasSuffix(key, "-bin") || printable(value) {
				if md == nil {
					md = metadata.MD{}
				}
				md[key] = append(md[key], value)
			}
		}
	}
	return md
}

func allowedTrailer(key string) bool {
	if key == "" || strings.HasPrefix(key, "weft-") || strings.HasPrefix(key, "grpc-") {
		return false
	}
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return key != "content-type" && key != "te" && key != "trailer" && key != "connection"
}

func printable(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}

// ids makes the marks of calls: unlike those of other processes, and never the same twice.
type ids struct {
	prefix string
	last   *atomic.Uint64
}

func newIDs() ids {
	var random [4]byte
	_, _ = rand.Read(random[:]) // crypto/rand.Read never fails.
	return ids{prefix: hex.EncodeToString(random[:]) + "-", last: new(atomic.Uint64)}
}

func (i ids) next() string {
	text := make([]byte, 0, 24)
	text = append(text, i.prefix...)
	return string(strconv.AppendUint(text, i.last.Add(1), 36))
}
