package compose_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // tests run what they compose
	"github.com/weft-run/weft/wit/compose"
)

// user calls the functions of an interface that it imports, one on the result of the other.
const user = `(component
  (import "demo:sums/sums" (instance $sums
    (export "more" (func (param "n" u32) (result u32)))
    (export "twice" (func (param "n" u32) (result u32)))))
  (core func $more (canon lower (func $sums "more")))
  (core func $twice (canon lower (func $sums "twice")))
  (core module $m
    (import "sums" "more" (func $more (param i32) (result i32)))
    (import "sums" "twice" (func $twice (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) (call $twice (call $more (local.get 0)))))
  (core instance $i (instantiate $m (with "sums" (instance (export "more" (func $more)) (export "twice" (func $twice))))))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run"))))`

// functions is a component with functions outside of an interface.
const functions = `(component
  (core module $m
    (func (export "more") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "add-one") (param "n" u32) (result u32) (canon lift (core func $i "more")))
  (func (export "double") (param "n" u32) (result u32) (canon lift (core func $i "twice"))))`

// TestFunctions has an import answered by functions of a part, all or some.
func TestFunctions(t *testing.T) {
	link := func(functions map[string]string) compose.Link {
		return compose.Link{Import: "demo:sums/sums", Part: 1, Functions: functions}
	}
	provider := text(t, "functions", functions)
	both := composed(t, text(t, "user", user, link(map[string]string{"more": "add-one", "twice": "double"})), provider)
	if got, err := run(t, both, wasmtime.Export{Function: "run"}, 20); err != nil || got != 42 {
		t.Errorf("it returns %d, %v", got, err)
	}
	some := part(t, "composed", composed(t, text(t, "user", user, link(map[string]string{"more": "add-one"})), provider))
	if i := some.World.Imports; len(i) != 1 || len(i[0].Functions) != 1 || i[0].Functions[0].Name != "twice" {
		t.Errorf("it imports %v", i)
	}
	_, err := compose.New([]compose.Part{text(t, "user", user, link(map[string]string{"more": "none"})), provider})
	var refused *compose.Error
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "import demo:sums/sums: functions does not export none") {
		t.Errorf("error is %v", err)
	}
}
