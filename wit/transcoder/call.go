package transcoder

import (
	"encoding/binary"
	"slices"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
	"github.com/weft-run/weft/wit/contract"
)

// What an answer begins with.
const (
	// Answered: the response follows.
	Answered byte = iota
	// Refused: the request was not decoded, and the function not called. It is malformed, or written in a way that the transcoder
	// leaves to the plain path: with a list or a message in several pieces, or a group.
	Refused
	// Failed: the function returned an error, whose detail follows.
	Failed
)

// The lists of a request of n bytes may take freeUnfolded + unfolding*n bytes of the transcoder's memory, and a third of what the memory
// has besides the request and besides: the function may return as much, and the response may be as long. What takes more is refused,
// and left to the plain path: lists of records whose fields are nearly all absent.
const (
	unfolding    = 8
	freeUnfolded = 64 << 10
	besides      = 256 << 10
)

// budgetSize is how many bytes in front of a request say what its lists may take.
const budgetSize = 4

// Argument makes what a function of the composition is called with, for a memory that may grow to so many bytes. The request is copied;
// kept is the copy, in the argument.
func Argument(request []byte, memory uint64) (argument, kept []byte) {
	size := uint64(len(request))
	budget := min(freeUnfolded+unfolding*size, (max(memory, size+besides)-size-besides)/3, largest)
	argument = binary.LittleEndian.AppendUint32(make([]byte, 0, budgetSize+len(request)), uint32(budget))
	argument = append(argument, request...)
	return argument, argument[budgetSize:]
}

// coreTypes are the types of core values in the binary format.
var coreTypes = map[abi.Core]valType{abi.I32: i32, abi.I64: i64, abi.F32: f32, abi.F64: f64}

// signature is how a function is called once it is lowered.
func (g *generator) signature(f *wit.Function) (params, results []valType) {
	flatParams, flatResult := g.layouts.Convention(f).Import()
	return valTypes(flatParams), valTypes(flatResult)
}

func valTypes(list []abi.Core) []valType {
	out := make([]valType, len(list))
	for n, c := range list {
		out[n] = coreTypes[c]
	}
	return out
}

// method writes the function for a method: call(argument, size) → where the answer is, and its length.
func (g *generator) method(m *contract.Method, callee *function) *function {
	f := g.m.function("call "+m.Name, i32)
	request, size := f.param("request", i32), f.param("size", i32)
	args, result, pos, before := f.local("args", i32), f.local("result", i32), f.local("pos", i32), f.local("before", i32)
	decode := g.request(m)
	layout, _ := g.layouts.Fields(abi.Types(m.Function.Params))
	f.block(func(refused label) {
		refuse := func() { f.brUnless(refused) }
		g.area(f, layout, args, refuse)
		f.comment("what lists may take")
		f.get(request)
		f.mem(i32Load, 0)
		f.setGlobal(g.budget)
		f.advance(request, budgetSize)
		f.advance(size, -budgetSize)
		f.get(request)
		f.get(request)
		f.get(size)
		f.do(i32Add)
		f.get(args)
		f.call(decode)
		f.brUnless(refused)
		g.area(f, g.layouts.Of(m.Function.Result), result, refuse)
		f.i32(0)
		f.mem(i32Load, handedOut)
		f.set(before)
		g.invoke(f, m.Function, callee, args, result)
		f.get(before)
		f.call(g.begin)
		f.set(pos)
		g.respond(f, m, result, pos)
		f.i32(0)
		f.get(pos)
		f.mem(i32Store, answer)
		f.i32(0)
		f.getGlobal(g.end)
		f.get(pos)
		f.do(i32Sub)
		f.mem(i32Store, answer+4)
		f.i32(answer)
		f.do(returnOp)
	})
	f.i32(0)
	f.i32(int(Refused))
	f.mem(i32Store8, refusal)
	f.i32(0)
	f.i32(refusal)
	f.mem(i32Store, answer)
	f.i32(0)
	f.i32(1)
	f.mem(i32Store, answer+4)
	f.i32(answer)
	return f
}

// area makes room for a value, which is zero. The address is on the stack for checked, which takes it.
func (g *generator) area(f *function, l abi.Layout, to local, checked func()) {
	f.i32(int(l.Align))
	f.i32(int(l.Size))
	f.call(g.alloc)
	f.tee(to)
	checked()
	f.get(to)
	f.i32(0)
	f.i32(int(l.Size))
	f.do(memoryFill)
}

// request writes the function that decodes the parameters.
func (g *generator) request(m *contract.Method) *function {
	d := g.newDecoding("decode " + m.Request)
	d.message(false, nil, g.members(m.Params, m.Function.Params))
	return d.function
}

