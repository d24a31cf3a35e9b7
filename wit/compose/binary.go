package compose

import "github.com/weft-run/weft/wit/wasm"

// IDs of sections.
const (
	customSection     = 0
	coreModuleSection = 1
	coreInstSection   = 2
	componentSection  = 4
	instanceSection   = 5
	aliasSection      = 6
	typeSection       = 7
	canonSection      = 8
	importSection     = 10
	exportSection     = 11
)

// Sorts of items.
const (
	sortFunc      = "\x01"
	sortType      = "\x03"
	sortInstance  = "\x05"
	aliasOfExport = "\x00"
	aliasOfOuter  = "\x02"
)

// typeRef is the index of a type as the type of a value: a signed number that is not negative.
func typeRef(n int) string { return wasm.Int(int64(n)) }

// externName is the name of an import or export.
func externName(s string) string { return "\x00" + wasm.Sized(s) }

// writer writes sections. Items of one kind that follow each other share a section. Large content is not copied.
type writer struct {
	segments [][]byte
	buf      []byte // written since the last segment
	section  byte
	items    []byte
	count    int
}

// item adds an item to a section of a kind.
func (w *writer) item(section byte, content string) {
	if section != w.section || w.count == 0 {
		w.flush()
		w.section = section
	}
	w.items = append(w.items, content...)
	w.count++
}

// flush ends the section that items go to.
func (w *writer) flush() {
	if w.count > 0 {
		n := wasm.Uint(w.count)
		w.buf = append(w.buf, w.section)
		w.buf = append(w.buf, wasm.Uint(len(n)+len(w.items))+n...)
		w.buf = append(w.buf, w.items...)
		w.items, w.count = w.items[:0], 0
	}
}

// raw adds a section that is no list of items. It keeps the content.
func (w *writer) raw(section byte, content []byte) {
	w.flush()
	w.buf = append(w.buf, section)
	w.buf = append(w.buf, wasm.Uint(len(content))...)
	w.segments = append(w.segments, w.buf, content)
	w.buf = nil
}

// finish returns what was written.
func (w *writer) finish() [][]byte {
	w.flush()
	return append(w.segments, w.buf)
}
