//go:build wasmtime_lts

package wasmtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// bytesUser is a component that passes what it is called with to functions of bytes that it imports, and returns what those return,
// which lies from 16 on.
const bytesUser = `(component
  (import "test:bytes/host" (instance $host
    (export "echo" (func (param "b" (list u8)) (result (list u8))))
    (export "text" (func (param "b" string) (result string)))
    (export "none" (func (result (list u8))))
    (export "four" (func (param "a" (list u8)) (param "b" string) (param "c" (list u8)) (param "d" string) (result string)))
    (export "either" (func (param "b" (list u8)) (result (result (list u8) (error string)))))
    (export "ok" (func (param "b" (list u8)) (result (result string))))
    (export "err" (func (param "b" (list u8)) (result (result (error (list u8))))))
    (export "neither" (func (param "b" (list u8)) (result (result))))
    (export "nothing" (func (param "b" (list u8))))))
  (core module $libc
    (memory (export "memory") 100)
    (global $at (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $at)
      (global.set $at (i32.add (global.get $at) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (core func $echo (canon lower (func $host "echo") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $text (canon lower (func $host "text") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $none (canon lower (func $host "none") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $four (canon lower (func $host "four") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $either (canon lower (func $host "either") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $ok (canon lower (func $host "ok") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $err (canon lower (func $host "err") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $neither (canon lower (func $host "neither") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $nothing (canon lower (func $host "nothing") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "h" "echo" (func $echo (param i32 i32 i32)))
    (import "h" "text" (func $text (param i32 i32 i32)))
    (import "h" "none" (func $none (param i32)))
    (import "h" "four" (func $four (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "h" "either" (func $either (param i32 i32 i32)))
    (import "h" "ok" (func $ok (param i32 i32 i32)))
    (import "h" "err" (func $err (param i32 i32 i32)))
    (import "h" "neither" (func $neither (param i32 i32) (result i32)))
    (import "h" "nothing" (func $nothing (param i32 i32)))
    (func (export "echo") (param i32 i32) (result i32) (call $echo (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "text") (param i32 i32) (result i32) (call $text (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "none") (result i32) (call $none (i32.const 16)) (i32.const 16))
    (func (export "four") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      (call $four (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i32.const 16))
      (i32.const 16))
    (func (export "either") (param i32 i32) (result i32) (call $either (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "ok") (param i32 i32) (result i32) (call $ok (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "err") (param i32 i32) (result i32) (call $err (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "neither") (param i32 i32) (result i32) (call $neither (local.get 0) (local.get 1)))
    (func (export "nothing") (param i32 i32) (call $nothing (local.get 0) (local.get 1)))
    (func (export "wild") (param i32 i32) (call $nothing (local.get 0) (i32.const 0x7fffffff)))
    (func (export "broken") (param i32 i32) (result i32)
      (i32.store8 (local.get 0) (i32.const 0xff))
      (call $text (local.get 0) (local.get 1) (i32.const 16))
      (i32.const 16)))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "h" (instance
    (export "echo" (func $echo)) (export "text" (func $text)) (export "none" (func $none)) (export "four" (func $four))
    (export "either" (func $either)) (export "ok" (func $ok)) (export "err" (func $err)) (export "neither" (func $neither))
    (export "nothing" (func $nothing))))))
  (func (export "echo") (param "b" (list u8)) (result (list u8))
    (canon lift (core func $i "echo") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "text") (param "b" string) (result string)
    (canon lift (core func $i "text") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "none") (result (list u8)) (canon lift (core func $i "none") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "four") (param "a" (list u8)) (param "b" string) (param "c" (list u8)) (param "d" string) (result string)
    (canon lift (core func $i "four") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "either") (param "b" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $i "either") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "ok") (param "b" (list u8)) (result (result string))
    (canon lift (core func $i "ok") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "err") (param "b" (list u8)) (result (result (error (list u8))))
    (canon lift (core func $i "err") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "neither") (param "b" (list u8)) (result (result))
    (canon lift (core func $i "neither") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "nothing") (param "b" (list u8))
    (canon lift (core func $i "nothing") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "wild") (param "b" (list u8))
    (canon lift (core func $i "wild") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "broken") (param "b" string) (result string)
    (canon lift (core func $i "broken") (memory $libc "memory") (realloc (func $libc "realloc")))))`

// bytesHost are the functions that it imports: how many parameters they have, and what they return.
var bytesHost = map[string]struct {
	params  int
	returns Returns
}{
	"echo": {1, ReturnsBytes}, "text": {1, ReturnsBytes}, "none": {0, ReturnsBytes}, "four": {4, ReturnsBytes}, "either": {1, ReturnsEither},
	"ok": {1, ReturnsOK}, "err": {1, ReturnsErr}, "neither": {1, ReturnsNeither}, "nothing": {1, ReturnsNothing},
}

