package transcode

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/contract"
)

// list sets the elements of a list. Those of a scattered one are left for deal.
func (d *decoder) list(f *field, values wasmtime.Values, s *slot) *Error {
	if s.scattered {
		s.list = values
		return nil
	}
	pos, end := int(s.off), int(s.end)
	for i := 0; pos < end; {
		_, wire, next, err := tag(d.buf, pos, end)
		if err != nil {
			return err
		}
		if pos, i, err = d.occurrence(f, values, i, next, end, wire); err != nil {
			return err
		}
	}
	return nil
}

// deal sets the elements of all scattered lists of a message, in one more walk over it.
func (d *decoder) deal(n *node, slots []slot, at span) *Error {
	for {
		pos, end := int(at.off), int(at.end)
		for pos < end {
			num, wire, next, err := tag(d.buf, pos, end)
			if err != nil {
				return err
			}
			pos = next
			i, ok := n.lookup(num)
			if !ok || n.fields[i].label != contract.Repeated || !slots[i].scattered {
				if pos, err = skip(d.buf, pos, end, num, wire); err != nil {
					return err
				}
				continue
			}
			f, s := &n.fields[i], &slots[i]
			if pos, s.set, err = d.occurrence(f, s.list, s.set, pos, end, wire); err != nil {
				return err.in(f.name)
			}
		}
		if at.more == 0 {
			return nil
		}
		p := d.pieces[at.more]
		at = span{p.off, p.end, p.next}
	}
}

// occurrence sets the elements of one occurrence of a list from index i on, and gives the index after them.
func (d *decoder) occurrence(f *field, values wasmtime.Values, i, pos, end int, wire protowire.Type) (next, after int, err *Error) {
	if wire != protowire.BytesType {
		bits, next, err := number(d.buf, pos, end, wire)
		if err == nil {
			err = d.scalar(f.node, values.At(i), bits, 0, 0)
		}
		return next, i + 1, err.at(i)
	}
	off, next, err := length(d.buf, pos, end)
	if err != nil {
		return 0, 0, err
	}
	switch {
	case f.node.message:
		err = d.message(f.node, values.At(i), span{off: int32(off), end: int32(next)})
		return next, i + 1, err.at(i)
	case f.wire == protowire.BytesType:
		err = d.scalar(f.node, values.At(i), 0, off, next)
		return next, i + 1, err.at(i)
	}
	for pos = off; pos < next; i++ {
		var bits uint64
		if bits, pos, err = number(d.buf, pos, next, f.wire); err == nil {
			err = d.scalar(f.node, values.At(i), bits, 0, 0)
		}
		if err != nil {
			return 0, 0, err.at(i)
		}
	}
	return next, i, nil
}
