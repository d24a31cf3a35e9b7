package transcoder

import (
	"fmt"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
)

// Host is the interface that a composition imports if functions that the component calls have a transcoder. It has a function
// for each, which is given the request and returns a result<list<u8>, list<u8>>: the response, or the detail of the error that the function
// returned. And it has [Again], which returns the last result anew, written as weft writes messages: it is called if that was not accepted.
const Host = "weft:transcoder/calls"

// Again is its name.
const Again = compose.Again

// newImports writes the code for some methods of imports; nil if there is none.
func newImports(imports []*contract.Service, world *wit.World, memory uint64, takes func(*contract.Method) bool) *half {
	h := &half{memory: memoryModule(int(memory >> pageBits)), code: &module{}, names: make(map[*contract.Method]string)}
	g := newGenerator(h.code)
	var methods []*contract.Method
	var hosts []*function
	for _, s := range imports {
		i := find(world.Imports, s.Interface)
		for _, m := range s.Methods {
			if i == nil || !takes(m) {
				continue
			}
			hosts = append(hosts, h.code.imported("h", fmt.Sprint(len(methods)), []valType{i32, i32, i32}, nil))
			methods = append(methods, m)
			h.add(fmt.Sprintf("c%d", len(methods)-1), i, m)
		}
	}
	if len(methods) == 0 {
		return nil
	}
	again := h.code.imported("h", Again, []valType{i32}, nil)
	g.define(h.code)
	after := make(map[valType]*function)
	for n, m := range methods {
		f := g.outgoing(m, hosts[n], again)
		h.code.export(fmt.Sprint(n), f)
		result := valType(0)
		if len(f.results) > 0 {
			result = f.results[0]
		}
		if after[result] == nil {
			after[result] = g.after(f.results)
		}
		h.code.export(fmt.Sprintf("after %d", n), after[result])
	}
	return h
}

// after writes the function that is called once a result was read.
func (g *generator) after(results []valType) *function {
	f := g.m.function("after")
	for _, r := range results {
		f.param("result", r)
	}
	f.free()
	return f
}

// free has all memory be free again.
func (f *function) free() {
	f.i32(0)
	f.i32(0)
	f.mem(i32Store, handedOut)
}

// outgoing writes the function that a component calls instead of one that it imports.
func (g *generator) outgoing(m *contract.Method, host, again *function) *function {
	c := g.layouts.Convention(m.Function)
	f := g.m.function("call "+m.Name, valTypes(c.Result)...)
	var flat []local
	for n, p := range valTypes(c.Params) {
		flat = append(flat, f.param(fmt.Sprintf("p%d", n), p))
	}
	args, pos, result := f.local("args", i32), f.local("pos", i32), f.local("result", i32)
	if c.Spilled {
		args = flat[0]
	} else {
		g.gather(f, m.Function, flat, args)
	}
	f.i32(0)
	f.call(g.begin)
	f.set(pos)
	e := g.newEncoding(f)
	e.pos, e.at = pos, args
	e.message(g.members(m.Params, m.Function.Params))
	f.comment("the host reads the request before it writes the reply, which may take its place")
	f.free()
	f.get(pos)
	f.getGlobal(g.end)
	f.get(pos)
	f.do(i32Sub)
	f.i32(reply)
	f.call(host)
	g.receive(f, m, again, result)
	switch {
	case c.Returned:
		f.get(result)
	case len(c.Result) == 1:
		g.flatten(f, m.Function.Result, result, 0)
	}
	return f
}

// gather stores parameters that came as core values where they would be if they had come through memory.
func (g *generator) gather(f *function, called *wit.Function, flat []local, args local) {
	layout, offsets := g.layouts.Fields(abi.Types(called.Params))
	g.area(f, layout, args, g.mustHave(f))
	for n, p := range called.Params {
		own := len(g.layouts.Of(p.Type).Flat)
		g.unflatten(f, p.Type, flat[:own], args, offsets[n])
		flat = flat[own:]
	}
}

// mustHave fails if the address on the stack is none.
func (g *generator) mustHave(f *function) func() {
	return func() {
		f.do(i32Eqz)
		f.when(func() { f.call(g.fail) })
	}
}

