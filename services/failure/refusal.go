package failure

import (
	"google.golang.org/grpc/codes"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// The reasons of what the catalog refuses.
const (
	// InvalidRequest: a name, limit or other value of the request is not allowed.
	InvalidRequest Reason = "INVALID_REQUEST"
	// NotFound: there is no such function, service, contract, node or token.
	NotFound Reason = "NOT_FOUND"
	// Conflict: something has changed since the request was worked out.
	Conflict Reason = "CONFLICT"
	// InUse: somebody needs what the request would take away.
	InUse Reason = "IN_USE"
	// Level: a node of the cluster is too old for it.
	Level Reason = "LEVEL"
	// Taken: something else has the name.
	Taken Reason = "TAKEN"
	// Cycle: functions would call one another in circles.
	Cycle Reason = "CYCLE"
	// Removed: the node was taken out of the cluster.
	Removed Reason = "REMOVED"
)

// Refused gives the status of what the catalog refused.
func Refused(r *catalogv1.Refusal) error {
	code, reason := codes.Internal, Internal
	switch r.GetReason() {
	case catalogv1.Refusal_REASON_NOT_FOUND:
		code, reason = codes.NotFound, NotFound
	case catalogv1.Refusal_REASON_CONFLICT:
		code, reason = codes.Aborted, Conflict
	case catalogv1.Refusal_REASON_IN_USE:
		code, reason = codes.FailedPrecondition, InUse
	case catalogv1.Refusal_REASON_NOT_EXPORTED:
		code, reason = codes.FailedPrecondition, NotExported
	case catalogv1.Refusal_REASON_LEVEL:
		code, reason = codes.FailedPrecondition, Level
	case catalogv1.Refusal_REASON_INVALID:
		code, reason = codes.InvalidArgument, InvalidRequest
	case catalogv1.Refusal_REASON_TAKEN:
		code, reason = codes.AlreadyExists, Taken
	case catalogv1.Refusal_REASON_CYCLE:
		code, reason = codes.FailedPrecondition, Cycle
	case catalogv1.Refusal_REASON_REMOVED:
		code, reason = codes.FailedPrecondition, Removed
	}
	return New(code, reason, r.GetMessage())
}
