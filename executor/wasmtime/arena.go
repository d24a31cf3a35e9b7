package wasmtime

// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"
)

// ErrNotScalar is returned where a char that is no Unicode scalar value would reach the engine, which would abort
// the process.
var ErrNotScalar = errors.New("wasmtime: not a Unicode scalar value")

const (
	// firstChunk is the size of an arena's first chunk, which it keeps for its whole life. Later chunks double.
	firstChunk = 16 << 10
	// maxChunk is up to where chunks double; what needs more gets a chunk of its own size.
	maxChunk = 1 << 20
	// idleRooms is how many freed arenas are kept for reuse, with one chunk each, besides those that processors have at hand: each hand
	// may keep a handful, half a MiB.
	idleRooms = 64
)

// Arena is C memory in which the arguments of one call are built. The engine copies them, so an arena can be reset
// as soon as the call has returned.
//
// The setters write to a [Value] of the same arena. An arena must not be used by two goroutines at once.
type Arena struct{ *room } // nil once it is freed

// room is the memory of an arena.
type room struct {
	chunks []chunk // the last one is being filled
	next   unsafe.Pointer
	left   uintptr
	size   uint64
	args   Values
}

type chunk struct {
	base unsafe.Pointer
	size uintptr
}

// rooms keeps those of freed arenas.
var rooms = spares[*room]{most: idleRooms, drop: func(r *room) { C.free(r.chunks[0].base) }, more: func() []*room {
	r := &room{}
	r.grow(firstChunk)
	return []*room{r}
}}

// NewArena returns an empty arena, to be given back with [Arena.Free].
func NewArena() *Arena { return &Arena{rooms.get()} }

// Free gives the arena back. All its values become invalid, and it must not be used again.
func (a *Arena) Free() {
	if a.room == nil {
		return
	}
	a.Reset()
	rooms.put(a.room)
	a.room = nil
}

// Reset forgets all values and keeps only the first chunk.
func (a *Arena) Reset() {
	for _, c := range a.chunks[1:] {
		C.free(c.base)
	}
	a.chunks = a.chunks[:1]
	a.next, a.left = a.chunks[0].base, a.chunks[0].size
	a.size, a.args = 0, Values{}
}

// Size returns how many bytes of C memory the values use.
func (a *Arena) Size() uint64 { return a.size }

func (r *room) grow(need uintptr) {
	size := uintptr(firstChunk)
	if n := len(r.chunks); n > 0 {
		size = min(2*r.chunks[n-1].size, maxChunk)
	}
	c := chunk{size: max(size, need)}
	c.base = C.malloc(C.size_t(c.size))
	r.chunks = append(r.chunks, c)
	r.next, r.left = c.base, c.size
}

// alloc returns size bytes, aligned to 8, with whatever was there before.
func (r *room) alloc(size uintptr) unsafe.Pointer {
	collect()
	size = (size + 7) &^ 7
	if size > r.left {
		r.grow(size)
	}
	p := r.next
	r.next, r.left = unsafe.Add(p, size), r.left-size
	r.size += uint64(size)
	return p
}

// slots returns n slots, each the value false.
func (r *room) slots(n int) unsafe.Pointer {
	p := r.alloc(uintptr(n) * slotSize)
	clear(unsafe.Slice((*slot)(p), n))
	return p
}

