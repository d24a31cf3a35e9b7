package outgoing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/executor"
)

// place is the place of a guest that waits: a call runs there unless it is taken.
type place struct {
	taken bool
	ran   executor.Request
	err   error
}

func (p *place) Run(r executor.Request) (executor.Response, bool, error) {
	if p.taken {
		return executor.Response{}, false, nil
	}
	p.ran = r
	return executor.Response{Message: []byte("response")}, true, p.err
}

// TestLocal has calls run in the place of their callers, which sees the same as with Call.
func TestLocal(t *testing.T) {
	f := newFake(t, "grpc://tax.example:443")
	f.here = true
	registry := prometheus.NewRegistry()
	c := caller(t, f, Config{Registerer: registry})
	p := &place{}
	got, ran, err := c.Local(pay(map[string][]string{"x-tenant": {"7"}, "authorization": {"secret"}}), p)
	if err != nil || !ran || string(got) != "response" {
		t.Fatalf("%q, %t, %v", got, ran, err)
	}
	r := p.ran
	if r.Key.Function != "pay" || r.Service != "demo.pay.v1.Api" || r.Method != "Charge" || string(r.Message) != "request" ||
		!strings.HasPrefix(r.CallID, "abc-1.") || len(r.Metadata) != 3 || !slices.Equal(r.Metadata["weft-caller"], []string{"default/shop@1"}) ||
		!slices.Equal(r.Metadata["weft-depth"], []string{"1"}) || !slices.Equal(r.Metadata["x-tenant"], []string{"7"}) {
		t.Errorf("request %+v", r)
	}
	p.err = &executor.Error{Reason: executor.Trap, Message: "unreachable\n  at f", Summary: "unreachable"}
	_, ran, err = c.Local(pay(nil), p)
	fault, ok := errors.AsType[*executor.Error](err)
	if !ran || !ok || fault.Reason != executor.Trap || fault.Message != "default/shop@1 calls demo:pay/api@1.0.0#Charge (function pay): unreachable" {
		t.Errorf("%t, %v", ran, err)
	}
	p.err = &executor.FunctionError{Message: "no"}
	if _, ran, err = c.Local(pay(nil), p); !ran || !errors.Is(err, p.err) {
		t.Errorf("%t, %v", ran, err)
	}
	if ok, refused, failed := count(t, registry, "ok"), count(t, registry, "error"), count(t, registry, "failed"); ok != 1 || refused != 1 || failed != 1 {
		t.Errorf("counted %v, %v, %v", ok, refused, failed)
	}
}

// TestNotLocal leaves to Call what can't run in the place of its caller, and notes nothing of it.
func TestNotLocal(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake, *place)
		call   executor.OutgoingCall
	}{
		"the place is taken":   {func(_ *fake, p *place) { p.taken = true }, pay(map[string][]string{"weft-trace": {"true"}})},
		"it is ready nowhere":  {func(f *fake, _ *place) { f.here = false }, pay(nil)},
		"a service outside":    {func(*fake, *place) {}, tax(nil)},
		"too many calls":       {func(*fake, *place) {}, pay(map[string][]string{"weft-depth": {"16"}})},
		"nothing is bound":     {func(*fake, *place) {}, executor.OutgoingCall{From: shop, Import: "demo:other/api@1.0.0"}},
		"the caller is no one": {func(*fake, *place) {}, executor.OutgoingCall{Import: "demo:pay/api@1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, "grpc://tax.example:443")
			f.here = true
			registry := prometheus.NewRegistry()
			caller, p := caller(t, f, Config{Registerer: registry}), &place{}
			c.change(f, p)
			if got, ran, err := caller.Local(c.call, p); ran || err != nil || got != nil || p.ran.Service != "" {
				t.Errorf("%q, %t, %v; it ran %+v", got, ran, err, p.ran)
			}
			if n := count(t, registry, "ok") + count(t, registry, "failed"); n != 0 || len(caller.traces.byID) != 0 {
				t.Errorf("%v calls are counted, and %d traces are left over", n, len(caller.traces.byID))
			}
		})
	}
}

// TestLocalTrace gathers the trace of a call that runs in the place of its caller.
func TestLocalTrace(t *testing.T) {
	f := newFake(t, "grpc://tax.example:443")
	f.here = true
	c := caller(t, f, Config{})
	traced := c.Traced(runs(func(_ context.Context, r executor.Request) (executor.Response, error) {
		call := pay(r.Metadata)
		call.From, call.CallID = r.Key, r.CallID
		_, _, err := c.Local(call, &place{})
		return executor.Response{}, err
	}))
	got, err := traced.Call(t.Context(), executor.Request{Key: shop, CallID: "abc-1", Metadata: map[string][]string{"weft-trace": {"true"}}})
	lines := got.Trailers["weft-trace"]
	if err != nil || len(lines) != 1 || !strings.HasPrefix(lines[0], "1 default/shop@1 > default/pay@1 demo.pay.v1.Api/Charge took=") ||
		!strings.Contains(lines[0], " node=n1 queue=0us") {
		t.Errorf("%q, %v", lines, err)
	}
	if len(c.traces.byID) > 0 {
		t.Error("traces are left over")
	}
}
