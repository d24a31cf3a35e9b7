package wasmtime

import (
	"math"
	"slices"
	"unsafe"
)

// slot is the engine's wasmtime_component_val_t: a kind and a union of at most three words. TestDeclarations checks
// the layout.
//
// The words are integers even where the engine keeps pointers, so that Go's write barrier never looks at them: what
// it would find there may be a number that a guest chose.
//
//	kind                     a                b               c
//	bool, numbers, char      the value
//	string, enum             length           bytes
//	list, tuple              length           slots
//	record                   length           entries
//	flags                    length           names
//	variant                  length of name   bytes of name   payload or 0
//	option                   payload or 0
//	result                   1 if ok          payload or 0
type slot struct {
	kind    Kind
	a, b, c uint64
}

// entry is the engine's wasmtime_component_valrecord_entry_t.
type entry struct {
	name name
	val  slot
}

// name is the engine's wasm_name_t.
type name struct {
	size uint64
	data uint64
}

const (
	slotSize  = unsafe.Sizeof(slot{})
	entrySize = unsafe.Sizeof(entry{})
	nameSize  = unsafe.Sizeof(name{})
)

// Value is one value in C memory: an argument that an [Arena] holds, or part of a [Result]. It is valid as long as
// what holds it. The zero Value must not be used.
type Value struct{ s *slot }

// Values is a row of values: arguments, the elements of a list, the fields of a record.
type Values struct {
	base   unsafe.Pointer
	n      int
	stride uintptr
}

// Len returns the number of values.
func (vs Values) Len() int { return vs.n }

// At returns the value at index i, which must be in range.
func (vs Values) At(i int) Value {
	if uint(i) >= uint(vs.n) {
		panic("wasmtime: index out of range of Values")
	}
	return Value{(*slot)(unsafe.Add(vs.base, uintptr(i)*vs.stride))}
}

// address reads a word of C memory that holds a pointer. The word must not be that of an empty vector, whose pointer
// is no address.
func address(word *uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(word)) }

// bytesAt returns the bytes of a vector of size *size at *data.
func bytesAt(size, data *uint64) []byte {
	if *size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(address(data)), *size)
}

func (v Value) must(k Kind) *slot {
	if v.s.kind != k {
		mismatch(k, v.s.kind)
	}
	return v.s
}

//go:noinline
func mismatch(want, have Kind) { panic(&KindError{Want: want, Have: have}) }

// Kind returns what v holds.
func (v Value) Kind() Kind { return v.s.kind }

// Bool returns the value of a bool.
func (v Value) Bool() bool { return uint8(v.must(KindBool).a) != 0 }

// S8 returns the value of an s8.
func (v Value) S8() int8 { return int8(v.must(KindS8).a) }

// U8 returns the value of a u8.
func (v Value) U8() uint8 { return uint8(v.must(KindU8).a) }

// S16 returns the value of an s16.
func (v Value) S16() int16 { return int16(v.must(KindS16).a) }

// U16 returns the value of a u16.
func (v Value) U16() uint16 { return uint16(v.must(KindU16).a) }

// S32 returns the value of an s32.
func (v Value) S32() int32 { return int32(v.must(KindS32).a) }

// U32 returns the value of a u32.
func (v Value) U32() uint32 { return uint32(v.must(KindU32).a) }

// S64 returns the value of an s64.
func (v Value) S64() int64 { return int64(v.must(KindS64).a) }

// U64 returns the value of a u64.
func (v Value) U64() uint64 { return v.must(KindU64).a }

// F32 returns the value of an f32. The bits of a NaN are kept.
func (v Value) F32() float32 { return math.Float32frombits(uint32(v.must(KindF32).a)) }

// F64 returns the value of an f64. The bits of a NaN are kept.
func (v Value) F64() float64 { return math.Float64frombits(v.must(KindF64).a) }

// Char returns the value of a char, always a Unicode scalar value.
func (v Value) Char() rune { return rune(uint32(v.must(KindChar).a)) }

// Bytes returns the bytes of a string, which the engine has checked to be UTF-8: a view of C memory, valid as long
// as v is. The caller must not write to it.
func (v Value) Bytes() []byte {
	s := v.must(KindString)
	return bytesAt(&s.a, &s.b)
}

// Text returns a copy of a string.
func (v Value) Text() string { return string(v.Bytes()) }

// Case returns the name of the case of a variant or an enum, and the payload if there is one.
func (v Value) Case() (name string, value Value, has bool) {
	if v.s.kind == KindEnum {
		return string(bytesAt(&v.s.a, &v.s.b)), Value{}, false
	}
	s := v.must(KindVariant)
	value, has = payload(&s.c)
	return string(bytesAt(&s.a, &s.b)), value, has
}

// List returns the elements of a list.
func (v Value) List() Values { return v.must(KindList).row(slotSize, 0) }

// U8s appends the elements of a list<u8> to b and returns the result. It panics with a [*KindError] when an element
// is no u8.
func (v Value) U8s(b []byte) []byte {
	s := v.must(KindList)
	if s.a == 0 {
		return b
	}
	b = slices.Grow(b, int(s.a))
	for _, e := range unsafe.Slice((*slot)(address(&s.b)), s.a) {
		if e.kind != KindU8 {
			mismatch(KindU8, e.kind)
		}
		b = append(b, uint8(e.a))
	}
	return b
}

// Fields returns the fields of a record, in the order of its type.
func (v Value) Fields() Values { return v.must(KindRecord).row(entrySize, nameSize) }

// Tuple returns the members of a tuple.
func (v Value) Tuple() Values { return v.must(KindTuple).row(slotSize, 0) }

// row returns the a values at b, each at offset in a cell of stride bytes.
func (s *slot) row(stride, offset uintptr) Values {
	if s.a == 0 {
		return Values{}
	}
	return Values{unsafe.Add(address(&s.b), offset), int(s.a), stride}
}

// payload returns the value that a word points to.
func payload(word *uint64) (Value, bool) {
	if *word == 0 {
		return Value{}, false
	}
	return Value{(*slot)(address(word))}, true
}

// Variant returns the index in cases of a variant's case, or -1 if cases does not have it, and the payload if there
// is one.
func (v Value) Variant(cases *Names) (i int, value Value, has bool) {
	s := v.must(KindVariant)
	value, has = payload(&s.c)
	return cases.Index(bytesAt(&s.a, &s.b)), value, has
}

// Enum returns the index in cases of an enum's case, or -1 if cases does not have it.
func (v Value) Enum(cases *Names) int {
	s := v.must(KindEnum)
	return cases.Index(bytesAt(&s.a, &s.b))
}

// Option returns the payload of an option, and whether there is one.
func (v Value) Option() (Value, bool) { return payload(&v.must(KindOption).a) }

// Result returns the payload of a result if it has one, and whether the result is ok.
func (v Value) Result() (value Value, has, ok bool) {
	s := v.must(KindResult)
	value, has = payload(&s.b)
	return value, has, uint8(s.a) != 0
}

// Flags calls set with the index in flags of every flag that is set, or -1 for one that flags does not have.
func (v Value) Flags(flags *Names, set func(i int)) {
	s := v.must(KindFlags)
	if s.a == 0 {
		return
	}
	for i := range unsafe.Slice((*name)(address(&s.b)), s.a) {
		n := (*name)(unsafe.Add(address(&s.b), uintptr(i)*nameSize))
		set(flags.Index(bytesAt(&n.size, &n.data)))
	}
}