// receive decodes the reply of the host, or what that says again.
func (g *generator) receive(f *function, m *contract.Method, again *function, result local) {
	tried, start, end := f.local("tried", i32), f.local("start", i32), f.local("end", i32)
	decode := g.reply(m)
	f.block(func(done label) {
		f.loop(func(retry label) {
			g.area(f, g.layouts.Of(m.Function.Result), result, g.mustHave(f))
			f.i32(0)
			f.mem(i32Load, reply+4)
			f.tee(start)
			f.i32(0)
			f.mem(i32Load, reply+8)
			f.do(i32Add)
			f.set(end)
			f.comment("what lists may take: anything the second time, as the plain path has accepted that")
			f.get(tried)
			f.choose(func() { f.i32(largest); f.setGlobal(g.budget) }, func() {
				f.get(end)
				f.get(start)
				f.do(i32Sub)
				f.i32(unfolding)
				f.do(i32Mul)
				f.add(freeUnfolded)
				f.setGlobal(g.budget)
			})
			f.get(start)
			f.get(end)
			f.get(result)
			f.call(decode)
			f.brIf(done)
			f.get(tried)
			f.when(func() { f.do(unreachableOp) })
			f.i32(1)
			f.set(tried)
			f.free()
			f.i32(reply)
			f.call(again)
			f.br(retry)
		})
	})
}

// reply writes the function that decodes what the host returned: reply(pos, end, to) → whether it was accepted.
func (g *generator) reply(m *contract.Method) *function {
	t := m.Function.Result
	if !m.Fallible {
		return g.response("decode "+m.Response, m.Result, t, 0)
	}
	payload := g.layouts.PayloadOffset(abi.Payloads(t))
	response := g.response("decode "+m.Response, m.Result, t.Ok, payload)
	detail := g.detail(m.Error, t.Err, payload)
	f := g.m.function("reply of "+m.Name, i32)
	pos, end, to := f.param("pos", i32), f.param("end", i32), f.param("to", i32)
	f.i32(0)
	f.mem(i32Load8U, reply)
	f.do(i32Eqz)
	f.when(func() {
		f.get(pos)
		f.get(end)
		f.get(to)
		f.call(response)
		f.do(returnOp)
	})
	f.get(to)
	f.i32(1)
	f.mem(i32Store8, 0)
	if detail == nil {
		f.i32(1)
		return f
	}
	f.get(pos)
	f.get(end)
	f.get(to)
	f.call(detail)
	return f
}

// detail gives the function that decodes the detail of an error, whose value is at an offset; nil for an error that has none.
func (g *generator) detail(e *contract.Error, t *wit.Type, offset uint32) *function {
	switch {
	case e == nil:
		return nil
	case e.Field != nil:
		return g.response("decode "+e.Message, e.Field, t, offset)
	}
	f := g.m.function("decode detail "+e.Message, i32)
	pos, end, to := f.param("pos", i32), f.param("end", i32), f.param("to", i32)
	f.get(pos)
	f.get(end)
	f.get(to)
	f.add(int(offset))
	f.call(g.decoder(e.Shape))
	return f
}

// response writes the function that decodes a message of one field, or of none, whose value is at an offset.
func (g *generator) response(name string, field *contract.Field, t *wit.Type, offset uint32) *function {
	var places []place
	if field != nil {
		places = append(places, place{Field: *field, typ: t, offset: offset})
	}
	d := g.newDecoding(name)
	d.message(false, nil, places)
	return d.function
}

// unflatten stores core values, which are in variables, as the value that they are. What is there is zero before.
func (g *generator) unflatten(f *function, t *wit.Type, from []local, at local, offset uint32) {
	// store stores a core value of so many bytes, which may be in a variable for a larger one.
	store := func(value local, size, offset uint32) {
		f.get(at)
		f.get(value)
		switch {
		case value.typ == f32:
			f.mem(f32Store, offset)
		case value.typ == f64:
			f.mem(f64Store, offset)
		case size == 8:
			f.mem(i64Store, offset)
		default:
			if value.typ == i64 {
				f.do(i32WrapI64)
			}
			f.mem(stores[size], offset)
		}
	}
	switch t.Kind {
	case wit.String, wit.List:
		store(from[0], 4, offset)
		store(from[1], 4, offset+4)
	case wit.Record, wit.Tuple:
		_, offsets := g.layouts.Fields(abi.Types(t.Fields))
		for n, field := range t.Fields {
			own := len(g.layouts.Of(field.Type).Flat)
			g.unflatten(f, field.Type, from[:own], at, offset+offsets[n])
			from = from[own:]
		}
	case wit.Variant, wit.Option, wit.Result:
		payloads := abi.Payloads(t)
		store(from[0], abi.TagSize(len(payloads)), offset)
		f.choices(func() {
			f.get(from[0])
			if from[0].typ == i64 {
				f.do(i32WrapI64)
			}
		}, count(len(payloads)), len(payloads), func(n int) {
			if payloads[n] != nil {
				own := len(g.layouts.Of(payloads[n]).Flat)
				g.unflatten(f, payloads[n], from[1:1+own], at, offset+g.layouts.PayloadOffset(payloads))
			}
		}, func() {})
	default:
		store(from[0], g.layouts.Of(t).Size, offset)
	}
}
