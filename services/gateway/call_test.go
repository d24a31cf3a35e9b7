package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

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

// TestRequestsToComeAreNoCalls: a request that is still to come does not use up the node's calls. There is a bound for such, too.
func TestRequestsToComeAreNoCalls(t *testing.T) {
	f := start(t, echo, func(c *Config) { c.Calls = 2 })
	c := f.dialRaw()
	for i, encoding := range []string{"identity", "gzip"} { // read by package lean, and by grpc-go
		id := uint32(2*i + 1)
		c.headers(id, false, "grpc-encoding", encoding)
		c.data(id, false, frame(byte(i), make([]byte, 1<<20))[:5])
		await(t, "the request to be awaited", func() bool { return f.memory.inUse() >= int64(i+1)<<20 })
		if a := f.call(f.dial(), place, []byte("x")); a.err != nil || f.calls.Load() != 0 {
			t.Errorf("another call: %v; %d calls count", a.err, f.calls.Load())
		}
	}
	c.headers(5, false)
	if st := c.status(5); st.Code() != codes.ResourceExhausted || !strings.Contains(st.Message(), "waits for 2 requests already") {
		t.Errorf("a third request to come: %v", st)
	}
}
