package httpclient

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// userAgent is that of requests that set none.
const userAgent = "weft"

// reserved are the header fields that belong to the connection or frame the message (RFC 9110, section 7.6.1; RFC 9112,
// sections 6 and 7), in lower case.
var reserved = map[string]bool{
	"host": true, "content-length": true, "transfer-encoding": true, "te": true, "trailer": true, "connection": true,
	"keep-alive": true, "upgrade": true, "expect": true, "http2-settings": true,
}

// requestHeader checks the fields of a request, and tells their size.
func requestHeader(fields []Field) (header http.Header, size int, err error) {
	header = make(http.Header, len(fields)+1)
	for _, f := range fields {
		name := strings.ToLower(f.Name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return nil, 0, failf(InvalidRequest, "the header name %q is not valid", cut(f.Name))
		case reserved[name], strings.HasPrefix(name, "proxy-"), strings.HasPrefix(name, "weft-"):
			return nil, 0, failf(InvalidRequest, "the header %s can't be set by functions", name)
		case !httpguts.ValidHeaderFieldValue(f.Value):
			return nil, 0, failf(InvalidRequest, "the value of the header %s has characters that are not allowed", name)
		}
		if size += len(name) + len(f.Value) + len(": \r\n"); size > maxHeaders {
			return nil, 0, failf(RequestTooLarge, "the headers have more than %d bytes", maxHeaders)
		}
		header.Add(name, f.Value)
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", userAgent)
	}
	return header, size, nil
}

// keepHarmless removes what one origin is told and another one must not be.
func keepHarmless(header http.Header) {
	for name := range header {
		switch strings.ToLower(name) {
		case "accept", "accept-encoding", "accept-language", "content-type", "user-agent", "traceparent", "tracestate":
		default:
			header.Del(name)
		}
	}
}

// responseHeader lists the fields of a response.
func responseHeader(header http.Header) []Field {
	var fields []Field
	for name, values := range header {
		for _, v := range values {
			fields = append(fields, Field{text(strings.ToLower(name)), text(v)})
		}
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// text reads bytes of a header as ISO 8859-1, as they were meant when HTTP began: nothing else is sure to have a meaning.
func text(s string) string {
	if isASCII(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// checkMethod refuses what is no method, and those that do not ask a server for something.
func checkMethod(method string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(method): // both are tokens
		return failf(InvalidRequest, "the method %q is not valid", cut(method))
	case method == http.MethodConnect, method == http.MethodTrace:
		return failf(InvalidRequest, "the method %s is not supported", method)
	}
	return nil
}
