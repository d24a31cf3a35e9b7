package guest

import "unsafe"

// Ptr is an address in the component's linear memory.
type Ptr uint32

// Scalar is a type whose Go values lie in memory as the canonical ABI has them.
type Scalar interface {
	~bool | ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

// Alloc gives a block of the arena, for use until Leave.
func Alloc(size, align uint32) Ptr { return Ptr(alloc(align, size)) }

// Load reads a scalar.
func Load[T Scalar](p Ptr) T { return *(*T)(at(uint32(p))) }

// Store writes a scalar.
func Store[T Scalar](p Ptr, v T) { *(*T)(at(uint32(p))) = v }

// LiftString copies a string out of linear memory.
func LiftString(p, n uint32) string { return string(unsafe.Slice((*byte)(at(p)), n)) }

// LowerString copies a string into the arena.
func LowerString(s string) (p, n uint32) {
	p, n = alloc(1, uint32(len(s))), uint32(len(s))
	copy(unsafe.Slice((*byte)(at(p)), n), s)
	return p, n
}

// LoadString reads a string whose address and length are at p.
func LoadString(p Ptr) string { return LiftString(Load[uint32](p), Load[uint32](p+4)) }

// StoreString writes a string's bytes into the arena, and their address and length at p.
func StoreString(p Ptr, s string) { storePair(p)(LowerString(s)) }

// LiftScalars copies a list of scalars out of linear memory. An empty list is nil.
func LiftScalars[T Scalar](p, n uint32) []T {
	return append([]T(nil), unsafe.Slice((*T)(at(p)), n)...)
}

// LowerScalars copies a list of scalars into the arena.
func LowerScalars[T Scalar](list []T) (p, n uint32) {
	var v T
	n = uint32(len(list))
	p = alloc(uint32(unsafe.Sizeof(v)), n*uint32(unsafe.Sizeof(v)))
	copy(unsafe.Slice((*T)(at(p)), n), list)
	return p, n
}

// LoadScalars reads a list whose address and length are at p.
func LoadScalars[T Scalar](p Ptr) []T { return LiftScalars[T](Load[uint32](p), Load[uint32](p+4)) }

// StoreScalars writes a list into the arena, and its address and length at p.
func StoreScalars[T Scalar](p Ptr, list []T) { storePair(p)(LowerScalars(list)) }

// LiftList reads a list of n elements of so many bytes each. An empty list is nil.
func LiftList[T any](p, n, size uint32, load func(Ptr) T) []T {
	if n == 0 {
		return nil
	}
	list := make([]T, n)
	for i := range list {
		list[i] = load(Ptr(p + uint32(i)*size))
	}
	return list
}

// LowerList writes a list into the arena.
func LowerList[T any](list []T, size, align uint32, store func(Ptr, T)) (p, n uint32) {
	n = uint32(len(list))
	p = alloc(align, n*size)
	for i, v := range list {
		store(Ptr(p+uint32(i)*size), v)
	}
	return p, n
}

// LoadList reads a list whose address and length are at p.
func LoadList[T any](p Ptr, size uint32, load func(Ptr) T) []T {
	return LiftList(Load[uint32](p), Load[uint32](p+4), size, load)
}

// StoreList writes a list into the arena, and its address and length at p.
func StoreList[T any](p Ptr, list []T, size, align uint32, store func(Ptr, T)) {
	storePair(p)(LowerList(list, size, align, store))
}

func storePair(p Ptr) func(address, length uint32) {
	return func(address, length uint32) {
		Store(p, address)
		Store(p+4, length)
	}
}

// Bit is the value of a bool in the flat form.
func Bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
