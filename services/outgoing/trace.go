package outgoing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/router"
)

// maxHops is how many lines a trace has.
const maxHops = 64

// hop is one call between functions.
type hop struct {
	depth   int
	callee  string
	node    string
	timings executor.Timings
	took    time.Duration
	err     error
}

// line is the hop as it is in a trailer: depth, caller, callee, method, then what it took.
func (h hop) line(call executor.OutgoingCall) string {
	text := fmt.Sprintf("%d %s > %s %s/%s took=%dus", h.depth, call.From, h.callee, call.Service, call.Method, h.took.Microseconds())
	if h.node != "" {
		text += fmt.Sprintf(" node=%s queue=%dus run=%dus", h.node, h.timings.Queue.Microseconds(), h.timings.Run.Microseconds())
	}
	switch _, own := errors.AsType[*executor.FunctionError](h.err); {
	case own:
		text += " error=own"
	case h.err != nil:
		text += " error=failed"
	}
	return text
}

// traces gathers the hops of calls that run here and want a trace, by the revision and the ID of the call.
type traces struct {
	mu   sync.Mutex
	byID map[traceID][]string
}

type traceID struct {
	key  executor.Key
	call string
}

func wanted(md map[string][]string) bool {
	values := md[traceKey]
	return len(values) > 0 && values[0] == "true"
}

// trace notes a hop that a call made, and the hops that this one led to.
func (c *Caller) trace(call executor.OutgoingCall, h hop, further []string) {
	t, id := &c.traces, traceID{call.From, call.CallID}
	t.mu.Lock()
	defer t.mu.Unlock()
	lines, ok := t.byID[id]
	if !ok {
		return // the caller has been answered already
	}
	lines = append(lines, h.line(call))
	lines = append(lines, further...)
	t.byID[id] = lines[:min(len(lines), maxHops)]
}

// Executor runs calls on this node; *executor.Executor is one.
type Executor interface {
	Call(context.Context, executor.Request) (executor.Response, error)
}

// Traced is an executor whose answers to calls that want a trace hold it, in the trailers weft-trace: a line for each call
// between functions, in the order in which they ended, those that a call led to right after it.
func (c *Caller) Traced(x Executor) Executor { return &traced{c, x} }

type traced struct {
	caller *Caller
	Executor
}

func (t *traced) Call(ctx context.Context, request executor.Request) (executor.Response, error) {
	gathering := t.caller.traces.begin(request)
	response, err := t.Executor.Call(ctx, request)
	return gathering.end(response), err
}

// gathering is the trace of a call that runs. The zero value is one that nobody wants.
type gathering struct {
	traces *traces
	id     traceID
}

// Start implements router.Starter, if the executor does. A call that wants a trace has to be waited for.
func (t *traced) Start(ctx context.Context, request executor.Request, to executor.Recipient) executor.Started {
	starter, ok := t.Executor.(router.Starter)
	if !ok || wanted(request.Metadata) {
		return nil
	}
	return starter.Start(ctx, request, to)
}

// begin gathers the trace of a call that is about to run, if it wants one.
func (t *traces) begin(request executor.Request) gathering {
	if !wanted(request.Metadata) {
		return gathering{}
	}
	g := gathering{t, traceID{request.Key, request.CallID}}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = map[traceID][]string{}
	}
	t.byID[g.id] = []string{}
	return g
}

// end adds the trace to the answer of the call.
func (g gathering) end(response executor.Response) executor.Response {
	if g.traces == nil {
		return response
	}
	g.traces.mu.Lock()
	lines := g.traces.byID[g.id]
	delete(g.traces.byID, g.id)
	g.traces.mu.Unlock()
	if len(lines) == 0 {
		return response
	}
	response.Trailers = maps.Clone(response.Trailers)
	if response.Trailers == nil {
		response.Trailers = map[string][]string{}
	}
	response.Trailers[traceKey] = lines
	return response
}
