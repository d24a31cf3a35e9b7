// Package callinfo answers weft:runtime/context: what a function may know of the call that it works on. Its WIT is
// wit/host/weft-runtime/context.wit.
//
// Metadata is shown as the caller sent it, but for what weft itself put there or reads (weft-…), what belongs to the protocol
// (grpc-…, content-type, te, …) and credentials: they are for weft, which has checked them, and a function that had them could
// act as its caller. What a function is to know of its caller, the caller sends under other names.
package callinfo

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/wit/host"
)

// Interface is weft:runtime/context.
func Interface() executor.HostInterface {
	return executor.HostInterface{
		Type: host.Interfaces("weft-runtime")["context"],
		Functions: map[string]executor.HostFunc{
			"self":          self,
			"call-id":       callID,
			"deadline-left": deadlineLeft,
			"caller":        caller,
			"metadata":      metadata,
			"traceparent":   traceparent,
			"trace-id":      traceID,
		},
	}
}

func self(call *executor.HostCall) error {
	write(call.Result(), call.From())
	return nil
}

func write(out executor.Out, key executor.Key) {
	fields := out.Record()
	fields.At(0).Text(key.Namespace)
	fields.At(1).Text(key.Function)
	fields.At(2).U32(key.Revision)
}

func callID(call *executor.HostCall) error {
	call.Result().Text(strings.ToValidUTF8(call.CallID(), "\uFFFD"))
	return nil
}

func deadlineLeft(call *executor.HostCall) error {
	call.Result().U64(uint64(max(0, time.Until(call.Deadline()))))
	return nil
}

func caller(call *executor.HostCall) error {
	if chain := call.Metadata()[outgoing.CallerKey]; len(chain) > 0 {
		if key, ok := parseKey(chain[0]); ok {
			write(call.Result().Some(), key)
			return nil
		}
	}
	call.Result().None()
	return nil
}

// parseKey reads what executor.Key.String writes.
func parseKey(text string) (executor.Key, bool) {
	namespace, rest, ok := strings.Cut(text, "/")
	function, number, ok2 := strings.Cut(rest, "@")
	revision, err := strconv.ParseUint(number, 10, 32)
	ok = ok && ok2 && err == nil && namespace != "" && function != "" && utf8.ValidString(text)
	return executor.Key{Namespace: namespace, Function: function, Revision: uint32(revision)}, ok
}

func metadata(call *executor.HostCall) error {
	type pair struct{ key, value string }
	var pairs []pair
	for key, values := range call.Metadata() {
		if hidden(key) {
			continue
		}
		for _, v := range values {
			if utf8.ValidString(v) {
				pairs = append(pairs, pair{key, v})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	list := call.Result().List(len(pairs))
	for i, p := range pairs {
		members := list.At(i).Tuple()
		members.At(0).Text(p.key)
		members.At(1).Text(p.value)
	}
	return nil
}

// hidden tells whether functions do not see metadata of that key.
func hidden(key string) bool {
	switch key {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "content-type", "te", "user-agent":
		return true
	}
	return strings.HasPrefix(key, "weft-") || strings.HasPrefix(key, "grpc-") || strings.HasPrefix(key, ":") || !utf8.ValidString(key)
}

func traceparent(call *executor.HostCall) error {
	parent, ok := Traceparent(call.Metadata())
	if !ok {
		call.Result().None()
		return nil
	}
	call.Result().Some().Text(parent)
	return nil
}

func traceID(call *executor.HostCall) error {
	parent, ok := Traceparent(call.Metadata())
	if !ok {
		call.Result().None()
		return nil
	}
	call.Result().Some().Text(parent[3:35])
	return nil
}

// Traceparent gives the traceparent of a call's metadata, if there is one as the W3C's Trace Context has it (section 3.2):
// 00-<32 hexadecimal digits>-<16>-<2>, in lower case, no ID all zeros. Later versions may append to that.
func Traceparent(md map[string][]string) (string, bool) {
	values := md["traceparent"]
	if len(values) != 1 {
		return "", false
	}
	v := values[0]
	const size = 2 + 1 + 32 + 1 + 16 + 1 + 2
	switch {
	case len(v) < size, v[2] != '-', v[35] != '-', v[52] != '-', !isHex(v[:2]), !isHex(v[3:35]), !isHex(v[36:52]), !isHex(v[53:55]):
	case v[:2] == "ff", v[:2] == "00" && len(v) != size, len(v) > size && v[size] != '-':
	case strings.Trim(v[3:35], "0") == "", strings.Trim(v[36:52], "0") == "", !utf8.ValidString(v), len(v) > 512:
	default:
		return v, true
	}
	return "", false
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
