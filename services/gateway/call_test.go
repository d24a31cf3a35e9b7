package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	gzipencoding "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
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

func TestCallPassesBytesBothWays(t *testing.T) {
	var got executor.Request
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		got = r
		got.Message = slices.Clone(r.Message)
		return executor.Response{
			Message:  []byte("answer"),
			Trailers: map[string][]string{"x-orders": {"1", "2"}, "weft-function": {"forged"}, "grpc-status": {"13"}, "bad key": {"x"}},
			Timings:  executor.Timings{Queue: 3 * time.Microsecond, Run: 2 * time.Millisecond},
		}, nil
	}, func(c *Config) { c.Node = "n1" })
	conn := f.dial()
	a := f.call(conn, place, []byte("request"), "x-user", "ada", "weft-timings", "true")
	if a.err != nil || string(a.message) != "answer" {
		t.Fatalf("got %q, %v", a.message, a.err)
	}
	want := executor.Key{Namespace: "default", Function: "orders", Revision: 1}
	if got.Key != want || got.Service != ordersService || got.Method != "Place" || string(got.Message) != "request" {
		t.Errorf("the executor got %+v", got)
	}
	if !slices.Equal(got.Metadata["x-user"], []string{"ada"}) || got.CallID == "" {
		t.Errorf("metadata %v, call %q", got.Metadata, got.CallID)
	}
	header := metadata.MD{
		"content-type": {"application/grpc+proto"}, "weft-function": {"orders"}, "weft-revision": {"1"}, "weft-node": {"n1"},
	}
	if !maps.EqualFunc(a.header, header, slices.Equal) {
		t.Errorf("headers %v; want %v", a.header, header)
	}
	trailer := metadata.MD{"weft-call": {got.CallID}, "weft-queue-us": {"3"}, "weft-run-us": {"2000"}, "x-orders": {"1", "2"}}
	if !maps.EqualFunc(a.trailer, trailer, slices.Equal) {
		t.Errorf("trailers %v; want %v", a.trailer, trailer)
	}
	f.deploy("default", "orders", 0, nil, ordersService)
	a = f.call(conn, place, nil)
	if a.header.Get("weft-revision")[0] != "2" || len(a.trailer) != 1 {
		t.Errorf("after a deploy: headers %v, trailers %v", a.header, a.trailer)
	}
}

func TestMessagesOfAllSizes(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	for _, size := range []int{0, 1, 4095, 4096, 4097, 16 << 10, 64<<10 + 1, 1 << 20, 4 << 20} {
		for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzipencoding.Name)}} {
			sent := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7}, size/7+1)[:size]
			a := callWith(t.Context(), conn, place, sent, options...)
			if a.err != nil || !bytes.Equal(a.message, sent) {
				t.Errorf("%d bytes, compressed %t: got %d bytes, %v", size, options != nil, len(a.message), a.err)
			}
		}
	}
	if held := f.memory.inUse(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func TestWhoAnswers(t *testing.T) {
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		return executor.Response{Message: []byte(r.Key.String())}, nil
	})
	f.deploy("default", "orders-eu", 0, nil, ordersService)
	f.deploy("default", "orders", 0, nil, ordersService)
	f.deploy("shop", "other", 0, nil, ordersService)
	f.deploy("default", "billing", 0, nil, "demo.billing.v1.Billing")
	conn := f.dial()
	for _, test := range []struct {
		pairs []string
		want  string
	}{
		{nil, "default/orders@2"},
		{[]string{"weft-function", "orders-eu"}, "default/orders-eu@1"},
		{[]string{"weft-revision", "1"}, "default/orders@1"},
		{[]string{"weft-function", "orders", "weft-revision", "2"}, "default/orders@2"},
		{[]string{"weft-namespace", "shop"}, "shop/other@1"},
	} {
		if a := f.call(conn, place, nil, test.pairs...); a.err != nil || string(a.message) != test.want {
			t.Errorf("%v: %q, %v; want %s", test.pairs, a.message, a.err, test.want)
		}
	}
	for _, test := range []struct {
		method string
		pairs  []string
		code   codes.Code
		reason failure.Reason
		words  string
	}{
		{"/demo.orders.v1.Order/Place", nil, codes.Unimplemented, failure.UnknownService, "no service demo.orders.v1.Order in namespace default; did you mean demo.orders.v1.Orders?"},
		{place, []string{"weft-namespace", "nowhere"}, codes.Unimplemented, failure.UnknownService, "nothing is deployed there"},
		{place, []string{"weft-function", "order"}, codes.Unimplemented, failure.UnknownFunction, "no function order in namespace default; did you mean orders?"},
		{place, []string{"weft-function", "billing"}, codes.Unimplemented, failure.NotExported, "function billing (revision 1) does not export demo.orders.v1.Orders; exported by orders, orders-eu"},
		{place, []string{"weft-revision", "9"}, codes.Unimplemented, failure.UnknownFunction, "no revision 9; it has 2, 1"},
		{place, []string{"weft-revision", "0"}, codes.InvalidArgument, failure.InvalidMetadata, `weft-revision is "0"`},
		{place, []string{"weft-revision", "x"}, codes.InvalidArgument, failure.InvalidMetadata, `weft-revision is "x"`},
		{"/grpc.health.v1.Health/Chek", nil, codes.Unimplemented, failure.UnknownMethod, "no method Chek; did you mean Check?"},
		{"//Place", nil, codes.Unimplemented, failure.UnknownService, "no service"},
	} {
		expect(t, f.call(conn, test.method, nil, test.pairs...).err, test.code, test.reason, test.words)
	}
}

