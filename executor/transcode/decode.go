package transcode

import (
	"math"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// The values of a message of n bytes may take freeUnfolded + unfolding*n bytes of arena. A value takes 32 bytes, a
// field of a record 48, so bytes and lists of numbers always fit; what does not are long lists of records with many
// fields that are all absent.
const (
	unfolding    = 64
	freeUnfolded = 64 << 20

	valueSize = 32
	fieldSize = 48
)

// decoder holds what one decode needs. Decoders are pooled.
type decoder struct {
	buf    []byte
	arena  *wasmtime.Arena
	budget int

	// slots is a stack: each message that is being decoded has its own on it.
	slots []slot
	top   int
	// pieces are the further occurrences of messages that came more than once. The first is unused.
	pieces []piece
}

// slot is what the walk over a message notes about one field, or about one oneof.
type slot struct {
	seen bool
	// scattered is true for a list whose elements are not next to each other.
	scattered bool
	// bits is the value of a number.
	bits uint64
	// off and end bound the contents of what is length-delimited; for a list its elements, with their tags.
	off, end int32
	// more leads to the further pieces of a message, last to the last of them; 0 where there is none.
	more, last int32
	// count is how many elements a list has; set is how many were set, of a scattered one.
	count, set int
	list       wasmtime.Values
}

// span is where a message is: buf[off:end] and then the pieces from more on.
type span struct{ off, end, more int32 }

type piece struct{ off, end, next int32 }

var decoders sync.Pool // of *decoder

// Decode sets the arguments of a call in arena, whose earlier arguments it replaces, and returns them. An error is an
// *Error. The message is not kept.
func (p *Plan) Decode(message []byte, arena *wasmtime.Arena) (wasmtime.Values, error) {
	d, err := newDecoder(message, arena, p.request)
	if err != nil {
		return wasmtime.Values{}, err
	}
	args, err := d.arguments(p.request)
	d.release()
	if err != nil {
		return wasmtime.Values{}, err
	}
	return args, nil
}

// newDecoder takes a decoder for a message that n describes.
func newDecoder(message []byte, arena *wasmtime.Arena, n *node) (*decoder, *Error) {
	if len(message) > maxMessage {
		return nil, errorf("a message of %d bytes: 2 GiB is the most", len(message))
	}
	d, ok := decoders.Get().(*decoder)
	if !ok {
		d = &decoder{pieces: make([]piece, 1)}
	}
	d.buf, d.arena, d.budget = message, arena, freeUnfolded+unfolding*len(message)
	if cap(d.slots) < n.need {
		d.slots = make([]slot, n.need)
	}
	d.slots = d.slots[:cap(d.slots)]
	return d, nil
}

// release puts the decoder back, unless it has grown out of proportion.
func (d *decoder) release() {
	d.buf, d.arena, d.top = nil, nil, 0
	if len(d.slots) > 1<<14 || cap(d.pieces) > 1<<14 {
		return
	}
	d.pieces = d.pieces[:1]
	decoders.Put(d)
}

func (d *decoder) arguments(n *node) (wasmtime.Values, *Error) {
	at := span{end: int32(len(d.buf))}
	slots := d.push(n)
	if _, err := d.walk(n, slots, at); err != nil {
		return wasmtime.Values{}, err
	}
	if err := d.spend(len(n.fields) * valueSize); err != nil {
		return wasmtime.Values{}, err
	}
	args := d.arena.Args(len(n.fields))
	return args, d.fields(n, slots, args, at)
}

// push takes the slots of a message from the stack, which is as high as the plan needs.
func (d *decoder) push(n *node) []slot {
	slots := d.slots[d.top : d.top+n.slots : d.top+n.slots]
	clear(slots)
	d.top += n.slots
	return slots
}

func (d *decoder) pop(n *node) { d.top -= n.slots }

// spend takes bytes of the arena from the budget.
func (d *decoder) spend(bytes int) *Error {
	d.budget -= bytes
	if d.budget < 0 {
		return errorf("a message of %d bytes holds more values than fit %d MiB", len(d.buf),
			(freeUnfolded+unfolding*len(d.buf))>>20)
	}
	return nil
}

// message sets v to the message at a span.
func (d *decoder) message(n *node, v wasmtime.Value, at span) *Error {
	slots := d.push(n)
	which, err := d.walk(n, slots, at)
	if err == nil {
		err = d.build(n, v, slots, which, at)
	}
	d.pop(n)
	return err
}

// build sets v out of the slots of a message.
func (d *decoder) build(n *node, v wasmtime.Value, slots []slot, which int, at span) *Error {
	if err := d.spend(fieldSize * (n.slots + 1)); err != nil {
		return err
	}
	switch n.kind {
	case wit.Record:
		return d.fields(n, slots, d.arena.SetRecord(v, n.names), at)
	case wit.Tuple:
		return d.fields(n, slots, d.arena.SetTuple(v, len(n.fields)), at)
	case wit.Flags:
		d.arena.SetFlags(v, n.names, func(i int) bool { return slots[i].bits != 0 })
		return nil
	case wit.Variant, wit.Result:
		if which < 0 {
			return errorf("no case is set")
		}
		f := &n.fields[which]
		var payload wasmtime.Value
		if n.kind == wit.Variant {
			payload = d.arena.SetVariant(v, n.names, which, f.node != empty)
		} else {
			payload = d.arena.SetResult(v, which == 0, f.node != empty)
		}
		return d.single(f, payload, &slots[0]).in(f.name)
	default: // the wrapper of a list or an option
		return d.only(n, slots, v, at)
	}
}

// only sets v to the one field of a message.
func (d *decoder) only(n *node, slots []slot, v wasmtime.Value, at span) *Error {
	f := &n.fields[0]
	if err := d.set(f, v, &slots[0]); err != nil {
		return err.in(f.name)
	}
	if slots[0].scattered {
		return d.deal(n, slots, at)
	}
	return nil
}

// fields sets the values of a record, a tuple or the arguments.
func (d *decoder) fields(n *node, slots []slot, values wasmtime.Values, at span) *Error {
	scattered := false
	for i := range n.fields {
		f, s := &n.fields[i], &slots[i]
		if err := d.set(f, values.At(i), s); err != nil {
			return err.in(f.name)
		}
		scattered = scattered || s.scattered
	}
	if scattered {
		return d.deal(n, slots, at)
	}
	return nil
}

// set sets v to the value of a field.
func (d *decoder) set(f *field, v wasmtime.Value, s *slot) *Error {
	switch f.label {
	case contract.Repeated:
		if err := d.spend(s.count * valueSize); err != nil {
			return err
		}
		return d.list(f, d.arena.SetList(v, s.count), s)
	case contract.Optional:
		some := d.arena.SetOption(v, s.seen)
		if !s.seen {
			return nil
		}
		return d.single(f, some, s)
	default:
		if s.seen {
			return d.single(f, v, s)
		}
		if f.node.required {
			return errorf("required, and not there")
		}
		d.absent(f.node, v)
		return nil
	}
}

// single sets v to the one value that a slot holds.
func (d *decoder) single(f *field, v wasmtime.Value, s *slot) *Error {
	switch {
	case !f.node.message:
		return d.scalar(f.node, v, s.bits, int(s.off), int(s.end))
	case f.node == empty:
		_, err := d.walk(empty, nil, span{s.off, s.end, s.more})
		return err
	default:
		return d.message(f.node, v, span{s.off, s.end, s.more})
	}
}

// absent sets v to the default of its type.
func (d *decoder) absent(n *node, v wasmtime.Value) {
	switch n.kind {
	case wit.Flags:
		d.arena.SetFlags(v, n.names, func(int) bool { return false })
	case wit.Option:
		d.arena.SetOption(v, false)
	case wit.List:
		d.arena.SetList(v, 0)
	default:
		// No bits and no text are a value of every other kind that may be absent.
		if err := d.scalar(n, v, 0, 0, 0); err != nil {
			panic("transcode: no default: " + err.Error())
		}
	}
}

// scalar sets v to a number, given by its bits, or to what buf[off:end] holds.
func (d *decoder) scalar(n *node, v wasmtime.Value, bits uint64, off, end int) *Error {
	switch n.kind {
	case wit.Bool:
		d.arena.SetBool(v, bits != 0)
	case wit.U8:
		if uint32(bits) > math.MaxUint8 {
			return errorf("%d is no u8", uint32(bits))
		}
		d.arena.SetU8(v, uint8(bits))
	case wit.U16:
		if uint32(bits) > math.MaxUint16 {
			return errorf("%d is no u16", uint32(bits))
		}
		d.arena.SetU16(v, uint16(bits))
	case wit.S8:
		if int32(bits) != int32(int8(bits)) {
			return errorf("%d is no s8", int32(bits))
		}
		d.arena.SetS8(v, int8(bits))
	case wit.S16:
		if int32(bits) != int32(int16(bits)) {
			return errorf("%d is no s16", int32(bits))
		}
		d.arena.SetS16(v, int16(bits))
	case wit.U32:
		d.arena.SetU32(v, uint32(bits))
	case wit.S32:
		d.arena.SetS32(v, int32(bits))
	case wit.U64:
		d.arena.SetU64(v, bits)
	case wit.S64:
		d.arena.SetS64(v, int64(bits))
	case wit.F32:
		d.arena.SetF32(v, math.Float32frombits(uint32(bits)))
	case wit.F64:
		d.arena.SetF64(v, math.Float64frombits(bits))
	case wit.Enum:
		i, ok := n.lookup(uint32(bits))
		switch {
		case !ok && uint32(bits) == 0:
			return errorf("the enum is unspecified")
		case !ok:
			return errorf("%d is no number of the enum", int32(bits))
		}
		d.arena.SetEnum(v, n.names, i)
	default:
		return d.text(n, v, d.buf[off:end])
	}
	return nil
}

// text sets v to a string, a char or a list<u8>.
func (d *decoder) text(n *node, v wasmtime.Value, text []byte) *Error {
	switch n.kind {
	case wit.String:
		if err := d.spend(len(text)); err != nil {
			return err
		}
		if err := d.arena.SetString(v, text); err != nil {
			return errorf("not UTF-8")
		}
	case wit.Char:
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size < 2 && len(text) > 0:
			return errorf("not UTF-8")
		case size != len(text) || len(text) == 0:
			return errorf("a char is a string of exactly one character, not of %d", utf8.RuneCount(text))
		}
		if err := d.arena.SetChar(v, r); err != nil {
			return errorf("not a Unicode scalar value")
		}
	default:
		if err := d.spend(len(text) * valueSize); err != nil {
			return err
		}
		d.arena.SetBytes(v, text)
	}
	return nil
}

// mismatch says that a field has another wire type than its type wants.
func mismatch(f *field, wire protowire.Type) *Error {
	return errorf("wire type %d (%s), where its type has %d (%s)", wire, wireName(wire), f.wire, wireName(f.wire))
}