// invoke calls the function.
func (g *generator) invoke(f *function, called *wit.Function, callee *function, args, result local) {
	c := g.layouts.Convention(called)
	if c.Spilled {
		f.get(args)
	} else {
		_, offsets := g.layouts.Fields(abi.Types(called.Params))
		for n, p := range called.Params {
			g.flatten(f, p.Type, args, offsets[n])
		}
	}
	switch {
	case c.Returned:
		f.get(result)
		f.call(callee)
	case len(c.Result) == 1:
		value := f.local("value", coreTypes[c.Result[0]])
		f.call(callee)
		f.set(value)
		g.storeFlat(f, called.Result, value, result, 0)
	default:
		f.call(callee)
	}
}

// respond encodes what the function returned, behind what kind of answer it is.
func (g *generator) respond(f *function, m *contract.Method, result, pos local) {
	e := g.newEncoding(f)
	e.pos, e.at = pos, result
	put := func(kind byte, field *contract.Field, t *wit.Type, offset uint32) {
		if field != nil {
			e.field(place{Field: *field, typ: t, offset: offset})
		}
		e.room(1)
		e.advance(pos, -1)
		f.get(pos)
		f.i32(int(kind))
		f.mem(i32Store8, 0)
	}
	if !m.Fallible {
		put(Answered, m.Result, m.Function.Result, 0)
		return
	}
	t := m.Function.Result
	payload := g.layouts.PayloadOffset(abi.Payloads(t))
	f.get(result)
	f.mem(i32Load8U, 0)
	f.choose(func() {
		switch {
		case m.Error == nil:
			put(Failed, nil, nil, 0)
		case m.Error.Field != nil:
			put(Failed, m.Error.Field, t.Err, payload)
		default:
			f.get(pos)
			f.get(result)
			f.add(int(payload))
			f.call(g.encoder(m.Error.Shape))
			f.set(pos)
			put(Failed, nil, nil, 0)
		}
	}, func() { put(Answered, m.Result, t.Ok, payload) })
}

// flatten puts the core values of what is in memory on the stack.
func (g *generator) flatten(f *function, t *wit.Type, at local, offset uint32) {
	load := func(op opcode, offset uint32) {
		f.get(at)
		f.mem(op, offset)
	}
	switch t.Kind {
	case wit.S8:
		load(i32Load8S, offset)
	case wit.S16:
		load(i32Load16S, offset)
	case wit.S64, wit.U64:
		load(i64Load, offset)
	case wit.F32:
		load(f32Load, offset)
	case wit.F64:
		load(f64Load, offset)
	case wit.String, wit.List:
		load(i32Load, offset)
		load(i32Load, offset+4)
	case wit.Record, wit.Tuple:
		_, offsets := g.layouts.Fields(abi.Types(t.Fields))
		for n, field := range t.Fields {
			g.flatten(f, field.Type, at, offset+offsets[n])
		}
	case wit.Variant, wit.Option, wit.Result:
		g.flattenCases(f, t, at, offset)
	default:
		load(g.loadOf(t), offset)
	}
}

// flattenCases does so for a variant: all cases share the core values, of which those that a case has not are zero.
func (g *generator) flattenCases(f *function, t *wit.Type, at local, offset uint32) {
	payloads := abi.Payloads(t)
	flat := g.layouts.Of(t).Flat[1:]
	shared := make([]local, len(flat))
	for n, c := range flat {
		shared[n] = f.local("flat", coreTypes[c])
	}
	tag := func() {
		f.get(at)
		f.mem(loadTag(len(payloads)), offset)
	}
	f.choices(tag, count(len(payloads)), len(payloads), func(n int) {
		if payloads[n] == nil {
			return
		}
		g.flatten(f, payloads[n], at, offset+g.layouts.PayloadOffset(payloads))
		own := g.layouts.Of(payloads[n]).Flat
		for n, c := range slices.Backward(own) {
			widen(f, c, flat[n])
			f.set(shared[n])
		}
	}, func() {})
	tag()
	for _, s := range shared {
		f.get(s)
	}
}

// widen converts the core value on the stack to the type that it shares with those of other cases.
func widen(f *function, from, to abi.Core) {
	if from == to {
		return
	}
	switch from {
	case abi.F32:
		f.do(i32ReinterpretF32)
	case abi.F64:
		f.do(i64ReinterpretF64)
		return
	}
	if to == abi.I64 {
		f.do(i64ExtendI32U)
	}
}

// storeFlat stores the only core value of a type.
func (g *generator) storeFlat(f *function, t *wit.Type, value, at local, offset uint32) {
	op := g.storeOf(t)
	switch t.Kind {
	case wit.Record, wit.Tuple:
		g.storeFlat(f, t.Fields[0].Type, value, at, offset)
		return
	case wit.S64, wit.U64:
		op = i64Store
	case wit.F32:
		op = f32Store
	case wit.F64:
		op = f64Store
	case wit.Variant, wit.Result, wit.Option:
		op = storeTag(len(abi.Payloads(t)))
	}
	f.get(at)
	f.get(value)
	f.mem(op, offset)
}
