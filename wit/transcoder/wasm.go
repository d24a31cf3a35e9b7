package transcoder

import (
	"encoding/binary"
	"slices"
)

// valType is the type of a core value, as the binary format has it.
type valType byte

const (
	i32 valType = 0x7f
	i64 valType = 0x7e
	f32 valType = 0x7d
	f64 valType = 0x7c
)

// module is a core module that is being written.
type module struct {
	imports []*function // come first in the index space of functions
	funcs   []*function
	globals []string // their names
	// memory is how many pages the module's own memory has at first; without one it imports "m" "memory".
	memory  int
	exports []export
	// size is how many instructions there are, and entries of their tables.
	size int
}

type export struct {
	name string
	kind byte // 0: a function, 2: the memory
	fn   *function
}

// function is a function that is being written, or one that is imported.
type function struct {
	m       *module
	name    string // for people
	from    [2]string
	params  []local
	results []valType
	locals  []local // without the parameters
	body    []instr
	depth   int // of labels
	index   int // in the index space, once the binary is written
}

// local is a parameter or a variable of a function.
type local struct {
	name  string
	typ   valType
	index int
}

// label is a block or a loop that a branch may go to.
type label int

// instr is an instruction with its immediates.
type instr struct {
	op    opcode
	a     int64
	table []int64
	fn    *function
	note  string
}

func (m *module) function(name string, results ...valType) *function {
	f := &function{m: m, name: name, results: results}
	m.funcs = append(m.funcs, f)
	return f
}

func (m *module) imported(from, name string, params, results []valType) *function {
	f := &function{m: m, name: name, from: [2]string{from, name}, results: results}
	for _, p := range params {
		f.param("", p)
	}
	m.imports = append(m.imports, f)
	return f
}

// global adds a variable of the module, an i32 that is zero at first.
func (m *module) global(name string) int {
	m.globals = append(m.globals, name)
	return len(m.globals) - 1
}

func (m *module) export(name string, f *function) {
	m.exports = append(m.exports, export{name: name, fn: f})
}

// param adds a parameter; all of them come before the first local.
func (f *function) param(name string, t valType) local {
	p := local{name, t, len(f.params)}
	f.params = append(f.params, p)
	return p
}

// local adds a variable, which is zero at first.
func (f *function) local(name string, t valType) local {
	l := local{name, t, len(f.params) + len(f.locals)}
	f.locals = append(f.locals, l)
	return l
}

func (f *function) emit(i instr) {
	if f.m.size++; f.m.size > maxInstructions {
		panic(overflow{})
	}
	f.body = append(f.body, i)
}

// do adds instructions without immediates.
func (f *function) do(ops ...opcode) {
	for _, op := range ops {
		f.emit(instr{op: op})
	}
}

func (f *function) get(l local) { f.emit(instr{op: localGet, a: int64(l.index)}) }
func (f *function) set(l local) { f.emit(instr{op: localSet, a: int64(l.index)}) }
func (f *function) tee(l local) { f.emit(instr{op: localTee, a: int64(l.index)}) }
func (f *function) i32(n int)   { f.emit(instr{op: i32Const, a: int64(int32(uint32(n)))}) }
func (f *function) i64(n int64) { f.emit(instr{op: i64Const, a: n}) }

func (f *function) getGlobal(n int) { f.emit(instr{op: globalGet, a: int64(n)}) }
func (f *function) setGlobal(n int) { f.emit(instr{op: globalSet, a: int64(n)}) }

// mem adds a load or a store at the address on the stack plus an offset.
func (f *function) mem(op opcode, offset uint32) { f.emit(instr{op: op, a: int64(offset)}) }

func (f *function) call(to *function) { f.emit(instr{op: callOp, fn: to}) }

// add adds a constant to the i32 on the stack.
func (f *function) add(n int) {
	if n != 0 {
		f.i32(n)
		f.do(i32Add)
	}
}

// advance adds a constant to a variable.
func (f *function) advance(l local, n int) {
	f.get(l)
	f.add(n)
	f.set(l)
}

// comment is shown by the text of the next instruction.
func (f *function) comment(text string) { f.emit(instr{op: nothing, note: text}) }

// within writes a structured instruction around what inside writes.
func (f *function) within(op opcode, inside func(label)) {
	f.emit(instr{op: op})
	f.depth++
	inside(label(f.depth))
	f.depth--
	f.do(endOp)
}

// block is left by branches to its label, loop is begun again by them.
func (f *function) block(inside func(label)) { f.within(blockOp, inside) }
func (f *function) loop(inside func(label))  { f.within(loopOp, inside) }

// when writes what is done if the i32 on the stack is not zero.
func (f *function) when(then func()) { f.within(ifOp, func(label) { then() }) }

// choose writes what is done if the i32 on the stack is not zero, and otherwise.
func (f *function) choose(then, otherwise func()) {
	f.within(ifOp, func(label) {
		then()
		f.do(elseOp)
		otherwise()
	})
}

func (f *function) to(l label) int64 { return int64(f.depth - int(l)) }
func (f *function) br(l label)       { f.emit(instr{op: brOp, a: f.to(l)}) }
func (f *function) brIf(l label)     { f.emit(instr{op: brIfOp, a: f.to(l)}) }

// brUnless branches if the i32 on the stack is zero.
func (f *function) brUnless(l label) {
	f.do(i32Eqz)
	f.brIf(l)
}

