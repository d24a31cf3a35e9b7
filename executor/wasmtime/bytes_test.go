package wasmtime

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// bytesEcho is a component with functions of bytes: echo returns what it gets, and overwrites that once it was read;
// traps traps; other has another type.
const bytesEcho = `(component
  (core module $m
    (memory (export "memory") 100)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "after") (param i32)
      (memory.fill (i32.const 1024) (i32.const 0) (i32.const 65536)))
    (func (export "traps") (param i32 i32) (result i32) unreachable)
    (func (export "other") (param i32 i32) (result i32) (i32.const 16)))
  (core instance $i (instantiate $m))
  (func (export "echo") (param "b" (list u8)) (result (list u8)) (canon lift (core func $i "echo")
    (memory $i "memory") (realloc (func $i "realloc")) (post-return (func $i "after"))))
  (func (export "traps") (param "b" (list u8)) (result (list u8)) (canon lift (core func $i "traps")
    (memory $i "memory") (realloc (func $i "realloc"))))
  (func (export "other") (param "b" (list s8)) (result (list u8)) (canon lift (core func $i "other")
    (memory $i "memory") (realloc (func $i "realloc")))))`

func TestCallBytes(t *testing.T) {
	tmpl := prepare(t, bytesEcho, nil, "echo", "traps", "other")
	if got := tmpl.TakesBytes(0); got != longTerm {
		t.Fatalf("TakesBytes is %v", got)
	}
	if tmpl.TakesBytes(2) {
		t.Error("a list of s8 is bytes")
	}
	i := instance(t, tmpl, InstanceConfig{})
	if !longTerm {
		if _, err := i.CallBytes(0, nil); err == nil {
			t.Error("an engine without calls of bytes made one")
		}
		return
	}
	for _, size := range []int{0, 1, 1000, 1 << 20, 4 << 20} {
		argument := bytes.Repeat([]byte("weft"), size/4+1)[:size]
		r, err := i.CallBytes(0, argument)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(r.Value(), argument) {
			t.Errorf("%d bytes came back as %d others", size, len(r.Value()))
		}
		r.Close()
		r.Close()
	}
}

func TestCallBytesFails(t *testing.T) {
	if !longTerm {
		t.Skip("only the long-term-support engine has calls of bytes")
	}
	tmpl := prepare(t, bytesEcho, nil, "traps", "other", "echo")
	for _, tt := range []struct {
		name    string
		export  int
		size    int
		message string
		trap    bool
	}{
		{"a trap", 0, 1, "unreachable", true},
		{"another type", 1, 1, "type mismatch", false},
		{"more than the guest's memory", 2, 8 << 20, "beyond end of memory", false},
	} {
		i := instance(t, tmpl, InstanceConfig{})
		_, err := i.CallBytes(tt.export, make([]byte, tt.size))
		var trap *Trap
		if err == nil || !strings.Contains(err.Error(), tt.message) || errors.As(err, &trap) != tt.trap {
			t.Errorf("%s: error is %v", tt.name, err)
		}
		if _, err := i.CallBytes(2, nil); err == nil {
			t.Errorf("%s: the instance was used again", tt.name)
		}
	}
	i := instance(t, tmpl, InstanceConfig{})
	i.Close()
	if _, err := i.CallBytes(2, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("of a closed instance: error is %v", err)
	}
}

// BenchmarkCallBytes measures calls of one instance with bytes that come back.
func BenchmarkCallBytes(b *testing.B) {
	if !longTerm {
		b.Skip("only the long-term-support engine has calls of bytes")
	}
	i := instance(b, prepare(b, bytesEcho, nil, "echo"), InstanceConfig{})
	for _, size := range []int{64, 64 << 10, 1 << 20, 4 << 20} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			argument := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				r, err := i.CallBytes(0, argument)
				if err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}
