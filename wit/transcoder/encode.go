package transcoder

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// encoding writes a function that encodes a value in memory as a message, back to front: encode(pos, at) → pos. The same value gives
// the same bytes: fields in the order of their numbers, lists packed.
type encoding struct {
	*function
	g *generator

	pos, at local
	// value is a number; item and first bound the elements of a list; size is that of a text.
	value             local
	item, first, size local
	// done is how much of the answer was written when a nested message began.
	done local
}

func (g *generator) newEncoding(f *function) *encoding {
	e := &encoding{function: f, g: g}
	e.value = f.local("value", i64)
	e.item, e.first, e.size, e.done = f.local("item", i32), f.local("first", i32), f.local("size", i32), f.local("done", i32)
	return e
}

// encoder gives the function that encodes messages of a shape.
func (g *generator) encoder(s *contract.Shape) *function {
	if f, ok := g.encoders[s]; ok {
		return f
	}
	f := g.m.function(title("encode", s), i32)
	g.encoders[s] = f
	pos, at := f.param("pos", i32), f.param("at", i32)
	e := g.newEncoding(f)
	e.pos, e.at = pos, at
	switch {
	case isOneof(s):
		e.oneof(s)
	case s.Kind == wit.Flags:
		e.flags(s)
	default:
		e.message(g.places(s))
	}
	f.get(pos)
	return f
}

// message encodes fields that stand side by side, the highest number first.
func (e *encoding) message(places []place) {
	places = slices.Clone(places)
	slices.SortFunc(places, func(a, b place) int { return int(b.Number) - int(a.Number) })
	for _, p := range places {
		e.comment(p.Name)
		e.field(p)
	}
}

func (e *encoding) field(p place) {
	switch {
	case p.Label == contract.Optional:
		e.get(e.at)
		e.mem(i32Load8U, p.offset)
		e.when(func() { e.single(p.Field, p.typ.Elem, e.at, e.g.some(p)) })
	case p.Label == contract.Repeated:
		e.list(p)
	case isMessage(p.Shape), p.Shape.Required():
		e.single(p.Field, p.typ, e.at, p.offset)
	case p.Shape.Wire() == protowire.BytesType:
		e.get(e.at)
		e.mem(i32Load, p.offset+4)
		e.when(func() { e.single(p.Field, p.typ, e.at, p.offset) })
	default:
		e.loadNumber(p.Shape, p.typ, e.at, p.offset)
		e.get(e.value)
		e.do(i64Eqz, i32Eqz)
		e.when(func() {
			e.room(numberRoom)
			e.putNumber(p.Shape.Wire())
			e.tag(p.Number, p.Shape.Wire())
		})
	}
}

// numberRoom is what a number with its tag takes at most.
const numberRoom = 10 + 5

// room makes room for so many bytes.
func (e *encoding) room(n int) {
	e.get(e.pos)
	e.getGlobal(e.g.floor)
	e.do(i32Sub)
	e.i32(n)
	e.do(i32LtU)
	e.when(func() {
		e.get(e.pos)
		e.i32(n)
		e.call(e.g.room)
		e.set(e.pos)
	})
}

// tag writes a tag, for which there is room.
func (e *encoding) tag(number int32, wire protowire.Type) {
	tag := tagBytes(number, wire)
	e.advance(e.pos, -len(tag))
	for n, b := range tag {
		e.get(e.pos)
		e.i32(int(b))
		e.mem(i32Store8, uint32(n))
	}
}

// single encodes one value with its tag, even if it is the default.
func (e *encoding) single(f contract.Field, t *wit.Type, at local, offset uint32) {
	switch {
	case f.Shape == nil:
		e.room(numberRoom)
		e.advance(e.pos, -1)
		e.get(e.pos)
		e.i32(0)
		e.mem(i32Store8, 0)
	case isMessage(f.Shape):
		e.mark()
		e.get(e.pos)
		e.get(at)
		e.add(int(offset))
		e.call(e.g.encoder(f.Shape))
		e.set(e.pos)
		e.putSize()
	case f.Shape.Kind == wit.Char:
		e.room(numberRoom)
		e.get(e.pos)
		e.get(at)
		e.mem(i32Load, offset)
		e.call(e.g.putChar)
		e.set(e.pos)
	case f.Shape.Wire() == protowire.BytesType:
		e.text(at, offset)
	default:
		e.loadNumber(f.Shape, t, at, offset)
		e.room(numberRoom)
		e.putNumber(f.Shape.Wire())
	}
	e.tag(f.Number, f.Shape.Wire())
}

// mark notes where a message or a packed list ends.
func (e *encoding) mark() {
	e.getGlobal(e.g.end)
	e.get(e.pos)
	e.do(i32Sub)
	e.set(e.done)
}

// putSize writes the size of what was written since mark, and makes room for a tag.
func (e *encoding) putSize() {
	e.room(numberRoom)
	e.getGlobal(e.g.end)
	e.get(e.pos)
	e.do(i32Sub)
	e.get(e.done)
	e.do(i32Sub, i64ExtendI32U)
	e.set(e.value)
	e.putNumber(protowire.VarintType)
}

