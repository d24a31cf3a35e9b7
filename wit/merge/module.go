package merge

import "github.com/weft-run/weft/wit/wasm"

// The sections of a core module.
const (
	typeSection      = 1
	importSection    = 2
	functionSection  = 3
	tableSection     = 4
	memorySection    = 5
	globalSection    = 6
	exportSection    = 7
	startSection     = 8
	elementSection   = 9
	codeSection      = 10
	dataSection      = 11
	dataCountSection = 12
)

// The kinds of what a module imports, defines and exports. In a component they are sorts, with the same numbers.
const (
	kindFunc = iota
	kindTable
	kindMemory
	kindGlobal
	kinds
)

// module is a core module, taken apart.
type module struct {
	types   [][]byte
	imports []imported
	defined [kinds]int
	funcs   []int // the types of defined functions
	tables  [][]byte
	memory  [][]byte
	globals []global
	exports map[string]entity
	start   int // -1 if there is none
	elems   [][]byte
	code    [][]byte
	data    [][]byte
	counted bool // it says beforehand how many segments of data it has
	name    string
	names   map[int]string // of functions
}

// entity is one of a module.
type entity struct {
	kind  byte
	index int
}

// imported is an import. Of a function it has the type's index, of others the description.
type imported struct {
	module, name string
	kind         byte
	typ          int
	description  []byte
}

// global is a global that is defined.
type global struct {
	typ     []byte
	mutable bool
	init    []byte // its expression
}

// parse takes a module apart.
func parse(binary []byte) *module {
	m := &module{exports: map[string]entity{}, names: map[int]string{}, start: -1}
	for _, s := range sections(binary, wasm.Module) {
		r := &reader{data: s.content}
		switch s.id {
		case 0:
			if name, content := s.custom(); name == "name" {
				m.readNames(content)
			}
			continue
		case typeSection:
			r.each(func() { m.types = append(m.types, r.functionType()) })
		case importSection:
			r.each(func() { m.imports = append(m.imports, r.imported()) })
		case functionSection:
			r.each(func() { m.funcs = append(m.funcs, r.u32()) })
		case tableSection:
			r.each(func() { m.tables = append(m.tables, r.tableType()) })
		case memorySection:
			r.each(func() { m.memory = append(m.memory, r.limits()) })
		case globalSection:
			r.each(func() { m.globals = append(m.globals, r.global()) })
		case exportSection:
			r.each(func() {
				name := r.name()
				e := entity{r.byte(), r.u32()}
				if e.kind >= kinds {
					refuse("a module exports something of the kind %#02x", e.kind)
				}
				m.exports[name] = e
			})
		case startSection:
			m.start = r.u32()
		case elementSection:
			r.each(func() { m.elems = append(m.elems, r.element()) })
		case codeSection:
			r.each(func() { m.code = append(m.code, r.sized()) })
		case dataSection:
			r.each(func() { m.data = append(m.data, r.segment()) })
		case dataCountSection:
			m.counted = true
			r.u32()
		default:
			refuse("a module has the section %d", s.id)
		}
		if r.more() {
			refuse("a section of a module is longer than what is in it")
		}
	}
	if len(m.code) != len(m.funcs) {
		refuse("a module has %d functions and code for %d", len(m.funcs), len(m.code))
	}
	m.defined = [kinds]int{len(m.funcs), len(m.tables), len(m.memory), len(m.globals)}
	return m
}

// value reads the type of a value. Those that name types of the module are refused.
func (r *reader) value() byte {
	b := r.byte()
	if b < 0x69 || b > 0x7f {
		refuse("a module has values of the type %#02x", b)
	}
	return b
}

func (r *reader) functionType() []byte {
	start := r.pos
	if b := r.byte(); b != 0x60 {
		refuse("a module has types of the form %#02x", b)
	}
	for range 2 {
		r.each(func() { r.value() })
	}
	return r.data[start:r.pos]
}

func (r *reader) limits() []byte {
	start := r.pos
	flags := r.byte()
	if flags > 1 {
		refuse("a memory or table has limits of the form %#02x", flags)
	}
	for range 1 + flags {
		r.leb()
	}
	return r.data[start:r.pos]
}

func (r *reader) tableType() []byte {
	start := r.pos
	r.value()
	r.limits()
	return r.data[start:r.pos]
}

func (r *reader) globalType() []byte {
	start := r.pos
	r.value()
	r.byte()
	return r.data[start:r.pos]
}

func (r *reader) global() global {
	t := r.globalType()
	return global{typ: t, mutable: t[1] != 0, init: r.expression()}
}

// expression goes over a constant expression, its end included.
func (r *reader) expression() []byte {
	start := r.pos
	r.copyConstant(nil)
	return r.data[start:r.pos]
}

func (r *reader) imported() imported {
	i := imported{module: r.name(), name: r.name(), kind: r.byte()}
	switch i.kind {
	case kindFunc:
		i.typ = r.u32()
	case kindTable:
		i.description = r.tableType()
	case kindMemory:
		i.description = r.limits()
	case kindGlobal:
		i.description = r.globalType()
	default:
		refuse("a module imports something of the kind %#02x", i.kind)
	}
	return i
}

// element goes over a segment of elements.
func (r *reader) element() []byte {
	start := r.pos
	copyElement(r, nil)
	return r.data[start:r.pos]
}

// segment goes over a segment of data.
func (r *reader) segment() []byte {
	start := r.pos
	copySegment(r, nil)
	return r.data[start:r.pos]
}

// readNames reads the names of functions.
func (m *module) readNames(r *reader) {
	for r.more() {
		id, content := r.byte(), &reader{data: r.sized()}
		switch id {
		case 0:
			m.name = content.name()
		case 1:
			content.each(func() {
				index := content.u32()
				m.names[index] = content.name()
			})
		}
	}
}

// count is how many things of a kind a module imports.
func (m *module) count(kind byte) (n int) {
	for _, i := range m.imports {
		if i.kind == kind {
			n++
		}
	}
	return n
}

// size is how many functions and globals a module has, imports included: what an instance has room for.
func (m *module) size() int { return len(m.imports) + len(m.funcs) + len(m.globals) }
