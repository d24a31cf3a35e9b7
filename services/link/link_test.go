package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/services/peer/peertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with the request's message and metadata.
func echo(_ context.Context, _ string, r Request) (Response, error) {
	return Response{Response: executor.Response{Message: bytes.Clone(r.Message), Trailers: r.Metadata}}, nil
}

// logs is what links of a test wrote.
type logs struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start makes a link that is closed at the end of the test.
func start(t testing.TB, port Port, handler Handler, change ...func(*Config)) *Link {
	t.Helper()
	config := Config{Port: port, Handler: handler, Silence: time.Minute, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&config)
	}
	l := New(config)
	l.Start()
	t.Cleanup(func() { closeNow(t, l) })
	return l
}

// closeNow closes a link without waiting for calls.
func closeNow(t testing.TB, l *Link) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// pair gives two nodes, "a" and "b", with b's handler.
func pair(t testing.TB, handler Handler, change ...func(*Config)) (a, b *Link) {
	t.Helper()
	network := peertest.NewNetwork(t)
	b = start(t, network.Port("b"), handler, change...)
	return start(t, network.Port("a"), echo, change...), b
}

// patience is a context for what should take no time.
func patience(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for ctx := patience(t); !holds(); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("it does not happen: %s", what)
		}
	}
}

func TestCallsArriveAsTheyWere(t *testing.T) {
	var got Request
	var from string
	a, _ := pair(t, func(ctx context.Context, peer string, r Request) (Response, error) {
		got, from = r, peer
		got.Message = bytes.Clone(r.Message)
		if left := time.Until(deadline(ctx)); left < 50*time.Second || left > time.Minute {
			t.Errorf("%v are left", left)
		}
		return Response{
			Response: executor.Response{
				Message: []byte("answer"), Trailers: map[string][]string{"t-bin": {"\x00\xff", ""}, "x": {"1", "2", "3"}},
				Timings: executor.Timings{Queue: 5 * time.Microsecond, Run: 3 * time.Second},
			},
			Load: Load{InFlight: 7, Queue: 300},
		}, nil
	})
	for _, r := range []Request{
		{},
		{Hops: 2, Request: executor.Request{
			Key: executor.Key{Namespace: "n", Function: "f", Revision: 1<<32 - 1}, Service: "p.v1.S", Method: "M", CallID: "c-1",
			Message:  []byte("\x00\x01\xff"),
			Metadata: map[string][]string{"k-bin": {"\x00\xfe\xff", "", "x"}, "empty": {}, "": {"y"}, "z": {strings.Repeat("v", 9000)}},
		}},
		{Request: executor.Request{Message: bytes.Repeat([]byte("0123456789abcdef"), 1<<16)}},
		{Request: executor.Request{Message: make([]byte, maxPayload), Metadata: map[string][]string{"large": {strings.Repeat("m", 100_000)}}}},
	} {
		response, err := a.Call(patience(t), "b", r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Message, r.Message) || !sameLists(got.Metadata, r.Metadata) || from != "a" {
			t.Errorf("from %s came %d bytes and %v", from, len(got.Message), got.Metadata)
		}
		got.Message, got.Metadata, r.Message, r.Metadata = nil, nil, nil, nil
		if !reflect.DeepEqual(got, r) {
			t.Errorf("%+v arrived as %+v", r, got)
		}
		if string(response.Message) != "answer" || response.Load != (Load{7, 300}) ||
			response.Timings != (executor.Timings{Queue: 5 * time.Microsecond, Run: 3 * time.Second}) ||
			!sameLists(response.Trailers, map[string][]string{"t-bin": {"\x00\xff", ""}, "x": {"1", "2", "3"}}) {
			t.Errorf("the answer is %+v", response)
		}
	}
}

func deadline(ctx context.Context) time.Time {
	d, _ := ctx.Deadline()
	return d
}

func sameLists(a, b map[string][]string) bool {
	return maps.EqualFunc(a, b, func(x, y []string) bool { return fmt.Sprintf("%q", x) == fmt.Sprintf("%q", y) })
}

