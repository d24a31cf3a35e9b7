package lean

import (
	"bytes"

	"golang.org/x/net/http2/hpack"
)

// encoder encodes header blocks for a client. It is guarded by the connection's mutex.
type encoder struct {
	hpack *hpack.Encoder
	block bytes.Buffer
	known []knownHeader
}

// knownHeader is a block of references and what it stands for.
type knownHeader struct {
	header *Header
	block  []byte
}

func (e *encoder) init() { e.hpack = hpack.NewEncoder(&e.block) }

// resize takes in how large the client's table may be. More than it begins with is of no use.
func (e *encoder) resize(size uint32) {
	e.hpack.SetMaxDynamicTableSize(min(size, tableSize))
	e.known = e.known[:0]
}

// encode gives the block of a header. It is valid until the next call.
func (e *encoder) encode(h *Header) []byte {
	for i := range e.known {
		if e.known[i].header == h {
			return e.known[i].block
		}
	}
	e.block.Reset()
	for _, f := range h.fields {
		_ = e.hpack.WriteField(f) // A buffer takes everything.
	}
	block := e.block.Bytes()
	switch {
	case !onlyReferences(block):
		e.known = e.known[:0]
	case h.shared && len(e.known) < remembered:
		e.known = append(e.known, knownHeader{h, bytes.Clone(block)})
	}
	return block
}
