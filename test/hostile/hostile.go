// Package hostile has protobuf messages that no encoder writes, for tests of what decodes them.
package hostile

import (
	"bytes"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Messages are by what is wrong with them. Each is wrong for at least some types.
func Messages() map[string][]byte {
	out := make(map[string][]byte)
	add := func(message []byte, format string, args ...any) { out[fmt.Sprintf(format, args...)] = message }
	for _, number := range []protowire.Number{0, 1, 2, 3, 1000} {
		for wire := range protowire.Type(8) {
			tag := protowire.AppendVarint(nil, uint64(number)<<3|uint64(wire))
			add(tag, "field %d, wire type %d, and nothing", number, wire)
			add(append(tag, bytes.Repeat([]byte{1}, 16)...), "field %d, wire type %d, and ones", number, wire)
			add(append(tag, bytes.Repeat([]byte{0xff}, 16)...), "field %d, wire type %d, and a varint without end", number, wire)
		}
	}
	for _, size := range []uint64{1, 127, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 63, math.MaxUint64} {
		claim := protowire.AppendVarint([]byte{0x0a}, size)
		for depth := range 4 {
			add(append(claim, 0x08), "a length of %d, %d levels deep", size, depth)
			claim = append([]byte{0x0a, byte(len(claim) + 1)}, claim...)
		}
		unknown := protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.BytesType), size)
		add(append(unknown, 0x08), "a length of %d of what nobody knows", size)
	}
	add(protowire.AppendVarint(nil, 1<<32<<3), "a field number over 32 bits")
	add(protowire.AppendVarint(nil, uint64(protowire.MaxValidNumber+1)<<3), "a field number that is too large")
	add(append(bytes.Repeat([]byte{0x80}, 9), 0x02), "a tag of over 64 bits")
	add([]byte("\x8a\x80\x80\x80\x00\x02\x08\x01"), "a tag that is longer than it need be")
	const levels = 10_000
	for _, number := range []protowire.Number{1, 2, 1000} {
		nested := []byte{}
		for range levels {
			nested = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), nested)
		}
		add(nested, "%d levels of field %d", levels, number)
		open, closed := protowire.AppendTag(nil, number, protowire.StartGroupType), protowire.AppendTag(nil, number, protowire.EndGroupType)
		add(bytes.Repeat(open, levels), "%d groups of field %d that do not end", levels, number)
		add(append(bytes.Repeat(open, levels), bytes.Repeat(closed, levels)...), "%d groups of field %d", levels, number)
	}
	return out
}