func TestUnknownMethodSuggestsNames(t *testing.T) {
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		return executor.Response{}, &executor.Error{Reason: executor.UnknownMethod, Message: "no method " + r.Method}
	})
	conn := f.dial()
	for method, words := range map[string]string{
		"Plaec":   "service demo.orders.v1.Orders has no method Plaec; did you mean Place?",
		"cancel":  "did you mean Cancel?",
		"Nothing": "has no method Nothing",
		"Place":   "another revision or function has",
	} {
		a := f.call(conn, "/"+ordersService+"/"+method, nil)
		expect(t, a.err, codes.Unimplemented, failure.UnknownMethod, words)
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

func TestDeadlineReachesTheExecutor(t *testing.T) {
	seen := make(chan time.Time, 1)
	f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
		deadline, _ := ctx.Deadline()
		seen <- deadline
		<-ctx.Done()
		return executor.Response{}, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	// The client's own clock may be the first.
	if err := callWith(ctx, f.dial(), place, nil).err; status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the caller got %v", err)
	}
	if until := time.Until(<-seen); until > 50*time.Millisecond || until < -10*time.Second {
		t.Errorf("the executor had a deadline in %v", until)
	}
}

// TestDeadlinesAreCountedAsSuch: grpc-go cancels the context of a stream whose deadline comes.
func TestDeadlinesAreCountedAsSuch(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
		<-ctx.Done()
		return executor.Response{}, &executor.Error{Reason: executor.Canceled, Message: "canceled"}
	}, func(c *Config) { c.Registerer = registry })
	c := f.dialRaw()
	c.headers(1, false, "grpc-timeout", "20m")
	c.data(1, true, frame(0, nil))
	for {
		frame, err := c.framer.ReadFrame()
		c.must(err)
		if frame.Header().StreamID == 1 && (frame.Header().Type == http2.FrameRSTStream || frame.Header().Flags.Has(http2.FlagHeadersEndStream)) {
			break // The stream has ended, by whoever was first.
		}
	}
	f.Stop()
	want := `weft_calls_total{code="DeadlineExceeded",function="orders",namespace="default"} 1`
	if !slices.Contains(scrape(registry), want) {
		t.Errorf("no line %s", want)
	}
}