// text writes a string or bytes.
func (e *encoding) text(at local, offset uint32) {
	e.get(at)
	e.mem(i32Load, offset+4)
	e.set(e.size)
	e.get(e.pos)
	e.getGlobal(e.g.floor)
	e.do(i32Sub)
	e.get(e.size)
	e.add(textRoom)
	e.do(i32LtU)
	e.when(func() {
		e.get(e.pos)
		e.get(e.size)
		e.add(textRoom)
		e.call(e.g.room)
		e.set(e.pos)
	})
	e.get(e.pos)
	e.get(at)
	e.mem(i32Load, offset)
	e.get(e.size)
	e.call(e.g.putText)
	e.set(e.pos)
	e.get(e.size)
	e.do(i64ExtendI32U)
	e.set(e.value)
	e.putNumber(protowire.VarintType)
}

// loadNumber sets value to a number as it goes to the wire.
func (e *encoding) loadNumber(s *contract.Shape, t *wit.Type, at local, offset uint32) {
	e.get(at)
	switch s.Kind {
	case wit.Bool:
		e.mem(i32Load8U, offset)
		e.do(i32Eqz, i32Eqz, i64ExtendI32U)
	case wit.S8:
		e.mem(i32Load8S, offset)
		e.do(i64ExtendI32S)
	case wit.S16:
		e.mem(i32Load16S, offset)
		e.do(i64ExtendI32S)
	case wit.S32:
		e.mem(i32Load, offset)
		e.do(i64ExtendI32S)
	case wit.U64, wit.S64, wit.F64:
		e.mem(i64Load, offset)
	case wit.F32:
		e.mem(i64Load32U, offset)
	case wit.Enum:
		e.mem(e.g.loadOf(t), offset)
		e.call(e.g.numberOf(s))
		e.do(i64ExtendI32S)
	default:
		e.mem(e.g.loadOf(t), offset)
		e.do(i64ExtendI32U)
	}
	e.set(e.value)
}

// putNumber writes value, for which there is room.
func (e *encoding) putNumber(wire protowire.Type) {
	switch wire {
	case protowire.Fixed32Type:
		e.advance(e.pos, -4)
		e.get(e.pos)
		e.get(e.value)
		e.mem(i64Store32, 0)
	case protowire.Fixed64Type:
		e.advance(e.pos, -8)
		e.get(e.pos)
		e.get(e.value)
		e.mem(i64Store, 0)
	default:
		e.get(e.value)
		e.i64(0x80)
		e.do(i64LtU)
		e.choose(func() {
			e.advance(e.pos, -1)
			e.get(e.pos)
			e.get(e.value)
			e.do(i32WrapI64)
			e.mem(i32Store8, 0)
		}, func() {
			e.get(e.pos)
			e.get(e.value)
			e.call(e.g.putVarint)
			e.set(e.pos)
		})
	}
}

// list encodes a list from its last element to its first.
func (e *encoding) list(p place) {
	elem := p.typ.Elem
	size := int(e.g.layouts.Of(elem).Size)
	wire := p.Shape.Wire()
	packed := wire != protowire.BytesType
	e.get(e.at)
	e.mem(i32Load, p.offset+4)
	e.when(func() {
		if packed {
			e.mark()
		}
		e.get(e.at)
		e.mem(i32Load, p.offset)
		e.tee(e.first)
		e.get(e.at)
		e.mem(i32Load, p.offset+4)
		e.i32(size)
		e.do(i32Mul, i32Add)
		e.set(e.item)
		e.loop(func(again label) {
			e.advance(e.item, -size)
			if packed {
				e.loadNumber(p.Shape, elem, e.item, 0)
				e.room(numberRoom)
				e.putNumber(wire)
			} else {
				e.single(p.Field, elem, e.item, 0)
			}
			e.get(e.item)
			e.get(e.first)
			e.do(i32Ne)
			e.brIf(again)
		})
		if packed {
			e.putSize()
			e.tag(p.Number, protowire.BytesType)
		}
	})
}

// flags encodes the flags that are set.
func (e *encoding) flags(s *contract.Shape) {
	places := e.g.places(s)
	slices.SortFunc(places, func(a, b place) int { return int(b.Number) - int(a.Number) })
	for _, p := range places {
		e.get(e.at)
		e.mem(e.g.loadOf(s.Type), 0)
		e.i32(1 << p.offset)
		e.do(i32And)
		e.when(func() {
			e.room(numberRoom)
			e.i64(1)
			e.set(e.value)
			e.putNumber(protowire.VarintType)
			e.tag(p.Number, protowire.VarintType)
		})
	}
}

// oneof encodes the member that is set.
func (e *encoding) oneof(s *contract.Shape) {
	e.choices(func() {
		e.get(e.at)
		e.mem(loadTag(len(s.Fields)), 0)
	}, count(len(s.Fields)), len(s.Fields), func(n int) {
		p := e.g.payload(s, n)
		e.comment(p.Name)
		e.single(p.Field, p.typ, e.at, p.offset)
	}, func() { e.do(unreachableOp) })
}

// count gives 0, 1, 2, … n-1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// numberOf gives the function that leads from an enum's case to its number.
func (g *generator) numberOf(s *contract.Shape) *function {
	if f, ok := g.numbers[s]; ok {
		return f
	}
	f := g.m.function(title("number", s), i32)
	g.numbers[s] = f
	which := f.param("case", i32)
	if first, ok := consecutive(s.Numbers); ok {
		f.get(which)
		f.add(int(first))
		return f
	}
	f.choices(func() { f.get(which) }, count(len(s.Numbers)), len(s.Numbers), func(n int) {
		f.i32(int(s.Numbers[n]))
		f.do(returnOp)
	}, func() {})
	f.do(unreachableOp)
	return f
}