// word returns the address of C memory as the slots hold it.
func word(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

// text copies bytes to the arena.
func (r *room) text(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	p := r.alloc(uintptr(len(b)))
	copy(unsafe.Slice((*byte)(p), len(b)), b)
	return word(p)
}

// Args makes the arguments of a call: n values to be set, each false until then. It replaces earlier ones.
func (a *Arena) Args(n int) Values {
	a.args = a.row(n)
	return a.args
}

func (r *room) row(n int) Values {
	if n < 0 {
		panic("wasmtime: negative number of values")
	}
	if n == 0 {
		return Values{}
	}
	return Values{r.slots(n), n, slotSize}
}

// SetBool sets v to a bool.
func (a *Arena) SetBool(v Value, x bool) {
	s := slot{kind: KindBool}
	if x {
		s.a = 1
	}
	*v.s = s
}

// SetS8 sets v to an s8.
func (a *Arena) SetS8(v Value, x int8) { *v.s = slot{kind: KindS8, a: uint64(uint8(x))} }

// SetU8 sets v to a u8.
func (a *Arena) SetU8(v Value, x uint8) { *v.s = slot{kind: KindU8, a: uint64(x)} }

// SetS16 sets v to an s16.
func (a *Arena) SetS16(v Value, x int16) { *v.s = slot{kind: KindS16, a: uint64(uint16(x))} }

// SetU16 sets v to a u16.
func (a *Arena) SetU16(v Value, x uint16) { *v.s = slot{kind: KindU16, a: uint64(x)} }

// SetS32 sets v to an s32.
func (a *Arena) SetS32(v Value, x int32) { *v.s = slot{kind: KindS32, a: uint64(uint32(x))} }

// SetU32 sets v to a u32.
func (a *Arena) SetU32(v Value, x uint32) { *v.s = slot{kind: KindU32, a: uint64(x)} }

// SetS64 sets v to an s64.
func (a *Arena) SetS64(v Value, x int64) { *v.s = slot{kind: KindS64, a: uint64(x)} }

// SetU64 sets v to a u64.
func (a *Arena) SetU64(v Value, x uint64) { *v.s = slot{kind: KindU64, a: x} }

// SetF32 sets v to an f32.
func (a *Arena) SetF32(v Value, x float32) {
	*v.s = slot{kind: KindF32, a: uint64(math.Float32bits(x))}
}

// SetF64 sets v to an f64.
func (a *Arena) SetF64(v Value, x float64) { *v.s = slot{kind: KindF64, a: math.Float64bits(x)} }

// SetChar sets v to a char. It returns [ErrNotScalar] for a surrogate or a number beyond Unicode.
func (a *Arena) SetChar(v Value, x rune) error {
	if !utf8.ValidRune(x) {
		return fmt.Errorf("%w: %U", ErrNotScalar, x)
	}
	*v.s = slot{kind: KindChar, a: uint64(uint32(x))}
	return nil
}

// SetString sets v to a string, copying it. It returns [ErrNotUTF8] if text is not UTF-8.
func (a *Arena) SetString(v Value, text []byte) error {
	if !utf8.Valid(text) {
		return ErrNotUTF8
	}
	*v.s = slot{kind: KindString, a: uint64(len(text)), b: a.text(text)}
	return nil
}

// SetText is SetString of a string.
func (a *Arena) SetText(v Value, text string) error {
	return a.SetString(v, unsafe.Slice(unsafe.StringData(text), len(text)))
}

// SetBytes sets v to a list<u8>, which takes 32 bytes of C memory per element.
func (a *Arena) SetBytes(v Value, b []byte) {
	if len(b) == 0 {
		*v.s = slot{kind: KindList}
		return
	}
	p := a.alloc(uintptr(len(b)) * slotSize)
	to := unsafe.Slice((*slot)(p), len(b))
	for i, x := range b {
		to[i] = slot{kind: KindU8, a: uint64(x)}
	}
	*v.s = slot{kind: KindList, a: uint64(len(b)), b: word(p)}
}

// SetList sets v to a list of n elements and returns them to be set.
func (a *Arena) SetList(v Value, n int) Values { return a.setRow(v, KindList, n) }

// SetTuple sets v to a tuple of n members and returns them to be set.
func (a *Arena) SetTuple(v Value, n int) Values { return a.setRow(v, KindTuple, n) }

func (a *Arena) setRow(v Value, kind Kind, n int) Values {
	row := a.row(n)
	*v.s = slot{kind: kind, a: uint64(n), b: word(row.base)}
	return row
}

// SetRecord sets v to a record with these fields and returns their values to be set.
func (a *Arena) SetRecord(v Value, fields *Names) Values {
	n := fields.Len()
	if n == 0 {
		*v.s = slot{kind: KindRecord}
		return Values{}
	}
	p := a.alloc(uintptr(n) * entrySize)
	for i := range n {
		*(*entry)(unsafe.Add(p, uintptr(i)*entrySize)) = entry{name: fields.at(i)}
	}
	*v.s = slot{kind: KindRecord, a: uint64(n), b: word(p)}
	return Values{unsafe.Add(p, nameSize), n, entrySize}
}

// SetVariant sets v to case i of a variant. If the case has a payload, it is returned to be set; otherwise the
// returned Value must not be used.
func (a *Arena) SetVariant(v Value, cases *Names, i int, payload bool) Value {
	n := cases.at(i)
	s := slot{kind: KindVariant, a: n.size, b: n.data}
	p := a.setPayload(&s.c, payload)
	*v.s = s
	return p
}

// SetEnum sets v to case i of an enum.
func (a *Arena) SetEnum(v Value, cases *Names, i int) {
	n := cases.at(i)
	*v.s = slot{kind: KindEnum, a: n.size, b: n.data}
}

// SetOption sets v to an option. If it is some, its payload is returned to be set; otherwise the returned Value must
// not be used.
func (a *Arena) SetOption(v Value, some bool) Value {
	s := slot{kind: KindOption}
	p := a.setPayload(&s.a, some)
	*v.s = s
	return p
}

// SetResult sets v to a result. If that side has a payload, it is returned to be set; otherwise the returned Value
// must not be used.
func (a *Arena) SetResult(v Value, ok, payload bool) Value {
	s := slot{kind: KindResult}
	if ok {
		s.a = 1
	}
	p := a.setPayload(&s.b, payload)
	*v.s = s
	return p
}

// setPayload points a word to a new value, if there is to be one.
func (a *Arena) setPayload(to *uint64, has bool) Value {
	if !has {
		return Value{}
	}
	p := a.slots(1)
	*to = word(p)
	return Value{(*slot)(p)}
}

// SetFlags sets v to those flags for whose index set returns true.
func (a *Arena) SetFlags(v Value, flags *Names, set func(i int) bool) {
	count := 0
	table := (*name)(a.alloc(uintptr(flags.Len()) * nameSize))
	all := unsafe.Slice(table, flags.Len())
	for i := range all {
		if set(i) {
			all[count] = flags.at(i)
			count++
		}
	}
	*v.s = slot{kind: KindFlags, a: uint64(count), b: word(unsafe.Pointer(table))}
}
