package executor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/transcoder"
)

// Call runs one call. Its errors are *Error and *FunctionError; it returns when ctx is done, at the latest.
func (x *Executor) Call(ctx context.Context, r Request) (Response, error) {
	entered := time.Now()
	rev, err := x.acquire(ctx, r.Key, entered)
	if err != nil {
		return Response{Timings: Timings{Queue: time.Since(entered)}}, err
	}
	defer rev.release()
	response, j, err := x.call(ctx, rev, r)
	timings, lane := Timings{Queue: time.Since(entered)}, 0
	if j != nil && !j.started.IsZero() {
		timings, lane = Timings{Queue: j.started.Sub(entered), Run: time.Since(j.started)}, j.lane()
	}
	rev.metrics.observe(lane, err, timings)
	if err != nil {
		return Response{Timings: timings, Lane: lane}, err
	}
	return Response{Message: response, Timings: timings, Lane: lane}, nil
}

// call gives the job only where its started may be read.
func (x *Executor) call(ctx context.Context, rev *revision, r Request) ([]byte, *job, error) {
	m := rev.method(r.Service, r.Method)
	if m == nil {
		return nil, nil, &Error{Reason: UnknownMethod, Message: rev.unknown(r.Service, r.Method)}
	}
	if limit := rev.limits.Message; uint64(len(r.Message)) > limit {
		return nil, nil, &Error{Reason: RequestTooLarge, Message: fmt.Sprintf(
			"the request has %d bytes; %s accepts %d", len(r.Message), rev.key, limit)}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, x.late(ctx, rev, m, 0, "before the call began")
	}
	return x.await(ctx, newJob(ctx, rev, m, r))
}

// await puts a job in line and waits for its answer.
func (x *Executor) await(ctx context.Context, j *job) ([]byte, *job, error) {
	rev := j.rev
	j.done = make(chan struct{})
	rev.retain() // for the worker
	if err := x.enqueue(j); err != nil {
		j.interrupt.Close()
		rev.release()
		return nil, nil, err
	}
	timer := acquireTimer(rev.limits.Timeout)
	defer releaseTimer(timer)
	cause := causeDeadline
	select {
	case <-j.done:
		j.reading.Lock() // Close may have answered while the worker reads the caller's message
		return j.response, j, j.err
	case <-timer.C:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			cause = causeCanceled
		}
	}
	return x.abandon(ctx, j, cause)
}

// enqueue puts a job in line. The error says why it can't wait there.
func (x *Executor) enqueue(j *job) error {
	left := j.due.Sub(j.entered)
	switch result, wait := x.queue.add(j); result {
	case closed:
		return closingError()
	case full:
		return &Error{Reason: QueueFull, Message: fmt.Sprintf("%s has %d calls running or waiting already: "+
			"concurrency %d and queue %d", j.rev.key, j.line.limit, j.rev.limits.Concurrency, j.rev.limits.Queue)}
	case late:
		return &Error{Reason: QueueFull, Message: fmt.Sprintf("%s: so many calls of %s wait already that it could not begin "+
			"before its deadline: it would wait %v at least, and has %v", j.method.name, j.rev.key,
			wait.Round(time.Microsecond), left.Round(time.Microsecond))}
	default:
		return nil
	}
}

// try makes an instance of a revision that is being loaded, which shows whether it starts within its limits. It does not wait for
// calls of other revisions of the function: these may be what the new one is to end.
func (x *Executor) try(ctx context.Context, rev *revision) error {
	j := newJob(ctx, rev, &method{name: rev.key.String(), export: startOnly}, Request{})
	j.line = x.queue.single()
	_, _, err := x.await(ctx, j)
	return err
}

// startOnly is the export of a job that only makes an instance.
const startOnly = -1

