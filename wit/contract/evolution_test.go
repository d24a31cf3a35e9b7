package contract_test

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wittest"
)

// An evolution changes a copy of a world.
type evolution struct {
	t     *rapid.T
	world *wit.World
	// types are the named types that are mapped, functions those that are served.
	types     []*wit.Type
	functions []*wit.Function
	// requested are the types that requests hold.
	requested map[*wit.Type]bool
	// serial makes names new.
	serial *int
}

func newEvolution(t *rapid.T, world *wit.World, serial *int) *evolution {
	c := copier{make(map[*wit.Type]*wit.Type), make(map[*wit.Interface]*wit.Interface)}
	e := &evolution{t: t, world: &wit.World{}, requested: make(map[*wit.Type]bool), serial: serial}
	for _, i := range world.Exports {
		e.world.Exports = append(e.world.Exports, c.iface(i))
	}
	e.world.ExportFunctions = c.functions(world.ExportFunctions)
	seen := make(map[*wit.Type]bool)
	for _, i := range e.world.Exports {
		for _, n := range i.Types {
			if n.Type.Interface == i {
				e.collect(n.Type, seen, true)
			}
		}
		e.functions = append(e.functions, i.Functions...)
	}
	e.functions = append(e.functions, e.world.ExportFunctions...)
	for _, f := range e.functions {
		for _, p := range f.Params {
			e.collect(p.Type, e.requested, false)
			e.collect(p.Type, seen, true)
		}
		e.collect(f.Result, seen, true)
	}
	return e
}

// collect walks a type; it keeps the named ones.
func (e *evolution) collect(t *wit.Type, seen map[*wit.Type]bool, keep bool) {
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	if keep && t.Name != "" {
		e.types = append(e.types, t)
	}
	for _, inner := range []*wit.Type{t.Elem, t.Ok, t.Err} {
		e.collect(inner, seen, keep)
	}
	for _, f := range t.Fields {
		e.collect(f.Type, seen, keep)
	}
	for _, c := range t.Cases {
		e.collect(c.Type, seen, keep)
	}
}

// compatible makes one change that callers don't notice; it is false where it finds nothing to change.
func (e *evolution) compatible() bool {
	u32 := &wit.Type{Kind: wit.U32}
	switch rapid.IntRange(0, 4).Draw(e.t, "change") {
	case 0:
		if len(e.world.Exports) == 0 {
			return false
		}
		i := e.world.Exports[rapid.IntRange(0, len(e.world.Exports)-1).Draw(e.t, "interface")]
		i.Functions = append(i.Functions, wittest.Function(e.t, e.fresh(), nil))
		return true
	case 1: // a field that may be absent, anywhere
		t := e.pick(wit.Record)
		if t == nil {
			return false
		}
		option := &wit.Type{Kind: wit.Option, Elem: wittest.Type(e.t, nil)}
		may := []*wit.Type{u32, option, {Kind: wit.List, Elem: option}}[rapid.IntRange(0, 2).Draw(e.t, "type")]
		t.Fields = append([]wit.Field{{Name: e.fresh(), Type: may}}, t.Fields...)
		return true
	case 2: // a parameter that may be absent
		if len(e.functions) == 0 {
			return false
		}
		f := e.functions[rapid.IntRange(0, len(e.functions)-1).Draw(e.t, "function")]
		f.Params = append(f.Params, wit.Field{Name: e.fresh(), Type: u32})
		return true
	case 3: // anything, in what requests do not hold
		t := e.pick(wit.Record, wit.Variant, wit.Enum, wit.Flags)
		if t == nil || e.requested[t] {
			return false
		}
		e.add(t)
		return true
	default:
		t := e.pick(wit.Flags)
		if t == nil {
			return false
		}
		e.add(t)
		return true
	}
}

