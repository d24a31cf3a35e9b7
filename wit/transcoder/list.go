package transcoder

import "google.golang.org/protobuf/encoding/protowire"

// repeated decodes a list whose elements are next to each other, as every encoder writes them: it counts them, makes room, and
// decodes them. A list that is scattered over the message is refused when its tag comes again.
func (d *decoding) repeated(p place) {
	wire := p.Shape.Wire()
	if wire == protowire.BytesType {
		d.expect(protowire.BytesType)
		d.countRun(p, protowire.BytesType)
		d.decodeRun(p, protowire.BytesType)
		return
	}
	d.get(d.tag)
	d.i32(7)
	d.do(i32And)
	d.i32(int(protowire.BytesType))
	d.do(i32Eq)
	d.choose(func() {
		d.readLength()
		d.get(d.start)
		d.set(d.pos)
		d.countPacked(wire)
		d.makeList(p)
		d.decodePacked(p, wire)
	}, func() {
		d.expect(wire)
		d.countRun(p, wire)
		d.decodeRun(p, wire)
	})
}

// countRun counts the elements from pos on that have tags of their own. pos is behind the first tag and stays there.
func (d *decoding) countRun(p place, wire protowire.Type) {
	d.get(d.pos)
	d.set(d.item)
	d.i32(0)
	d.set(d.count)
	d.loop(func(again label) {
		d.advance(d.count, 1)
		if wire == protowire.BytesType {
			d.readLength()
			d.get(d.next)
			d.set(d.pos)
		} else {
			d.readNumber(wire, d.end)
		}
		d.atTag(p, wire)
		d.when(func() {
			d.advance(d.pos, len(tagBytes(p.Number, wire)))
			d.br(again)
		})
	})
	d.get(d.item)
	d.set(d.pos)
}

// atTag tells whether the tag of the field is at pos.
func (d *decoding) atTag(p place, wire protowire.Type) {
	tag := tagBytes(p.Number, wire)
	d.get(d.pos)
	d.get(d.end)
	d.do(i32LtU)
	for n, b := range tag {
		d.get(d.pos)
		d.mem(i32Load8U, uint32(n))
		d.i32(int(b))
		d.do(i32Eq, i32And)
	}
}

// decodeRun decodes what countRun counted.
func (d *decoding) decodeRun(p place, wire protowire.Type) {
	left := d.stop
	d.makeList(p)
	d.get(d.count)
	d.set(left)
	d.loop(func(again label) {
		if wire == protowire.BytesType {
			d.readLength()
			d.get(d.next)
			d.set(d.pos)
			d.storeBytes(p.Shape, d.item, 0)
		} else {
			d.readNumber(wire, d.end)
			d.storeNumber(p.Shape, p.typ.Elem, d.item, 0)
		}
		d.advance(d.item, int(d.g.layouts.Of(p.typ.Elem).Size))
		d.advance(left, -1)
		d.get(left)
		d.when(func() {
			d.advance(d.pos, len(tagBytes(p.Number, wire)))
			d.br(again)
		})
	})
}

// countPacked counts the numbers that start and next bound.
func (d *decoding) countPacked(wire protowire.Type) {
	size := map[protowire.Type]int{protowire.Fixed32Type: 4, protowire.Fixed64Type: 8}[wire]
	if size > 0 {
		d.get(d.next)
		d.get(d.start)
		d.do(i32Sub)
		d.tee(d.count)
		d.i32(size - 1)
		d.do(i32And)
		d.brIf(d.refused)
		d.get(d.count)
		d.i32(size)
		d.do(i32DivU)
		d.set(d.count)
		return
	}
	d.comment("the last byte of a varint has no high bit")
	d.i32(0)
	d.set(d.count)
	d.block(func(done label) {
		d.loop(func(again label) {
			d.get(d.start)
			d.get(d.next)
			d.do(i32GeU)
			d.brIf(done)
			d.get(d.next)
			d.get(d.start)
			d.do(i32Sub)
			d.i32(8)
			d.do(i32GeU)
			d.when(func() {
				d.get(d.count)
				d.get(d.start)
				d.mem(i64Load, 0)
				d.i64(-1)
				d.do(i64Xor)
				d.i64(highBits)
				d.do(i64And, i64Popcnt, i32WrapI64, i32Add)
				d.set(d.count)
				d.advance(d.start, 8)
				d.br(again)
			})
			d.get(d.count)
			d.get(d.start)
			d.mem(i32Load8U, 0)
			d.i32(0x80)
			d.do(i32LtU, i32Add)
			d.set(d.count)
			d.advance(d.start, 1)
			d.br(again)
		})
	})
}

// makeList makes room for count elements and stores where that is. item is the first.
func (d *decoding) makeList(p place) {
	elem := d.g.layouts.Of(p.typ.Elem)
	size := d.value
	d.get(d.count)
	d.do(i64ExtendI32U)
	d.i64(int64(elem.Size))
	d.do(i64Mul)
	d.tee(size)
	d.getGlobal(d.g.budget)
	d.do(i64ExtendI32U, i64GtU)
	d.brIf(d.refused)
	d.getGlobal(d.g.budget)
	d.get(size)
	d.do(i32WrapI64, i32Sub)
	d.setGlobal(d.g.budget)
	d.i32(int(elem.Align))
	d.get(size)
	d.do(i32WrapI64)
	d.call(d.g.alloc)
	d.tee(d.item)
	d.brUnless(d.refused)
	d.get(d.item)
	d.i32(0)
	d.get(size)
	d.do(i32WrapI64, memoryFill)
	d.get(d.to)
	d.get(d.item)
	d.mem(i32Store, p.offset)
	d.get(d.to)
	d.get(d.count)
	d.mem(i32Store, p.offset+4)
}

// decodePacked decodes what countPacked counted, from pos to next.
func (d *decoding) decodePacked(p place, wire protowire.Type) {
	d.block(func(done label) {
		d.loop(func(again label) {
			d.get(d.pos)
			d.get(d.next)
			d.do(i32GeU)
			d.brIf(done)
			d.readNumber(wire, d.next)
			d.storeNumber(p.Shape, p.typ.Elem, d.item, 0)
			d.advance(d.item, int(d.g.layouts.Of(p.typ.Elem).Size))
			d.br(again)
		})
	})
}
