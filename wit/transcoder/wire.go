package transcoder

// wire are the functions of the second module that read and write what all messages are made of. Those that read return
// where they stopped, or 0 for bytes that are refused.
type wire struct {
	alloc, fail *function

	varint, length, tag, skip, empty *function
	char, utf8                       *function

	begin, room, putVarint, putText, putChar *function
	// floor and end bound what the answer is written to, from the end down.
	floor, end int
	// budget is how many more bytes the lists of the request may take.
	budget int
}

func newWire(m *module) *wire {
	return &wire{
		alloc: m.imported("m", "alloc", []valType{i32, i32}, []valType{i32}),
		fail:  m.imported("m", "fail", nil, nil),
		floor: m.global("floor"), end: m.global("end"), budget: m.global("budget"),
	}
}

// define writes the functions; imports come before.
func (w *wire) define(m *module) {
	w.defineVarint(m)
	w.defineLength(m)
	w.defineTag(m)
	w.defineSkip(m)
	w.defineEmpty(m)
	w.defineChar(m)
	w.defineUTF8(m)
	w.defineRoom(m)
	w.defineBegin(m)
	w.definePutVarint(m)
	w.definePutText(m)
	w.definePutChar(m)
}

// read calls one of the functions that read from pos up to an end. What was read is left on the stack, and pos is where it stopped.
func (f *function) read(with *function, pos, end local) {
	f.get(pos)
	f.get(end)
	f.call(with)
	f.set(pos)
}

// defineVarint: varint(pos, end) → (value, next).
func (w *wire) defineVarint(m *module) {
	f := m.function("varint", i64, i32)
	w.varint = f
	pos, end := f.param("pos", i32), f.param("end", i32)
	value, b, shift := f.local("value", i64), f.local("byte", i64), f.local("shift", i64)
	f.loop(func(again label) {
		f.get(pos)
		f.get(end)
		f.do(i32GeU)
		f.when(f.returnZeros)
		f.get(pos)
		f.mem(i32Load8U, 0)
		f.do(i64ExtendI32U)
		f.set(b)
		f.advance(pos, 1)
		f.comment("the tenth byte holds the last bit")
		f.get(shift)
		f.i64(63)
		f.do(i64Eq)
		f.get(b)
		f.i64(1)
		f.do(i64GtU, i32And)
		f.when(f.returnZeros)
		f.get(b)
		f.i64(0x7f)
		f.do(i64And)
		f.get(shift)
		f.do(i64Shl)
		f.get(value)
		f.do(i64Or)
		f.set(value)
		f.get(shift)
		f.i64(7)
		f.do(i64Add)
		f.set(shift)
		f.get(b)
		f.i64(0x7f)
		f.do(i64GtU)
		f.brIf(again)
	})
	f.get(value)
	f.get(pos)
}

// defineLength: length(pos, end) → (start, next) of what has its length in front.
func (w *wire) defineLength(m *module) {
	f := m.function("length", i32, i32)
	w.length = f
	pos, end := f.param("pos", i32), f.param("end", i32)
	size := f.local("size", i64)
	f.read(w.varint, pos, end)
	f.set(size)
	f.get(pos)
	f.do(i32Eqz)
	f.get(size)
	f.get(end)
	f.get(pos)
	f.do(i32Sub, i64ExtendI32U, i64GtU, i32Or)
	f.when(f.returnZeros)
	f.get(pos)
	f.get(pos)
	f.get(size)
	f.do(i32WrapI64, i32Add)
}

// defineTag: tag(pos, end) → (tag, next). No tag of a valid field takes more than 32 bits.
func (w *wire) defineTag(m *module) {
	f := m.function("tag", i32, i32)
	w.tag = f
	pos, end := f.param("pos", i32), f.param("end", i32)
	value := f.local("value", i64)
	f.read(w.varint, pos, end)
	f.tee(value)
	f.i64(1<<32 - 1)
	f.do(i64GtU)
	f.when(f.returnZeros)
	f.get(value)
	f.do(i32WrapI64)
	f.get(pos)
}

// defineSkip: skip(pos, end, tag) → next, behind a field that nobody knows. Groups are refused.
func (w *wire) defineSkip(m *module) {
	f := m.function("skip", i32)
	w.skip = f
	pos, end, tag := f.param("pos", i32), f.param("end", i32), f.param("tag", i32)
	size := f.local("size", i64)
	f.comment("no field has the number 0")
	f.get(tag)
	f.i32(8)
	f.do(i32LtU)
	f.when(f.returnZeros)
	f.choices(func() {
		f.get(tag)
		f.i32(7)
		f.do(i32And)
	}, []int{0, 1, 2, -1, -1, 3}, 4, func(n int) {
		switch n {
		case 0:
			f.read(w.varint, pos, end)
			f.set(size)
		case 1:
			f.advance(pos, 8)
		case 2:
			f.read(w.length, pos, end)
			f.do(dropOp)
		case 3:
			f.advance(pos, 4)
		}
	}, func() {
		f.i32(0)
		f.set(pos)
	})
	f.get(pos)
	f.get(end)
	f.do(i32GtU)
	f.when(f.returnZeros)
	f.get(pos)
}

// defineEmpty: empty(pos, end) → whether it is a message, of which no field is known.
func (w *wire) defineEmpty(m *module) {
	f := m.function("empty", i32)
	w.empty = f
	pos, end := f.param("pos", i32), f.param("end", i32)
	tag := f.local("tag", i32)
	f.block(func(done label) {
		f.loop(func(again label) {
			f.get(pos)
			f.get(end)
			f.do(i32GeU)
			f.brIf(done)
			f.read(w.tag, pos, end)
			f.set(tag)
			f.get(pos)
			f.do(i32Eqz)
			f.when(f.returnZeros)
			f.get(pos)
			f.get(end)
			f.get(tag)
			f.call(w.skip)
			f.tee(pos)
			f.brIf(again)
			f.returnZeros()
		})
	})
	f.i32(1)
}

