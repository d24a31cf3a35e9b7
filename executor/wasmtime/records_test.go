package wasmtime

import (
	"errors"
	"testing"
)

// records returns n records of ten bools, 10 bytes each in the guest.
const records = `(component
  (core module $m
    (memory (export "memory") 160)
    (func (export "run") (param i32) (result i32)
      (i32.store (i32.const 16) (i32.const 1024))
      (i32.store (i32.const 20) (local.get 0))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (type $row' (record (field "a" bool) (field "b" bool) (field "c" bool) (field "d" bool) (field "e" bool)
    (field "f" bool) (field "g" bool) (field "h" bool) (field "i" bool) (field "j" bool)))
  (export $row "row" (type $row'))
  (func (export "run") (param "n" u32) (result (list $row)) (canon lift (core func $i "run") (memory $i "memory"))))`

// TestManyRecords is about what records cost the host, a hundred times as much as the guest (RUSTSEC-2026-0316). The
// long-term-support engine counts that, and refuses to go on at 128 MiB.
func TestManyRecords(t *testing.T) {
	tmpl := prepare(t, records, nil, "run")
	call := func(n uint32) (*Result, error) {
		a := NewArena()
		t.Cleanup(a.Free)
		args := a.Args(1)
		a.SetU32(args.At(0), n)
		return instance(t, tmpl, InstanceConfig{}).Call(0, a)
	}
	r, err := call(10_000)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := r.Value(); v.List().Len() != 10_000 {
		t.Errorf("%d records came", v.List().Len())
	}
	r.Close()
	if !longTerm {
		return
	}
	if _, err := call(1_000_000); !errors.Is(err, ErrUnfolding) {
		t.Errorf("a million records: error is %v", err)
	}
}
