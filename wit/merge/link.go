package merge

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/weft-run/weft/wit/wasm"
)

// source is where an import of a module comes from: an export of an earlier one that it is merged with, or, if by is negative, from
// outside, by its number among all that comes from there.
type source struct {
	by     int
	export string
	number int
}

// linker makes one module of several. Indices are those of the merged module.
type linker struct {
	modules []*module
	targets []*target
	// outside are the imports that come from outside, each once, in the order of their numbers.
	outside []imported
	exports list
	// constants are the values of globals that the merged module defines and nobody changes, by index.
	constants map[int][]byte
	referred  map[int]bool
	name      string

	next     [kinds]int  // the next index of each kind
	numbered map[int]int // indices of what comes from outside, by its numbers
}

// maxConstant is how long the value of a global may be that another module imports: each use of that becomes as long. A v128.const is 18 bytes.
const maxConstant = 20

// link lays out the merged module. The sources have an entry for each import of each module, and the name is that of
// one of them.
func link(modules []*module, sources [][]source, named int) *linker {
	l := &linker{modules: modules, numbered: map[int]int{}, constants: map[int][]byte{}, referred: map[int]bool{}, name: modules[named].name}
	var types, elems, data int
	for n, m := range modules {
		t := &target{types: types, elems: elems, data: data, constants: map[int][]byte{}, referred: l.referred}
		types, elems, data = types+len(m.types), elems+len(m.elems), data+len(m.data)
		l.targets = append(l.targets, t)
		for i, s := range sources[n] {
			if _, known := l.numbered[s.number]; s.by >= 0 || known {
				continue
			}
			what := m.imports[i]
			what.typ = t.typ(what.typ)
			l.numbered[s.number] = l.next[what.kind]
			l.next[what.kind]++
			l.outside = append(l.outside, what)
		}
	}
	for n, m := range modules {
		l.place(m, l.targets[n], sources[n])
	}
	return l
}

// place gives what a module imports and defines its indices.
func (l *linker) place(m *module, t *target, sources []source) {
	for i, s := range sources {
		kind := m.imports[i].kind
		to := l.numbered[s.number]
		if s.by >= 0 {
			to = l.exported(s.by, s.export, kind)
		}
		if value, ok := l.constants[to]; ok && kind == kindGlobal {
			if len(value) > maxConstant {
				refuse("a module imports a global with a value of %d bytes", len(value))
			}
			t.constants[len(t.indices[kind])] = value
		}
		t.indices[kind] = append(t.indices[kind], to)
	}
	for kind := range l.next {
		for range m.defined[kind] {
			t.indices[kind] = append(t.indices[kind], l.next[kind])
			l.next[kind]++
		}
	}
	globals := t.indices[kindGlobal][m.count(kindGlobal):]
	for i, g := range m.globals {
		if !g.mutable {
			init := (&reader{data: g.init}).copyConstant(t)
			l.constants[globals[i]] = init[:len(init)-1]
		}
	}
}

// exported is the index of what a module exports.
func (l *linker) exported(by int, name string, kind byte) int {
	e, ok := l.modules[by].exports[name]
	if !ok || e.kind != kind {
		refuse("a module imports %q, which another does not export so", name)
	}
	return l.targets[by].index(kind, e.index)
}

// export exports what a module exports, by a name of the merged one, which it gives.
func (l *linker) export(by int, name string) (kind byte, as string) {
	e, ok := l.modules[by].exports[name]
	if !ok {
		refuse("a module does not export %q", name)
	}
	as = fmt.Sprint(l.exports.count)
	item := append([]byte(wasm.Sized(as)), e.kind)
	l.exports.add(binary.AppendUvarint(item, uint64(l.targets[by].index(e.kind, e.index)))...)
	return e.kind, as
}

// binary is the merged module. Its imports are of the module "", with their numbers as names.
func (l *linker) binary() []byte {
	var out [dataCountSection + 1]list // by section
	for n, i := range l.outside {
		item := append([]byte("\x00"+wasm.Sized(fmt.Sprint(n))), i.kind)
		if i.kind == kindFunc {
			item = binary.AppendUvarint(item, uint64(i.typ))
		} else {
			item = append(item, i.description...)
		}
		out[importSection].add(item...)
	}
	start, counted := -1, false
	for n, m := range l.modules {
		copyModule(m, l.targets[n], &out)
		counted = counted || m.counted
		if m.start >= 0 {
			start = l.targets[n].index(kindFunc, m.start)
		}
	}
	if len(l.referred) > 0 { // what code refers to has to be declared
		item := append([]byte("\x03\x00"), wasm.Uint(len(l.referred))...)
		for _, n := range slices.Sorted(maps.Keys(l.referred)) {
			item = binary.AppendUvarint(item, uint64(n))
		}
		out[elementSection].add(item...)
	}
	out[exportSection] = l.exports
	b := []byte(wasm.Module)
	for id := typeSection; id <= exportSection; id++ {
		b = out[id].appendTo(b, byte(id))
	}
	if start >= 0 {
		b = appendSection(b, startSection, []byte(wasm.Uint(start)))
	}
	b = out[elementSection].appendTo(b, elementSection)
	if counted {
		b = appendSection(b, dataCountSection, []byte(wasm.Uint(out[dataSection].count)))
	}
	b = out[codeSection].appendTo(b, codeSection)
	b = out[dataSection].appendTo(b, dataSection)
	return append(b, l.names()...)
}

// copyModule adds what a module defines, but for its exports, to the sections of the merged one.
func copyModule(m *module, t *target, out *[dataCountSection + 1]list) {
	for _, b := range m.types {
		out[typeSection].add(b...)
	}
	for _, i := range m.funcs {
		out[functionSection].add(binary.AppendUvarint(nil, uint64(t.typ(i)))...)
	}
	for _, b := range m.tables {
		out[tableSection].add(b...)
	}
	for _, b := range m.memory {
		out[memorySection].add(b...)
	}
	for _, g := range m.globals {
		out[globalSection].add(append(slices.Clone(g.typ), (&reader{data: g.init}).copyConstant(t)...)...)
	}
	for _, b := range m.elems {
		out[elementSection].add(copyElement(&reader{data: b}, t)...)
	}
	for _, b := range m.code {
		body := copyBody(b, t)
		out[codeSection].add(append([]byte(wasm.Uint(len(body))), body...)...)
	}
	for _, b := range m.data {
		out[dataSection].add(copySegment(&reader{data: b}, t)...)
	}
}

// names is the custom section with the names of functions. One that has none is named after its index in its own module, by which
// whoever built that knows it.
func (l *linker) names() []byte {
	names := map[int]string{}
	for n, m := range l.modules {
		imports := m.count(kindFunc)
		for i, to := range l.targets[n].indices[kindFunc] {
			name, ok := m.names[i]
			switch {
			case i < imports && (!ok || names[to] != ""):
				continue
			case !ok:
				name = fmt.Sprintf("function %d", i)
			}
			names[to] = name
		}
	}
	var functions list
	for _, n := range slices.Sorted(maps.Keys(names)) {
		functions.add(append(binary.AppendUvarint(nil, uint64(n)), wasm.Sized(names[n])...)...)
	}
	content := []byte(wasm.Sized("name"))
	if l.name != "" {
		content = append(content, "\x00"+wasm.Sized(wasm.Sized(l.name))...)
	}
	content = functions.appendTo(content, 1)
	return append([]byte("\x00"+wasm.Uint(len(content))), content...)
}
