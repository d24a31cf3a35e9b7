package merge

import "encoding/binary"

// target says what the indices of a module are in the merged one.
type target struct {
	types, elems, data int // the first that is its own
	indices            [kinds][]int
	// constants are the values, as instructions, of globals that it imported and the merged module defines: its constant
	// expressions may name imported ones only.
	constants map[int][]byte
	// referred are the functions, of the merged module, of which code makes references.
	referred map[int]bool
}

// index is that of something in the merged module. Without a target it stays what it is.
func (t *target) index(kind byte, n int) int {
	if t == nil {
		return n
	}
	if n >= len(t.indices[kind]) {
		refuse("a module has no entity %d of the kind %d", n, kind)
	}
	return t.indices[kind][n]
}

func (t *target) typ(n int) int {
	if t == nil {
		return n
	}
	return t.types + n
}

func (t *target) segment(elem bool, n int) int {
	switch {
	case t == nil:
		return n
	case elem:
		return t.elems + n
	default:
		return t.data + n
	}
}

// copier copies instructions from a module to the merged one.
type copier struct {
	r *reader
	t *target
	b []byte
	// done is up to where what was read is in b.
	done     int
	constant bool
}

// flush copies what was read and stays as it is.
func (c *copier) flush(to int) {
	if c.t != nil {
		c.b = append(c.b, c.r.data[c.done:to]...)
	}
	c.done = c.r.pos
}

// index copies an index, as another number.
func (c *copier) index(change func(int) int) {
	at := c.r.pos
	n := c.r.u32()
	if to := change(n); to != n {
		c.flush(at)
		c.b = binary.AppendUvarint(c.b, uint64(to))
		c.done = c.r.pos
	}
}

func (c *copier) entity(kind byte) {
	c.index(func(n int) int { return c.t.index(kind, n) })
}

func (c *copier) typ() { c.index(c.t.typ) }

func (c *copier) segment(elem bool) {
	c.index(func(n int) int { return c.t.segment(elem, n) })
}

// copyBody copies the locals and the code of a function.
func copyBody(body []byte, t *target) []byte {
	c := &copier{r: &reader{data: body}, t: t}
	c.r.each(func() {
		c.r.u32()
		c.r.value()
	})
	c.expression()
	if c.r.more() {
		refuse("a function goes on behind its end")
	}
	c.flush(c.r.pos)
	return c.b
}

// copyConstant copies a constant expression.
func (r *reader) copyConstant(t *target) []byte {
	c := &copier{r: r, t: t, done: r.pos, constant: true}
	c.expression()
	c.flush(r.pos)
	return c.b
}

// expression copies instructions up to the end that belongs to none of them.
func (c *copier) expression() {
	for depth := 0; depth >= 0; {
		depth += c.instruction()
	}
}

// instruction copies one, and tells by how much deeper the next is nested.
func (c *copier) instruction() (deeper int) {
	r, at := c.r, c.r.pos
	switch op := r.byte(); {
	case op == 0x0b: // end
		return -1
	case op >= 0x02 && op <= 0x04: // block, loop, if
		c.block()
		return 1
	case op <= 0x01, op == 0x05, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4, op == 0xd1, op == 0xd4:
	case op == 0x0c, op == 0x0d, op >= 0x20 && op <= 0x22, op == 0xd5, op == 0xd6: // branches, locals
		r.u32()
	case op == 0x0e: // br_table
		r.each(func() { r.u32() })
		r.u32()
	case op == 0x10, op == 0x12: // call, return_call
		c.entity(kindFunc)
	case op == 0x11, op == 0x13: // call_indirect, return_call_indirect
		c.typ()
		c.entity(kindTable)
	case op == 0x1c: // select
		r.each(func() { r.value() })
	case op == 0x23 && c.constant && c.t != nil: // global.get
		if value, ok := c.t.constants[r.u32()]; ok {
			c.flush(at)
			c.b = append(c.b, value...)
			c.done = r.pos
			return 0
		}
		r.pos = at + 1
		c.entity(kindGlobal)
	case op == 0x23, op == 0x24: // global.get, global.set
		c.entity(kindGlobal)
	case op == 0x25, op == 0x26: // table.get, table.set
		c.entity(kindTable)
	case op >= 0x28 && op <= 0x3e:
		c.memory()
	case op == 0x3f, op == 0x40: // memory.size, memory.grow
		c.entity(kindMemory)
	case op == 0x41, op == 0x42: // i32.const, i64.const
		r.leb()
	case op == 0x43:
		r.bytes(4)
	case op == 0x44:
		r.bytes(8)
	case op == 0xd0: // ref.null
		if b := r.byte(); b < 0x69 || b > 0x7f {
			refuse("code has a null of the type %#02x", b)
		}
	case op == 0xd2: // ref.func
		c.index(func(n int) int {
			n = c.t.index(kindFunc, n)
			if c.t != nil {
				c.t.referred[n] = true
			}
			return n
		})
	case op == 0xfc:
		c.bulk(r.u32())
	case op == 0xfd:
		c.vector(r.u32())
	default:
		refuse("code has the instruction %#02x", op)
	}
	return 0
}