// returnZeros returns a zero for each result; all are integers.
func (f *function) returnZeros() {
	for _, r := range f.results {
		if r == i64 {
			f.i64(0)
		} else {
			f.i32(0)
		}
	}
	f.do(returnOp)
}

// choices branches by the i32 that by puts on the stack, to one of count choices, each written by one, or to otherwise. Each is
// followed by what comes behind. table says which choice a number leads to, -1 for none.
func (f *function) choices(by func(), table []int, count int, one func(n int), otherwise func()) {
	f.block(func(behind label) {
		outermost := f.depth
		for range count + 1 {
			f.emit(instr{op: blockOp})
			f.depth++
		}
		// The innermost block is that of choice 0, the outermost that of none.
		i := instr{op: brTableOp, a: int64(count)}
		for _, n := range table {
			if n < 0 {
				n = count
			}
			i.table = append(i.table, int64(n))
		}
		f.m.size += len(i.table)
		by()
		f.emit(i)
		for n := range count {
			f.do(endOp)
			f.depth--
			one(n)
			f.br(behind)
		}
		f.do(endOp)
		f.depth--
		if f.depth != outermost {
			panic("transcoder: blocks do not match")
		}
		otherwise()
	})
}

// binary writes the module.
func (m *module) binary() []byte {
	for n, f := range slices.Concat(m.imports, m.funcs) {
		f.index = n
	}
	var types [][]byte
	typeOf := func(f *function) int {
		t := f.typeBinary()
		for n, known := range types {
			if slices.Equal(known, t) {
				return n
			}
		}
		types = append(types, t)
		return len(types) - 1
	}
	var imports, funcs, exports, codes, globals [][]byte
	for _, f := range m.imports {
		imports = append(imports, slices.Concat(name(f.from[0]), name(f.from[1]), []byte{0}, uleb(typeOf(f))))
	}
	if m.memory == 0 {
		imports = append(imports, slices.Concat(name("m"), name("memory"), []byte{2, 0, 1}))
	}
	for _, f := range m.funcs {
		funcs = append(funcs, uleb(typeOf(f)))
		codes = append(codes, f.binary())
	}
	for range m.globals {
		globals = append(globals, []byte("\x7f\x01\x41\x00\x0b"))
	}
	for _, e := range m.exports {
		index := 0
		if e.fn != nil {
			index = e.fn.index
		}
		exports = append(exports, slices.Concat(name(e.name), []byte{e.kind}, uleb(index)))
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = section(out, 1, types)
	out = section(out, 2, imports)
	out = section(out, 3, funcs)
	if m.memory > 0 {
		out = section(out, 5, [][]byte{append([]byte{0}, uleb(m.memory)...)})
	}
	out = section(out, 6, globals)
	out = section(out, 7, exports)
	out = section(out, 10, codes)
	return append(out, m.names()...)
}

func section(out []byte, id byte, items [][]byte) []byte {
	if len(items) == 0 {
		return out
	}
	content := append(uleb(len(items)), slices.Concat(items...)...)
	return append(append(append(out, id), uleb(len(content))...), content...)
}

// names is the custom section that gives functions their names, for backtraces.
func (m *module) names() []byte {
	all := slices.Concat(m.imports, m.funcs)
	list := uleb(len(all))
	for n, f := range all {
		list = slices.Concat(list, uleb(n), name(f.name))
	}
	content := slices.Concat(name("name"), []byte{1}, uleb(len(list)), list)
	return slices.Concat([]byte{0}, uleb(len(content)), content)
}

func (f *function) typeBinary() []byte {
	out := append([]byte{0x60}, uleb(len(f.params))...)
	for _, p := range f.params {
		out = append(out, byte(p.typ))
	}
	out = append(out, uleb(len(f.results))...)
	for _, r := range f.results {
		out = append(out, byte(r))
	}
	return out
}

func (f *function) binary() []byte {
	var runs [][]byte
	for n := 0; n < len(f.locals); {
		end := n + 1
		for end < len(f.locals) && f.locals[end].typ == f.locals[n].typ {
			end++
		}
		runs = append(runs, append(uleb(end-n), byte(f.locals[n].typ)))
		n = end
	}
	code := append(uleb(len(runs)), slices.Concat(runs...)...)
	for _, i := range f.body {
		code = i.binary(code)
	}
	code = append(code, opcodes[endOp].code...)
	return append(uleb(len(code)), code...)
}

func (i instr) binary(code []byte) []byte {
	info := opcodes[i.op]
	if i.op == nothing {
		return code
	}
	code = append(code, info.code...)
	switch info.form {
	case plain:
	case indexed:
		code = append(code, uleb(int(i.a))...)
	case called:
		code = append(code, uleb(i.fn.index)...)
	case constant:
		code = sleb(code, i.a)
	case memory:
		code = append(append(code, 0), uleb(int(i.a))...) // an alignment of one byte: it is a hint
	case structured:
		code = append(code, 0x40)
	case tabled:
		code = append(code, uleb(len(i.table))...)
		for _, n := range i.table {
			code = append(code, uleb(int(n))...)
		}
		code = append(code, uleb(int(i.a))...)
	}
	return code
}

func name(s string) []byte { return append(uleb(len(s)), s...) }

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func sleb(out []byte, n int64) []byte {
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return append(out, low)
		}
		out = append(out, low|0x80)
	}
}
