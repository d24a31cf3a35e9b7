package merge

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit/wasm"
)

// writer writes the component of a plan. Core instances and entities have new indices.
type writer struct {
	*plan
	segments [][]byte
	// wantedInstances and wanted tell of what needs a member whether it is used.
	wantedInstances []bool
	wanted          [kinds][]bool
	// instances and entities are the new indices, -1 before they are written.
	instances []int
	entities  [kinds][]int
	count     [kinds + 1]int // written of each kind, and instances
	merged    int            // the index of the merged instance
}

func (p *plan) write() []byte {
	w := &writer{plan: p, segments: [][]byte{[]byte(wasm.Component)}, wantedInstances: make([]bool, len(p.component.instances))}
	w.instances = unwritten(len(p.component.instances))
	for kind := range w.entities {
		w.entities[kind] = unwritten(len(p.component.entities[kind]))
		w.wanted[kind] = make([]bool, len(p.component.entities[kind]))
	}
	w.want()
	var module int // the segment that it is to be
	var later []*item
	behind := p.component.instances[p.last]
	first := p.first()
	for at := range p.items {
		i := &p.items[at]
		switch {
		case i.module == first:
			module = len(w.segments)
			w.segments = append(w.segments, nil)
		case i.module >= 0 && w.isMerged(i.module):
			w.section(coreModuleSection, []byte(empty))
		case i.core == behind:
			w.instantiate(first)
			for _, i := range later {
				w.item(i)
			}
		case i.core != nil && i.core.module >= 0 && w.isMerged(i.core.module):
		case w.depends(i) && at < behind.at:
			later = append(later, i)
		default:
			w.item(i)
		}
	}
	w.segments[module] = appendSection(nil, coreModuleSection, p.linked.binary())
	size := 0
	for _, s := range w.segments {
		size += len(s)
	}
	out := make([]byte, 0, size)
	for _, s := range w.segments {
		out = append(out, s...)
	}
	return out
}

func unwritten(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = -1
	}
	return all
}

// first is the module of the first member, whose place the merged one takes.
func (p *plan) first() int {
	for n, is := range p.member {
		if is {
			return p.component.instances[n].module
		}
	}
	return -1
}

// isMerged tells whether a module is that of a member.
func (w *writer) isMerged(module int) bool {
	for n, i := range w.component.instances {
		if i.module == module && w.member[n] {
			return true
		}
	}
	return false
}

// depends tells whether an item needs a member.
func (w *writer) depends(i *item) bool {
	switch {
	case i.core != nil:
		return w.plan.instances[w.number(i.core)]
	case i.alias != nil:
		return w.plan.entities[i.alias.kind][i.alias.index]
	case i.canon != nil && !i.canon.lift:
		return w.plan.entities[kindFunc][i.canon.index]
	default:
		return false
	}
}

func (w *writer) number(of *instance) int {
	for n, i := range w.component.instances {
		if i == of {
			return n
		}
	}
	panic("merge: an instance of another component")
}

// want finds out what needs a member and is used.
func (w *writer) want() {
	for at := range w.items {
		switch i := &w.items[at]; {
		case i.canon != nil && i.canon.lift:
			w.wantEntity(entity{kindFunc, i.canon.of})
			w.wantOptions(i.canon)
		case i.core != nil && i.core.module >= 0 && !w.isMerged(i.core.module):
			for _, a := range i.core.args {
				w.wantInstance(a.instance)
			}
		}
	}
}

func (w *writer) wantOptions(c *canon) {
	for _, o := range c.opts {
		if o.index >= 0 {
			w.wantEntity(entity{o.kind(), o.index})
		}
	}
}

func (w *writer) wantInstance(n int) {
	if w.wantedInstances[n] {
		return
	}
	w.wantedInstances[n] = true
	for _, e := range w.component.instances[n].exports {
		w.wantEntity(e.entity)
	}
}

func (w *writer) wantEntity(e entity) {
	e = w.origin(e)
	if w.wanted[e.kind][e.index] {
		return
	}
	w.wanted[e.kind][e.index] = true
	switch of := w.component.entities[e.kind][e.index]; {
	case of.alias != nil:
		w.wantInstance(of.alias.instance)
	case of.canon != nil:
		w.wantOptions(of.canon)
	}
}

// item writes an item, unless it is one that only members use, or an alias in whose place is what it stands for.
func (w *writer) item(i *item) {
	unused := false
	switch depends := w.depends(i); {
	case i.alias != nil && i.alias.of != i.alias.entity:
		unused = true
	case depends && i.core != nil:
		unused = i.core.module < 0 && !w.wantedInstances[w.number(i.core)]
	case depends && i.alias != nil:
		unused = !w.wanted[i.alias.kind][i.alias.index]
	case depends:
		unused = !w.wanted[kindFunc][i.canon.index]
	}
	switch {
	case unused:
	case !i.single:
		w.section(i.section, i.content)
	case i.core != nil:
		w.definition(i.section, w.coreInstance(i.core))
	case i.alias != nil:
		w.definition(i.section, w.alias(i.alias))
	case i.canon != nil:
		w.definition(i.section, w.canonical(i.canon))
	default:
		w.definition(i.section, i.content)
	}
}