// defineChar: char(pos, end) → (the scalar value, next) of a character in UTF-8. There must be a byte.
func (w *wire) defineChar(m *module) {
	f := m.function("char", i32, i32)
	w.char = f
	pos, end := f.param("pos", i32), f.param("end", i32)
	first, value, next := f.local("first", i32), f.local("value", i32), f.local("next", i32)
	// more adds the six bits of the byte at an offset to value, and refuses any but a continuation.
	more := func(offset uint32) {
		f.get(pos)
		f.mem(i32Load8U, offset)
		f.i32(0xc0)
		f.do(i32And)
		f.i32(0x80)
		f.do(i32Ne)
		f.when(f.returnZeros)
		f.get(value)
		f.i32(6)
		f.do(i32Shl)
		f.get(pos)
		f.mem(i32Load8U, offset)
		f.i32(0x3f)
		f.do(i32And, i32Or)
		f.set(value)
	}
	// sequence reads a character of so many bytes, whose first byte has the bits of mask and whose value is in a range.
	sequence := func(bytes, mask, least, most int) {
		f.get(first)
		f.i32(mask)
		f.do(i32And)
		f.set(value)
		f.get(pos)
		f.add(bytes)
		f.set(next)
		for n := 1; n < bytes; n++ {
			more(uint32(n))
		}
		f.get(value)
		f.add(-least)
		f.i32(most - least)
		f.do(i32GtU)
		f.when(f.returnZeros)
	}
	below := func(n int) {
		f.get(first)
		f.i32(n)
		f.do(i32LtU)
	}
	f.get(pos)
	f.mem(i32Load8U, 0)
	f.set(first)
	below(0x80)
	f.choose(func() {
		f.get(first)
		f.set(value)
		f.get(pos)
		f.add(1)
		f.set(next)
	}, func() {
		below(0xc0)
		f.when(f.returnZeros)
		below(0xe0)
		f.choose(func() { sequence(2, 0x1f, 0x80, 0x7ff) }, func() {
			below(0xf0)
			f.choose(func() {
				sequence(3, 0x0f, 0x800, 0xffff)
				f.comment("surrogates are no scalar values")
				f.get(value)
				f.add(-0xd800)
				f.i32(0x800)
				f.do(i32LtU)
				f.when(f.returnZeros)
			}, func() {
				below(0xf8)
				f.do(i32Eqz)
				f.when(f.returnZeros)
				sequence(4, 0x07, 0x10000, 0x10ffff)
			})
		})
	})
	f.get(next)
	f.get(end)
	f.do(i32GtU)
	f.when(f.returnZeros)
	f.get(value)
	f.get(next)
}

// highBits are the bits that no ASCII character has, in eight bytes. They are also those that say that a varint goes on.
const highBits = -0x7f7f7f7f7f7f7f80

// defineUTF8: utf8(pos, end) → whether that is UTF-8. Most strings are short and ASCII, and need no loop.
func (w *wire) defineUTF8(m *module) {
	long := w.defineLongUTF8(m)
	f := m.function("utf8", i32)
	w.utf8 = f
	pos, end := f.param("pos", i32), f.param("end", i32)
	size := f.local("size", i32)
	f.get(end)
	f.get(pos)
	f.do(i32Sub)
	f.tee(size)
	f.add(-1)
	f.i32(8)
	f.do(i32LtU)
	f.when(func() {
		f.comment("what is behind the end is shifted out")
		f.get(pos)
		f.mem(i64Load, 0)
		f.i32(64)
		f.get(size)
		f.i32(3)
		f.do(i32Shl, i32Sub, i64ExtendI32U, i64Shl)
		f.i64(highBits)
		f.do(i64And, i64Eqz)
		f.when(func() {
			f.i32(1)
			f.do(returnOp)
		})
	})
	f.get(pos)
	f.get(end)
	f.call(long)
}

// defineLongUTF8: long-utf8(pos, end) → the same, for strings of any size. ASCII is read eight bytes at a time, and the last few as the
// end of eight.
func (w *wire) defineLongUTF8(m *module) *function {
	f := m.function("long-utf8", i32)
	pos, end := f.param("pos", i32), f.param("end", i32)
	f.block(func(done label) {
		f.loop(func(again label) {
			f.get(pos)
			f.get(end)
			f.do(i32GeU)
			f.brIf(done)
			f.get(end)
			f.get(pos)
			f.do(i32Sub)
			f.i32(8)
			f.do(i32GeU)
			f.choose(func() {
				f.get(pos)
				f.mem(i64Load, 0)
				f.i64(highBits)
				f.do(i64And, i64Eqz)
				f.when(func() {
					f.advance(pos, 8)
					f.br(again)
				})
			}, func() {
				f.get(end)
				f.add(-8)
				f.mem(i64Load, 0)
				f.i64(highBits)
				f.do(i64And, i64Eqz)
				f.brIf(done)
			})
			f.get(pos)
			f.mem(i32Load8U, 0)
			f.i32(0x80)
			f.do(i32LtU)
			f.when(func() {
				f.advance(pos, 1)
				f.br(again)
			})
			f.read(w.char, pos, end)
			f.do(dropOp)
			f.get(pos)
			f.brIf(again)
			f.returnZeros()
		})
	})
	f.i32(1)
	return f
}
