package weft

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Error is what a server answered in place of a response.
type Error struct {
	Code codes.Code
	// Reason is weft's own reason, such as "QUEUE_FULL" or "BREAKING_CHANGE". It is empty for an error that the called
	// function returned itself, and for one of the connection.
	Reason string
	// Message says what went wrong, where, and what to do.
	Message string
	// Details are the typed details, without the one that carries Reason.
	Details []Detail
}

// Detail is one typed detail of an error.
type Detail struct {
	// Type is the full name of its message: "demo.orders.v1.PlaceError".
	Type string
	// Value is the message in protobuf's wire format.
	Value []byte
	// JSON is the same in JSON, nil where the type is not known. Errors of Client.Call and Method.Call have it.
	JSON json.RawMessage
}

func (e *Error) Error() string { return e.Message }

// GRPCStatus lets package status of grpc-go see the error.
func (e *Error) GRPCStatus() *status.Status {
	p := &spb.Status{Code: int32(e.Code), Message: e.Message}
	if e.Reason != "" {
		if info, err := anypb.New(&errdetails.ErrorInfo{Domain: "weft", Reason: e.Reason}); err == nil {
			p.Details = append(p.Details, info)
		}
	}
	for _, d := range e.Details {
		p.Details = append(p.Details, &anypb.Any{TypeUrl: "type.googleapis.com/" + d.Type, Value: d.Value})
	}
	return status.FromProto(p)
}

// Is makes a deadline or a cancellation on the way look like one of the context.
func (e *Error) Is(target error) bool {
	return target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded ||
		target == context.Canceled && e.Code == codes.Canceled
}

// Changes are the changes that a deploy was refused for, where Reason is "BREAKING_CHANGE".
func (e *Error) Changes() []*weftv1.Change {
	var changes []*weftv1.Change
	for _, d := range e.GRPCStatus().Details() {
		if change, ok := d.(*weftv1.Change); ok {
			changes = append(changes, change)
		}
	}
	return changes
}

// wrap makes an *Error of a status; other errors stay what they are.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &Error{Code: s.Code(), Message: unrepeated(s.Message())}
	for _, d := range s.Proto().GetDetails() {
		var info errdetails.ErrorInfo
		if d.MessageIs(&info) && d.UnmarshalTo(&info) == nil && info.GetDomain() == "weft" {
			e.Reason = info.GetReason()
			continue
		}
		e.Details = append(e.Details, Detail{Type: typeName(d), Value: d.GetValue()})
	}
	return e
}

func typeName(a *anypb.Any) string {
	url := a.GetTypeUrl()
	return url[strings.LastIndexByte(url, '/')+1:]
}

// unrepeated is what the server said, where grpc-go says before it how often it has tried.
func unrepeated(message string) string {
	if rest, ok := strings.CutPrefix(message, "max retries exhausted: failed after "); ok {
		if _, said, ok := strings.Cut(rest, " desc = "); ok {
			return said
		}
	}
	return message
}
