package wasmtime

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// copying is the text of a component whose function copies, and then returns the bits of what is there, stirred together. The instruction
// takes where to, where from and how much.
func copying(more, copies, look string) string {
	return fmt.Sprintf(`(component
  (core module $m
    (memory 1)
    %s
    (func (export "run") (param $to i32) (param $from i32) (param $count i32) (result i64) (local $i i32) (local $sum i64)
      (%s (local.get $to) (local.get $from) (local.get $count))
      (loop $again
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) %s))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const %d))))
      (local.get $sum)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "to" u32) (param "from" u32) (param "count" u32) (result u64) (canon lift (core func $i "run"))))`,
		more, copies, look, copiedWords)
}

// copiedWords is how many words, or elements of a table, such a function looks at.
const copiedWords = 16

// runCopy calls such a function.
func runCopy(tmpl *Template, to, from, count int) (uint64, error) {
	return runLoop(tmpl, InstanceConfig{}, to, from, count)
}

// stirred is what such a function returns of these words.
func stirred(words []uint64) (sum uint64) {
	for _, w := range words {
		sum = sum*31 + w
	}
	return sum
}

const wordThere = `(i64.load (i32.shl (local.get $i) (i32.const 3)))`

// TestCopies copies bytes from each place of a range to each other, in every size up to one that the long-term-support engine leaves to
// the host, of memory and of data.
func TestCopies(t *testing.T) {
	const size, longest = 8 * copiedWords, 40
	start := make([]byte, size)
	text := ""
	for i := range start {
		start[i] = byte(i*i + 3)
		text += fmt.Sprintf(`\%02x`, start[i])
	}
	segment := fmt.Sprintf(`"%s"`, text)
	bytes := func(b []byte) uint64 {
		var words []uint64
		for ; len(b) > 0; b = b[8:] {
			words = append(words, binary.LittleEndian.Uint64(b))
		}
		return stirred(words)
	}
	memory := prepareOn(t, testEngine(), copying(`(data (i32.const 0) `+segment+`)`, "memory.copy", wordThere))
	data := prepareOn(t, testEngine(), copying(`(data $d `+segment+`)`, "memory.init $d", wordThere))
	for count := range longest + 1 {
		for distance := -longest; distance <= longest; distance++ {
			from := size / 2
			if distance > 0 {
				from = size/2 - longest
			}
			to := from + distance
			want := append([]byte(nil), start...)
			copy(want[to:to+count], start[from:])
			if got, err := runCopy(memory, to, from, count); err != nil || got != bytes(want) {
				t.Fatalf("%d bytes from %d to %d of memory: %x, %v, want %x", count, from, to, got, err, bytes(want))
			}
			want = make([]byte, size)
			copy(want[to:to+count], start[from:])
			if got, err := runCopy(data, to, from, count); err != nil || got != bytes(want) {
				t.Fatalf("%d bytes from %d of data to %d: %x, %v, want %x", count, from, to, got, err, bytes(want))
			}
		}
	}
}

// TestCopiesOutside expects what reaches out of a memory or of data by a byte to trap, and what ends where it ends not to.
func TestCopiesOutside(t *testing.T) {
	const page, size = 64 << 10, 48
	memory := prepareOn(t, testEngine(), copying("", "memory.copy", wordThere))
	data := prepareOn(t, testEngine(), copying(fmt.Sprintf(`(data $d "%*s")`, size, ""), "memory.init $d", wordThere))
	for count := range size + 1 {
		for _, c := range []struct {
			tmpl     *Template
			to, from int
			fits     bool
		}{
			{memory, page - count, 0, true}, {memory, page - count + 1, 0, false},
			{memory, 0, page - count, true}, {memory, 0, page - count + 1, false},
			{memory, -1, 0, false}, {memory, 0, -1, false},
			{data, page - count, 0, true}, {data, page - count + 1, 0, false},
			{data, 0, size - count, true}, {data, 0, size - count + 1, false},
		} {
			_, err := runCopy(c.tmpl, c.to, c.from, count)
			if c.fits && err != nil {
				t.Errorf("%d bytes from %d to %d: %v", count, c.from, c.to, err)
			}
			if !c.fits && trapOf(t, err).Kind != TrapMemoryOutOfBounds {
				t.Errorf("%d bytes from %d to %d: %v", count, c.from, c.to, err)
			}
		}
	}
}

// TestCopiesTables copies elements of a table, of which each call of a function tells one from the others.
func TestCopiesTables(t *testing.T) {
	functions, names := "(type $f (func (result i64)))", ""
	for i := range copiedWords {
		functions += fmt.Sprintf("(func $f%d (result i64) (i64.const %d))", i, i*i+1)
		names += fmt.Sprintf(" $f%d", i)
	}
	tmpl := prepareOn(t, testEngine(), copying(functions+"(table funcref (elem"+names+"))", "table.copy", `(call_indirect (type $f) (local.get $i))`))
	for count := range copiedWords + 1 {
		for from := range copiedWords - count + 1 {
			for to := range copiedWords - count + 1 {
				var words [copiedWords]uint64
				for i := range words {
					words[i] = uint64(i*i + 1)
				}
				copy(words[to:to+count], words[from:])
				if got, err := runCopy(tmpl, to, from, count); err != nil || got != stirred(words[:]) {
					t.Fatalf("%d elements from %d to %d: %x, %v, want %x", count, from, to, got, err, stirred(words[:]))
				}
			}
		}
	}
}
