package wasmtime

import (
	"fmt"
	"testing"
)

// TestDroppedMemory checks that an instance finds nothing of those before it, however many places they wrote to, in pages that
// the component fills at the start and in pages that begin as zeros.
func TestDroppedMemory(t *testing.T) {
	const pages = 4096 // of 4 KiB, more than stay resident
	tmpl := prepareOn(t, testEngine(), fmt.Sprintf(`(component
  (core module $m
    (memory 256)
    (data (i32.const 0) "%0100000d")
    (func (export "run") (param $step i32) (result i64) (local $page i32) (local $sum i64)
      ;; What is there, of each page.
      (loop $look
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31))
          (i64.load offset=8 (i32.shl (local.get $page) (i32.const 12)))))
        (br_if $look (i32.lt_u (local.tee $page (i32.add (local.get $page) (i32.const 1))) (i32.const %[2]d))))
      ;; Then every page that is a multiple of the step is written to.
      (local.set $page (i32.const 0))
      (loop $write
        (i64.store offset=8 (i32.shl (local.get $page) (i32.const 12)) (i64.const -1))
        (br_if $write (i32.lt_u (local.tee $page (i32.add (local.get $page) (local.get $step))) (i32.const %[2]d))))
      (local.get $sum)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "step" u32) (result u64) (canon lift (core func $i "run"))))`, 7, pages))
	clean := stir(t, tmpl, pages)
	for _, step := range []uint32{1, 2, 3, 7, 50, 500, 2} {
		if got := stir(t, tmpl, step); got != clean {
			t.Fatalf("before an instance wrote to each page of %d, its memory gave %x, want %x", step, got, clean)
		}
	}
	if got := stir(t, tmpl, 1); got != clean {
		t.Errorf("at the end the memory gave %x, want %x", got, clean)
	}
}

// stir makes an instance, has it look at its memory and write to it, and returns what it saw.
func stir(t *testing.T, tmpl *Template, step uint32) uint64 {
	t.Helper()
	a := NewArena()
	defer a.Free()
	a.SetU32(a.Args(1).At(0), step)
	return called(t, tmpl, a)
}
