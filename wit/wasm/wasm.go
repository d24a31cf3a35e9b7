// Package wasm writes what WebAssembly's binary format is made of, in core modules and in components alike: the numbers, names and
// sections of the core specification's chapter "Binary Format".
package wasm

import (
	"encoding/binary"
	"strings"
)

// What a file begins with.
const (
	Module    = "\x00asm\x01\x00\x00\x00"
	Component = "\x00asm\x0d\x00\x01\x00"
)

// Uint is a number without a sign, which must not be negative, in LEB128.
func Uint(n int) string { return string(binary.AppendUvarint(nil, uint64(n))) }

// Int is a number with a sign, in LEB128.
func Int(n int64) string {
	var b []byte
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return string(append(b, low))
		}
		b = append(b, low|0x80)
	}
}

// Sized is a name, or other bytes, with the length before.
func Sized(s string) string { return Uint(len(s)) + s }

// Section is a section with a list of items.
func Section(id byte, items ...string) string {
	return string([]byte{id}) + Sized(Uint(len(items))+strings.Join(items, ""))
}
