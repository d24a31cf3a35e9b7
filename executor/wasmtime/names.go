package wasmtime

// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"
)

// ErrNotUTF8 is returned where a string that is not UTF-8 would reach the engine, which would abort the process.
var ErrNotUTF8 = errors.New("wasmtime: not UTF-8")

// Names holds the names of a record's fields, a variant's or enum's cases, or a set of flags, in C memory, where the
// values that use them point. It is made once per plan and is safe for concurrent use.
type Names struct {
	text  []string // the names, for lookup
	table []name   // C memory: where the engine finds them
	index map[string]int
}

// linearNames is up to how many names Index compares one after the other.
const linearNames = 8

// NewNames copies the names to C memory. It returns [ErrNotUTF8] for one that is not UTF-8.
func NewNames(names []string) (*Names, error) {
	size := uintptr(0)
	for i, s := range names {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%w: name %d, %q", ErrNotUTF8, i, s)
		}
		size += nameSize + uintptr(len(s))
	}
	n := &Names{text: append([]string(nil), names...)}
	if len(names) == 0 {
		return n, nil
	}
	base := C.malloc(C.size_t(size))
	n.table = unsafe.Slice((*name)(base), len(names))
	text := unsafe.Slice((*byte)(base), size)[uintptr(len(names))*nameSize:]
	for i, s := range names {
		n.table[i] = name{size: uint64(len(s)), data: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(text))))}
		text = text[copy(text, s):]
	}
	if len(names) > linearNames {
		n.index = make(map[string]int, len(names))
		for i, s := range n.text {
			n.index[s] = i
		}
	}
	return n, nil
}

// Close frees the C memory. No value that uses the names may be passed to the engine afterwards. Names that belong
// to a revision may as well live as long as the process.
func (n *Names) Close() {
	if n.table != nil {
		C.free(unsafe.Pointer(unsafe.SliceData(n.table)))
		n.table = nil
	}
}

// Len returns the number of names.
func (n *Names) Len() int { return len(n.text) }

// Name returns the name at index i.
func (n *Names) Name(i int) string { return n.text[i] }

// Index returns the index of a name, -1 if it is not among them. It does not keep text.
func (n *Names) Index(text []byte) int {
	if n.index != nil {
		if i, ok := n.index[string(text)]; ok {
			return i
		}
		return -1
	}
	for i, s := range n.text {
		if s == string(text) {
			return i
		}
	}
	return -1
}

// at returns name i as the engine keeps it.
func (n *Names) at(i int) name { return n.table[i] }
