package transcoder

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// decoding writes a function that decodes a message from memory to memory: decode(pos, end, to) → whether it was accepted. What it
// decodes to is zero before, which is the default of every type that has one.
type decoding struct {
	*function
	g *generator

	pos, end, to local
	// tag is that of the field; start and next bound what has a length; value is that of a number.
	tag, start, next, count, item, list, stop local
	value                                     local
	// seen has a bit for each field that is to be there, or that may be there only once.
	seen []local

	refused label
}

func (g *generator) newDecoding(name string) *decoding {
	f := g.m.function(name, i32)
	d := &decoding{function: f, g: g}
	d.pos, d.end, d.to = f.param("pos", i32), f.param("end", i32), f.param("to", i32)
	d.tag, d.start, d.next = f.local("tag", i32), f.local("start", i32), f.local("next", i32)
	d.count, d.item, d.list, d.stop = f.local("count", i32), f.local("item", i32), f.local("list", i32), f.local("stop", i32)
	d.value = f.local("value", i64)
	return d
}

// decoder gives the function that decodes messages of a shape.
func (g *generator) decoder(s *contract.Shape) *function {
	if s == nil {
		return g.empty
	}
	if f, ok := g.decoders[s]; ok {
		return f
	}
	d := g.newDecoding(title("decode", s))
	g.decoders[s] = d.function
	if isOneof(s) {
		d.oneof(s)
	} else {
		d.message(s.Kind == wit.Flags, s, g.places(s))
	}
	return d.function
}

// message writes the function for fields that stand side by side.
func (d *decoding) message(flags bool, s *contract.Shape, places []place) {
	required := d.mark(flags, places)
	d.fields(places, func(p place) {
		switch {
		case flags:
			d.flag(s.Type, p)
		case p.Label == contract.Repeated:
			d.once(p)
			d.repeated(p)
		case p.Label == contract.Optional:
			d.optional(p)
		default:
			if isMessage(p.Shape) {
				d.once(p)
			} else if p.Shape.Required() {
				d.see(p)
			}
			d.single(p.Shape, p.typ, d.to, p.offset)
		}
	}, func() {
		for n, bits := range required {
			d.get(d.seen[n])
			d.i64(int64(bits))
			d.do(i64And)
			d.i64(int64(bits))
			d.do(i64Ne)
			d.brIf(d.refused)
		}
	})
}

// mark gives bits to fields, and returns those that are to be there.
func (d *decoding) mark(flags bool, places []place) []uint64 {
	var required []uint64
	next := 0
	for n := range places {
		p := &places[n]
		p.bit = -1
		single := p.Label == contract.Single && !flags && (isMessage(p.Shape) || p.Shape.Required())
		if p.Label != contract.Repeated && !single {
			continue
		}
		p.bit = next
		if next++; p.bit/64 == len(d.seen) {
			d.seen = append(d.seen, d.local("seen", i64))
			required = append(required, 0)
		}
		if single && p.Shape.Required() {
			required[p.bit/64] |= 1 << (p.bit % 64)
		}
	}
	return required
}

// see notes that a field is there.
func (d *decoding) see(p place) {
	seen := d.seen[p.bit/64]
	d.get(seen)
	d.i64(1 << (p.bit % 64))
	d.do(i64Or)
	d.set(seen)
}

// once refuses a field that comes again: its pieces are to be merged.
func (d *decoding) once(p place) {
	d.get(d.seen[p.bit/64])
	d.i64(1 << (p.bit % 64))
	d.do(i64And, i64Eqz, i32Eqz)
	d.brIf(d.refused)
	d.see(p)
}

// fields writes the walk over a message. one decodes a field, whose tag was read; finish is done behind the last.
func (d *decoding) fields(places []place, one func(place), finish func()) {
	numbers := make([]int32, len(places))
	for n, p := range places {
		numbers[n] = p.Number
	}
	number := d.local("number", i32)
	d.block(func(refused label) {
		d.refused = refused
		d.block(func(done label) {
			d.loop(func(again label) {
				d.get(d.pos)
				d.get(d.end)
				d.do(i32GeU)
				d.brIf(done)
				d.readTag()
				d.get(d.tag)
				d.i32(3)
				d.do(i32ShrU)
				d.set(number)
				dispatch(d.function, number, numbers, func(n int) {
					d.comment(places[n].Name)
					one(places[n])
				}, func() {
					d.get(d.pos)
					d.get(d.end)
					d.get(d.tag)
					d.call(d.g.skip)
					d.tee(d.pos)
					d.brUnless(d.refused)
				})
				d.br(again)
			})
		})
		d.get(d.pos)
		d.get(d.end)
		d.do(i32Ne)
		d.brIf(d.refused)
		finish()
		d.i32(1)
		d.do(returnOp)
	})
	d.i32(0)
}

