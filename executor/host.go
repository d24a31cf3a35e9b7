package executor

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
)

// HostInterface is an interface that this node gives to guests (Config.Host), such as weft:runtime/context.
type HostInterface struct {
	// Type is the interface as its WIT has it: package wit/host reads it.
	Type *wit.Interface
	// Also are further names by which components may import it, as far as they declare the same functions: of another version, or
	// without any.
	Also []string
	// Compatible is set where components may import any version that semantic versioning calls compatible with that of Type:
	// what they declare is compared in any case.
	Compatible bool
	// Functions answer the functions of Type, by name: "get", "[method]bucket.get". All of them must be there.
	Functions map[string]HostFunc
	// Resources are the resource types that Type defines, by name. What is behind a resource is any value of Go; the function
	// is called once for each, when its guest drops it or is gone. It must neither block nor panic; nil does nothing.
	Resources map[string]func(value any)
	// Absent says why this node does not provide the interface, and what to do; components that import it are refused with
	// that. Then Functions and Resources are not needed.
	Absent string
}

// HostFunc answers a function of a HostInterface. It is called by many goroutines, each with a guest on a slot of the node:
// what may block belongs into [HostCall.Wait]. What goes wrong is for the guest to know, in the error type of the
// function. An error that is returned traps the guest instead, as does a panic: that is for what the guest did wrong.
type HostFunc func(call *HostCall) error

// HostCall is one call of a HostFunc. It and its values are valid until that returns.
type HostCall struct {
	x      *Executor
	in     *guestCall
	f      *hostFunction
	values *wasmtime.HostCall
	ended  *endedError
}

// From is the revision whose guest calls.
func (c *HostCall) From() Key { return c.in.job.rev.key }

// CallID is the ID of the call that the guest works on, empty while a revision is being loaded.
func (c *HostCall) CallID() string { return c.in.job.callID }

// Metadata is that of the call that the guest works on, as it came: with what weft put there and with the caller's
// credentials. It must not be changed.
func (c *HostCall) Metadata() map[string][]string { return c.in.job.metadata }

// Environment has the environment variables of the revision. It must not be changed.
func (c *HostCall) Environment() map[string]string { return c.in.job.rev.variables }

// Limits are those of the revision. Message bounds what the guest should be given at once.
func (c *HostCall) Limits() Limits { return c.in.job.rev.limits }

// Deadline is when the call that the guest works on is ended.
func (c *HostCall) Deadline() time.Time {
	j := c.in.job
	if d, ok := j.ctx.Deadline(); ok && d.Before(j.deadline) {
		return d
	}
	return j.deadline
}

// Wait runs f without the guest's slot, so that other calls run meanwhile. The context ends with the call that the guest
// works on, and f must return then. The error is that of f. If nobody waits for the guest any more, or if too many guests
// wait already, the guest is ended whatever the HostFunc returns; f may not have run at all.
func (c *HostCall) Wait(f func(ctx context.Context) error) error {
	if c.in.job.method.export == startOnly {
		c.ended = &endedError{&Error{Reason: Trap, Message: fmt.Sprintf("%s: %s is called while the component starts; that is "+
			"possible in calls only", c.From(), c.f)}}
		return c.ended
	}
	err := c.x.leaveSlot(c.in.job, c.f, f)
	if ended, ok := err.(*endedError); ok { //nolint:errorlint // it is never wrapped
		c.ended = ended
	}
	return err
}

// Value is what a guest gives: an argument, or what is in one. It can be read until the function returns.
type Value = wasmtime.Value

// Arg is the argument at index i; "self" is one too. Its readers panic where it is of another type than they read.
func (c *HostCall) Arg(i int) Value { return c.values.Args().At(i) }

// Resource is what is behind the argument at index i. A guest keeps what it lends (borrow); what it hands over (own) is
// dropped when the function returns.
func (c *HostCall) Resource(i int) any {
	value, err := c.values.Resource(i, c.f.resources[i])
	if err != nil {
		panic(err)
	}
	return value
}

// Resources is what is behind the elements of the argument at index i, a list of resources that the guest lends.
func (c *HostCall) Resources(i int) []any {
	list := c.values.Args().At(i).List()
	all := make([]any, list.Len())
	for k := range all {
		value, err := c.values.ResourceIn(list.At(k), c.f.resources[i])
		if err != nil {
			panic(err)
		}
		all[k] = value
	}
	return all
}

// Result is where the result is to be written. It must be set before the function returns, unless that returns an error.
func (c *HostCall) Result() Out { return Out{c, c.values.Result(), c.f.result} }

// hostFunction is a function of a HostInterface, ready to be linked.
type hostFunction struct {
	iface, name string
	answer      HostFunc
	typ         *wit.Function
	resources   []*wasmtime.ResourceType // by parameter, nil if it is no resource and no list of them
	result      *hostShape               // nil if there is none
}

// String names the function for messages: "import weft:runtime/context@0.1.0: self".
func (f *hostFunction) String() string { return "import " + f.iface + ": " + f.name }

func (f *hostFunction) target() string { return f.iface + "#" + f.name }

// bind gives the function that the engine calls.
func (f *hostFunction) bind(x *Executor) wasmtime.HostFunc {
	return func(values *wasmtime.HostCall) error {
		in, ok := values.Data().(*guestCall)
		if !ok {
			return fmt.Errorf("%s: called outside of a call", f)
		}
		call := &HostCall{x: x, in: in, f: f, values: values}
		err := f.answer(call)
		in.large = in.large || values.Arena().Size() >= largeResult || largeList(values.Args())
		switch {
		case call.ended != nil:
			return call.ended.err
		case err != nil:
			return fmt.Errorf("%s: %w", f, err)
		}
		return nil
	}
}

// largeResult is from what size in C memory on a result counts as large: that of a list of largeMessage bytes.
const largeResult = 32 * largeMessage

// largeList tells whether there is a large list among arguments, or right in one that is a record.
func largeList(args wasmtime.Values) bool {
	for i := range args.Len() {
		switch v := args.At(i); v.Kind() {
		case wasmtime.KindList:
			if v.List().Len() >= largeMessage {
				return true
			}
		case wasmtime.KindRecord:
			if largeList(v.Fields()) {
				return true
			}
		}
	}
	return false
}
