package compose

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/weft-run/weft/wit/wasm"
)

// Placed is a part in a composition.
type Placed struct {
	// Name is that of Part.
	Name string
	// Offset and Size say where its binary is in that of the composition, in bytes.
	Offset, Size int64
}

// partsName is the name of the custom section that begins a composition.
const partsName = "weft-parts"

// ErrNotComposed says that a component is none that New made.
var ErrNotComposed = errors.New("compose: not a composition")

// partNames is the custom section with the names of the parts.
func partNames(parts []Part) []byte {
	content := []byte(wasm.Sized(partsName) + wasm.Uint(len(parts)))
	for _, p := range parts {
		content = append(content, wasm.Sized(p.Name)...)
	}
	return content
}

// Read tells where the parts of a composition are, in their order. Anybody can write a component that looks like a composition: what
// Read says is as trustworthy as whoever made the component. Its error is [ErrNotComposed].
func Read(data []byte) ([]Placed, error) {
	r := &reader{data: data, pos: len(wasm.Component)}
	if !bytes.HasPrefix(data, []byte(wasm.Component)) {
		return nil, ErrNotComposed
	}
	id, start, end, ok := r.section()
	if !ok || id != customSection {
		return nil, ErrNotComposed
	}
	parts, ok := readNames(&reader{data: data[:end], pos: start})
	if !ok {
		return nil, ErrNotComposed
	}
	for n := 0; n < len(parts); {
		id, start, end, ok := r.section()
		if !ok {
			return nil, ErrNotComposed
		}
		if id == componentSection {
			parts[n].Offset, parts[n].Size = int64(start), int64(end-start)
			n++
		}
	}
	return parts, nil
}

// readNames reads the names of the parts.
func readNames(r *reader) (parts []Placed, ok bool) {
	if name, ok := r.text(len(partsName)); !ok || name != partsName {
		return nil, false
	}
	count, ok := r.number()
	if !ok || count == 0 || count > MaxParts {
		return nil, false
	}
	for range count {
		name, ok := r.text(maxPartName)
		if !ok {
			return nil, false
		}
		parts = append(parts, Placed{Name: name})
	}
	return parts, r.pos == len(r.data)
}

// reader reads a part of a binary. Its methods are false where that ends too early.
type reader struct {
	data []byte
	pos  int
}

func (r *reader) number() (int, bool) {
	n, size := binary.Uvarint(r.data[r.pos:])
	if size <= 0 || n > uint64(len(r.data)) {
		return 0, false
	}
	r.pos += size
	return int(n), true
}

func (r *reader) text(limit int) (string, bool) {
	n, ok := r.number()
	if !ok || n > limit || n > len(r.data)-r.pos {
		return "", false
	}
	s := string(r.data[r.pos : r.pos+n])
	r.pos += n
	return s, true
}

// section reads the head of a section and goes behind it.
func (r *reader) section() (id byte, start, end int, ok bool) {
	if r.pos >= len(r.data) {
		return 0, 0, 0, false
	}
	id = r.data[r.pos]
	r.pos++
	size, ok := r.number()
	if !ok || size > len(r.data)-r.pos {
		return 0, 0, 0, false
	}
	start = r.pos
	r.pos += size
	return id, start, r.pos, true
}