// small writes what is done with the byte at pos where it is a whole varint, and otherwise.
func (d *decoding) small(then, otherwise func()) {
	d.get(d.pos)
	d.mem(i32Load8U, 0)
	d.i32(0x80)
	d.do(i32LtU)
	d.choose(then, otherwise)
}

func (d *decoding) readTag() {
	d.small(func() {
		d.get(d.pos)
		d.mem(i32Load8U, 0)
		d.set(d.tag)
		d.advance(d.pos, 1)
	}, func() {
		d.read(d.g.tag, d.pos, d.end)
		d.set(d.tag)
		d.get(d.pos)
		d.brUnless(d.refused)
	})
}

// expect refuses another wire type.
func (d *decoding) expect(wire protowire.Type) {
	d.get(d.tag)
	d.i32(7)
	d.do(i32And)
	d.i32(int(wire))
	d.do(i32Ne)
	d.brIf(d.refused)
}

// readLength reads a length at pos, and sets start and next to what it spans.
func (d *decoding) readLength() {
	d.small(func() {
		d.get(d.pos)
		d.add(1)
		d.tee(d.start)
		d.get(d.pos)
		d.mem(i32Load8U, 0)
		d.do(i32Add)
		d.set(d.next)
	}, func() {
		d.get(d.pos)
		d.get(d.end)
		d.call(d.g.length)
		d.set(d.next)
		d.tee(d.start)
		d.brUnless(d.refused)
	})
	d.get(d.next)
	d.get(d.end)
	d.do(i32GtU)
	d.brIf(d.refused)
}

// readNumber reads a number at pos that ends before a limit.
func (d *decoding) readNumber(wire protowire.Type, limit local) {
	switch wire {
	case protowire.VarintType:
		d.small(func() {
			d.get(d.pos)
			d.mem(i32Load8U, 0)
			d.do(i64ExtendI32U)
			d.set(d.value)
			d.advance(d.pos, 1)
		}, func() {
			d.read(d.g.varint, d.pos, limit)
			d.set(d.value)
			d.get(d.pos)
			d.brUnless(d.refused)
		})
	case protowire.Fixed32Type:
		d.get(d.pos)
		d.mem(i64Load32U, 0)
		d.set(d.value)
		d.advance(d.pos, 4)
	case protowire.Fixed64Type:
		d.get(d.pos)
		d.mem(i64Load, 0)
		d.set(d.value)
		d.advance(d.pos, 8)
	}
	d.get(d.pos)
	d.get(limit)
	d.do(i32GtU)
	d.brIf(d.refused)
}

// single decodes one value, whose tag was read, to an address.
func (d *decoding) single(s *contract.Shape, t *wit.Type, to local, offset uint32) {
	wire := s.Wire()
	d.expect(wire)
	if wire != protowire.BytesType {
		d.readNumber(wire, d.end)
		d.storeNumber(s, t, to, offset)
		return
	}
	d.readLength()
	d.storeBytes(s, to, offset)
	d.get(d.next)
	d.set(d.pos)
}

// optional decodes an option. A message that comes again is refused, as its pieces are to be merged.
func (d *decoding) optional(p place) {
	if isMessage(p.Shape) {
		d.get(d.to)
		d.mem(i32Load8U, p.offset)
		d.brIf(d.refused)
	}
	d.get(d.to)
	d.i32(1)
	d.mem(i32Store8, p.offset)
	d.single(p.Shape, p.typ.Elem, d.to, d.g.some(p))
}

// flag sets or clears the flag whose number in the type is that of the field in the message.
func (d *decoding) flag(t *wit.Type, p place) {
	d.expect(protowire.VarintType)
	d.readNumber(protowire.VarintType, d.end)
	d.get(d.to)
	d.get(d.to)
	d.mem(d.g.loadOf(t), 0)
	d.i32(^(1 << p.offset))
	d.do(i32And)
	d.get(d.value)
	d.do(i64Eqz, i32Eqz)
	d.i32(int(p.offset))
	d.do(i32Shl, i32Or)
	d.mem(d.g.storeOf(t), 0)
}

