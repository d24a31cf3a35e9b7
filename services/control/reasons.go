package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/artifacts"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
	"github.com/weft-run/weft/services/secrets"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

// The reasons of this API; proto/weft/v1/function.proto says what they mean.
const (
	InvalidRequest                    = failure.InvalidRequest
	NotWasm            failure.Reason = "NOT_WASM"
	CoreModule         failure.Reason = "CORE_MODULE"
	MalformedComponent failure.Reason = "MALFORMED_COMPONENT"
	TooLarge           failure.Reason = "TOO_LARGE"
	Unsupported        failure.Reason = "UNSUPPORTED"
	BreakingChange     failure.Reason = "BREAKING_CHANGE"
	CompileFailed      failure.Reason = "COMPILE_FAILED"
	StartFailed        failure.Reason = "START_FAILED"
	NotFound                          = failure.NotFound
	Conflict                          = failure.Conflict
	InUse                             = failure.InUse
	NotExported                       = failure.NotExported
	Level                             = failure.Level
	Cycle                             = failure.Cycle
	Unbound            failure.Reason = "UNBOUND"
	Mismatch           failure.Reason = "MISMATCH"
	Link               failure.Reason = "LINK"
	NotAllowed         failure.Reason = "NOT_ALLOWED"
	NoKey              failure.Reason = "NO_KEY"
	NotReplicated      failure.Reason = "NOT_REPLICATED"
	NoComponent        failure.Reason = "NO_COMPONENT"
	NoLeader           failure.Reason = "NO_LEADER"
	OutcomeUnknown     failure.Reason = "OUTCOME_UNKNOWN"
	DiskFull           failure.Reason = "DISK_FULL"
	Damaged            failure.Reason = "DAMAGED"
	Idle               failure.Reason = "IDLE"
	Closing            failure.Reason = "CLOSING"
)

func invalid(format string, args ...any) error {
	return failure.Newf(codes.InvalidArgument, InvalidRequest, format, args...)
}

func notFound(view *catalog.View, namespace, name string) error {
	names := func(yield func(string) bool) {
		for _, f := range view.Functions(namespace) {
			if !yield(f.GetName()) {
				return
			}
		}
	}
	return failure.Newf(codes.NotFound, NotFound, "no function %s in namespace %s%s",
		name, namespace, near.Hint(near.Names(name, names)))
}

// status gives the gRPC status of whatever went wrong in a request. What nobody foresaw is logged.
func (s *Server) status(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	code, reason := classify(err)
	switch reason {
	case CoreModule:
		return failure.New(code, reason, "the file is a core WebAssembly module, not a component: make one of it with "+
			"`wasm-tools component new`, or build with a toolchain that writes components")
	case NotWasm:
		return failure.New(code, reason, "the file is not WebAssembly: a component begins with the bytes 00 61 73 6d 0d 00 01 00")
	case TooLarge:
		if errors.Is(err, artifacts.ErrTooLarge) {
			return tooLarge()
		}
	case BreakingChange:
		return breaking(err)
	case NoLeader:
		// The request has waited for one long enough; a client that repeats it would make its user wait again and again.
		_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", "-1")) // it fails outside of a request only
	case failure.Internal:
		s.config.Logger.Error("internal error", "error", err)
	}
	return failure.New(code, reason, err.Error())
}

// changeStatus is status for a request that changes the catalog. A client's gRPC library may have sent the request
// before, without telling its user; that this attempt has changed nothing does not mean then that none has.
func (s *Server) changeStatus(ctx context.Context, err error) error {
	err = s.status(ctx, err)
	if !repeated(ctx) {
		return err
	}
	switch failure.ReasonOf(err) {
	case NoLeader, DiskFull, Closing:
		return failure.Newf(codes.Unavailable, OutcomeUnknown,
			"%s; an earlier attempt of the same request may have taken effect", status.Convert(err).Message())
	default:
		return err
	}
}