func TestCancellationAndDisconnectReachTheExecutor(t *testing.T) {
	for name, leave := range map[string]func(context.CancelFunc, *grpc.ClientConn){
		"cancel":     func(cancel context.CancelFunc, _ *grpc.ClientConn) { cancel() },
		"disconnect": func(_ context.CancelFunc, conn *grpc.ClientConn) { _ = conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			running, ended := make(chan struct{}), make(chan error, 1)
			f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
				close(running)
				<-ctx.Done()
				ended <- ctx.Err()
				return executor.Response{}, ctx.Err()
			})
			conn := f.dial()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			called := make(chan answer, 1)
			go func() { called <- callWith(ctx, conn, place, bytes.Repeat([]byte{1}, 1<<20)) }()
			<-running
			leave(cancel, conn)
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the executor's context ended with %v", err)
			}
			expect(t, (<-called).err, codes.Canceled, "")
			f.Stop()
			if held := f.memory.inUse(); held != 0 {
				t.Errorf("%d bytes are still held", held)
			}
		})
	}
}

func TestNotExactlyOneMessage(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	for count, words := range map[int]string{0: "has no message", 2: "more than one message"} {
		desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		stream, err := conn.NewStream(t.Context(), desc, place, grpc.ForceCodecV2(bytesCodec{}))
		if err != nil {
			t.Fatal(err)
		}
		for range count {
			message := []byte("m")
			if err := stream.SendMsg(&message); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		var message []byte
		expect(t, stream.RecvMsg(&message), codes.Unimplemented, failure.Cardinality, words)
	}
}

func TestMessagesOverTheLimit(t *testing.T) {
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		return executor.Response{Message: make([]byte, len(r.Message)*2)}, nil
	})
	f.deploy("default", "orders", 10_000, nil, ordersService)
	conn := f.dial()
	if a := f.call(conn, place, make([]byte, 5000)); a.err != nil || len(a.message) != 10_000 {
		t.Errorf("at the limit: %d bytes, %v", len(a.message), a.err)
	}
	zip := grpc.UseCompressor(gzipencoding.Name)
	for name, test := range map[string]struct {
		size    int
		options []grpc.CallOption
		reason  failure.Reason
		words   string
	}{
		"response":            {5001, nil, failure.ResponseTooLarge, "a response of 10002 bytes is over the limit of default/orders@2, 10000 bytes"},
		"request":             {10_001, nil, failure.RequestTooLarge, "a request of 10001 bytes is over the limit of default/orders@2, 10000 bytes"},
		"huge request":        {100 << 20, nil, failure.RequestTooLarge, "104857600 bytes is over"},
		"compressed":          {10_001, []grpc.CallOption{zip}, failure.RequestTooLarge, "is over the limit"},
		"compressed response": {5001, []grpc.CallOption{zip}, failure.ResponseTooLarge, "is over the limit"},
		"bomb":                {8 << 20, []grpc.CallOption{zip}, failure.RequestTooLarge, "is over the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			a := callWith(t.Context(), conn, place, make([]byte, test.size), test.options...)
			expect(t, a.err, codes.ResourceExhausted, test.reason, test.words)
			info := status.Convert(a.err).Details()[0].(*errdetails.ErrorInfo)
			if info.GetMetadata()["limit_bytes"] != "10000" {
				t.Errorf("ErrorInfo %v", info)
			}
			if a := f.call(conn, place, []byte("next")); a.err != nil {
				t.Errorf("the next call: %v", a.err)
			}
		})
	}
	if held := f.memory.inUse(); held != 0 {
		t.Errorf("%d bytes are still held", held)
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

func TestTooManyCalls(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	f := start(t, func(ctx context.Context, r executor.Request) (executor.Response, error) {
		running <- struct{}{}
		<-release
		return echo(ctx, r)
	}, func(c *Config) { c.Calls = 1 })
	conn := f.dial()
	done := make(chan answer, 1)
	go func() { done <- f.call(conn, place, nil) }()
	<-running
	expect(t, f.call(conn, place, nil).err, codes.ResourceExhausted, failure.Busy, "answers 1 calls already")
	close(release)
	if a := <-done; a.err != nil {
		t.Errorf("the first call: %v", a.err)
	}
}

func TestNotReady(t *testing.T) {
	f := start(t, echo)
	key := executor.Key{Namespace: "default", Function: "orders", Revision: 1}
	f.placements.set(key, false)
	conn := f.dial()
	expect(t, f.call(conn, place, nil).err, codes.Unavailable, failure.NotReady, "default/orders@1 is not ready: it is away")
	f.placements.set(key, true)
	if a := f.call(conn, place, nil); a.err != nil {
		t.Errorf("once ready: %v", a.err)
	}
}

func TestContentTypesThatAreNoProtobuf(t *testing.T) {
	f := start(t, echo)
	a := callWith(t.Context(), f.dial(), place, nil, grpc.CallContentSubtype("json"))
	expect(t, a.err, codes.InvalidArgument, failure.InvalidMetadata, `"application/grpc+json"`)
}

func TestGuestTrailersAreBounded(t *testing.T) {
	given := map[string][]string{
		"a": {"1"}, "b-bin": {"\x00\xff"}, "c": {"not\nprintable"}, "d": {strings.Repeat("x", 400)}, "e": {strings.Repeat("x", 400)},
		"grpc-message": {"x"}, "weft-x": {"x"}, "UPPER": {"x"}, "": {"x"}, ":path": {"x"}, "te": {"x"},
	}
	got := guestTrailers(given)
	want := metadata.MD{"a": {"1"}, "b-bin": {"\x00\xff"}}
	delete(got, "d")
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v; want %v, and nothing that does not fit", got, want)
	}
	if md := guestTrailers(nil); md != nil {
		t.Errorf("nothing became %v", md)
	}
}

