package functions

import (
	"testing"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// counterText is a function that counts its calls in memory.
const counterText = `(component
  (core module $m
    (global $n (mut i32) (i32.const 0))
    (func (export "ask") (param i32) (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
  (core instance $i (instantiate $m))
  (func $ask (param "n" u32) (result u32) (canon lift (core func $i "ask")))
  (instance $api (export "ask" (func $ask)))
  (export "demo:chain/counter@1.0.0" (instance $api)))`

// TestReuse deploys a function whose instances answer several calls, and takes that back.
func TestReuse(t *testing.T) {
	s := start(t)
	wasm := wat.Bytes(t, counterText)
	s.deployBytes("counter", wasm)
	asks := func(results ...int) {
		t.Helper()
		for _, want := range results {
			s.want("Counter/Ask", 0, want)
		}
	}
	asks(1, 1, 1)
	s.deployBytes("counter", wasm, func(spec *weftv1.DeploySpec) { spec.Limits = &weftv1.Limits{Reuse: 3} })
	asks(1, 2, 3, 1, 2, 3, 1)
	if got := s.current("counter").GetLimits().GetReuse(); got != 3 {
		t.Errorf("%d calls for each instance, want 3", got)
	}
	if got := metric(t, s.node.HTTPAddr(), `weft_instances_total{from="reused",function="counter",namespace="default"}`); got != 4 {
		t.Errorf("%v calls had an instance that had answered others, want 4", got)
	}

	// An update keeps it unless it says otherwise.
	for _, c := range []struct {
		limits  *weftv1.Limits
		results []int
	}{{&weftv1.Limits{Queue: 7}, []int{1, 2, 3, 1}}, {&weftv1.Limits{Reuse: 1}, []int{1, 1, 1}}} {
		answer, err := s.Update(t.Context(), &weftv1.UpdateRequest{Name: "counter", Limits: c.limits})
		if err != nil || !answer.GetReady() {
			t.Fatal(answer, err)
		}
		asks(c.results...)
	}
	if got := s.current("counter").GetLimits().GetReuse(); got != 1 {
		t.Errorf("%d calls for each instance, want 1", got)
	}
}
