package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

// expect checks the code, the reason and words of the message of an error.
func expect(t *testing.T, err error, code codes.Code, reason failure.Reason, words ...string) {
	t.Helper()
	st := status.Convert(err)
	if st.Code() != code || failure.ReasonOf(err) != reason {
		t.Errorf("got %v %q (%v); want %v %q", st.Code(), failure.ReasonOf(err), err, code, reason)
	}
	for _, w := range words {
		if !strings.Contains(st.Message(), w) {
			t.Errorf("message %q lacks %q", st.Message(), w)
		}
	}
}

func TestErrorsOfTheExecutor(t *testing.T) {
	var fault error
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) { return executor.Response{}, fault })
	hidden := start(t, func(context.Context, executor.Request) (executor.Response, error) { return executor.Response{}, fault },
		func(c *Config) { c.HideTraps = true })
	for reason, code := range map[executor.Reason]codes.Code{
		executor.NotLoaded: codes.Unavailable, executor.Closing: codes.Unavailable,
		executor.MalformedRequest: codes.InvalidArgument,
		executor.RequestTooLarge:  codes.ResourceExhausted, executor.ResponseTooLarge: codes.ResourceExhausted,
		executor.QueueFull: codes.ResourceExhausted, executor.MemoryLimit: codes.ResourceExhausted,
		executor.Deadline: codes.DeadlineExceeded, executor.Canceled: codes.Canceled,
		executor.Trap: codes.Internal, executor.Internal: codes.Internal,
	} {
		fault = fmt.Errorf("wrapped: %w", &executor.Error{Reason: reason, Message: "v.size: 256 is no u8"})
		a := f.call(f.dial(), place, nil)
		expect(t, a.err, code, failure.Reason(reason), "v.size: 256 is no u8")
		if a.trailer.Get("weft-function") == nil || a.trailer.Get("weft-run-us") == nil || a.trailer.Get("weft-call") == nil {
			t.Errorf("%s: trailers %v", reason, a.trailer)
		}
		info := status.Convert(a.err).Details()[0].(*errdetails.ErrorInfo)
		if info.GetMetadata()["function"] != "orders" || info.GetMetadata()["revision"] != "1" || info.GetMetadata()["call"] != a.trailer.Get("weft-call")[0] {
			t.Errorf("%s: ErrorInfo %v", reason, info)
		}
		a = hidden.call(hidden.dial(), place, nil)
		if shown := strings.Contains(status.Convert(a.err).Message(), "256"); shown == (reason == executor.Trap) {
			t.Errorf("%s with hidden traps: %v", reason, a.err)
		}
	}
	fault = errors.New("something else")
	expect(t, f.call(f.dial(), place, nil).err, codes.Internal, failure.Internal, "something else")
}

func TestErrorsOfTheFunction(t *testing.T) {
	var fault *executor.FunctionError
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) { return executor.Response{}, fault })
	conn := f.dial()
	for name, code := range map[string]codes.Code{
		"not-found": codes.NotFound, "unauthenticated": codes.Unauthenticated, "ok": codes.FailedPrecondition,
		"sold-out": codes.FailedPrecondition, "": codes.FailedPrecondition, "cancelled": codes.Canceled,
	} {
		fault = &executor.FunctionError{Case: name, Message: "gone: ä", DetailType: "demo.orders.v1.PlaceError", Detail: []byte{8, 1}}
		err := f.call(conn, place, nil).err
		expect(t, err, code, "", "gone: ä")
		details := status.Convert(err).Proto().GetDetails()
		if len(details) != 1 || details[0].GetTypeUrl() != "type.googleapis.com/demo.orders.v1.PlaceError" || !bytes.Equal(details[0].GetValue(), []byte{8, 1}) {
			t.Errorf("%q: details %v", name, details)
		}
	}
}

func TestPanicIsOneCallsFault(t *testing.T) {
	f := start(t, func(ctx context.Context, r executor.Request) (executor.Response, error) {
		if len(r.Message) == 10_000 {
			panic("a bug")
		}
		return echo(ctx, r)
	})
	conn := f.dial()
	expect(t, f.call(conn, place, make([]byte, 10_000)).err, codes.Internal, failure.Internal, "a fault of weft")
	if a := f.call(conn, place, []byte("x")); a.err != nil {
		t.Errorf("the next call: %v", a.err)
	}
	if n, held := f.calls.Load(), f.memory.inUse(); n != 0 || held != 0 {
		t.Errorf("%d calls in flight, %d bytes held", n, held)
	}
}

// clumsy panics instead of starting a call.
type clumsy struct{ Caller }

func (clumsy) Start(context.Context, executor.Request, executor.Recipient) executor.Started {
	panic("a bug")
}

// TestPanicBeforeACallIsItsFault: a small call that is here whole is started by the goroutine that reads the connection.
func TestPanicBeforeACallIsItsFault(t *testing.T) {
	f := start(t, echo, func(c *Config) { c.Caller = clumsy{c.Caller} })
	c := f.dialRaw()
	both := bufio.NewWriter(c.net) // The frames of a call arrive by one read.
	c.framer = http2.NewFramer(both, c.net)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for stream := uint32(1); stream <= 3; stream += 2 {
		c.headers(stream, false)
		c.data(stream, true, frame(0, []byte("x")))
		c.must(both.Flush())
		expect(t, c.status(stream).Err(), codes.Internal, failure.Internal, "a fault of weft")
	}
	if a := f.call(f.dial(), place, make([]byte, 10_000)); a.err != nil {
		t.Errorf("a call that is not small: %v", a.err)
	}
	await(t, "the calls to be counted", func() bool { return f.calls.Load() == 0 && f.memory.inUse() == 0 })
}

// TestTheLargestStatusReachesStrictClients: many clients take 8 KiB of trailers.
func TestTheLargestStatusReachesStrictClients(t *testing.T) {
	name := "f" + strings.Repeat("x", 62)
	var fault error
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) { return executor.Response{}, fault },
		func(c *Config) { c.Node = name })
	f.deploy("default", name, 0, nil, "demo.f.v1.F")
	conn := f.dial(grpc.WithMaxHeaderListSize(8 << 10))
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("ä\n", 2500)} {
		fault = &executor.Error{Reason: executor.Trap, Message: text}
		expect(t, f.call(conn, "/demo.f.v1.F/Get", nil).err, codes.Internal, failure.Reason(executor.Trap), text[:500])
		for size := 500; size < 10_000; size += 100 {
			fault = &executor.FunctionError{Case: "aborted", Message: text[:1000], DetailType: "demo.f.v1.Error", Detail: make([]byte, size)}
			expect(t, f.call(conn, "/demo.f.v1.F/Get", nil).err, codes.Aborted, "", text[:500])
		}
	}
}
