package outgoing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

// explain turns whatever a call failed with into an error of executor.Outgoing: one that the callee returned, or an
// *executor.Error that names the import, the callee and the reason.
func (c *Caller) explain(ctx context.Context, err error, call executor.OutgoingCall, callee string) error {
	if err == nil {
		return nil
	}
	_, own := errors.AsType[*executor.FunctionError](err)
	_, fault := errors.AsType[*executor.Error](err)
	switch {
	case own || fault:
	case errors.Is(err, context.DeadlineExceeded):
		err = &executor.Error{Reason: executor.Deadline, Message: "no answer within the time that the call had left", Err: err}
	case errors.Is(err, context.Canceled):
		err = &executor.Error{Reason: executor.Canceled, Message: "the call was canceled", Err: err}
	default:
		st, ok := status.FromError(err)
		if !ok {
			err = &executor.Error{Reason: executor.Internal, Message: err.Error(), Err: err}
			break
		}
		if own := c.typed(ctx, st, call); own != nil {
			return own
		}
		err = fromStatus(st, err)
	}
	return explainLocal(err, call, callee)
}

// explainLocal is explain for what the executor of this node says.
func explainLocal(err error, call executor.OutgoingCall, callee string) error {
	if own, ok := errors.AsType[*executor.FunctionError](err); ok {
		return own
	}
	fault, ok := errors.AsType[*executor.Error](err)
	if !ok {
		return err
	}
	return &executor.Error{Reason: fault.Reason, Err: fault, Message: fmt.Sprintf("%s calls %s (%s): %s", call.From,
		call.Import+"#"+call.Method, callee, strings.ToValidUTF8(cmp.Or(fault.Summary, fault.Message), "\uFFFD"))}
}

// fromStatus gives the error for a status that is not the callee's own error: of the router, or of a service outside.
func fromStatus(st *status.Status, err error) *executor.Error {
	reason := executor.Internal
	switch st.Code() {
	case codes.DeadlineExceeded:
		reason = executor.Deadline
	case codes.Canceled:
		reason = executor.Canceled
	case codes.Unavailable:
		reason = executor.NotLoaded
	case codes.Unimplemented:
		reason = executor.UnknownMethod
	case codes.InvalidArgument:
		reason = executor.MalformedRequest
	case codes.ResourceExhausted:
		reason = executor.QueueFull
	}
	message := st.Message()
	if failure.ReasonOf(err) == "" {
		message = st.Code().String() + ": " + message
	}
	return &executor.Error{Reason: reason, Message: message, Err: err}
}

// typed gives the error that a service outside returned, if the status has a detail of the type that the method's errors
// have; nil otherwise.
func (c *Caller) typed(ctx context.Context, st *status.Status, call executor.OutgoingCall) error {
	details := st.Proto().GetDetails()
	if len(details) == 0 {
		return nil
	}
	r, err := c.config.Components.Revision(ctx, call.From)
	if err != nil {
		return nil //nolint:nilerr // the status is told as it is
	}
	want := errorType(r, call)
	for _, detail := range details {
		if want != "" && string(detail.MessageName()) == want {
			return &executor.FunctionError{Message: st.Message(), DetailType: want, Detail: detail.GetValue()}
		}
	}
	return nil
}

// errorType is the full name of the message that the errors of the called method have; empty if it has none.
func errorType(r executor.Revision, call executor.OutgoingCall) string {
	for _, s := range r.Imports {
		if s.Interface != call.Import {
			continue
		}
		for _, m := range s.Methods {
			if m.Name == call.Method && m.Error != nil {
				return m.Error.Message
			}
		}
	}
	return ""
}
