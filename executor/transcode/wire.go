package transcode

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxGroups bounds how deep groups may nest in what is skipped. protobuf's own parsers stop at 100 levels.
const maxGroups = 100

// uvarint reads a varint of buf[pos:end]. next is negative if there is none.
func uvarint(buf []byte, pos, end int) (v uint64, next int) {
	if pos < end && buf[pos] < 0x80 {
		return uint64(buf[pos]), pos + 1
	}
	return longVarint(buf[pos:end], pos)
}

func longVarint(buf []byte, pos int) (v uint64, next int) {
	v, n := protowire.ConsumeVarint(buf)
	if n < 0 {
		return 0, -1
	}
	return v, pos + n
}

// badVarint says why there is no varint at pos.
func badVarint(pos, end int) *Error {
	if end-pos >= 10 {
		return errorf("not protobuf: the varint at byte %d is longer than 64 bits", pos)
	}
	return truncated(end)
}

func truncated(end int) *Error { return errorf("not protobuf: truncated at byte %d", end) }

// tag reads the number and wire type of a field.
func tag(buf []byte, pos, end int) (number uint32, wire protowire.Type, next int, err *Error) {
	v, next := uvarint(buf, pos, end)
	if next < 0 {
		return 0, 0, 0, badVarint(pos, end)
	}
	if v>>3 == 0 || v>>3 > uint64(protowire.MaxValidNumber) {
		return 0, 0, 0, errorf("not protobuf: field number %d at byte %d", v>>3, pos)
	}
	return uint32(v >> 3), protowire.Type(v & 7), next, nil
}

// length reads a length and what it spans: buf[off:next].
func length(buf []byte, pos, end int) (off, next int, err *Error) {
	v, off := uvarint(buf, pos, end)
	if off < 0 {
		return 0, 0, badVarint(pos, end)
	}
	if v > uint64(end-off) {
		return 0, 0, errorf("not protobuf: a length of %d at byte %d, where %d bytes are left", v, pos, end-off)
	}
	return off, off + int(v), nil
}

// skip skips the value of a field that nobody knows.
func skip(buf []byte, pos, end int, number uint32, wire protowire.Type) (next int, err *Error) {
	if wire != protowire.StartGroupType {
		return skipPlain(buf, pos, end, wire)
	}
	var open [maxGroups]uint32
	open[0] = number
	depth := 1
	for depth > 0 {
		if number, wire, pos, err = tag(buf, pos, end); err != nil {
			return 0, err
		}
		switch wire {
		case protowire.StartGroupType:
			if depth == maxGroups {
				return 0, errorf("not accepted: more than %d groups nested at byte %d", maxGroups, pos)
			}
			open[depth] = number
			depth++
		case protowire.EndGroupType:
			depth--
			if open[depth] != number {
				return 0, errorf("not protobuf: group %d ends as %d at byte %d", open[depth], number, pos)
			}
		default:
			if pos, err = skipPlain(buf, pos, end, wire); err != nil {
				return 0, err
			}
		}
	}
	return pos, nil
}

func skipPlain(buf []byte, pos, end int, wire protowire.Type) (next int, err *Error) {
	switch wire {
	case protowire.VarintType:
		if _, next = uvarint(buf, pos, end); next < 0 {
			return 0, badVarint(pos, end)
		}
		return next, nil
	case protowire.Fixed32Type:
		next = pos + 4
	case protowire.Fixed64Type:
		next = pos + 8
	case protowire.BytesType:
		_, next, err = length(buf, pos, end)
		return next, err
	case protowire.EndGroupType:
		return 0, errorf("not protobuf: a group ends at byte %d that never began", pos)
	default:
		return 0, errorf("not protobuf: wire type %d before byte %d", wire, pos)
	}
	if next > end {
		return 0, truncated(end)
	}
	return next, nil
}

// elements counts the values of a packed list.
func elements(packed []byte, wire protowire.Type, pos int) (int, *Error) {
	switch wire {
	case protowire.Fixed32Type, protowire.Fixed64Type:
		size := 4
		if wire == protowire.Fixed64Type {
			size = 8
		}
		if len(packed)%size != 0 {
			return 0, errorf("not protobuf: %d bytes at byte %d do not hold values of %d bytes", len(packed), pos, size)
		}
		return len(packed) / size, nil
	default:
		n := 0
		for _, b := range packed {
			n += int(^b >> 7) // the last byte of a varint has no high bit
		}
		if len(packed) > 0 && packed[len(packed)-1] >= 0x80 {
			return 0, truncated(pos + len(packed))
		}
		return n, nil
	}
}

// number reads a value that is no length-delimited one, as its bits.
func number(buf []byte, pos, end int, wire protowire.Type) (bits uint64, next int, err *Error) {
	switch wire {
	case protowire.Fixed32Type:
		if end-pos < 4 {
			return 0, 0, truncated(end)
		}
		return uint64(binary.LittleEndian.Uint32(buf[pos:])), pos + 4, nil
	case protowire.Fixed64Type:
		if end-pos < 8 {
			return 0, 0, truncated(end)
		}
		return binary.LittleEndian.Uint64(buf[pos:]), pos + 8, nil
	default:
		bits, next = uvarint(buf, pos, end)
		if next < 0 {
			return 0, 0, badVarint(pos, end)
		}
		return bits, next, nil
	}
}

// wireName names a wire type for people.
func wireName(wire protowire.Type) string {
	switch wire {
	case protowire.VarintType:
		return "a varint"
	case protowire.Fixed32Type:
		return "32 bits"
	case protowire.Fixed64Type:
		return "64 bits"
	case protowire.BytesType:
		return "length-delimited"
	case protowire.StartGroupType, protowire.EndGroupType:
		return "a group"
	default:
		return "unknown"
	}
}

// maxMessage is the largest message whose positions fit a span.
const maxMessage = math.MaxInt32
