package outgoing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/router"
	"github.com/weft-run/weft/wit/contract"
)

// fake is a cluster: the function shop, with imports bound to the function pay and to an address.
type fake struct {
	t       *testing.T
	catalog *catalog.Catalog
	called  executor.Request
	answer  router.Response
	err     error // of Call
	routed  error // of Route
	here    bool  // the function pay is ready on this node
}

func newFake(t *testing.T, address string) *fake {
	t.Helper()
	f := &fake{t: t, catalog: catalog.New()}
	revision := func(name string, services []string, bindings ...*catalogv1.Binding) *catalogv1.Command {
		return &catalogv1.Command{Level: 3, Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
			Namespace: "default", Name: name,
			Revision: &catalogv1.Revision{Digest: make([]byte, 32), Services: services, Bindings: bindings},
		}}}
	}
	raise := func(level uint32) *catalogv1.Command {
		return &catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}}
	}
	for i, cmd := range []*catalogv1.Command{raise(2), raise(3), revision("pay", []string{"demo.pay.v1.Api"}), revision("shop", nil,
		&catalogv1.Binding{Import: "demo:pay/api@1.0.0", Target: &catalogv1.Binding_Function{Function: "pay"}, Service: "demo.pay.v1.Api"},
		&catalogv1.Binding{Import: "demo:tax/api@1.0.0", Target: &catalogv1.Binding_Address{Address: address}, Service: "demo.tax.v1.Api"},
	)} {
		cmd.RequestId = fmt.Sprint(i)
		if got := f.catalog.Apply(uint64(i+1), cmd); got.GetRefusal() != nil {
			t.Fatal(got)
		}
	}
	return f
}

func (f *fake) View() *catalog.View { return f.catalog.View() }

func (f *fake) Route(_ context.Context, target router.Target) (*router.Destination, error) {
	if target != (router.Target{Namespace: "default", Service: "demo.pay.v1.Api", Function: "pay"}) {
		f.t.Errorf("target %+v", target)
	}
	return &router.Destination{Key: executor.Key{Namespace: "default", Function: "pay", Revision: 1}}, f.routed
}

func (f *fake) Call(_ context.Context, r executor.Request) (router.Response, error) {
	f.called = r
	return f.answer, f.err
}

func (f *fake) Here(target router.Target) (*router.Destination, bool) {
	if !f.here {
		return nil, false
	}
	d, err := f.Route(f.t.Context(), target)
	return d, err == nil
}

func (f *fake) Local(r executor.Request, place executor.Place) (router.Response, bool, error) {
	response, ran, err := place.Run(r)
	return router.Response{Response: response, Node: "n1"}, ran, err
}

func (f *fake) Revision(context.Context, executor.Key) (executor.Revision, error) {
	return executor.Revision{Imports: []*contract.Service{{
		Interface: "demo:tax/api@1.0.0", Methods: []*contract.Method{{Name: "Rate", Error: &contract.Error{Message: "demo.tax.v1.Refusal"}}},
	}}}, nil
}

var shop = executor.Key{Namespace: "default", Function: "shop", Revision: 1}

func pay(md map[string][]string) executor.OutgoingCall {
	return executor.OutgoingCall{
		From: shop, CallID: "abc-1", Import: "demo:pay/api@1.0.0", Service: "demo.pay.v1.Api", Method: "Charge", Message: []byte("request"), Metadata: md,
	}
}

func tax(md map[string][]string) executor.OutgoingCall {
	return executor.OutgoingCall{
		From: shop, CallID: "abc-1", Import: "demo:tax/api@1.0.0", Service: "demo.tax.v1.Api", Method: "Rate", Message: []byte("request"), Metadata: md,
	}
}

func caller(t *testing.T, f *fake, config Config) *Caller {
	t.Helper()
	config.Catalog, config.Router, config.Components = f, f, f
	c := New(config)
	t.Cleanup(c.Close)
	return c
}

