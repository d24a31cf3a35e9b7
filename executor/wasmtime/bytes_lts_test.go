//go:build wasmtime_lts

package wasmtime

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// bytesEcho is a component with functions of bytes. Arguments lie behind each other in its memory, from 1024 on: echo and
// those like it return all of them, and overwrite that once it was read. Results are an err if the first argument is empty.
const bytesEcho = `(component
  (core module $m
    (memory (export "memory") 100)
    (global $at (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $at)
      (global.set $at (i32.add (global.get $at) (local.get 3))))
    (func $all (param i32) (result i32)
      (i32.store (local.get 0) (i32.const 1024))
      (i32.store offset=4 (local.get 0) (i32.sub (global.get $at) (i32.const 1024)))
      (local.get 0))
    (func (export "echo") (param i32 i32) (result i32) (call $all (i32.const 16)))
    (func (export "none") (result i32) (call $all (i32.const 16)))
    (func (export "four") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (call $all (i32.const 16)))
    (func (export "result") (param i32 i32) (result i32)
      (i32.store (i32.const 12) (i32.eqz (local.get 1)))
      (drop (call $all (i32.const 16)))
      (i32.const 12))
    (func (export "neither") (param i32 i32) (result i32) (i32.eqz (local.get 1)))
    (func (export "nothing") (param i32 i32))
    (func (export "invalid") (param i32 i32) (result i32)
      (i32.store (i32.const 1024) (i32.const 0xff))
      (call $all (i32.const 16)))
    (func (export "after") (param i32)
      (memory.fill (i32.const 1024) (i32.const 0) (i32.const 65536))
      (global.set $at (i32.const 1024)))
    (func (export "traps") (param i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m))
  (func (export "echo") (param "b" (list u8)) (result (list u8)) (canon lift (core func $i "echo")
    (memory $i "memory") (realloc (func $i "realloc")) (post-return (func $i "after"))))
  (func (export "text") (param "b" string) (result string) (canon lift (core func $i "echo")
    (memory $i "memory") (realloc (func $i "realloc")) (post-return (func $i "after"))))
  (func (export "none") (result (list u8)) (canon lift (core func $i "none")
    (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "four") (param "a" (list u8)) (param "b" string) (param "c" (list u8)) (param "d" string) (result string)
    (canon lift (core func $i "four") (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "either") (param "b" (list u8)) (result (result (list u8) (error string))) (canon lift
    (core func $i "result") (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "ok") (param "b" (list u8)) (result (result string)) (canon lift
    (core func $i "result") (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "err") (param "b" (list u8)) (result (result (error (list u8)))) (canon lift
    (core func $i "result") (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "neither") (param "b" (list u8)) (result (result)) (canon lift
    (core func $i "neither") (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "nothing") (param "b" (list u8)) (canon lift
    (core func $i "nothing") (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "invalid") (param "b" (list u8)) (result string) (canon lift (core func $i "invalid")
    (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "traps") (param "b" (list u8)) (result (list u8)) (canon lift (core func $i "traps")
    (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "other") (param "b" (list s8)) (result (list u8)) (canon lift (core func $i "echo")
    (memory $i "memory") (realloc (func $i "realloc")))))`

func TestCallBytes(t *testing.T) {
	for _, tt := range []struct {
		export  string
		returns Returns
		args    []string
		want    string
		failed  bool
	}{
		{"text", ReturnsBytes, []string{"wörd"}, "wörd", false},
		{"text", ReturnsBytes, []string{""}, "", false},
		{"none", ReturnsBytes, nil, "", false},
		{"four", ReturnsBytes, []string{"a", "bc", "", "d"}, "abcd", false},
		{"either", ReturnsEither, []string{"yes"}, "yes", false},
		{"either", ReturnsEither, []string{""}, "", true},
		{"ok", ReturnsOK, []string{"yes"}, "yes", false},
		{"ok", ReturnsOK, []string{""}, "", true},
		{"err", ReturnsErr, []string{"yes"}, "", false},
		{"err", ReturnsErr, []string{""}, "", true},
		{"neither", ReturnsNeither, []string{"yes"}, "", false},
		{"neither", ReturnsNeither, []string{""}, "", true},
		{"nothing", ReturnsNothing, []string{"yes"}, "", false},
	} {
		var args [][]byte
		for _, a := range tt.args {
			args = append(args, []byte(a))
		}
		r, err := instance(t, prepare(t, bytesEcho, nil, tt.export), InstanceConfig{}).CallBytes(0, tt.returns, args...)
		if err != nil {
			t.Errorf("%s of %q: %v", tt.export, tt.args, err)
			continue
		}
		if string(r.Value()) != tt.want || r.Failed() != tt.failed {
			t.Errorf("%s of %q: %q, %v", tt.export, tt.args, r.Value(), r.Failed())
		}
		r.Close()
		r.Close()
	}
}