func appendSection(b []byte, id byte, content []byte) []byte {
	b = append(b, id)
	b = append(b, wasm.Uint(len(content))...)
	return append(b, content...)
}

func (w *writer) section(id byte, content []byte) {
	w.segments = append(w.segments, appendSection(nil, id, content))
}

// definition writes a section with one item.
func (w *writer) definition(id byte, item []byte) {
	w.section(id, append([]byte{1}, item...))
}

func (w *writer) newInstance(n int) uint64 {
	if w.instances[n] < 0 {
		refuse("core instance %d is used before it can be there", n)
	}
	return uint64(w.instances[n])
}

func (w *writer) newEntity(e entity) uint64 {
	e = w.origin(e)
	to := w.entities[e.kind][e.index]
	if to < 0 {
		refuse("entity %d of the kind %d is used before it can be there", e.index, e.kind)
	}
	return uint64(to)
}

// defineInstance gives the next instance its index.
func (w *writer) defineInstance() int {
	w.count[kinds]++
	return w.count[kinds] - 1
}

func (w *writer) define(e entity) {
	w.entities[e.kind][e.index] = w.count[e.kind]
	w.count[e.kind]++
}

// instantiate writes the instance of the merged module, and before that one of all that it imports.
func (w *writer) instantiate(module int) {
	var args string
	if len(w.outside) > 0 {
		var exports strings.Builder
		for n, e := range w.outside {
			exports.WriteString(wasm.Sized(fmt.Sprint(n)))
			exports.Write(binary.AppendUvarint([]byte{e.kind}, w.newEntity(e)))
		}
		w.definition(coreInstanceSection, []byte("\x01"+wasm.Uint(len(w.outside))+exports.String()))
		args = wasm.Sized("") + string([]byte{sortCoreInstance}) + wasm.Uint(w.defineInstance())
	}
	count := min(len(w.outside), 1)
	w.definition(coreInstanceSection, []byte("\x00"+wasm.Uint(module)+wasm.Uint(count)+args))
	w.merged = w.defineInstance()
}

func (w *writer) coreInstance(i *instance) []byte {
	var b []byte
	if i.module >= 0 {
		b = append([]byte{0}, wasm.Uint(i.module)+wasm.Uint(len(i.args))...)
		for _, a := range i.args {
			b = append(append(b, wasm.Sized(a.name)...), sortCoreInstance)
			if w.member[a.instance] {
				b = append(b, wasm.Uint(w.exports(a, w.parsed[i.module]))...)
			} else {
				b = binary.AppendUvarint(b, w.newInstance(a.instance))
			}
		}
	} else {
		b = append([]byte{1}, wasm.Uint(len(i.exports))...)
		for _, e := range i.exports {
			b = append(append(b, wasm.Sized(e.name)...), e.kind)
			b = binary.AppendUvarint(b, w.newEntity(e.entity))
		}
	}
	w.instances[w.number(i)] = w.defineInstance()
	return b
}

// exports writes an instance of what a module imports of a member, and gives its index.
func (w *writer) exports(a arg, to *module) int {
	exports := list{}
	known := map[string]bool{}
	for _, i := range to.imports {
		if i.module != a.name || known[i.name] {
			continue
		}
		known[i.name] = true
		kind, as := w.linked.export(w.place[a.instance], i.name)
		w.definition(aliasSection, []byte(string([]byte{sortCore, kind, 1})+wasm.Uint(w.merged)+wasm.Sized(as)))
		exports.add(append([]byte(wasm.Sized(i.name)+string([]byte{kind})), wasm.Uint(w.count[kind])...)...)
		w.count[kind]++
	}
	w.definition(coreInstanceSection, append([]byte("\x01"+wasm.Uint(exports.count)), exports.items...))
	return w.defineInstance()
}

func (w *writer) alias(a *alias) []byte {
	b := []byte{sortCore, a.kind, 1}
	if place, ok := w.place[a.instance]; ok {
		kind, as := w.linked.export(place, a.name)
		if kind != a.kind {
			refuse("the export %q has another kind", a.name)
		}
		b = append(b, wasm.Uint(w.merged)+wasm.Sized(as)...)
	} else {
		b = append(binary.AppendUvarint(b, w.newInstance(a.instance)), wasm.Sized(a.name)...)
	}
	w.define(a.entity)
	return b
}

func (w *writer) canonical(c *canon) []byte {
	b := append([]byte(nil), c.head...)
	of := uint64(c.of)
	if c.lift {
		of = w.newEntity(entity{kindFunc, c.of})
	}
	b = binary.AppendUvarint(b, of)
	if c.hasOpts {
		b = append(b, wasm.Uint(len(c.opts))...)
		for _, o := range c.opts {
			b = append(b, o.code)
			if o.index >= 0 {
				b = binary.AppendUvarint(b, w.newEntity(entity{o.kind(), o.index}))
			}
		}
	}
	b = append(b, c.typ...)
	if !c.lift {
		w.define(entity{kindFunc, c.index})
	}
	return b
}