// block copies the type of a block.
func (c *copier) block() {
	at := c.r.pos
	switch b := c.r.byte(); {
	case b == 0x40, b >= 0x69 && b <= 0x7f:
	case b&0x40 != 0 && b < 0x80:
		refuse("code has blocks of the type %#02x", b)
	default: // the index of a type, with a sign that is none
		c.r.pos = at
		n := c.r.u32()
		if to := c.t.typ(n); to != n {
			c.flush(at)
			c.b = appendPositive(c.b, to)
			c.done = c.r.pos
		}
	}
}

// appendPositive writes a number that is not negative as one with a sign.
func appendPositive(b []byte, n int) []byte {
	for n >= 0x40 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// memory copies what a load or a store says of the memory.
func (c *copier) memory() {
	const named = 0x40
	at := c.r.pos
	align, memory := c.r.u32(), 0
	if align&named != 0 {
		memory = c.r.u32()
	}
	if to := c.t.index(kindMemory, memory); to != memory {
		c.flush(at)
		if align &^= named; to != 0 {
			align |= named
		}
		c.b = binary.AppendUvarint(c.b, uint64(align))
		if to != 0 {
			c.b = binary.AppendUvarint(c.b, uint64(to))
		}
		c.done = c.r.pos
	}
	c.r.leb()
}

// bulk copies the operands of an instruction behind 0xfc.
func (c *copier) bulk(op int) {
	switch op {
	case 0, 1, 2, 3, 4, 5, 6, 7: // conversions that saturate
	case 8: // memory.init
		c.segment(false)
		c.entity(kindMemory)
	case 9: // data.drop
		c.segment(false)
	case 10: // memory.copy
		c.entity(kindMemory)
		c.entity(kindMemory)
	case 11: // memory.fill
		c.entity(kindMemory)
	case 12: // table.init
		c.segment(true)
		c.entity(kindTable)
	case 13: // elem.drop
		c.segment(true)
	case 14: // table.copy
		c.entity(kindTable)
		c.entity(kindTable)
	case 15, 16, 17: // table.grow, table.size, table.fill
		c.entity(kindTable)
	default:
		refuse("code has the instruction 0xfc %#02x", op)
	}
}

// vector copies the operands of an instruction behind 0xfd.
func (c *copier) vector(op int) {
	switch {
	case op <= 11, op == 92, op == 93: // loads and stores
		c.memory()
	case op == 12, op == 13: // v128.const, i8x16.shuffle
		c.r.bytes(16)
	case op >= 21 && op <= 34: // lanes
		c.r.byte()
	case op >= 84 && op <= 91: // loads and stores of lanes
		c.memory()
		c.r.byte()
	case op > 0x113:
		refuse("code has the instruction 0xfd %#02x", op)
	}
}

// copyElement copies a segment of elements.
func copyElement(r *reader, t *target) []byte {
	const passive, named, expressions = 1, 2, 4
	flags := r.u32()
	if flags > 7 {
		refuse("a segment of elements has the form %#02x", flags)
	}
	table, active := 0, flags&passive == 0
	var offset []byte
	if active {
		if flags&named != 0 {
			table = r.u32()
		}
		table = t.index(kindTable, table)
		offset = r.copyConstant(t)
	}
	typ := byte(0) // functions
	if flags&expressions != 0 {
		typ = 0x70
	}
	if flags&(passive|named) != 0 {
		if flags&expressions != 0 {
			typ = r.value()
		} else if typ = r.byte(); typ != 0 {
			refuse("a segment of elements has the kind %#02x", typ)
		}
	}
	if active && table != 0 {
		flags |= named
	}
	b := binary.AppendUvarint(nil, uint64(flags))
	if active && flags&named != 0 {
		b = binary.AppendUvarint(b, uint64(table))
	}
	b = append(b, offset...)
	if flags&(passive|named) != 0 {
		b = append(b, typ)
	}
	n := r.count()
	b = binary.AppendUvarint(b, uint64(n))
	for range n {
		if flags&expressions != 0 {
			b = append(b, r.copyConstant(t)...)
		} else {
			b = binary.AppendUvarint(b, uint64(t.index(kindFunc, r.u32())))
		}
	}
	return b
}

// copySegment copies a segment of data.
func copySegment(r *reader, t *target) []byte {
	flags, memory := r.u32(), 0
	var offset []byte
	switch flags {
	case 1: // passive
	case 2:
		memory = r.u32()
		fallthrough
	case 0:
		memory = t.index(kindMemory, memory)
		offset = r.copyConstant(t)
		if flags = 0; memory != 0 {
			flags = 2
		}
	default:
		refuse("a segment of data has the form %#02x", flags)
	}
	content := r.sized()
	if t == nil {
		return nil
	}
	b := binary.AppendUvarint(nil, uint64(flags))
	if flags == 2 {
		b = binary.AppendUvarint(b, uint64(memory))
	}
	b = append(b, offset...)
	b = binary.AppendUvarint(b, uint64(len(content)))
	return append(b, content...)
}
