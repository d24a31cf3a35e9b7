package component

import (
	"fmt"
	"unicode/utf8"
)

// reader reads a part of the binary. Positions are offsets in the whole file. Its methods fail by panicking with *Error.
type reader struct {
	d        *decoder
	data     []byte
	pos, end int
	section  string
}

func (r *reader) failAt(pos int, format string, args ...any) {
	panic(&Error{Section: r.section, Offset: int64(pos), Msg: fmt.Sprintf(format, args...)})
}

// spend takes from the budget.
func (r *reader) spend(n int) {
	if r.d.budget -= n; r.d.budget < 0 {
		r.failAt(r.pos, "the component's types are too complex: evaluating them takes more than %d steps", maxWork)
	}
}

// part returns a reader of the next n bytes and moves behind them.
func (r *reader) part(n int, section string) *reader {
	p := &reader{d: r.d, data: r.data, pos: r.pos, end: r.pos + n, section: section}
	r.pos += n
	return p
}

func (r *reader) more() bool { return r.pos < r.end }

// done fails unless all is read.
func (r *reader) done() {
	if r.more() {
		r.failAt(r.pos, "%d bytes too many in this section", r.end-r.pos)
	}
}

// peek returns the next byte without reading it.
func (r *reader) peek() byte {
	if !r.more() {
		r.failAt(r.pos, "unexpected end")
	}
	return r.data[r.pos]
}

func (r *reader) byte() byte {
	b := r.peek()
	r.pos++
	r.spend(1)
	return b
}

// zero reads a byte that must be zero.
func (r *reader) zero() {
	if b := r.byte(); b != 0 {
		r.unknown("byte where zero is required", b)
	}
}

// unknown fails at the byte that was just read.
func (r *reader) unknown(what string, b byte) {
	r.failAt(r.pos-1, "unknown %s %#02x", what, b)
}

// u32 reads an unsigned LEB128 number of at most 32 bits, in at most 5 bytes.
func (r *reader) u32() uint32 {
	start := r.pos
	var n uint32
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			r.failAt(start, "this number does not fit 32 bits")
		}
		n |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

// index reads a number that fits an int and is below n.
func (r *reader) index(n int, what string) int {
	start := r.pos
	i := r.u32()
	if uint64(i) >= uint64(n) {
		r.failAt(start, "%s %d does not exist: there are %d", what, i, n)
	}
	return int(i)
}

// count reads how many items follow. Each item has one byte or more, so a count beyond the data is refused before anything is
// allocated for it.
func (r *reader) count(what string) int {
	start := r.pos
	n := r.u32()
	if uint64(n) > uint64(r.end-r.pos) {
		r.failAt(start, "%d %s can not be in the %d bytes that follow", n, what, r.end-r.pos)
	}
	return int(n)
}

// text reads a string.
func (r *reader) text() string {
	start := r.pos
	n := r.count("bytes of a name")
	if n > maxName {
		r.failAt(start, "a name of %d bytes is longer than %d", n, maxName)
	}
	r.spend(n)
	s := r.data[r.pos : r.pos+n]
	if !utf8.Valid(s) {
		r.failAt(r.pos, "a name is not UTF-8")
	}
	r.pos += n
	return string(s)
}

// maxName bounds the length of a name in bytes.
const maxName = 10_000
