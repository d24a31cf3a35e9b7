package component_test

import (
	"encoding/binary"
	"slices"
)

// The functions of this file put a component binary together by hand, for what no tool writes.

const (
	primBool   = "\x7f"
	primU8     = "\x7d"
	primU32    = "\x79"
	primString = "\x73"
)

// IDs of sections.
const (
	coreModuleSection = 1
	componentSection  = 4
	instanceSection   = 5
	aliasSection      = 6
	typeSection       = 7
	canonSection      = 8
	importSection     = 10
	exportSection     = 11
)

// asm makes a component of sections.
func asm(sections ...string) []byte { return []byte(body(sections...)) }

func body(sections ...string) string {
	return "\x00asm\x0d\x00\x01\x00" + concat(sections)
}

// sec makes a section of items.
func sec(id byte, items ...string) string { return raw(id, vec(items...)) }

// raw makes a section of bytes.
func raw(id byte, content string) string { return string([]byte{id}) + leb(len(content)) + content }

func vec(items ...string) string { return leb(len(items)) + concat(items) }

func concat(parts []string) string { return string(slices.Concat(byteSlices(parts)...)) }

func byteSlices(parts []string) [][]byte {
	var out [][]byte
	for _, p := range parts {
		out = append(out, []byte(p))
	}
	return out
}

func leb(n int) string { return string(binary.AppendUvarint(nil, uint64(n))) }

// index refers to a type as the type of a value.
func index(n int) string { return string([]byte{byte(n) | 0x80, byte(n>>7) & 0x3f}) }

func str(s string) string { return leb(len(s)) + s }

// plain is the name of an import or export.
func plain(name string) string { return "\x00" + str(name) }

// Kinds of imports and exports, by the index of their type.
func asInstance(t int) string { return "\x05" + leb(t) }
func asFunc(t int) string     { return "\x01" + leb(t) }
func asEq(t int) string       { return "\x03\x00" + leb(t) }

const asResource = "\x03\x01"

// Types.
func record(fields ...string) string  { return "\x72" + vec(fields...) }
func field(name, typ string) string   { return str(name) + typ }
func list(t string) string            { return "\x70" + t }
func enum(names ...string) string     { return "\x6d" + vec(strs(names)...) }
func tuple(types ...string) string    { return "\x6f" + vec(types...) }
func instance(decls ...string) string { return "\x42" + vec(decls...) }

func strs(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, str(n))
	}
	return out
}

// function makes the type of a function that returns a type, or nothing if result is "".
func function(result string, params ...string) string {
	if result == "" {
		return "\x40" + vec(params...) + "\x01\x00"
	}
	return "\x40" + vec(params...) + "\x00" + result
}

// Declarations in an instance type.
func declType(t string) string             { return "\x01" + t }
func declExport(name, as string) string    { return "\x04" + plain(name) + as }
func declOuter(count, index int) string    { return "\x02\x03\x02" + leb(count) + leb(index) }
func exportFunc(name string, i int) string { return plain(name) + "\x01" + leb(i) + "\x00" }
