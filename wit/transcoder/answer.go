package transcoder

// defineBegin: begin(before) → where the end of the answer is. It is written from there down, as the length of a message is known
// when its fields are written. There is room for as much as was handed out since before, for what the function returned: few
// answers take more.
func (w *wire) defineBegin(m *module) {
	f := m.function("begin", i32)
	w.begin = f
	before := f.param("before", i32)
	used, more := f.local("used", i32), f.local("more", i32)
	f.i32(0)
	f.mem(i32Load, handedOut)
	f.tee(used)
	f.add(base)
	f.setGlobal(w.floor)
	f.getGlobal(w.floor)
	f.get(used)
	f.get(before)
	f.do(i32Sub, i32Add)
	f.add(1 << 10)
	f.setGlobal(w.end)
	f.getGlobal(w.end)
	f.grow(more, func() { f.call(w.fail) })
	f.getGlobal(w.end)
}

// defineRoom: room(pos, size) → pos, with room for so many bytes below. What is written moves up.
func (w *wire) defineRoom(m *module) {
	f := m.function("room", i32)
	w.room = f
	pos, size := f.param("pos", i32), f.param("size", i32)
	end, done, more := f.local("end", i32), f.local("done", i32), f.local("more", i32)
	f.getGlobal(w.end)
	f.get(pos)
	f.do(i32Sub)
	f.set(done)
	f.comment("sizes are within 32 bits")
	f.getGlobal(w.end)
	f.getGlobal(w.floor)
	f.do(i32Sub)
	f.i32(largest / 2)
	f.do(i32GtU)
	f.get(size)
	f.i32(largest)
	f.do(i32GtU, i32Or)
	f.when(func() { f.call(w.fail) })
	f.getGlobal(w.end)
	f.getGlobal(w.end)
	f.getGlobal(w.floor)
	f.do(i32Sub, i32Add)
	f.get(size)
	f.do(i32Add)
	f.tee(end)
	f.grow(more, func() { f.call(w.fail) })
	f.get(end)
	f.get(done)
	f.do(i32Sub)
	f.get(pos)
	f.get(done)
	f.do(memoryCopy)
	f.get(end)
	f.setGlobal(w.end)
	f.get(end)
	f.get(done)
	f.do(i32Sub)
}

// definePutVarint: putVarint(pos, value) → pos.
func (w *wire) definePutVarint(m *module) {
	f := m.function("put-varint", i32)
	w.putVarint = f
	pos, value := f.param("pos", i32), f.param("value", i64)
	at := f.local("at", i32)
	f.comment("(70 - clz) / 7 bytes")
	f.get(pos)
	f.i32(70)
	f.get(value)
	f.i64(1)
	f.do(i64Or, i64Clz, i32WrapI64, i32Sub)
	f.i32(7)
	f.do(i32DivU, i32Sub)
	f.tee(pos)
	f.set(at)
	f.block(func(last label) {
		f.loop(func(again label) {
			f.get(value)
			f.i64(0x80)
			f.do(i64LtU)
			f.brIf(last)
			f.get(at)
			f.get(value)
			f.do(i32WrapI64)
			f.i32(0x80)
			f.do(i32Or)
			f.mem(i32Store8, 0)
			f.advance(at, 1)
			f.get(value)
			f.i64(7)
			f.do(i64ShrU)
			f.set(value)
			f.br(again)
		})
	})
	f.get(at)
	f.get(value)
	f.do(i32WrapI64)
	f.mem(i32Store8, 0)
	f.get(pos)
}

// textRoom is what a text needs besides its bytes: its length and tag, and what words are written beyond it.
const textRoom = 5 + 5 + 8

// definePutText: putText(pos, text, size) → pos. There is room. Short texts are copied in words, the last of which may begin before
// the text does, which is where the answer is not written yet.
func (w *wire) definePutText(m *module) {
	f := m.function("put-text", i32)
	w.putText = f
	pos, text, size := f.param("pos", i32), f.param("text", i32), f.param("size", i32)
	left := f.local("left", i32)
	f.get(pos)
	f.get(size)
	f.do(i32Sub)
	f.set(pos)
	f.get(size)
	f.i32(64)
	f.do(i32GtU)
	f.when(func() {
		f.get(pos)
		f.get(text)
		f.get(size)
		f.do(memoryCopy)
		f.get(pos)
		f.do(returnOp)
	})
	f.get(size)
	f.set(left)
	f.block(func(done label) {
		f.loop(func(again label) {
			f.get(left)
			f.i32(0)
			f.do(i32GtS)
			f.brUnless(done)
			f.advance(left, -8)
			f.get(pos)
			f.get(left)
			f.do(i32Add)
			f.get(text)
			f.get(left)
			f.do(i32Add)
			f.mem(i64Load, 0)
			f.mem(i64Store, 0)
			f.br(again)
		})
	})
	f.get(pos)
}

// definePutChar: putChar(pos, value) → pos, with the length in front.
func (w *wire) definePutChar(m *module) {
	f := m.function("put-char", i32)
	w.putChar = f
	pos, value := f.param("pos", i32), f.param("value", i32)
	// put writes size bytes: the first has the bits of lead, the others six each.
	put := func(size, lead int) {
		for n := range size {
			f.get(pos)
			f.get(value)
			if shift := 6 * (size - 1 - n); shift > 0 {
				f.i32(shift)
				f.do(i32ShrU)
			}
			if n > 0 {
				f.i32(0x3f)
				f.do(i32And)
				f.i32(0x80)
			} else {
				f.i32(lead)
			}
			f.do(i32Or)
			f.mem(i32Store8, uint32(8-size+n))
		}
		f.get(pos)
		f.i32(size)
		f.mem(i32Store8, uint32(7-size))
		f.get(pos)
		f.add(7 - size)
		f.do(returnOp)
	}
	f.advance(pos, -8)
	for _, r := range []struct{ most, size, lead int }{{0x7f, 1, 0}, {0x7ff, 2, 0xc0}, {0xffff, 3, 0xe0}} {
		f.get(value)
		f.i32(r.most)
		f.do(i32LeU)
		f.when(func() { put(r.size, r.lead) })
	}
	put(4, 0xf0)
	f.i32(0)
}