// userOf makes an instance of bytesUser whose imports are answered by f, with one export.
func userOf(t *testing.T, export string, f BytesFunc) (*Instance, error) {
	t.Helper()
	e := testEngine()
	l := e.NewLinker()
	t.Cleanup(l.Close)
	for name, h := range bytesHost {
		if err := l.DefineBytes("test:bytes/host", name, h.params, h.returns, f); err != nil {
			t.Fatal(err)
		}
	}
	tmpl, err := l.Prepare(compile(t, e, bytesUser), []Export{{Function: export}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tmpl.Close)
	i, err := tmpl.NewInstance(InstanceConfig{Data: "data"})
	if err == nil {
		t.Cleanup(i.Close)
	}
	return i, err
}

// TestDefineBytes has guests call functions of bytes that return all that they were given; an err if they were given nothing.
func TestDefineBytes(t *testing.T) {
	all := func(c *BytesCall) ([]byte, bool, error) {
		if c.Data() != "data" {
			return nil, false, fmt.Errorf("data is %v", c.Data())
		}
		var b []byte
		for n := range c.Len() {
			b = append(b, c.Arg(n)...)
		}
		return b, c.Len() == 1 && len(b) == 0, nil
	}
	for _, tt := range []struct {
		export string
		args   []string
		want   string
		failed bool
	}{
		{"echo", []string{"bytes"}, "bytes", false},
		{"text", []string{"wörd"}, "wörd", false},
		{"none", nil, "", false},
		{"four", []string{"a", "bc", "", "d"}, "abcd", false},
		{"either", []string{"yes"}, "yes", false},
		{"either", []string{""}, "", true},
		{"ok", []string{"yes"}, "yes", false},
		{"ok", []string{""}, "", true},
		{"err", []string{"yes"}, "", false},
		{"err", []string{""}, "", true},
		{"neither", []string{"yes"}, "", false},
		{"neither", []string{""}, "", true},
		{"nothing", []string{"yes"}, "", false},
		{"echo", []string{strings.Repeat("weft", 1<<18)}, strings.Repeat("weft", 1<<18), false},
	} {
		var args [][]byte
		for _, a := range tt.args {
			args = append(args, []byte(a))
		}
		i, err := userOf(t, tt.export, all)
		if err != nil {
			t.Fatal(err)
		}
		r, err := i.CallBytes(0, bytesHost[tt.export].returns, args...)
		if err != nil {
			t.Errorf("%s of %.50q: %v", tt.export, tt.args, err)
			continue
		}
		if string(r.Value()) != tt.want || r.Failed() != tt.failed {
			t.Errorf("%s of %.50q: %.50q, %v", tt.export, tt.args, r.Value(), r.Failed())
		}
		r.Close()
	}
}

func TestDefineBytesFails(t *testing.T) {
	odd := errors.New("an odd day")
	var asked [][]byte
	for _, tt := range []struct {
		name, export string
		f            BytesFunc
		want         string
		is           error
	}{
		{"an error", "echo", func(*BytesCall) ([]byte, bool, error) { return nil, false, odd }, "an odd day", odd},
		{"a panic", "echo", func(*BytesCall) ([]byte, bool, error) { panic("odd") }, "panic: odd", nil},
		{"an argument that is none", "echo", func(c *BytesCall) ([]byte, bool, error) { return c.Arg(1), false, nil }, "out of range", nil},
		{"an err that is none", "echo", func(*BytesCall) ([]byte, bool, error) { return nil, true, nil }, "no result that could be an err", nil},
		{"no UTF-8 back", "text", func(*BytesCall) ([]byte, bool, error) { return []byte{0xff}, false, nil }, "invalid utf-8", nil},
		{"no UTF-8 there", "broken", func(c *BytesCall) ([]byte, bool, error) { asked = append(asked, c.Arg(0)); return nil, false, nil }, "utf-8", nil},
		{"bytes outside of the memory", "wild", func(c *BytesCall) ([]byte, bool, error) { asked = append(asked, c.Arg(0)); return nil, false, nil },
			"out of bounds", nil},
		{"more than the memory", "echo", func(*BytesCall) ([]byte, bool, error) { return make([]byte, 8<<20), false, nil }, "beyond end of memory", nil},
	} {
		i, err := userOf(t, tt.export, tt.f)
		if err != nil {
			t.Fatal(err)
		}
		returns := ReturnsBytes
		if tt.export == "wild" {
			returns = ReturnsNothing
		}
		r, err := i.CallBytes(0, returns, []byte("abc"))
		if err == nil {
			r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: error is %v", tt.name, err)
		}
	}
	if len(asked) > 0 {
		t.Errorf("%d calls with arguments that are none", len(asked))
	}
}

// TestDefineBytesTypes has a component that imports functions with other types.
func TestDefineBytesTypes(t *testing.T) {
	e := testEngine()
	nothing := func(*BytesCall) ([]byte, bool, error) { return nil, false, nil }
	for _, change := range []struct {
		name    string
		params  int
		returns Returns
	}{{"echo", 2, ReturnsBytes}, {"echo", 1, ReturnsOK}, {"either", 1, ReturnsOK}, {"none", 1, ReturnsBytes}} {
		l := e.NewLinker()
		for name, h := range bytesHost {
			if name == change.name {
				h.params, h.returns = change.params, change.returns
			}
			if err := l.DefineBytes("test:bytes/host", name, h.params, h.returns, nothing); err != nil {
				t.Fatal(err)
			}
		}
		tmpl, err := l.Prepare(compile(t, e, bytesUser), nil)
		if err == nil {
			_, err = tmpl.NewInstance(InstanceConfig{})
			tmpl.Close()
		}
		l.Close()
		if err == nil || !strings.Contains(err.Error(), "type mismatch") {
			t.Errorf("%v: error is %v", change, err)
		}
	}
	l := e.NewLinker()
	defer l.Close()
	if err := l.DefineBytes("a:b/c", "f", 5, ReturnsBytes, nothing); err == nil || !strings.Contains(err.Error(), "4 are the most") {
		t.Errorf("five parameters: %v", err)
	}
	if err := l.DefineBytes("a:b/c", "f", 1, ReturnsBytes, nil); err == nil {
		t.Error("a function without a body")
	}
	if err := l.DefineBytes("a:b/c", "f", 1, 99, nothing); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Prepare(compile(t, e, bytesUser), nil); err == nil || !strings.Contains(err.Error(), "99 is nothing") {
		t.Errorf("a result that none has: %v", err)
	}
}
