package guest

import "unsafe" // also for go:linkname

const (
	// earlySize holds the adapter's state and stack, about 64 KiB each.
	earlySize = 256 << 10
	// minChunk is the least that is taken from the break at once.
	minChunk = 64 << 10
	// maxBlock is more than a host may ask for.
	maxBlock = 1 << 31
	// maxChunks is enough for all of memory: each chunk is at least as large as all before it.
	maxChunks = 32
)

// The arena. All of it is plain memory without pointers that the collector would follow.
var (
	up        bool // whether packages are being initialized: the runtime is there
	early     [earlySize]byte
	earlyUsed uint32

	chunks  [maxChunks]chunk
	count   int    // of chunks
	current int    // index of the chunk that is bumped
	users   int    // Enter without Leave
	last    uint32 // the newest block, which can grow in place
)

// chunk is a part of memory: used up to next.
type chunk struct {
	start, next, end uint32
}

func init() { up = true }

// sbrk is the runtime's: it moves the break by n bytes and returns the old one, nil if there is no memory. The runtime
// keeps its own idea of the break, so memory has to be taken through it; the linker allows that with -checklinkname=0.
//
//go:linkname sbrk runtime.sbrk
func sbrk(n uintptr) unsafe.Pointer

// realloc is what the host and the adapter get memory from. It must not allocate, block or call an import.
//
//go:wasmexport cabi_realloc
//go:nosplit
func realloc(old, oldSize, align, size uint32) uint32 {
	if !up {
		return earlyAlloc(align, size)
	}
	if old != 0 && old == last {
		if c := &chunks[current]; size <= c.end-old {
			c.next = old + size
			return old
		}
	}
	fresh := alloc(align, size)
	if old != 0 {
		copy(unsafe.Slice((*byte)(at(fresh)), size), unsafe.Slice((*byte)(at(old)), min(oldSize, size)))
	}
	return fresh
}

// earlyAlloc gives memory that is never used again.
//
//go:nosplit
func earlyAlloc(align, size uint32) uint32 {
	base := uint32(uintptr(unsafe.Pointer(&early)))
	start := alignUp(base+earlyUsed, align)
	if start+size > base+earlySize {
		trap()
	}
	earlyUsed = start + size - base
	return start
}

// alloc gives a block of the arena.
//
//go:nosplit
func alloc(align, size uint32) uint32 {
	for ; current < count; current++ {
		c := &chunks[current]
		if start := alignUp(c.next, align); start <= c.end && size <= c.end-start {
			c.next, last = start+size, start
			return start
		}
	}
	if count == maxChunks || size > maxBlock {
		trap()
	}
	var held uint32
	for i := range count {
		held += chunks[i].end - chunks[i].start
	}
	length := max(minChunk, size+align, held)
	start := uint32(uintptr(sbrk(uintptr(length))))
	if start == 0 {
		trap()
	}
	chunks[count] = chunk{start: start, next: start, end: start + length}
	count++
	return alloc(align, size)
}

//go:nosplit
func alignUp(p, align uint32) uint32 { return (p + align - 1) &^ (align - 1) }

// trap ends the component: there is no memory.
//
//go:nosplit
func trap() {
	*(*byte)(at(^uint32(0))) = 0 // beyond all memory
}

// at makes a pointer of an address in linear memory.
//
//go:nosplit
func at(p uint32) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), p) }

// Enter begins a use of the arena: until Leave nothing in it is overwritten. In an export it is the first thing that
// happens, since its arguments may lie there.
func Enter() { users++ }

// Leave ends a use of the arena.
func Leave() {
	if users--; users > 0 {
		return
	}
	for i := range count {
		chunks[i].next = chunks[i].start
	}
	current, last = 0, 0
}
