package outgoing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-run/weft/executor"
)

// MaxDepth is how many calls of functions may lie between a client and a call.
const MaxDepth = 16

// The metadata that tells of callers. Clients can't set it.
const (
	CallerKey = "weft-caller"
	DepthKey  = "weft-depth"
)

// TraceKey asks for a trace; see package outgoing.
const TraceKey = traceKey

const traceKey = "weft-trace"

// onward gives the metadata of a call that a function makes, and its depth.
func onward(call executor.OutgoingCall) (md map[string][]string, depth int, err error) {
	callers := call.Metadata[CallerKey]
	if text := call.Metadata[DepthKey]; len(text) > 0 {
		if depth, err = strconv.Atoi(text[0]); err != nil || depth < 0 {
			return nil, 0, &executor.Error{Reason: executor.Internal, Message: fmt.Sprintf("%s has the depth %.20q", call.From, text[0])}
		}
	}
	from := call.From.Namespace + "/" + call.From.Function + "@" + strconv.FormatUint(uint64(call.From.Revision), 10)
	chain := append(make([]string, 0, len(callers)+1), from)
	chain = append(chain, callers...)
	if depth++; depth > MaxDepth {
		slices.Reverse(chain)
		return nil, depth, &executor.Error{Reason: executor.Unsupported, Message: fmt.Sprintf(
			"%s calls %s: that would be call %d in a row, and %d are allowed: %s", call.From, call.Import, depth, MaxDepth,
			strings.Join(chain, " → "))}
	}
	md = map[string][]string{CallerKey: chain, DepthKey: {strconv.Itoa(depth)}}
	for key, values := range call.Metadata {
		if travels(key) {
			md[key] = values
		}
	}
	return md, depth, nil
}

// travels tells whether metadata of a call goes along with the calls that it leads to.
func travels(key string) bool {
	switch key {
	case "traceparent", "tracestate", "baggage", traceKey:
		return true
	}
	return strings.HasPrefix(key, "x-")
}