func TestDamagedCompression(t *testing.T) {
	f := start(t, echo)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte("x"), 1000))
	_ = w.Close()
	for name, data := range map[string][]byte{"garbage": []byte("no gzip at all"), "cut": packed.Bytes()[:packed.Len()-9]} {
		c := f.dialRaw()
		c.headers(1, false, "grpc-encoding", "gzip")
		c.data(1, true, frame(1, data))
		if code, message := c.status(1); code != codes.InvalidArgument || !strings.Contains(message, "not valid gzip") {
			t.Errorf("%s: %v %q", name, code, message)
		}
	}
}

func TestCompressedRequestsGetCompressedResponses(t *testing.T) {
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) {
		return executor.Response{Message: bytes.Repeat([]byte("x"), 10_000)}, nil
	})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("request"))
	_ = w.Close()
	for encoding, request := range map[string][]byte{"gzip": frame(1, packed.Bytes()), "identity": frame(0, []byte("request"))} {
		c := f.dialRaw()
		c.headers(1, false, "grpc-encoding", encoding)
		c.data(1, true, request)
		got, size := "identity", 0
		for ended := false; !ended; {
			f, err := c.framer.ReadFrame()
			c.must(err)
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				for _, field := range f.Fields {
					if field.Name == "grpc-encoding" {
						got = field.Value
					}
				}
				ended = f.StreamEnded()
			case *http2.DataFrame:
				size += len(f.Data())
			default:
			}
		}
		if got != encoding || (size < 1000) != (encoding == "gzip") {
			t.Errorf("%s: the response of %d bytes is in %s", encoding, size, got)
		}
	}
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

func TestAccessLog(t *testing.T) {
	var log bytes.Buffer
	f := start(t, func(context.Context, executor.Request) (executor.Response, error) {
		return executor.Response{Message: []byte("four")}, nil
	}, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	conn := f.dial()
	f.call(conn, place, []byte("seventy"))
	f.call(conn, "/demo.orders.v1.Order/Place", nil)
	f.Stop()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, words := range [][]string{
		{"level=DEBUG msg=call", "method=" + place, "peer=127.0.0.1:", "code=OK", "received=7", "sent=4", "revision=default/orders@1"},
		{"method=/demo.orders.v1.Order/Place", "code=Unimplemented", `error="no service demo.orders.v1.Order`},
	} {
		for _, w := range words {
			if i >= len(lines) || !strings.Contains(lines[i], w) {
				t.Errorf("line %d of %q lacks %q", i, lines, w)
			}
		}
	}
}
