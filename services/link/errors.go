package link

import (
	"errors"
	"fmt"

	"github.com/weft-run/weft/executor"
)

// ErrClosed is the cause of a NotStartedError once the link is closed.
var ErrClosed = errors.New("link: closed")

// NotStartedError says that a call surely did not start: the node could not be reached, the connection broke before the
// whole request was sent, or the node refused the call. It may be tried elsewhere.
type NotStartedError struct {
	// Node is the ID of the node that was to answer; empty in an error that a handler marked.
	Node string
	// Err is why. It is an *executor.Error if that is what kept the node's handler from starting the call, or a context
	// error if ctx was done before the request was sent.
	Err error
}

func (e *NotStartedError) Error() string {
	if e.Node == "" {
		return "not started: " + e.Err.Error()
	}
	return fmt.Sprintf("link: node %s did not start the call: %v", e.Node, e.Err)
}

func (e *NotStartedError) Unwrap() error { return e.Err }

// NotStarted marks an error that a handler returns: the call has not started, and another node may take it. The caller
// gets a *NotStartedError with err in it. Nil stays nil.
func NotStarted(err error) error {
	if err == nil {
		return nil
	}
	return &NotStartedError{Err: err}
}

// LostError says that the connection was lost after the request had been sent: the call may have run, wholly or in part,
// may still run, or may not have started.
type LostError struct {
	// Node is the ID of the node that was to answer.
	Node string
	// Err is what happened to the connection.
	Err error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("link: node %s was lost with the call: %v", e.Node, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// refusal is the response to a call that this node does not start.
func refusal(reason executor.Reason, format string, args ...any) error {
	return NotStarted(faultf(reason, format, args...))
}

// faultf gives an error of the executor's kind.
func faultf(reason executor.Reason, format string, args ...any) error {
	return &executor.Error{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