func TestErrorsArriveAsTheyWere(t *testing.T) {
	var failure error
	a, _ := pair(t, func(context.Context, string, Request) (Response, error) {
		return Response{Load: Load{InFlight: 3}, Response: executor.Response{Timings: executor.Timings{Run: time.Second}}}, failure
	})
	misfit := &transcode.Error{Path: "v.kids[2].size", Msg: "256 is no u8"}
	for _, test := range []struct{ sent, want error }{
		{&executor.Error{Reason: executor.NotLoaded, Message: "x is not loaded"}, nil},
		{&executor.Error{Reason: executor.Trap, Message: "m", Summary: "s", Backtrace: []string{"f", "", "g"}}, nil},
		{&executor.Error{Reason: executor.MalformedRequest, Message: misfit.Error(), Err: misfit}, nil},
		{&executor.Error{Reason: executor.Deadline, Message: "late", Err: context.DeadlineExceeded}, nil},
		{&executor.Error{Reason: executor.Canceled, Message: "left", Err: context.Canceled}, nil},
		{&executor.FunctionError{Case: "not-found", Message: "no such order", DetailType: "a.v1.E", Detail: []byte{0, 1, 255}}, nil},
		{&executor.FunctionError{Case: "large", Detail: bytes.Repeat([]byte{7}, 1<<20), DetailType: "a.v1.E"}, nil},
		{&executor.FunctionError{}, nil},
		{context.Canceled, nil},
		{context.DeadlineExceeded, nil},
		{fmt.Errorf("wrapped: %w", context.Canceled), context.Canceled},
		{fmt.Errorf("wrapped: %w", &executor.FunctionError{Case: "c"}), &executor.FunctionError{Case: "c"}},
		{io.ErrShortWrite, &executor.Error{Reason: executor.Internal, Message: "short write"}},
		{
			&executor.Error{Reason: executor.Internal, Message: "m", Err: io.ErrShortWrite},
			&executor.Error{Reason: executor.Internal, Message: "m"},
		},
		{
			NotStarted(&executor.Error{Reason: executor.QueueFull, Message: "full"}),
			&NotStartedError{Node: "b", Err: &executor.Error{Reason: executor.QueueFull, Message: "full"}},
		},
		{NotStarted(context.DeadlineExceeded), &NotStartedError{Node: "b", Err: context.DeadlineExceeded}},
		{
			fmt.Errorf("w: %w", NotStarted(io.EOF)),
			&NotStartedError{Node: "b", Err: &executor.Error{Reason: executor.Internal, Message: "EOF"}},
		},
	} {
		failure = test.sent
		if test.want == nil {
			test.want = test.sent
		}
		response, err := a.Call(patience(t), "b", Request{})
		if !reflect.DeepEqual(err, test.want) {
			t.Errorf("%#v arrived as %#v", test.sent, err)
		}
		if response.Load.InFlight != 3 || response.Timings.Run != time.Second {
			t.Errorf("%v came with %+v", test.sent, response)
		}
	}
	if NotStarted(nil) != nil {
		t.Error("no error is one")
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	written := new(logs)
	a, _ := pair(t, func(_ context.Context, _ string, r Request) (Response, error) {
		if r.Method == "Panic" {
			panic("oh")
		}
		return Response{}, nil
	}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(written, nil)) })
	_, err := a.Call(patience(t), "b", Request{Request: executor.Request{Method: "Panic", CallID: "c-77"}})
	fault := new(executor.Error)
	if !errors.As(err, &fault) || fault.Reason != executor.Internal || strings.Contains(err.Error(), "oh") {
		t.Errorf("a panic is answered with %v", err)
	}
	if text := written.String(); !strings.Contains(text, "panic=oh") || !strings.Contains(text, "c-77") {
		t.Errorf("the log says %q", text)
	}
	if _, err := a.Call(patience(t), "b", Request{}); err != nil {
		t.Errorf("then %v", err)
	}
}

// TestThousandsOfCalls has calls of all sizes, some of them canceled, on a few connections.
func TestThousandsOfCalls(t *testing.T) {
	network := newSecureNetwork(t)
	narrow := func(c *Config) { c.Window, c.Registerer = 128<<10, prometheus.NewRegistry() }
	b := start(t, network.port("b"), echo, narrow)
	a := start(t, network.port("a"), echo, narrow)
	ctx := patience(t)
	sizes := []int{0, 1, 76, 4096, 4097, maxPayload - 40, maxPayload, 100_000, 1 << 20}
	var wait sync.WaitGroup
	var canceled atomic.Int64
	for i := range 3000 {
		wait.Go(func() {
			size := sizes[i%len(sizes)]
			if i%50 >= len(sizes) { // mostly small
				size = i % 200
			}
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if i%7 == 0 {
				stop := time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
				defer stop.Stop()
			}
			message := bytes.Repeat([]byte{byte(i)}, size)
			response, err := a.Call(ctx, "b", Request{Request: executor.Request{Message: message}})
			switch {
			case errors.Is(err, context.Canceled) && i%7 == 0:
				canceled.Add(1)
			case err != nil:
				t.Errorf("%d bytes: %v", size, err)
			case !bytes.Equal(response.Message, message):
				t.Errorf("%d bytes came back as %d others", size, len(response.Message))
			}
		})
	}
	wait.Wait()
	t.Logf("%d were canceled", canceled.Load())
	eventually(t, "nothing is held", func() bool { return idle(a) && idle(b) })
	if n := count(t, a.metrics.ok) + count(t, a.metrics.canceled) + count(t, a.metrics.notStarted); n != 3000 {
		t.Errorf("%v calls were counted", n)
	}
}

func count(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// idle tells whether a link holds nothing of any call.
func idle(l *Link) bool {
	for w, s := range l.snapshot() {
		w.mu.Lock()
		open := len(w.coming) + len(w.going) + len(w.writer.large)
		switch s := s.(type) {
		case *caller:
			open += len(s.calls)
		case *answerer:
			open += len(s.streams)
		}
		w.mu.Unlock()
		if open > 0 {
			return false
		}
	}
	return l.handling.Load() == 0 && l.requests.inUse() == 0 && l.responses.inUse() == 0 && l.sending.inUse() == 0
}