// breaking makes one change that callers notice; it is false where it finds nothing to change.
func (e *evolution) breaking() bool {
	switch rapid.IntRange(0, 5).Draw(e.t, "change") {
	case 0: // a member less
		t := e.pick(wit.Record, wit.Variant, wit.Enum, wit.Flags)
		if t == nil || len(t.Fields)+len(t.Cases) < 2 {
			return false
		}
		if i := e.index(t); t.Kind == wit.Record {
			t.Fields = append(t.Fields[:i:i], t.Fields[i+1:]...)
		} else {
			t.Cases = append(t.Cases[:i:i], t.Cases[i+1:]...)
		}
		return true
	case 1: // another type
		t := e.pick(wit.Record)
		if t == nil || len(t.Fields) == 0 {
			return false
		}
		f := &t.Fields[e.index(t)]
		f.Type = other(f.Type)
		return true
	case 2: // another name
		t := e.pick(wit.Record, wit.Variant, wit.Enum, wit.Flags)
		if t == nil || len(t.Fields)+len(t.Cases) == 0 {
			return false
		}
		if i := e.index(t); t.Kind == wit.Record {
			t.Fields[i].Name = e.fresh()
		} else {
			t.Cases[i].Name = e.fresh()
		}
		return true
	case 3: // what must be present, in what requests hold
		t := e.pick(wit.Record, wit.Variant, wit.Enum)
		if t == nil || !e.requested[t] {
			return false
		}
		e.add(t)
		return true
	case 4: // a parameter that must be present, or another result
		if len(e.functions) == 0 {
			return false
		}
		f := e.functions[rapid.IntRange(0, len(e.functions)-1).Draw(e.t, "function")]
		nothing := f.Result == nil || f.Result.Kind == wit.Result && f.Result.Ok == nil && f.Result.Err == nil
		if !nothing && rapid.Bool().Draw(e.t, "result") {
			f.Result = other(f.Result)
			return true
		}
		f.Params = append(f.Params, wit.Field{Name: e.fresh(), Type: &wit.Type{Kind: wit.Char}})
		return true
	default: // a function less
		if len(e.world.Exports) == 0 {
			return false
		}
		i := e.world.Exports[rapid.IntRange(0, len(e.world.Exports)-1).Draw(e.t, "interface")]
		if len(i.Functions) == 0 {
			return false
		}
		i.Functions = i.Functions[1:]
		return true
	}
}

// other returns a type that is not the same to callers.
func other(t *wit.Type) *wit.Type {
	if t.Kind == wit.Result { // T and result<T> have one response
		return &wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: t}}}
	}
	return &wit.Type{Kind: wit.Option, Elem: t}
}

// add adds a member to a named type: one that must be present if it is a record.
func (e *evolution) add(t *wit.Type) {
	if t.Kind == wit.Record {
		t.Fields = append(t.Fields, wit.Field{Name: e.fresh(), Type: &wit.Type{Kind: wit.Char}})
		return
	}
	t.Cases = append([]wit.Case{{Name: e.fresh()}}, t.Cases...)
}

// fresh returns a name that is new, and may clash once it is protobuf.
func (e *evolution) fresh() string {
	*e.serial++
	prefix := rapid.SampledFrom([]string{"m", "kind-m", "body-bytes-m", "a-m", "am"}).Draw(e.t, "prefix")
	return fmt.Sprintf("%s%d", prefix, *e.serial)
}

func (e *evolution) pick(kinds ...wit.Kind) *wit.Type {
	var of []*wit.Type
	for _, t := range e.types {
		for _, k := range kinds {
			if t.Kind == k {
				of = append(of, t)
			}
		}
	}
	if len(of) == 0 {
		return nil
	}
	return of[rapid.IntRange(0, len(of)-1).Draw(e.t, "type")]
}

func (e *evolution) index(t *wit.Type) int {
	return rapid.IntRange(0, len(t.Fields)+len(t.Cases)-1).Draw(e.t, "member")
}

// A copier copies worlds, so that shared types stay shared.
type copier struct {
	types      map[*wit.Type]*wit.Type
	interfaces map[*wit.Interface]*wit.Interface
}

func (c copier) iface(i *wit.Interface) *wit.Interface {
	if i == nil || c.interfaces[i] != nil {
		return c.interfaces[i]
	}
	out := *i
	c.interfaces[i] = &out
	out.Types = nil
	for _, n := range i.Types {
		out.Types = append(out.Types, wit.NamedType{Name: n.Name, Type: c.typ(n.Type)})
	}
	out.Functions = c.functions(i.Functions)
	return &out
}

func (c copier) functions(functions []*wit.Function) []*wit.Function {
	var out []*wit.Function
	for _, f := range functions {
		g := *f
		g.Params, g.Result = c.fields(f.Params), c.typ(f.Result)
		out = append(out, &g)
	}
	return out
}

func (c copier) fields(fields []wit.Field) []wit.Field {
	var out []wit.Field
	for _, f := range fields {
		out = append(out, wit.Field{Name: f.Name, Type: c.typ(f.Type)})
	}
	return out
}

func (c copier) typ(t *wit.Type) *wit.Type {
	if t == nil || c.types[t] != nil {
		return c.types[t]
	}
	out := *t
	c.types[t] = &out
	out.Interface = c.iface(t.Interface)
	out.Elem, out.Ok, out.Err, out.Fields = c.typ(t.Elem), c.typ(t.Ok), c.typ(t.Err), c.fields(t.Fields)
	out.Cases = nil
	for _, k := range t.Cases {
		out.Cases = append(out.Cases, wit.Case{Name: k.Name, Type: c.typ(k.Type)})
	}
	return &out
}
