package component

// canonical says what follows the opcode of a canonical function: u is an index, o options, b a byte, r results, v a
// core value type. All but lift make core functions, which nobody here counts.
var canonical = map[byte]string{
	0x00: "lift", 0x01: "buo", // lower
	0x02: "u", 0x03: "u", 0x04: "u", // resource.new, drop, rep
	0x05: "", 0x06: "b", 0x08: "", // task.cancel, subtask.cancel, backpressure.set
	0x09: "ro", 0x0a: "vu", 0x0b: "vu", 0x0c: "b", 0x0d: "", // task.return, context.get, set, thread.yield, subtask.drop
	0x0e: "u", 0x0f: "uo", 0x10: "uo", 0x11: "ub", 0x12: "ub", 0x13: "u", 0x14: "u", // stream.new … drop-writable
	0x15: "u", 0x16: "uo", 0x17: "uo", 0x18: "ub", 0x19: "ub", 0x1a: "u", 0x1b: "u", // future.new … drop-writable
	0x1c: "o", 0x1d: "o", 0x1e: "", // error-context.new, debug-message, drop
	0x1f: "", 0x20: "bu", 0x21: "bu", 0x22: "", 0x23: "", // waitable-set.new, wait, poll, drop, waitable.join
	0x24: "", 0x25: "", 0x26: "", 0x27: "uu", 0x28: "", 0x29: "b", // backpressure.inc, dec, thread.index … suspend
	0x2a: "b", 0x2b: "b", 0x2c: "b", 0x2d: "b", 0x2e: "u", 0x2f: "u", // thread.…, stream.forward, future.forward
	0x40: "u", 0x41: "uu", 0x42: "", // thread.spawn-ref, spawn-indirect, available-parallelism
}

// canon reads a canonical function.
func (d *decoder) canon(r *reader, s *scope) {
	op := r.byte()
	operands, ok := canonical[op]
	if !ok {
		r.unknown("canonical function", op)
	}
	if operands == "lift" {
		r.zero()
		r.u32()
		r.canonOptions()
		start := r.pos
		t := s.typeAt(r)
		if t.fn == nil {
			r.failAt(start, "this type is not a function type")
		}
		s.define(t.fn)
		return
	}
	for _, operand := range operands {
		switch operand {
		case 'u':
			r.u32()
		case 'o':
			r.canonOptions()
		case 'b':
			r.byte()
		case 'r':
			d.result(r, s)
		case 'v':
			r.coreValueType()
		}
	}
}

// canonOptions skips the options of a canonical function.
func (r *reader) canonOptions() {
	for range r.count("options") {
		switch option := r.byte(); option {
		case 0x00, 0x01, 0x02, 0x06, 0x09: // utf8, utf16, latin1+utf16, async, gc
		case 0x03, 0x04, 0x05, 0x07, 0x08: // memory, realloc, post-return, callback, core-type
			r.u32()
		default:
			r.unknown("option of a canonical function", option)
		}
	}
}

// coreType skips the definition of a core type inside an instance type or component type.
func (d *decoder) coreType(r *reader) {
	if r.peek() != 0x50 {
		r.coreFunctionType()
		return
	}
	r.byte()
	for range r.count("declarations") {
		r.spend(defCost)
		switch b := r.byte(); b {
		case 0x00:
			r.text()
			r.text()
			r.coreExternType()
		case 0x01:
			r.coreFunctionType()
		case 0x02:
			r.byte()
			r.byte()
			r.u32()
			r.u32()
		case 0x03:
			r.text()
			r.coreExternType()
		default:
			r.unknown("declaration in a module type", b)
		}
	}
}

func (r *reader) coreFunctionType() {
	if b := r.byte(); b != 0x60 {
		r.unknown("core type", b)
	}
	for range 2 {
		for range r.count("core types") {
			r.coreValueType()
		}
	}
}

func (r *reader) coreValueType() {
	if b := r.byte(); b == 0x63 || b == 0x64 { // a reference, nullable or not, to a heap type
		r.leb(33)
	}
}

func (r *reader) coreExternType() {
	switch b := r.byte(); b {
	case 0x00: // function
		r.u32()
	case 0x01: // table
		r.coreValueType()
		r.coreLimits()
	case 0x02: // memory
		r.coreLimits()
	case 0x03: // global
		r.coreValueType()
		r.byte()
	case 0x04: // tag
		r.zero()
		r.u32()
	default:
		r.unknown("sort of core import or export", b)
	}
}

func (r *reader) coreLimits() {
	flags := r.byte()
	if flags > 0x0f {
		r.unknown("form of limits", flags)
	}
	r.leb(64)
	if flags&1 != 0 {
		r.leb(64)
	}
	if flags&8 != 0 { // a custom page size
		r.u32()
	}
}

// leb skips a LEB128 number of at most so many bits.
func (r *reader) leb(bits int) {
	start := r.pos
	for n := 0; r.byte() >= 0x80; n += 7 {
		if n+7 >= bits {
			r.failAt(start, "this number does not fit %d bits", bits)
		}
	}
}
