package wasmtime

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wittest"
)

// echo makes the text of a component that exports run: func(x: T) -> T, which calls the import f: func(x: T) -> T. A
// value thus crosses all four edges: from Go, to a host function, from its result, and back to Go.
func echo(t *wit.Type) string {
	types := wittest.NewTypeText()
	name := types.Name(t)
	params := wittest.Flatten(t)
	if len(params) > 16 {
		params = []string{"i32"}
	}
	results, ret := wittest.Flatten(t), ""
	if len(results) > 1 {
		results, ret = []string{"i32"}, "(param i32)"
	}
	locals := ""
	for i := range params {
		locals += fmt.Sprintf(" local.get %d", i)
	}
	call := locals + " call $f"
	if ret != "" {
		call = fmt.Sprintf(`(local $ret i32)
      (local.set $ret (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const %d)))
      %s local.get $ret call $f local.get $ret`, wittest.MaxBytes(t), locals)
	}
	sig := "(param " + strings.Join(params, " ") + ")"
	lowResult, result := "(result "+strings.Join(results, " ")+")", "(result "+strings.Join(results, " ")+")"
	if ret != "" {
		lowResult = ""
	}
	return fmt.Sprintf(`(component
  %[1]s
  (import "f" (func $f (param "x" %[2]s) (result %[2]s)))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $oldsize i32) (param $align i32) (param $size i32) (result i32)
      (local $p i32)
      (local.set $p (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                             (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $p) (local.get $size)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $enough (i32.ge_s (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536))))
                                 (i32.const 0)))
        unreachable)
      local.get $p))
  (core instance $libc (instantiate $libc))
  (core func $low (canon lower (func $f) (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "host" "f" (func $f %[3]s %[4]s %[5]s))
    (func (export "run") %[3]s %[6]s
      %[7]s))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance (export "f" (func $low))))))
  (func (export "run") (param "x" %[2]s) (result %[2]s)
    (canon lift (core func $i "run") (memory $libc "memory") (realloc (func $libc "realloc")))))`,
		types.Defs(), name, sig, ret, lowResult, result, call)
}

// echoer calls an echo component and checks what the host function sees.
type echoer struct {
	typ  *wit.Type
	tmpl *Template
}

// seen is the Data of an echoing instance: the value that its host function saw.
type seen struct{ value any }

func newEchoer(t testing.TB, typ *wit.Type) *echoer {
	t.Helper()
	p := newPlan(t, typ)
	tmpl := prepare(t, echo(typ), map[string]HostFunc{"f": func(call *HostCall) error {
		s := call.Data().(*seen)
		s.value = p.read(call.Args().At(0))
		return p.write(call.Arena(), call.Result(), s.value)
	}}, "run")
	return &echoer{typ: typ, tmpl: tmpl}
}