// repeated tells whether a request is not the first attempt (gRFC A6).
func repeated(ctx context.Context) bool {
	md, _ := metadata.FromIncomingContext(ctx)
	return len(md.Get("grpc-previous-rpc-attempts")) > 0
}

func classify(err error) (codes.Code, failure.Reason) {
	var (
		malformed *component.Error
		refused   *contract.RefusedError
		breaks    *contract.BreakingError
		fault     *executor.Error
		replicas  *artifacts.ReplicationError
		fetch     *artifacts.FetchError
	)
	switch {
	case errors.Is(err, consensus.ErrOutcomeUnknown): // whatever else it is
		return codes.Unavailable, OutcomeUnknown
	case errors.As(err, &replicas):
		return codes.Unavailable, NotReplicated
	case errors.As(err, &fetch):
		return codes.Unavailable, NoComponent
	case onFullDisk(err):
		return codes.ResourceExhausted, DiskFull
	case errors.Is(err, component.ErrNotWasm):
		return codes.InvalidArgument, NotWasm
	case errors.Is(err, component.ErrCoreModule):
		return codes.InvalidArgument, CoreModule
	case errors.Is(err, artifacts.ErrTooLarge):
		return codes.ResourceExhausted, TooLarge
	case errors.As(err, &malformed):
		return codes.InvalidArgument, MalformedComponent
	case errors.As(err, &refused):
		return codes.InvalidArgument, Unsupported
	case errors.As(err, &breaks):
		return codes.FailedPrecondition, BreakingChange
	case errors.As(err, &fault) && fault.Reason == executor.Unsupported:
		return codes.InvalidArgument, Unsupported
	case errors.As(err, &fault) && fault.Reason == executor.CompileFailed:
		return codes.InvalidArgument, CompileFailed
	case errors.As(err, &fault) && (fault.Reason == executor.MemoryLimit || fault.Reason == executor.Trap):
		return codes.InvalidArgument, StartFailed
	case errors.As(err, &fault) && fault.Reason == executor.Closing:
		return codes.Unavailable, Closing
	case errors.Is(err, secrets.ErrNoKey):
		return codes.FailedPrecondition, NoKey
	case errors.Is(err, consensus.ErrNoLeader):
		return codes.Unavailable, NoLeader
	case errors.Is(err, consensus.ErrTooLarge):
		return codes.ResourceExhausted, TooLarge
	case errors.Is(err, consensus.ErrClosed):
		return codes.Unavailable, Closing
	case errors.Is(err, consensus.ErrDamaged):
		return codes.Unavailable, Damaged
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded, failure.Deadline
	case errors.Is(err, context.Canceled):
		return codes.Canceled, failure.Canceled
	default:
		return codes.Internal, failure.Internal
	}
}

// onFullDisk tells whether a disk that takes no writes is the cause, whoever wrote.
func onFullDisk(err error) bool {
	return errors.Is(err, artifacts.ErrStorage) || errors.Is(err, consensus.ErrStorage) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// maxPaths is how many of the changes that break a refusal spells out.
const maxPaths = 20

// breaking names every path that breaks, and carries the changes as details.
func breaking(err error) error {
	var e *contract.BreakingError
	if !errors.As(err, &e) {
		return failure.New(codes.FailedPrecondition, BreakingChange, err.Error())
	}
	var lines []string
	var details []proto.Message
	for _, c := range e.Changes {
		if !c.GetBreaking() {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s", c.GetPath(), c.GetDescription()))
		details = append(details, c)
	}
	if more := len(lines) - maxPaths; more > 0 {
		lines = append(lines[:maxPaths], fmt.Sprintf("and %d more", more))
		details = details[:maxPaths]
	}
	return failure.New(codes.FailedPrecondition, BreakingChange, fmt.Sprintf(
		"this would break callers:\n  %s\nkeep what is there, or deploy with --allow-breaking", strings.Join(lines, "\n  ")), details...)
}
