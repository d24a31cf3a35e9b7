package executor

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/transcoder"
)

// define has a linker provide what a guest calls, in the form in which the values cross: bytes as they are for a direct function, and
// values of the engine for others. A function that has a transcoder calls with messages.
func (c *callee) define(l *wasmtime.Linker, s *contract.Service, m *contract.Method, plans *transcode.Plans, t *transcoder.Transcoder) error {
	if isDirect(plans, s, m) {
		returns, _ := c.plan.Returns()
		return l.DefineBytes(s.Interface, m.Function.Name, c.plan.Params(), returns, c.direct)
	}
	c.gains = transcoder.Gains(m)
	if t == nil || t.Import(m) == "" {
		return l.Define(s.Interface, m.Function.Name, c.call)
	}
	return l.DefineBytes(transcoder.Host, t.Import(m), 1, wasmtime.ReturnsEither, c.transcoded)
}

// direct is the host function that makes the call with bytes.
func (c *callee) direct(call *wasmtime.BytesCall) (result []byte, failed bool, err error) {
	in, err := c.guestOf(call.Data())
	if err != nil {
		return nil, false, err
	}
	args := make([][]byte, call.Len())
	for n := range args {
		args[n] = call.Arg(n)
	}
	to := &directReply{c: c}
	message, err := c.plan.Request(args, int(in.job.rev.limits.Message))
	err = c.send(in, message, err, to)
	return to.bytes, to.failed, err
}

// directReply is a reply in the bytes of a direct function.
type directReply struct {
	c      *callee
	bytes  []byte
	failed bool
}

func (to *directReply) response(message []byte) (err error) {
	to.bytes, err = to.c.plan.Result(message)
	return err
}

func (to *directReply) failure(e *FunctionError) (err error) {
	to.failed = true
	to.bytes, err = to.c.plan.Detail(e.DetailType, e.Detail)
	return err
}

func (to *directReply) fault(_ bool, text string) (ok bool) {
	to.failed = true
	to.bytes, ok = to.c.plan.Fault(text)
	return ok
}

// transcoded is the host function that makes the call for a transcoder, with messages.
func (c *callee) transcoded(call *wasmtime.BytesCall) (result []byte, failed bool, err error) {
	in, err := c.guestOf(call.Data())
	if err != nil {
		return nil, false, err
	}
	var message []byte
	if request := call.Arg(0); uint64(len(request)) > in.job.rev.limits.Message {
		err = transcode.ErrTooLarge
	} else {
		message = bytes.Clone(request) // the guest's memory is the engine's
	}
	in.last = &transcodedReply{c: c}
	err = c.send(in, message, err, in.last)
	return in.last.bytes, in.last.failed != nil, err
}

// transcodedReply is a reply in the message that a transcoder decodes.
type transcodedReply struct {
	c     *callee
	bytes []byte
	// failed is set if the message is the detail of an error.
	failed *FunctionError
}

func (to *transcodedReply) response(message []byte) error {
	to.bytes = message
	return nil
}

func (to *transcodedReply) failure(e *FunctionError) error {
	if err := to.c.plan.HoldsFailure(e.DetailType); err != nil {
		return err
	}
	to.bytes, to.failed = e.Detail, e
	return nil
}

func (to *transcodedReply) fault(timeout bool, text string) bool {
	return to.rewrite(func(v *valueReply) error {
		if !v.fault(timeout, text) {
			return errNoPlace
		}
		return nil
	}) == nil
}

// errNoPlace says that the type of an import's error has no place for a failure.
var errNoPlace = errors.New("no place for a failure")

// rewrite makes the message of what set gives to a value.
func (to *transcodedReply) rewrite(set func(*valueReply) error) error {
	arena := wasmtime.NewArena()
	defer arena.Free()
	v := &valueReply{c: to.c, arena: arena, v: arena.Args(1).At(0)}
	if err := set(v); err != nil {
		return err
	}
	message, err := to.c.plan.Encode(v.v, maxMessage)
	to.bytes, to.failed = message, nil
	if failure, ok := errors.AsType[*transcode.Failure](err); ok {
		to.bytes, to.failed = failure.Detail, &FunctionError{Message: failure.Message, DetailType: failure.DetailType, Detail: failure.Detail}
		return nil
	}
	return err
}

// again is the host function that a transcoder calls that has not accepted a reply: it is in the form that weft writes then, unless it
// does not fit, which ends as on the plain path.
func again(call *wasmtime.BytesCall) (result []byte, failed bool, err error) {
	in, ok := call.Data().(*guestCall)
	if !ok || in.last == nil {
		return nil, false, fmt.Errorf("%s/%s: nothing was called", transcoder.Host, transcoder.Again)
	}
	to, message := in.last, in.last.bytes
	err = to.rewrite(func(v *valueReply) error {
		if to.failed != nil {
			return to.c.failed(v, to.failed)
		}
		return to.c.fitting(v, message)
	})
	return to.bytes, to.failed != nil, err
}
