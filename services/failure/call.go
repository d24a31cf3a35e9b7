package failure

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/transcode"
)

// Call is what the status of a failed call says about the call.
type Call struct {
	Key executor.Key
	// ID marks the call's lines in the function's log.
	ID string
	// HideTraps keeps what is known of a trap, its cause and the guest's backtrace, out of the status.
	HideTraps bool
}

// FromCall gives the status error for what executor.Executor.Call or router.Router.Call returned.
//
// An *executor.FunctionError is the function's own: its code is the one that its case is named after, otherwise
// FAILED_PRECONDITION, and its only detail is the error itself. Every other error is weft's: it carries an ErrorInfo
// with the function, the revision and the call.
func FromCall(err error, call Call) error {
	if own := new(executor.FunctionError); errors.As(err, &own) {
		return fromFunction(own)
	}
	fault := new(executor.Error)
	switch {
	case errors.As(err, &fault):
	case errors.Is(err, context.DeadlineExceeded):
		fault = &executor.Error{Reason: executor.Deadline, Message: "the call's deadline is over"}
	case errors.Is(err, context.Canceled):
		fault = &executor.Error{Reason: executor.Canceled, Message: "the caller has canceled the call"}
	default:
		fault = &executor.Error{Reason: executor.Internal, Message: err.Error()}
	}
	message := fault.Message
	switch {
	case !call.HideTraps:
	case fault.Reason == executor.Trap:
		message = fmt.Sprintf("%s trapped; the function's log says more under call %s", call.Key, call.ID)
	case len(fault.Backtrace) > 0: // memory was out, for one
		message = fault.Summary
	}
	var details []proto.Message
	if fault.Reason == executor.MalformedRequest {
		details = append(details, violation(fault))
	}
	facts := map[string]string{
		"namespace": call.Key.Namespace,
		"function":  call.Key.Function,
		"revision":  strconv.FormatUint(uint64(call.Key.Revision), 10),
		"call":      call.ID,
	}
	return build(codeOf(fault.Reason), Reason(fault.Reason), facts, message, details...)
}

// codeOf gives the code of what went wrong in the executor.
func codeOf(reason executor.Reason) codes.Code {
	switch reason {
	case executor.MalformedRequest:
		return codes.InvalidArgument
	case executor.UnknownMethod:
		return codes.Unimplemented
	case executor.NotLoaded, executor.Closing, executor.Reason(NodeLost), executor.Reason(NodeUnreachable):
		return codes.Unavailable
	case executor.Deadline:
		return codes.DeadlineExceeded
	case executor.Canceled:
		return codes.Canceled
	case executor.QueueFull, executor.WaitLimit, executor.MemoryLimit, executor.RequestTooLarge, executor.ResponseTooLarge:
		return codes.ResourceExhausted
	case executor.Unsupported, executor.CompileFailed:
		return codes.FailedPrecondition
	default: // executor.Trap, executor.Internal, and what is not known here
		return codes.Internal
	}
}

func fromFunction(own *executor.FunctionError) error {
	code, ok := kebab[own.Case]
	if !ok {
		code = codes.FailedPrecondition
	}
	p := &spb.Status{Code: int32(code), Message: own.Message}
	if own.DetailType != "" {
		p.Details = []*anypb.Any{{TypeUrl: "type.googleapis.com/" + own.DetailType, Value: own.Detail}}
	}
	return fit(p)
}

// kebab holds gRPC's codes by their names in kebab case, without ok, in the spelling of gRPC's specification; cancelled
// also in Go's.
var kebab = map[string]codes.Code{
	"cancelled":           codes.Canceled,
	"canceled":            codes.Canceled,
	"unknown":             codes.Unknown,
	"invalid-argument":    codes.InvalidArgument,
	"deadline-exceeded":   codes.DeadlineExceeded,
	"not-found":           codes.NotFound,
	"already-exists":      codes.AlreadyExists,
	"permission-denied":   codes.PermissionDenied,
	"resource-exhausted":  codes.ResourceExhausted,
	"failed-precondition": codes.FailedPrecondition,
	"aborted":             codes.Aborted,
	"out-of-range":        codes.OutOfRange,
	"unimplemented":       codes.Unimplemented,
	"internal":            codes.Internal,
	"unavailable":         codes.Unavailable,
	"data-loss":           codes.DataLoss,
	"unauthenticated":     codes.Unauthenticated,
}

// violation gives the detail that google.rpc has for a field that does not fit.
func violation(fault *executor.Error) proto.Message {
	found := &errdetails.BadRequest_FieldViolation{Description: fault.Message}
	if misfit := new(transcode.Error); errors.As(fault, &misfit) {
		found.Field, found.Description = misfit.Path, misfit.Msg
	}
	return &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{found}}
}
