package wasmtime

import (
	"strings"
	"testing"
)

// texts passes a string from a component to another and back. Where there is a byte at "at", it comes back as 0xff. Strings end where the
// memory does, but for the one that comes back to the first component, which is where nothing was before.
const texts = `(component
  (component $callee
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.sub (i32.const 65536) (local.get 3)))
      (func (export "run") (param $text i32) (param $size i32) (param $at i32) (result i32)
        (if (i32.lt_u (local.get $at) (local.get $size))
          (then (i32.store8 (i32.add (local.get $text) (local.get $at)) (i32.const 0xff))))
        (i32.store (i32.const 16) (local.get $text))
        (i32.store (i32.const 20) (local.get $size))
        (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "text" string) (param "at" u32) (result string)
      (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))
  (component $caller
    (import "run" (func $run (param "text" string) (param "at" u32) (result string)))
    (core module $m
      (memory (export "memory") 1)
      (global $end (mut i32) (i32.const 65536))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (i32.sub (global.get $end) (local.get 3))
        (global.set $end (i32.const 32768))))
    (core instance $i (instantiate $m))
    (core func $lowered (canon lower (func $run) (memory $i "memory") (realloc (func $i "realloc"))))
    (core module $c
      (import "callee" "run" (func $run (param i32 i32 i32 i32)))
      (func (export "run") (param i32 i32 i32) (result i32)
        (call $run (local.get 0) (local.get 1) (local.get 2) (i32.const 16))
        (i32.const 16)))
    (core instance $c (instantiate $c (with "callee" (instance (export "run" (func $lowered))))))
    (func (export "run") (param "text" string) (param "at" u32) (result string)
      (canon lift (core func $c "run") (memory $i "memory") (realloc (func $i "realloc")))))
  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller (with "run" (func $callee "run"))))
  (export "run" (func $caller "run")))`

// TestTexts passes strings of all small sizes between components, with a character of two bytes and with a byte that is no UTF-8 in
// every place.
func TestTexts(t *testing.T) {
	tmpl := prepare(t, texts, nil, "run")
	pass := func(text string, at int) (string, error) {
		a := NewArena()
		defer a.Free()
		args := a.Args(2)
		if err := a.SetText(args.At(0), text); err != nil {
			t.Fatal(err)
		}
		a.SetU32(args.At(1), uint32(at))
		r, err := call(tmpl, a, nil)
		if err != nil {
			return "", err
		}
		defer r.Close()
		v, _ := r.Value()
		return v.Text(), nil
	}
	const ascii = "The quick brown fox jumps over the lazy dog."
	for size := range len(ascii) + 1 {
		if got, err := pass(ascii[:size], size); err != nil || got != ascii[:size] {
			t.Errorf("%q comes back as %q, %v", ascii[:size], got, err)
		}
		for at := range size {
			if at < size-1 {
				text := ascii[:at] + "é" + ascii[at+2:size]
				if got, err := pass(text, size); err != nil || got != text {
					t.Errorf("%q comes back as %q, %v", text, got, err)
				}
			}
			if got, err := pass(ascii[:size], at); err == nil || !strings.Contains(err.Error(), "utf") {
				t.Errorf("%q with a byte that is no UTF-8 at %d comes back as %q, %v", ascii[:size], at, got, err)
			}
		}
	}
}
