package failure

import (
	"fmt"
	"maps"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Domain is the domain of every ErrorInfo of weft.
const Domain = "weft"

// Reason is for programs: what went wrong, in capitals. The reasons of package executor are used as they are.
type Reason string

// The reasons that the services add to those of package executor.
const (
	// UnknownService: nobody in the namespace exports the service.
	UnknownService Reason = "UNKNOWN_SERVICE"
	// UnknownMethod: the service has no such method.
	UnknownMethod Reason = "UNKNOWN_METHOD"
	// UnknownFunction: the function or the revision that the caller named does not exist.
	UnknownFunction Reason = "UNKNOWN_FUNCTION"
	// NotExported: the function that the caller named does not export the service.
	NotExported Reason = "NOT_EXPORTED"
	// NotReady: the revision is not ready here, because it is loading, failed to load, or is not placed here.
	NotReady Reason = "NOT_READY"
	// NodeLost: the node that ran the call was lost before its answer came: the call may have run, wholly, in part, or not at
	// all.
	NodeLost Reason = "NODE_LOST"
	// NodeUnreachable: no node that could run the call was reached; it has not run.
	NodeUnreachable Reason = "NODE_UNREACHABLE"
	// InvalidMetadata: a weft-… header of the request has a value that it can't have.
	InvalidMetadata Reason = "INVALID_METADATA"
	// Cardinality: not exactly one request message came.
	Cardinality Reason = "CARDINALITY"
	// MalformedRequest: the request is not protobuf, or does not fit the types.
	MalformedRequest Reason = "MALFORMED_REQUEST"
	// RequestTooLarge: the request is over the limit of the revision.
	RequestTooLarge Reason = "REQUEST_TOO_LARGE"
	// ResponseTooLarge: the response is over the limit of the revision.
	ResponseTooLarge Reason = "RESPONSE_TOO_LARGE"
	// Busy: this node holds too many large messages, or too many calls wait.
	Busy Reason = "BUSY"
	// Canceled: the caller went away.
	Canceled Reason = "CANCELED"
	// Deadline: the call's time is over.
	Deadline Reason = "DEADLINE"
	// Draining: this node is about to stop.
	Draining Reason = "DRAINING"
	// Internal: a fault of weft or of its machine.
	Internal Reason = "INTERNAL"
)

// New gives a status error with an ErrorInfo of weft and further details. The message says what went wrong, where, and
// what to do.
func New(code codes.Code, reason Reason, message string, details ...proto.Message) error {
	return build(code, reason, nil, message, details...)
}

// Newf is New with a format and without details.
func Newf(code codes.Code, reason Reason, format string, args ...any) error {
	return build(code, reason, nil, fmt.Sprintf(format, args...))
}

// With adds facts to the ErrorInfo of an error that New or FromCall made. It returns any other error as it is. Keys are
// those that google.rpc.ErrorInfo allows: [a-z][a-zA-Z0-9-_]+, 64 characters at most.
func With(err error, facts map[string]string) error {
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	p := st.Proto()
	for i, detail := range p.GetDetails() {
		info := new(errdetails.ErrorInfo)
		if !detail.MessageIs(info) || detail.UnmarshalTo(info) != nil || info.GetDomain() != Domain {
			continue
		}
		if info.Metadata == nil {
			info.Metadata = make(map[string]string, len(facts))
		}
		maps.Copy(info.Metadata, facts)
		packed, err := anypb.New(info)
		if err != nil {
			return st.Err()
		}
		p.Details[i] = packed
		return fit(p)
	}
	return err
}

// ReasonOf returns the reason that err carries, empty if it is no error of weft.
func ReasonOf(err error) Reason {
	st, ok := status.FromError(err)
	if !ok || err == nil {
		return ""
	}
	for _, detail := range st.Proto().GetDetails() {
		info := new(errdetails.ErrorInfo)
		if detail.MessageIs(info) && detail.UnmarshalTo(info) == nil && info.GetDomain() == Domain {
			return Reason(info.GetReason())
		}
	}
	return ""
}

func build(code codes.Code, reason Reason, facts map[string]string, message string, details ...proto.Message) error {
	p := &spb.Status{Code: int32(code), Message: message}
	info := &errdetails.ErrorInfo{Reason: string(reason), Domain: Domain, Metadata: facts}
	for _, detail := range append([]proto.Message{info}, details...) {
		packed, err := anypb.New(detail)
		if err != nil {
			continue // A string in it is not UTF-8: the status is worth more than the detail.
		}
		p.Details = append(p.Details, packed)
	}
	return fit(p)
}
