package traffic

import (
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/test/robustness/model"
)

// effect is what an operation that failed has done.
type effect int

const (
	nothing effect = iota
	notFound
	unknown
)

// refusals are the reasons that promise that nothing was changed (proto/weft/v1/function.proto). CONFLICT is not among
// them: a function may be deleted right after its revision was committed. Nor is an error of the connection: the client's
// library may have sent the request before, over one that was there.
var refusals = map[failure.Reason]bool{
	"NO_LEADER": true, "DISK_FULL": true, "CLOSING": true, "INVALID_REQUEST": true, "TOO_LARGE": true, "LEVEL": true,
	"NOT_EXPORTED": true, "IN_USE": true, "IDLE": true, "COMPILE_FAILED": true, "START_FAILED": true, "BREAKING_CHANGE": true,
	"UNSUPPORTED": true,
}

// outcome tells what an operation that failed has done.
func outcome(err error, kind model.Kind) effect {
	why := failure.ReasonOf(err)
	switch {
	case kind == model.Call || kind == model.Get || kind == model.Stale || kind == model.Owner:
		if why == "NOT_FOUND" && kind != model.Call {
			return notFound
		}
		return nothing
	case why == "NOT_FOUND":
		return notFound
	case refusals[why]:
		return nothing
	default:
		return unknown
	}
}

// reason is why an operation failed, in a word.
func reason(err error) string {
	if why := failure.ReasonOf(err); why != "" {
		return string(why)
	}
	return status.Code(err).String()
}