func TestWhatTravels(t *testing.T) {
	f := newFake(t, "grpc://tax.example:443")
	f.answer.Message = []byte("response")
	c := caller(t, f, Config{})
	got, err := c.Call(t.Context(), pay(map[string][]string{
		"x-tenant": {"7"}, "traceparent": {"00-1"}, "authorization": {"secret"}, "weft-revision": {"3"}, "weft-function": {"other"},
		"weft-caller": {"default/front@2"}, "weft-depth": {"1"}, "content-type": {"application/grpc"},
	}))
	if err != nil || string(got) != "response" {
		t.Fatalf("%q, %v", got, err)
	}
	md := f.called.Metadata
	if len(md) != 4 || !slices.Equal(md["weft-caller"], []string{"default/shop@1", "default/front@2"}) || !slices.Equal(md["weft-depth"], []string{"2"}) ||
		!slices.Equal(md["x-tenant"], []string{"7"}) || !slices.Equal(md["traceparent"], []string{"00-1"}) {
		t.Errorf("metadata %v", md)
	}
	if r := f.called; r.Service != "demo.pay.v1.Api" || r.Method != "Charge" || string(r.Message) != "request" || !strings.HasPrefix(r.CallID, "abc-1.") {
		t.Errorf("request %+v", r)
	}
}

func TestDepth(t *testing.T) {
	f := newFake(t, "grpc://tax.example:443")
	c := caller(t, f, Config{})
	deep := map[string][]string{"weft-depth": {"16"}, "weft-caller": {"default/b@2", "default/a@1"}}
	_, err := c.Call(t.Context(), pay(deep))
	fault, ok := errors.AsType[*executor.Error](err)
	if !ok || !strings.Contains(fault.Message, "default/a@1 → default/b@2 → default/shop@1") || f.called.Service != "" {
		t.Errorf("%v", err)
	}
	deep["weft-depth"] = []string{"15"}
	if _, err := c.Call(t.Context(), pay(deep)); err != nil {
		t.Error(err)
	}
}

// count reads how many calls of functions ended in a way.
func count(t *testing.T, registry *prometheus.Registry, result string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		if labels := m.GetLabel(); labels[0].GetValue() == result && labels[1].GetValue() == "function" {
			return m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no calls that ended in %s", result)
	return 0
}

func TestFailures(t *testing.T) {
	f := newFake(t, "grpc://tax.example:443")
	registry := prometheus.NewRegistry()
	c := caller(t, f, Config{Registerer: registry})
	f.err = &executor.FunctionError{Case: "broke", DetailType: "demo.pay.v1.Refusal", Detail: []byte{1}}
	if _, err := c.Call(t.Context(), pay(nil)); err != f.err { //nolint:errorlint // the very same
		t.Errorf("%v", err)
	}
	for _, tt := range []struct {
		err    error
		reason executor.Reason
		word   string
	}{
		{&executor.Error{Reason: executor.Trap, Message: "trap\n  at secret", Summary: "trap"}, executor.Trap, ": trap"},
		{context.DeadlineExceeded, executor.Deadline, "within the time"},
		{fmt.Errorf("x: %w", context.Canceled), executor.Canceled, "canceled"},
		{failure.New(codes.Unimplemented, failure.UnknownFunction, "no function pay"), executor.UnknownMethod, "no function pay"},
		{failure.New(codes.Unavailable, failure.NotReady, "it is loading"), executor.NotLoaded, "it is loading"},
		{errors.New("something"), executor.Internal, "something"},
	} {
		f.err = tt.err
		_, err := c.Call(t.Context(), pay(nil))
		fault, ok := errors.AsType[*executor.Error](err)
		if !ok || fault.Reason != tt.reason || !strings.Contains(fault.Message, tt.word) || strings.Contains(fault.Message, "secret") ||
			!strings.Contains(fault.Message, "default/shop@1 calls demo:pay/api@1.0.0#Charge (function pay)") {
			t.Errorf("%v became %v (%s)", tt.err, err, fault.Reason)
		}
	}
	if failed, refused := count(t, registry, "failed"), count(t, registry, "error"); failed != 6 || refused != 1 {
		t.Errorf("%v calls failed, %v with an error of their own", failed, refused)
	}
	f.routed = failure.New(codes.Unavailable, failure.NotReady, "it is loading")
	if _, err := c.Call(t.Context(), pay(nil)); err == nil || !strings.Contains(err.Error(), "function pay") {
		t.Errorf("%v", err)
	}
	lost := pay(nil)
	lost.Import = "demo:other/api"
	if _, err := c.Call(t.Context(), lost); err == nil || !strings.Contains(err.Error(), "no binding") {
		t.Errorf("%v", err)
	}
}

// outside is a gRPC service with TLS that answers as it is told.
type outside struct {
	address string
	roots   *x509.CertPool
	md      metadata.MD
	path    string
	err     error
	block   bool
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	web := httptest.NewUnstartedServer(nil) // it makes a certificate for 127.0.0.1
	web.StartTLS()
	certificate := web.TLS.Certificates[0]
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	web.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{address: "grpc://" + listener.Addr().String(), roots: roots}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&certificate)), grpc.ForceServerCodecV2(raw{}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			o.path, _ = grpc.MethodFromServerStream(stream)
			o.md, _ = metadata.FromIncomingContext(stream.Context())
			var request []byte
			if err := stream.RecvMsg(&request); err != nil {
				return err
			}
			if o.block {
				<-stream.Context().Done()
				return status.FromContextError(stream.Context().Err()).Err()
			}
			if o.err != nil {
				return o.err
			}
			return stream.SendMsg(append([]byte("echo "), request...))
		}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // it ends with Stop
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return o
}

