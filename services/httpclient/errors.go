package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Case is a case of the interface's error.
type Case string

// The cases.
const (
	InvalidRequest   Case = "invalid-request"
	NotAllowed       Case = "not-allowed"
	Unreachable      Case = "unreachable"
	TLS              Case = "tls"
	Timeout          Case = "timeout"
	RequestTooLarge  Case = "request-too-large"
	ResponseTooLarge Case = "response-too-large"
	Redirect         Case = "redirect"
	Protocol         Case = "protocol"
)

// Error is why a request has no response.
type Error struct {
	Case Case
	// Message is for people: UTF-8, 1 KiB at most.
	Message string
}

func (e *Error) Error() string { return string(e.Case) + ": " + e.Message }

func failf(c Case, format string, args ...any) *Error {
	return &Error{c, strings.ToValidUTF8(cut(fmt.Sprintf(format, args...)), "\uFFFD")}
}

// maxMessage bounds what an error says, as servers and functions choose parts of it.
const maxMessage = 1 << 10

func cut(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage-len("…")], "") + "…"
}

// cause is why a request failed, which the end of its context explains best.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// asError finds out what an error of net/http means. It returns nil for nil.
func asError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return failf(caseOf(err), "%v", err)
}

func caseOf(err error) Case {
	if isTLS(err) {
		return TLS
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return Unreachable
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return Unreachable
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "response headers exceeded"), strings.Contains(text, "response header list larger than"):
		return ResponseTooLarge
	case strings.Contains(text, "Location header"), strings.Contains(text, "missing Location"):
		return Redirect
	default:
		return Protocol
	}
}

// isTLS tells whether a handshake failed.
func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &authority) ||
		errors.As(err, &hostname) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}