// oneof writes the function for a variant or a result. It refuses a second member.
func (d *decoding) oneof(s *contract.Shape) {
	places := make([]place, len(s.Fields))
	for n := range places {
		places[n] = d.g.payload(s, n)
		places[n].bit = n
	}
	which := d.local("which", i32)
	d.fields(places, func(p place) {
		d.get(which)
		d.brIf(d.refused)
		d.i32(1)
		d.set(which)
		d.get(d.to)
		d.i32(p.bit)
		d.mem(storeTag(len(places)), 0)
		d.single(p.Shape, p.typ, d.to, p.offset)
	}, func() {
		d.get(which)
		d.brUnless(d.refused)
	})
}

// storeBytes stores what start and next bound.
func (d *decoding) storeBytes(s *contract.Shape, to local, offset uint32) {
	switch {
	case s == nil:
		d.get(d.start)
		d.get(d.next)
		d.call(d.g.empty)
		d.brUnless(d.refused)
	case isMessage(s):
		d.get(d.start)
		d.get(d.next)
		d.get(to)
		d.add(int(offset))
		d.call(d.g.decoder(s))
		d.brUnless(d.refused)
	case s.Kind == wit.Char:
		d.get(d.start)
		d.get(d.next)
		d.do(i32GeU)
		d.brIf(d.refused)
		d.get(d.start)
		d.get(d.next)
		d.call(d.g.char)
		d.set(d.start)
		d.set(d.count)
		d.get(d.start)
		d.get(d.next)
		d.do(i32Ne)
		d.brIf(d.refused)
		d.get(to)
		d.get(d.count)
		d.mem(i32Store, offset)
	default:
		if s.Kind == wit.String {
			d.get(d.start)
			d.get(d.next)
			d.call(d.g.utf8)
			d.brUnless(d.refused)
		}
		d.get(to)
		d.get(d.start)
		d.mem(i32Store, offset)
		d.get(to)
		d.get(d.next)
		d.get(d.start)
		d.do(i32Sub)
		d.mem(i32Store, offset+4)
	}
}

// storeNumber stores value, if it is one of the type.
func (d *decoding) storeNumber(s *contract.Shape, t *wit.Type, to local, offset uint32) {
	low := func() {
		d.get(d.value)
		d.do(i32WrapI64)
	}
	// within refuses what does not fit an unsigned type, same what does not fit a signed one.
	within := func(most int) {
		low()
		d.i32(most)
		d.do(i32GtU)
		d.brIf(d.refused)
	}
	same := func(extend opcode) {
		low()
		d.do(extend)
		low()
		d.do(i32Ne)
		d.brIf(d.refused)
	}
	switch s.Kind {
	case wit.U8:
		within(1<<8 - 1)
	case wit.U16:
		within(1<<16 - 1)
	case wit.S8:
		same(i32Extend8S)
	case wit.S16:
		same(i32Extend16S)
	case wit.Enum:
		low()
		d.call(d.g.caseOf(s))
		d.tee(d.count)
		d.i32(0)
		d.do(i32LtS)
		d.brIf(d.refused)
		d.get(to)
		d.get(d.count)
		d.mem(d.g.storeOf(t), offset)
		return
	}
	d.get(to)
	switch s.Kind {
	case wit.Bool:
		d.get(d.value)
		d.do(i64Eqz, i32Eqz)
		d.mem(i32Store8, offset)
	case wit.U64, wit.S64, wit.F64:
		d.get(d.value)
		d.mem(i64Store, offset)
	default:
		low()
		d.mem(d.g.storeOf(t), offset)
	}
}

// caseOf gives the function that leads from an enum's number to its case, -1 for none.
func (g *generator) caseOf(s *contract.Shape) *function {
	if f, ok := g.enums[s]; ok {
		return f
	}
	f := g.m.function(title("case", s), i32)
	g.enums[s] = f
	number := f.param("number", i32)
	if first, ok := consecutive(s.Numbers); ok {
		f.get(number)
		f.add(-int(first))
		f.tee(number)
		f.i32(len(s.Numbers))
		f.do(i32LtU)
		f.when(func() {
			f.get(number)
			f.do(returnOp)
		})
	} else {
		dispatch(f, number, s.Numbers, func(n int) {
			f.i32(n)
			f.do(returnOp)
		}, func() {})
	}
	f.i32(-1)
	return f
}

// consecutive tells whether numbers count up by one, and from where.
func consecutive(numbers []int32) (first int32, ok bool) {
	for n := range numbers {
		if int64(numbers[n]) != int64(numbers[0])+int64(n) {
			return 0, false
		}
	}
	return numbers[0], true
}