func TestOutside(t *testing.T) {
	o := newOutside(t)
	f := newFake(t, o.address)
	allowed, err := ParseAllow("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t, f, Config{Allow: allowed, TLS: &tls.Config{RootCAs: o.roots, MinVersion: tls.VersionTLS13}})
	got, err := c.Call(t.Context(), tax(map[string][]string{"x-tenant": {"7"}, "weft-caller": {"default/front@1"}, "authorization": {"secret"}}))
	if err != nil || string(got) != "echo request" || o.path != "/demo.tax.v1.Api/Rate" {
		t.Fatalf("%q of %s, %v", got, o.path, err)
	}
	if !slices.Equal(o.md["weft-caller"], []string{"default/shop@1"}) || len(o.md["weft-depth"]) > 0 || len(o.md["authorization"]) > 0 ||
		!slices.Equal(o.md["x-tenant"], []string{"7"}) {
		t.Errorf("metadata %v", o.md)
	}

	own, err := status.New(codes.NotFound, "no rate").WithDetails(&anypb.Any{})
	if err != nil {
		t.Fatal(err)
	}
	p := own.Proto()
	p.Details = []*anypb.Any{{TypeUrl: "type.googleapis.com/google.rpc.Help"}, {TypeUrl: "type.googleapis.com/demo.tax.v1.Refusal", Value: []byte{8, 1}}}
	o.err = status.ErrorProto(p)
	_, err = c.Call(t.Context(), tax(nil))
	if e, ok := errors.AsType[*executor.FunctionError](err); !ok || e.Message != "no rate" || e.DetailType != "demo.tax.v1.Refusal" || string(e.Detail) != "\x08\x01" {
		t.Errorf("%v", err)
	}
	for code, reason := range map[codes.Code]executor.Reason{
		codes.Unavailable: executor.NotLoaded, codes.PermissionDenied: executor.Internal, codes.Unimplemented: executor.UnknownMethod,
	} {
		o.err = status.Error(code, "because")
		_, err := c.Call(t.Context(), tax(nil))
		if e, ok := errors.AsType[*executor.Error](err); !ok || e.Reason != reason || !strings.Contains(e.Message, o.address+"): "+code.String()+": because") {
			t.Errorf("%v became %v", code, err)
		}
	}
	o.err, o.block = nil, true
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Call(ctx, tax(nil))
	if e, ok := errors.AsType[*executor.Error](err); !ok || e.Reason != executor.Deadline {
		t.Errorf("%v", err)
	}
}

func TestOutsideWithAnotherCertificate(t *testing.T) {
	o := newOutside(t)
	allowed, err := ParseAllow("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t, newFake(t, o.address), Config{Allow: allowed})
	if _, err := c.Call(t.Context(), tax(nil)); err == nil || !strings.Contains(err.Error(), "certificate") || o.path != "" {
		t.Errorf("%v", err)
	}
	c = caller(t, newFake(t, o.address), Config{})
	if _, err := c.Call(t.Context(), tax(nil)); err == nil || !strings.Contains(err.Error(), "--allow-host") {
		t.Errorf("%v", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	c := newConnections(nil)
	defer c.close()
	var release []func()
	for port := range maxConnections {
		_, done, err := c.use(fmt.Sprintf("grpc://h:%d", port+1))
		if err != nil {
			t.Fatal(err)
		}
		release = append(release, done)
	}
	if _, _, err := c.use("grpc://h:9999"); err == nil {
		t.Fatal("a connection too many")
	}
	release[3]()
	if _, _, err := c.use("grpc://h:9999"); err != nil || c.byAddress["grpc://h:4"] != nil || len(c.byAddress) != maxConnections {
		t.Fatalf("%v, %d connections", err, len(c.byAddress))
	}
	c.close()
	if _, _, err := c.use("grpc://h:1"); !errors.Is(err, errClosed) {
		t.Fatal(err)
	}
}

func TestAllow(t *testing.T) {
	a, err := ParseAllow("Pay.example,10.0.0.1:7070,[::1]:443,fe80::1")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"grpc://pay.example:443": true, "grpc+insecure://PAY.example:1": true, "grpc://10.0.0.1:7070": true, "grpc://10.0.0.1:7071": false,
		"grpc://[::1]:443": true, "grpc://[::1]:444": false, "grpc://[fe80::1]:5": true, "grpc://x.pay.example:443": false, "grpc://pay:443": false,
		"http://pay.example:443": false,
	} {
		if err := a.Check(address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, bad := range []string{"grpc://pay", "a b", "pay:x", "pay:0", ",", "*.example", "a@b", "https://pay", "http://", "http://a/b", "http://pay:x"} {
		if _, err := ParseAllow(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if a, err = ParseAllow("pay.example:443,http://Plain.example,http://10.0.0.1:8080"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		scheme, host, port string
		want               bool
	}{
		{"https", "pay.example", "", true}, {"https", "PAY.example", "443", true}, {"https", "pay.example", "444", false},
		{"http", "pay.example", "443", false}, {"http", "plain.example", "", true}, {"http", "plain.example", "81", true},
		{"https", "plain.example", "", false}, {"http", "10.0.0.1", "8080", true}, {"http", "10.0.0.1", "", false},
		{"https", "10.0.0.1", "8080", false}, {"http", "::1", "80", false},
	} {
		if err := a.CheckHTTP(tt.scheme, tt.host, tt.port); (err == nil) != tt.want {
			t.Errorf("%v: %v", tt, err)
		}
	}
	if err := a.Check("grpc+insecure://plain.example:80"); err == nil {
		t.Error("an entry for plain HTTP allows gRPC")
	}
	var none Allow
	if err := none.Check("grpc://pay.example:443"); err == nil || !strings.Contains(err.Error(), "--allow-host pay.example:443") {
		t.Errorf("%v", err)
	}
}

// runs is an executor whose guest makes calls.
type runs func(context.Context, executor.Request) (executor.Response, error)

func (r runs) Call(ctx context.Context, request executor.Request) (executor.Response, error) {
	return r(ctx, request)
}

func TestTrace(t *testing.T) {
	f := newFake(t, "grpc://tax.example:443")
	f.answer = router.Response{Node: "n2", Response: executor.Response{
		Timings: executor.Timings{Queue: 3 * time.Microsecond, Run: 4 * time.Microsecond}, Trailers: map[string][]string{"weft-trace": {"2 further"}},
	}}
	c := caller(t, f, Config{})
	calls := 1
	traced := c.Traced(runs(func(ctx context.Context, r executor.Request) (executor.Response, error) {
		for range calls {
			call := pay(r.Metadata)
			call.From, call.CallID = r.Key, r.CallID
			if _, err := c.Call(ctx, call); err != nil {
				return executor.Response{}, err
			}
		}
		return executor.Response{Trailers: map[string][]string{"a": {"b"}}}, nil
	}))
	request := executor.Request{Key: shop, CallID: "abc-1", Metadata: map[string][]string{"weft-trace": {"true"}}}
	got, err := traced.Call(t.Context(), request)
	lines := got.Trailers["weft-trace"]
	if err != nil || len(lines) != 2 || lines[1] != "2 further" || !strings.HasPrefix(lines[0], "1 default/shop@1 > default/pay@1 demo.pay.v1.Api/Charge took=") ||
		!strings.HasSuffix(lines[0], " node=n2 queue=3us run=4us") || got.Trailers["a"][0] != "b" {
		t.Errorf("%q, %v", got.Trailers, err)
	}
	calls = 100
	if got, err = traced.Call(t.Context(), request); err != nil || len(got.Trailers["weft-trace"]) != maxHops {
		t.Errorf("%d lines, %v", len(got.Trailers["weft-trace"]), err)
	}
	request.Metadata = nil
	if got, err = traced.Call(t.Context(), request); err != nil || got.Trailers["weft-trace"] != nil {
		t.Errorf("%q, %v", got.Trailers, err)
	}
	if len(c.traces.byID) > 0 {
		t.Error("traces are left over")
	}
}
