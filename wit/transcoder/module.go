package transcoder

import (
	"slices"

	"github.com/weft-run/weft/wit/wasm"
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
	// size is how many instructions there are, and entries of their tables, with those of a module that shares its bound.
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
	var types []string
	typeOf := func(f *function) string {
		t := f.typeBinary()
		n := slices.Index(types, t)
		if n < 0 {
			n, types = len(types), append(types, t)
		}
		return wasm.Uint(n)
	}
	var imports, funcs, globals, exports, codes []string
	for _, f := range m.imports {
		imports = append(imports, wasm.Sized(f.from[0])+wasm.Sized(f.from[1])+"\x00"+typeOf(f))
	}
	if m.memory == 0 {
		imports = append(imports, wasm.Sized("m")+wasm.Sized("memory")+"\x02\x00\x01")
	}
	for _, f := range m.funcs {
		funcs = append(funcs, typeOf(f))
		codes = append(codes, f.binary())
	}
	for range m.globals {
		globals = append(globals, "\x7f\x01\x41\x00\x0b")
	}
	for _, e := range m.exports {
		index := 0
		if e.fn != nil {
			index = e.fn.index
		}
		exports = append(exports, wasm.Sized(e.name)+string([]byte{e.kind})+wasm.Uint(index))
	}
	out := []byte(wasm.Module)
	section := func(id byte, items []string) {
		if len(items) > 0 {
			out = append(out, wasm.Section(id, items...)...)
		}
	}
	section(1, types)
	section(2, imports)
	section(3, funcs)
	if m.memory > 0 {
		section(5, []string{"\x00" + wasm.Uint(m.memory)})
	}
	section(6, globals)
	section(7, exports)
	section(10, codes)
	return append(out, m.names()...)
}

// names is the custom section that gives functions their names, for backtraces.
func (m *module) names() string {
	var list []string
	for n, f := range slices.Concat(m.imports, m.funcs) {
		list = append(list, wasm.Uint(n)+wasm.Sized(f.name))
	}
	return "\x00" + wasm.Sized(wasm.Sized("name")+wasm.Section(1, list...))
}

func (f *function) typeBinary() string {
	out := append([]byte{0x60}, wasm.Uint(len(f.params))...)
	for _, p := range f.params {
		out = append(out, byte(p.typ))
	}
	out = append(out, wasm.Uint(len(f.results))...)
	for _, r := range f.results {
		out = append(out, byte(r))
	}
	return string(out)
}

func (f *function) binary() string {
	runs, code := 0, []byte(nil)
	for n := 0; n < len(f.locals); {
		end := n + 1
		for end < len(f.locals) && f.locals[end].typ == f.locals[n].typ {
			end++
		}
		code = append(append(code, wasm.Uint(end-n)...), byte(f.locals[n].typ))
		n = end
		runs++
	}
	for _, i := range f.body {
		code = i.binary(code)
	}
	code = append(code, opcodes[endOp].code...)
	return wasm.Sized(wasm.Uint(runs) + string(code))
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
		code = append(code, wasm.Uint(int(i.a))...)
	case called:
		code = append(code, wasm.Uint(i.fn.index)...)
	case constant:
		code = append(code, wasm.Int(i.a)...)
	case memory:
		code = append(append(code, 0), wasm.Uint(int(i.a))...) // an alignment of one byte: it is a hint
	case structured:
		code = append(code, 0x40)
	case tabled:
		code = append(code, wasm.Uint(len(i.table))...)
		for _, n := range i.table {
			code = append(code, wasm.Uint(int(n))...)
		}
		code = append(code, wasm.Uint(int(i.a))...)
	}
	return code
}