// abandon leaves a job that is not done in time. The guest is interrupted, and nobody waits for it.
func (x *Executor) abandon(ctx context.Context, j *job, cause int32) ([]byte, *job, error) {
	waited := time.Since(j.entered)
	if x.queue.remove(j) {
		j.interrupt.Close()
		j.rev.release()
		return nil, nil, x.late(ctx, j.rev, j.method, waited, "waiting in line")
	}
	if !j.leave() {
		<-j.done
		j.reading.Lock()
		return j.response, j, j.err
	}
	j.interrupt.Cancel(cause)
	x.ticker.kick(j)
	j.reading.Lock() // until then the worker reads the caller's message
	return nil, j, x.late(ctx, j.rev, j.method, waited, "running")
}

// late is the error of a call that was not done in time.
func (x *Executor) late(ctx context.Context, rev *revision, m *method, waited time.Duration, doing string) *Error {
	waited = waited.Round(time.Millisecond)
	switch err := ctx.Err(); {
	case errors.Is(err, context.Canceled):
		return &Error{Reason: Canceled, Err: err, Message: fmt.Sprintf("%s: the caller left after %v, %s", m.name, waited, doing)}
	case err != nil || isOver(ctx):
		return &Error{Reason: Deadline, Err: context.DeadlineExceeded, Message: fmt.Sprintf(
			"%s: the caller's deadline passed after %v, %s", m.name, waited, doing)}
	default:
		return &Error{Reason: Deadline, Err: context.DeadlineExceeded, Message: fmt.Sprintf(
			"%s: not done after %v, the time limit of %s, %s", m.name, rev.limits.Timeout, rev.key, doing)}
	}
}

// isOver tells whether the deadline of ctx is over. Its Err says so a little later.
func isOver(ctx context.Context) bool {
	due, ok := ctx.Deadline()
	return ok && !time.Now().Before(due)
}

// closing is the error of a call that the end of the executor interrupts.
func (j *job) closing() *Error {
	return &Error{Reason: Closing, Message: j.method.name + ": interrupted, as the node is shutting down"}
}

var timers sync.Pool

func acquireTimer(d time.Duration) *time.Timer {
	if t, ok := timers.Get().(*time.Timer); ok {
		t.Reset(d)
		return t
	}
	return time.NewTimer(d)
}

func releaseTimer(t *time.Timer) {
	t.Stop()
	timers.Put(t)
}

// run runs a job on a worker, unless its time was over when its turn came: whoever waits for that may notice a little later.
func (x *Executor) run(j *job) {
	defer j.rev.release()
	defer j.interrupt.Close()
	if !j.started.Before(j.due) {
		j.decoded()
		j.answer(nil, x.late(j.ctx, j.rev, j.method, j.started.Sub(j.entered), "waiting in line"))
		return
	}
	x.work(j)
	j.used = use{j.interrupt.Used(), j.interrupt.Napped()}
}

// work answers a job.
func (x *Executor) work(j *job) {
	large := len(j.message) >= largeMessage
	defer func() {
		if large {
			x.trimmer.large()
		}
	}()
	arena := wasmtime.NewArena()
	defer arena.Free()
	defer func() {
		if r := recover(); r != nil {
			j.rev.journal.weft(j.callID, "critical", fmt.Sprintf("panic in weft: %v\n%s", r, debug.Stack()))
			j.answer(nil, &Error{Reason: Internal, Message: fmt.Sprintf("%s: a fault in weft: %v", j.method.name, r)})
		}
	}()
	if !x.aborting.Load() {
		if b, export := j.takesBulk(); b != nil {
			large = x.workBulk(j, b, export, arena) || large
			return
		}
		if j.method.direct {
			large = x.runDirect(j) || large
			return
		}
	}
	if err := x.decode(j, arena); err != nil {
		j.answer(nil, err)
		return
	}
	large = x.runGuest(j, arena) || large
}

