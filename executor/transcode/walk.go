package transcode

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/wit/contract"
)

// walk notes in slots where everything of a message is. For a oneof, which is the member that is set, -1 if none is.
func (d *decoder) walk(n *node, slots []slot, at span) (which int, err *Error) {
	which = -1
	for {
		pos, end := int(at.off), int(at.end)
		for pos < end {
			start := pos
			num, wire, next, err := tag(d.buf, pos, end)
			if err != nil {
				return which, err
			}
			pos = next
			i, ok := n.lookup(num)
			if !ok {
				if pos, err = skip(d.buf, pos, end, num, wire); err != nil {
					return which, err
				}
				continue
			}
			f := &n.fields[i]
			s := &slots[0]
			switch {
			case !n.oneof:
				s = &slots[i]
			case which != i:
				which = i
				*s = slot{}
			}
			if f.label == contract.Repeated {
				pos, err = d.noteElements(f, s, start, pos, end, wire)
			} else {
				pos, err = d.note(f, s, pos, end, wire)
			}
			if err != nil {
				return which, err.in(f.name)
			}
		}
		if at.more == 0 {
			return which, nil
		}
		p := d.pieces[at.more]
		at = span{p.off, p.end, p.next}
	}
}

// note notes a single value. The last one counts, but messages add up.
func (d *decoder) note(f *field, s *slot, pos, end int, wire protowire.Type) (next int, err *Error) {
	if wire != f.wire {
		return 0, mismatch(f, wire)
	}
	if wire != protowire.BytesType {
		s.seen = true
		s.bits, next, err = number(d.buf, pos, end, wire)
		return next, err
	}
	off, next, err := length(d.buf, pos, end)
	if err != nil {
		return 0, err
	}
	if s.seen && f.node.message {
		if off < next {
			d.piece(s, off, next)
		}
		return next, nil
	}
	s.seen, s.off, s.end = true, int32(off), int32(next)
	return next, nil
}

// piece adds one more piece to a message.
func (d *decoder) piece(s *slot, off, end int) {
	i := int32(len(d.pieces))
	d.pieces = append(d.pieces, piece{off: int32(off), end: int32(end)})
	if s.last == 0 {
		s.more = i
	} else {
		d.pieces[s.last].next = i
	}
	s.last = i
}

// noteElements counts the elements of one occurrence of a list, packed or not, whose tag is at start.
func (d *decoder) noteElements(f *field, s *slot, start, pos, end int, wire protowire.Type) (next int, err *Error) {
	count := 1
	switch wire {
	case protowire.BytesType:
		var off int
		if off, next, err = length(d.buf, pos, end); err != nil {
			return 0, err
		}
		if f.wire != protowire.BytesType {
			if count, err = elements(d.buf[off:next], f.wire, off); err != nil {
				return 0, err
			}
		}
	case f.wire:
		if next, err = skipPlain(d.buf, pos, end, wire); err != nil {
			return 0, err
		}
	default:
		return 0, mismatch(f, wire)
	}
	switch {
	case !s.seen:
		s.seen, s.off = true, int32(start)
	case int(s.end) != start:
		s.scattered = true
	}
	s.end = int32(next)
	s.count += count
	return next, nil
}
