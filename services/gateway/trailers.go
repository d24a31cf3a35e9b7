package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/metadata"

	"github.com/weft-run/weft/services/lean"
	"github.com/weft-run/weft/services/outgoing"
)

// answered says who answers, in the headers of an answer. It is shared by all calls and never changed.
type answered struct {
	revision uint32
	node     string
	metadata metadata.MD
	short    *lean.Header // for requests of application/grpc
	long     *lean.Header // for those of application/grpc+proto
}

// encoded gives the headers that answer a request.
func (a *answered) encoded(to *lean.Head) *lean.Header {
	if first(to.Metadata, "content-type") == "application/grpc" {
		return a.short
	}
	return a.long
}

// header gives the headers for a revision of the function. Nearly all calls are answered by the same one.
func (s *series) header(revision uint32, node string) *answered {
	if last := s.last.Load(); last != nil && last.revision == revision && last.node == node {
		return last
	}
	md := metadata.Pairs("weft-function", s.function.name, "weft-revision", strconv.FormatUint(uint64(revision), 10))
	if node != "" {
		md.Set("weft-node", node)
	}
	a := &answered{
		revision: revision, node: node, metadata: md,
		short: lean.NewHeader("application/grpc", md), long: lean.NewHeader("application/grpc+proto", md),
	}
	s.last.Store(a)
	return a
}

// timingTrailers tell how long a call took, and its mark, by which its lines in the function's log are found.
func (c *call) timingTrailers() metadata.MD {
	return metadata.Pairs(
		"weft-call", c.id,
		"weft-queue-us", strconv.FormatInt(c.timings.Queue.Microseconds(), 10),
		"weft-run-us", strconv.FormatInt(c.timings.Run.Microseconds(), 10),
	)
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

// maxTrace bounds the trace of a call in the trailers, in bytes. A call with a trace has no status beside it.
const maxTrace = 6 << 10

// traceTrailers gives the lines of a trace, as many as there is room for.
func traceTrailers(lines []string) metadata.MD {
	left, n := maxTrace, 0
	for n < len(lines) {
		if left -= len(outgoing.TraceKey) + len(lines[n]) + 32; left < 0 {
			break
		}
		n++
	}
	if n == 0 {
		return nil
	}
	return metadata.MD{outgoing.TraceKey: lines[:n]}
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