// workBulk answers a job through the transcoder, or where that leaves it to the plain path, by that. The caller has its message
// back once it was copied, as it is read while the guest runs.
func (x *Executor) workBulk(j *job, b *bulk, export int, arena *wasmtime.Arena) (large bool) {
	argument, message := transcoder.Argument(j.message, j.rev.limits.Memory)
	j.decoded()
	if answered, large := x.runBulk(j, b, export, argument); answered {
		return large
	}
	if _, err := j.method.plan.Decode(message, arena); err != nil {
		j.answer(nil, &Error{Reason: MalformedRequest, Message: err.Error(), Err: err})
		return false
	}
	return x.runGuest(j, arena)
}

// decode reads the request, and lets the caller have it back.
func (x *Executor) decode(j *job, arena *wasmtime.Arena) error {
	defer j.decoded()
	switch {
	case x.aborting.Load():
		return &Error{Reason: Closing, Message: "the node is shutting down"}
	case j.method.export == startOnly:
		return nil
	}
	if _, err := j.method.plan.Decode(j.message, arena); err != nil {
		return &Error{Reason: MalformedRequest, Message: err.Error(), Err: err}
	}
	return nil
}

// runGuest takes an instance, calls it, answers, and drops the instance unless it may be called again. It tells whether the result was large, or may
// have been, as nobody knows how much of one that fails was there.
func (x *Executor) runGuest(j *job, arena *wasmtime.Arena) (large bool) {
	in := x.guestCall(j)
	defer in.end(&large)
	if j.method.export == startOnly {
		x.start(j, in)
		return false
	}
	if !in.take(j.rev.pool) {
		return false
	}
	call := in.instance.Call
	if j.apart {
		call = in.instance.CallApart
	}
	result, err := call(j.method.export, arena)
	in.called()
	if err != nil {
		j.answer(nil, x.guestError(j, &in.out, err, ""))
		return true
	}
	in.result = result
	value, _ := result.Value()
	response, err := j.method.plan.Encode(value, int(j.rev.limits.Message))
	j.method.returned.Store(int64(len(response)))
	_, failed := errors.AsType[*transcode.Failure](err)
	if err == nil || failed {
		in.keep(j.rev.pool)
	}
	j.answer(response, j.encodeError(err))
	return err != nil || len(response) >= largeMessage
}

// start makes an instance, which waits for a call if the job is to fill a pool, and else is dropped.
func (x *Executor) start(j *job, in *guestCall) {
	p := cmp.Or(j.fills, j.rev.pool)
	began := time.Now()
	var instance *wasmtime.Instance
	var err error
	if j.fills == nil {
		instance, err = p.instantiate(in)
	} else { // nobody needs it yet, so none gives way to it
		in.restorable = p.restores()
		instance, err = p.create(in)
	}
	switch {
	case err != nil:
		j.answer(nil, x.guestError(j, &in.out, err, "while it started"))
		return
	case j.fills == nil:
		j.answer(nil, nil)
		instance.Close()
		return
	}
	displaced, ok := p.put(seat{instance: instance})
	if !ok {
		j.answer(nil, errNoRoom)
		instance.Close()
		return
	}
	p.took(time.Since(began))
	x.metrics.fills.Observe(time.Since(began).Seconds())
	j.answer(nil, nil)
	drop(displaced)
}

func (j *job) encodeError(err error) error {
	failure, failed := errors.AsType[*transcode.Failure](err)
	switch {
	case err == nil:
		return nil
	case failed:
		return &FunctionError{Case: failure.Case, Message: failure.Message, DetailType: failure.DetailType, Detail: failure.Detail}
	case errors.Is(err, transcode.ErrTooLarge):
		return &Error{Reason: ResponseTooLarge, Err: err, Message: fmt.Sprintf(
			"%s: the response has over %d bytes, the limit of %s; deploy it with a larger --max-message", j.method.name,
			j.rev.limits.Message, j.rev.key)}
	default:
		return &Error{Reason: Internal, Err: err, Message: fmt.Sprintf("%s: %s", j.method.name,
			strings.TrimPrefix(err.Error(), "wasmtime: "))}
	}
}
