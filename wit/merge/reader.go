package merge

import (
	"fmt"

	"github.com/weft-run/weft/wit/wasm"
)

// refusal is why a component, or a module of it, stays as it is.
type refusal struct{ why string }

func refuse(format string, args ...any) { panic(refusal{fmt.Sprintf(format, args...)}) }

// reader reads a part of a binary. What is wrong with that is a refusal: the engine says it better.
type reader struct {
	data []byte
	pos  int
}

func (r *reader) more() bool { return r.pos < len(r.data) }

func (r *reader) byte() byte {
	if !r.more() {
		refuse("the binary ends too early")
	}
	r.pos++
	return r.data[r.pos-1]
}

// u32 reads a number without a sign.
func (r *reader) u32() int {
	var n uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		if n |= uint64(b&0x7f) << shift; b < 0x80 {
			if n > 1<<32-1 {
				break
			}
			return int(n)
		}
	}
	refuse("a number has more than 32 bits")
	return 0
}

// leb goes over a number of any kind and gives its bytes.
func (r *reader) leb() []byte {
	start := r.pos
	for r.byte() >= 0x80 {
		if r.pos-start > 10 {
			refuse("a number has more than 64 bits")
		}
	}
	return r.data[start:r.pos]
}

// bytes goes over so many bytes.
func (r *reader) bytes(n int) []byte {
	if n > len(r.data)-r.pos {
		refuse("the binary ends too early")
	}
	r.pos += n
	return r.data[r.pos-n : r.pos]
}

// sized reads bytes that have their length in front.
func (r *reader) sized() []byte { return r.bytes(r.u32()) }

func (r *reader) name() string { return string(r.sized()) }

// count reads how many items follow, which have a byte or more each.
func (r *reader) count() int {
	n := r.u32()
	if n > len(r.data)-r.pos {
		refuse("the binary ends too early")
	}
	return n
}

// each reads a list of items.
func (r *reader) each(item func()) {
	for range r.count() {
		item()
	}
}

// section is one of a module or component.
type section struct {
	id      byte
	content []byte
}

// sections reads a module or a component, which begins with the preamble.
func sections(binary []byte, preamble string) []section {
	if len(binary) < len(preamble) || string(binary[:len(preamble)]) != preamble {
		refuse("the binary has another format")
	}
	var all []section
	for r := (&reader{data: binary, pos: len(preamble)}); r.more(); {
		all = append(all, section{r.byte(), r.sized()})
	}
	return all
}

// custom reads a custom section, whose name it gives.
func (s section) custom() (name string, content *reader) {
	content = &reader{data: s.content}
	return content.name(), content
}

// list is what a section of items is written with.
type list struct {
	items []byte
	count int
}

func (l *list) add(item ...byte) {
	l.items = append(l.items, item...)
	l.count++
}

// appendTo writes the section, if there is anything in it.
func (l *list) appendTo(b []byte, id byte) []byte {
	if l.count == 0 {
		return b
	}
	count := wasm.Uint(l.count)
	b = append(b, id)
	b = append(b, wasm.Uint(len(count)+len(l.items))+count...)
	return append(b, l.items...)
}