// TestCallBytesOften calls one instance with bytes of many sizes.
func TestCallBytesOften(t *testing.T) {
	i := instance(t, prepare(t, bytesEcho, nil, "echo"), InstanceConfig{})
	for _, size := range []int{0, 1, 1000, 1 << 20, 4 << 20} {
		for _, call := range []callBytes{i.CallBytes, i.CallBytesApart} {
			argument := bytes.Repeat([]byte("weft"), size/4+1)[:size]
			r, err := call(0, ReturnsBytes, argument)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if !bytes.Equal(r.Value(), argument) {
				t.Errorf("%d bytes came back as %d others", size, len(r.Value()))
			}
			r.Close()
		}
	}
}

type callBytes = func(int, Returns, ...[]byte) (*Bytes, error)

func TestCallBytesFails(t *testing.T) {
	for _, tt := range []struct {
		name, export string
		returns      Returns
		args         [][]byte
		message      string
		trap         bool
	}{
		{"a trap", "traps", ReturnsBytes, [][]byte{{1}}, "unreachable", true},
		{"another parameter", "other", ReturnsBytes, [][]byte{{1}}, "type mismatch", false},
		{"another result", "echo", ReturnsOK, [][]byte{{1}}, "type mismatch", false},
		{"a result that none has", "echo", 99, [][]byte{{1}}, "99 is nothing", false},
		{"too few arguments", "four", ReturnsBytes, [][]byte{{1}}, "type mismatch", false},
		{"too many arguments", "four", ReturnsBytes, make([][]byte, 5), "5 arguments of bytes; 4 are the most", false},
		{"more than the guest's memory", "echo", ReturnsBytes, [][]byte{make([]byte, 8<<20)}, "beyond end of memory", false},
		{"no UTF-8 in", "text", ReturnsBytes, [][]byte{{0xff}}, "invalid utf-8", false},
		{"no UTF-8 out", "invalid", ReturnsBytes, [][]byte{{1}}, "invalid utf-8", false},
	} {
		tmpl := prepare(t, bytesEcho, nil, tt.export)
		for _, call := range []callBytes{instance(t, tmpl, InstanceConfig{}).CallBytes, instance(t, tmpl, InstanceConfig{}).CallBytesApart} {
			_, err := call(0, tt.returns, tt.args...)
			var trap *Trap
			if err == nil || !strings.Contains(err.Error(), tt.message) || errors.As(err, &trap) != tt.trap {
				t.Errorf("%s: error is %v", tt.name, err)
			}
		}
	}
	tmpl := prepare(t, bytesEcho, nil, "traps", "echo")
	i := instance(t, tmpl, InstanceConfig{})
	if _, err := i.CallBytes(0, ReturnsBytes, nil); err == nil {
		t.Fatal("it does not trap")
	}
	if _, err := i.CallBytes(1, ReturnsBytes, nil); err == nil {
		t.Error("an instance was used again after a trap")
	}
	i = instance(t, tmpl, InstanceConfig{})
	i.Close()
	if _, err := i.CallBytes(1, ReturnsBytes, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("of a closed instance: error is %v", err)
	}
}

// BenchmarkCallBytes measures calls of one instance with bytes that come back.
func BenchmarkCallBytes(b *testing.B) {
	i := instance(b, prepare(b, bytesEcho, nil, "echo"), InstanceConfig{})
	for _, size := range []int{64, 64 << 10, 1 << 20, 4 << 20} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			argument := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				r, err := i.CallBytes(0, ReturnsBytes, argument)
				if err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}
