package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
)

// Outgoing makes the calls that guests make through their imports. Its methods are called by many goroutines.
type Outgoing interface {
	// Call makes one call and gives the response in protobuf's wire format, which it does not use any more. It is called
	// from the guest's thread and may block until ctx ends, when it must return.
	//
	// A *FunctionError becomes the err of the import's result. Any other error is a failure of the call: it becomes an
	// err that can say so where the import's error type has one, and traps the guest otherwise.
	Call(ctx context.Context, call OutgoingCall) ([]byte, error)

	// Local makes a call of a revision on this node with [Place.Run], if that is what answers the call now and if it can be
	// run so. It is asked first. If ran is false nothing was done, and Call makes the call. It must not block: the guest
	// keeps its slot. The response and the error are as those of Call.
	Local(call OutgoingCall, place Place) (response []byte, ran bool, err error)
}

// OutgoingCall is one call that a guest makes.
type OutgoingCall struct {
	// From is the revision that calls, and CallID the call that it works on.
	From   Key
	CallID string
	// Import is the interface as the component spells it: "demo:pay/api@1.0.0".
	Import string
	// Service is the full name of the service, and Method the name of its method: "demo.pay.v1.Api", "Charge".
	Service, Method string
	// Message is the request in protobuf's wire format. It may be read until Call returns.
	Message []byte
	// Metadata is that of the call that the guest works on. It must not be changed.
	Metadata map[string][]string
}

// callee is a function that a component imports and others answer.
type callee struct {
	x                      *Executor
	iface, service, method string
	returns, fallible      bool
	plan                   *transcode.Plan
	// gains is set if a transcoder would do better.
	gains bool
}

// reply is what a guest that made a call is given: there is one for each form in which values cross.
type reply interface {
	// response gives it the response to the call. The error says that it does not fit.
	response(message []byte) error
	// failure gives it the error that the function returned. The error says that it does not fit.
	failure(e *FunctionError) error
	// fault tells it that the call failed; it is false if the type of the import's error has no place for that.
	fault(timeout bool, text string) bool
}

// guestOf is the call that a guest works on that calls a function.
func (c *callee) guestOf(data any) (*guestCall, error) {
	in, ok := data.(*guestCall)
	if !ok || in.job.method.export == startOnly {
		return nil, fmt.Errorf("%s is called while the component starts; that is possible in calls only", c)
	}
	return in, nil
}

// call is the host function that makes the call with values of the engine. It runs on the guest's thread.
func (c *callee) call(call *wasmtime.HostCall) error {
	in, err := c.guestOf(call.Data())
	if err != nil {
		return err
	}
	to := &valueReply{c: c, arena: call.Arena()}
	if c.returns {
		to.v = call.Result()
	}
	message, err := c.plan.EncodeArgs(call.Args(), int(in.job.rev.limits.Message))
	return c.send(in, message, err, to)
}

// send makes a call with a request, or fails as that could not be made, and says in to what came back. The error traps the guest.
func (c *callee) send(in *guestCall, message []byte, err error, to reply) error {
	j := in.job
	limit := j.rev.limits.Message
	switch {
	case errors.Is(err, transcode.ErrTooLarge):
		return c.fail(to, false, fmt.Sprintf("the request has over %d bytes, the limit of %s", limit, j.rev.key))
	case err != nil:
		return fmt.Errorf("%s: %w", c, err)
	}
	in.passed(c, len(message))
	response, err := c.wait(in, message)
	if failed, ok := errors.AsType[*FunctionError](err); ok {
		return c.failed(to, failed)
	}
	if ended, ok := errors.AsType[*endedError](err); ok {
		return ended.err
	}
	if err != nil {
		timeout, text := describeFailure(err)
		return c.fail(to, timeout, text)
	}
	if uint64(len(response)) > limit {
		return c.fail(to, false, fmt.Sprintf("the response has %d bytes; %s accepts %d", len(response), j.rev.key, limit))
	}
	in.passed(c, len(response))
	return c.fitting(to, response)
}

// fitting gives the guest a response, if it fits.
func (c *callee) fitting(to reply, response []byte) error {
	if err := to.response(response); err != nil {
		return c.fail(to, false, fmt.Sprintf("the response does not fit the import's types: %v", err))
	}
	return nil
}

// passed notes the size of a message of a call.
func (in *guestCall) passed(c *callee, size int) {
	in.large = in.large || size >= largeMessage
	if c.gains {
		in.imported += size
	}
}

// String names the callee as its caller knows it.
func (c *callee) String() string {
	return fmt.Sprintf("import %s: call of %s/%s", c.iface, c.service, c.method)
}

func (c *callee) target() string { return c.service + "/" + c.method }

// wait makes the call: in the guest's place, or without a slot meanwhile.
func (c *callee) wait(in *guestCall, message []byte) (response []byte, err error) {
	x, j := c.x, in.job
	if x.over(j) {
		return nil, x.ended(j, "waiting for "+c.target())
	}
	call := OutgoingCall{From: j.rev.key, CallID: j.callID, Import: c.iface, Service: c.service, Method: c.method,
		Message: message, Metadata: j.metadata}
	response, ran, err := x.config.Outgoing.Local(call, in)
	switch {
	case !ran:
		err = x.leaveSlot(j, c, func(ctx context.Context) (err error) {
			response, err = x.config.Outgoing.Call(ctx, call)
			return err
		})
		return response, err
	case err != nil && x.over(j):
		return nil, x.ended(j, "waiting for "+c.target())
	default:
		return response, err
	}
}

// failed gives the guest the error that the function returned.
func (c *callee) failed(to reply, e *FunctionError) error {
	if !c.fallible {
		return fmt.Errorf("%s: it returned an error, which the import has no place for: %s", c, e.Message)
	}
	if err := to.failure(e); err != nil {
		return c.fail(to, false, fmt.Sprintf("it returned an error that does not fit the import's types: %v (%s)", err, e.Message))
	}
	return nil
}

// fail tells the guest that its call failed, or traps it, where the type of the import's error has no place for that.
func (c *callee) fail(to reply, timeout bool, text string) error {
	if c.returns && to.fault(timeout, fmt.Sprintf("%s/%s: %s", c.service, c.method, text)) {
		return nil
	}
	return fmt.Errorf("%s: %s", c, text)
}

// valueReply is a reply in a value of the engine.
type valueReply struct {
	c     *callee
	arena *wasmtime.Arena
	v     wasmtime.Value
}

func (to *valueReply) response(message []byte) error {
	return to.c.plan.DecodeResult(message, to.arena, to.v)
}

func (to *valueReply) failure(e *FunctionError) error {
	return to.c.plan.DecodeFailure(e.DetailType, e.Detail, to.arena, to.v)
}

func (to *valueReply) fault(timeout bool, text string) bool {
	return to.c.plan.SetFault(timeout, text, to.arena, to.v)
}

// describeFailure says why a call failed, and whether it took too long.
func describeFailure(err error) (timeout bool, text string) {
	if e, ok := errors.AsType[*Error](err); ok {
		text := e.Message
		if e.Summary != "" {
			text = e.Summary
		}
		return e.Reason == Deadline, string(e.Reason) + ": " + text
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return true, string(Deadline) + ": " + err.Error()
	}
	return false, err.Error()
}
