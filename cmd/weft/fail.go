package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"
)

// say writes to stderr. Nothing can be done if that fails.
func (a *app) say(format string, args ...any) { _, _ = fmt.Fprintf(a.err, format, args...) }

// failure is an error as --json prints it: {"error": {…}}, on stderr, so that stdout holds an answer or nothing.
type failure struct {
	// Code is the gRPC code, empty for what went wrong before a server was asked.
	Code    string   `json:"code,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Message string   `json:"message"`
	Details []detail `json:"details,omitempty"`
}

type detail struct {
	Type string `json:"type"`
	// Value is the detail in JSON; Bytes is what came, where nobody knows its type.
	Value json.RawMessage `json:"value,omitempty"`
	Bytes []byte          `json:"bytes,omitempty"`
}

// misused prints a mistake in flags or arguments. The flag --json may stand behind the mistake, where nobody has read it.
func (a *app) misused(err *usageError, asksJSON bool) {
	if (a.json || asksJSON) && a.failJSON(failure{Message: err.Error()}) {
		return
	}
	a.say("weft: %v\nRun '%s --help' for what it takes.\n", err, err.command)
}

// failJSON prints an error as JSON and reports whether it could.
func (a *app) failJSON(f failure) bool {
	text, err := json.MarshalIndent(map[string]failure{"error": f}, "", "  ")
	if err == nil {
		a.say("%s\n", text)
	}
	return err == nil
}

// fail prints an error.
func (a *app) fail(err error) {
	f := a.explain(err)
	if a.json && a.failJSON(f) {
		return
	}
	prefix := ""
	if f.Code != "" {
		prefix = f.Code + ": "
		if f.Reason != "" && f.Reason != f.Code {
			prefix = fmt.Sprintf("%s (%s): ", f.Code, f.Reason)
		}
	}
	a.say("weft: %s%s\n", prefix, f.Message)
	for _, d := range f.Details {
		if strings.HasPrefix(d.Type, "google.rpc.") {
			continue // the message says it
		}
		if d.Value != nil {
			a.say("%s %s\n", d.Type, indent(d.Value))
		} else {
			a.say("%s (%d bytes)\n", d.Type, len(d.Bytes))
		}
	}
}

func (a *app) explain(err error) failure {
	var answered *weft.Error
	if !errors.As(err, &answered) {
		f := failure{Message: strings.TrimPrefix(err.Error(), "weft: ")}
		if s, ok := status.FromError(err); ok {
			f.Code = codeName(s.Code())
		}
		return f
	}
	f := failure{Code: codeName(answered.Code), Reason: answered.Reason, Message: err.Error()}
	if answered.Code == codes.Unavailable && answered.Reason == "" {
		f.Message = a.unreachable(answered.Message)
	}
	if answered.Reason != "" && len(answered.Changes()) > 0 {
		return f // the message has them
	}
	for _, d := range answered.Details {
		if shown := (detail{Type: d.Type, Value: d.JSON}); d.JSON != nil {
			f.Details = append(f.Details, shown)
		} else {
			f.Details = append(f.Details, detail{Type: d.Type, Bytes: d.Value})
		}
	}
	return f
}

// unreachable says what to do about a server that does not answer.
func (a *app) unreachable(message string) string {
	cause := message
	if at := strings.LastIndex(message, "desc = "); at >= 0 { // gRPC wraps what it heard, each time in a sentence of its own
		cause = strings.Trim(message[at+len("desc = "):], `"`)
	}
	if _, after, ok := strings.Cut(message, "dial tcp "); ok {
		cause = strings.TrimSuffix(after, `"`)
		if _, after, ok := strings.Cut(cause, ": "); ok {
			cause = strings.TrimPrefix(after, "connect: ")
		}
	}
	return fmt.Sprintf("no answer from %s: %s; start a server there (weft server) or name another (WEFT_ADDR)", a.addr, cause)
}

// codeName is gRPC's name of a code: NOT_FOUND.
func codeName(c codes.Code) string {
	if name, ok := code.Code_name[int32(c)]; ok {
		return name
	}
	return fmt.Sprintf("CODE_%d", c)
}
