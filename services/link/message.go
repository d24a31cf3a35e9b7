package link

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/transcode"
)

// appendRequest writes the head of a request. left is the time until its deadline, zero for none.
func appendRequest(b []byte, r *Request, left time.Duration) []byte {
	b = beginHead(b)
	b = binary.AppendUvarint(b, uint64((left+time.Microsecond-1)/time.Microsecond))
	b = binary.AppendUvarint(b, uint64(max(r.Hops, 0)))
	b = appendString(b, r.Key.Namespace)
	b = appendString(b, r.Key.Function)
	b = binary.AppendUvarint(b, uint64(r.Key.Revision))
	b = appendString(b, r.Service)
	b = appendString(b, r.Method)
	b = appendString(b, r.CallID)
	b = appendLists(b, r.Metadata)
	return endHead(b)
}

// maxLeft is the longest time until a deadline that travels; what is longer is cut.
const maxLeft = 100 * 365 * 24 * time.Hour

// parseRequest reads a request. Its message points into b, nothing else does.
func parseRequest(b []byte) (r Request, left time.Duration, err error) {
	head, body, err := split(b)
	if err != nil {
		return r, 0, err
	}
	c := cursor[string]{rest: string(head)}
	left = time.Duration(min(c.uvarint(), uint64(maxLeft/time.Microsecond))) * time.Microsecond
	r.Hops = int(min(c.uvarint(), math.MaxInt32))
	r.Key.Namespace, r.Key.Function = c.string(), c.string()
	revision := c.uvarint()
	r.Key.Revision = uint32(revision)
	r.Service, r.Method, r.CallID = c.string(), c.string(), c.string()
	r.Metadata = c.lists()
	r.Message = body
	if c.bad || revision > math.MaxUint32 {
		return r, 0, violationf("the head of a request is malformed")
	}
	return r, left, nil
}

// status says what a response is.
type status byte

const (
	statusOK       status = 0
	statusFault    status = 1 // *executor.Error
	statusFunction status = 2 // *executor.FunctionError
	statusCanceled status = 3 // context.Canceled
	statusDeadline status = 4 // context.DeadlineExceeded

	statusKind status = 0x0f
	// statusNotStarted is set if the call surely did not start.
	statusNotStarted status = 0x80
)

// The causes of an *executor.Error that travel.
const (
	causeNone      = 0
	causeTranscode = 1
	causeCanceled  = 2
	causeDeadline  = 3
)

// appendResponse writes the head of a response, and gives its body: the message, or what err says.
func appendResponse(b []byte, r *Response, err error) (head, body []byte) {
	s, body := statusOK, r.Message
	if err != nil {
		s, body = appendError(nil, err)
	}
	b = append(beginHead(b), byte(s))
	for _, v := range [...]int64{int64(r.Timings.Queue), int64(r.Timings.Run), int64(r.Load.InFlight), int64(r.Load.Queue)} {
		b = binary.AppendUvarint(b, uint64(max(v, 0)))
	}
	b = appendLists(b, r.Trailers)
	return endHead(b), body
}

func appendError(b []byte, err error) (status, []byte) {
	var refused status
	if marked := new(NotStartedError); errors.As(err, &marked) {
		refused, err = statusNotStarted, marked.Err
	}
	own, fault := new(executor.FunctionError), new(executor.Error)
	switch {
	case errors.As(err, &own):
		b = appendString(b, own.Case)
		b = appendString(b, own.Message)
		b = appendString(b, own.DetailType)
		return refused | statusFunction, append(b, own.Detail...)
	case errors.As(err, &fault):
	case errors.Is(err, context.DeadlineExceeded):
		return refused | statusDeadline, b
	case errors.Is(err, context.Canceled):
		return refused | statusCanceled, b
	default:
		fault = &executor.Error{Reason: executor.Internal, Message: err.Error()}
	}
	return refused | statusFault, appendFault(b, fault)
}

func appendFault(b []byte, fault *executor.Error) []byte {
	b = appendString(b, string(fault.Reason))
	b = appendString(b, fault.Message)
	b = appendString(b, fault.Summary)
	b = appendStrings(b, fault.Backtrace[:min(len(fault.Backtrace), maxStrings)])
	misfit := new(transcode.Error)
	switch {
	case errors.As(fault.Err, &misfit):
		b = append(b, causeTranscode)
		return appendString(appendString(b, misfit.Path), misfit.Msg)
	case errors.Is(fault.Err, context.DeadlineExceeded):
		return append(b, causeDeadline)
	case errors.Is(fault.Err, context.Canceled):
		return append(b, causeCanceled)
	default:
		return append(b, causeNone)
	}
}

// parseResponse reads a response of a node. Its message points into b. The failure is what the handler returned; err is a
// violation.
func parseResponse(b []byte, node string) (r Response, failure, err error) {
	head, body, err := split(b)
	if err != nil {
		return r, nil, err
	}
	c := cursor[[]byte]{rest: head}
	s := status(c.byte())
	r.Timings.Queue = time.Duration(min(c.uvarint(), math.MaxInt64))
	r.Timings.Run = time.Duration(min(c.uvarint(), math.MaxInt64))
	r.Load.InFlight = int(min(c.uvarint(), math.MaxInt32))
	r.Load.Queue = int(min(c.uvarint(), math.MaxInt32))
	if len(c.rest) > 1 || len(c.rest) == 1 && c.rest[0] != 0 { // No trailers is the common case.
		trailers := cursor[string]{rest: string(c.rest)}
		r.Trailers = trailers.lists()
		c.bad = c.bad || trailers.bad
	}
	if c.bad {
		return r, nil, violationf("the head of a response is malformed")
	}
	if s == statusOK {
		r.Message = body
		return r, nil, nil
	}
	failure, err = parseError(s&statusKind, body)
	if err == nil && s&statusNotStarted != 0 {
		failure = &NotStartedError{Node: node, Err: failure}
	}
	return r, failure, err
}

func parseError(s status, body []byte) (failure, err error) {
	c := cursor[[]byte]{rest: body}
	switch s {
	case statusFunction:
		own := &executor.FunctionError{Case: c.string(), Message: c.string(), DetailType: c.string()}
		if len(c.rest) > 0 {
			own.Detail = c.rest
		}
		failure = own
	case statusFault:
		failure = parseFault(&c)
	case statusCanceled:
		return context.Canceled, nil
	case statusDeadline:
		return context.DeadlineExceeded, nil
	default:
		return nil, violationf("a response of status %d", s)
	}
	if c.bad {
		return nil, violationf("the error in a response is malformed")
	}
	return failure, nil
}

func parseFault(c *cursor[[]byte]) *executor.Error {
	fault := &executor.Error{Reason: executor.Reason(c.string()), Message: c.string(), Summary: c.string()}
	fault.Backtrace = c.strings()
	switch c.byte() {
	case causeTranscode:
		fault.Err = &transcode.Error{Path: c.string(), Msg: c.string()}
	case causeDeadline:
		fault.Err = context.DeadlineExceeded
	case causeCanceled:
		fault.Err = context.Canceled
	}
	return fault
}
