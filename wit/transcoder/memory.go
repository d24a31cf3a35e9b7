package transcoder

// The memory of a transcoder: a few words at fixed places, and above base what was handed out, one piece after the other. It is all
// free again once the caller has its answer.
const (
	handedOut = 8  // how many bytes above base are in use
	answer    = 16 // where the answer is, and its length
	refusal   = 24 // an answer that says Refused
	reply     = 32 // what the host returned: which case of a result, where the bytes are, and their length
	base      = 64

	pageBits = 16
	// slack is how far behind what is handed out there is memory: words are read where a byte is meant.
	slack = 16
	// largest is the largest piece. It keeps sums of sizes and addresses within 32 bits.
	largest = 1 << 30
)

// grow grows the memory up to the address on the stack; refused says what is done where that can't be. more is a variable.
func (f *function) grow(more local, refused func()) {
	f.comment("more = pages that are missing")
	f.add(slack + 1<<pageBits - 1)
	f.i32(pageBits)
	f.do(i32ShrU, memorySize, i32Sub)
	f.tee(more)
	f.i32(0)
	f.do(i32GtS)
	f.when(func() {
		f.get(more)
		f.do(memoryGrow)
		f.i32(-1)
		f.do(i32Eq)
		f.when(refused)
	})
}

// next sets at and end to where the next piece is and ends.
func (f *function) next(at, end, align, size local) {
	f.comment("at = align(base + handed out)")
	f.i32(0)
	f.mem(i32Load, handedOut)
	f.add(base - 1)
	f.get(align)
	f.do(i32Add)
	f.i32(0)
	f.get(align)
	f.do(i32Sub, i32And)
	f.tee(at)
	f.get(size)
	f.do(i32Add)
	f.set(end)
}

// handOut has all up to end in use.
func (f *function) handOut(end local) {
	f.i32(0)
	f.get(end)
	f.add(-base)
	f.mem(i32Store, handedOut)
}

// memoryModule is the first core module: the memory and what hands it out. The functions of the component are lowered with it
// before the second module, which calls them, exists.
func memoryModule(pages int) *module {
	m := &module{memory: pages}
	m.exports = append(m.exports, export{name: "memory", kind: 2})

	// The name is one that is known to mean that a guest was refused memory.
	fail := m.function("handle_alloc_error")
	fail.do(unreachableOp)
	m.export("fail", fail)

	alloc := m.function("alloc", i32)
	align, size := alloc.param("align", i32), alloc.param("size", i32)
	at, end, more := alloc.local("at", i32), alloc.local("end", i32), alloc.local("more", i32)
	alloc.get(size)
	alloc.i32(largest)
	alloc.do(i32GtU)
	alloc.when(alloc.returnZeros)
	alloc.next(at, end, align, size)
	alloc.get(end)
	alloc.grow(more, alloc.returnZeros)
	alloc.handOut(end)
	alloc.get(at)
	m.export("alloc", alloc)

	realloc := m.function("realloc", i32)
	old, oldSize := realloc.param("old", i32), realloc.param("old-size", i32)
	align, size = realloc.param("align", i32), realloc.param("size", i32)
	at, end = realloc.local("at", i32), realloc.local("end", i32)
	realloc.comment("most are new pieces, for which there is memory already")
	realloc.get(oldSize)
	realloc.do(i32Eqz)
	realloc.get(size)
	realloc.i32(largest + 1)
	realloc.do(i32LtU, i32And)
	realloc.when(func() {
		realloc.next(at, end, align, size)
		realloc.get(end)
		realloc.add(slack)
		realloc.do(memorySize)
		realloc.i32(pageBits)
		realloc.do(i32Shl, i32LtU)
		realloc.when(func() {
			realloc.handOut(end)
			realloc.get(at)
			realloc.do(returnOp)
		})
	})
	realloc.comment("what shrinks stays where it is")
	realloc.get(oldSize)
	realloc.get(size)
	realloc.do(i32GeU)
	realloc.get(oldSize)
	realloc.i32(0)
	realloc.do(i32Ne, i32And)
	realloc.when(func() {
		realloc.get(old)
		realloc.do(returnOp)
	})
	realloc.get(align)
	realloc.get(size)
	realloc.call(alloc)
	realloc.tee(at)
	realloc.do(i32Eqz)
	realloc.when(func() { realloc.call(fail) })
	realloc.get(oldSize)
	realloc.when(func() {
		realloc.get(at)
		realloc.get(old)
		realloc.get(oldSize)
		realloc.do(memoryCopy)
	})
	realloc.get(at)
	m.export("realloc", realloc)

	reset := m.function("reset")
	reset.param("answer", i32)
	reset.i32(0)
	reset.i32(0)
	reset.mem(i32Store, handedOut)
	m.export("reset", reset)
	return m
}
