package executor

import (
	"fmt"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
)

// Out is a place for one value of a known type: the result of a host function or a part of it. It is written once, by the
// method for its type; any other method panics, which traps the guest with a message that names the function and the type.
// Text that is not UTF-8 panics too: it must be checked before.
//
//	result<option<list<u8>>, error>, with variant error { no-such-store, other(string) }:
//	call.Result().OK().Some().Bytes(value)
//	call.Result().OK().None()
//	call.Result().Err().Case("other").Text("the disk is full")
type Out struct {
	call  *HostCall
	value wasmtime.Value
	shape *hostShape
}

// Outs are places for the members of a record, a tuple or a list, in order.
type Outs struct {
	call   *HostCall
	values wasmtime.Values
	shapes []*hostShape // one for all if it is a list
}

// Len is how many there are.
func (o Outs) Len() int { return o.values.Len() }

// At is the place at index i.
func (o Outs) At(i int) Out {
	shape := o.shapes[0]
	if len(o.shapes) > 1 {
		shape = o.shapes[i]
	}
	return Out{o.call, o.values.At(i), shape}
}

// Bool writes a bool.
func (o Out) Bool(v bool) { o.arena(wit.Bool).SetBool(o.value, v) }

// U8 writes a u8.
func (o Out) U8(v uint8) { o.arena(wit.U8).SetU8(o.value, v) }

// U16 writes a u16.
func (o Out) U16(v uint16) { o.arena(wit.U16).SetU16(o.value, v) }

// U32 writes a u32.
func (o Out) U32(v uint32) { o.arena(wit.U32).SetU32(o.value, v) }

// U64 writes a u64.
func (o Out) U64(v uint64) { o.arena(wit.U64).SetU64(o.value, v) }

// S64 writes an s64.
func (o Out) S64(v int64) { o.arena(wit.S64).SetS64(o.value, v) }

// Text writes a string.
func (o Out) Text(v string) {
	if err := o.arena(wit.String).SetText(o.value, v); err != nil {
		panic(fmt.Errorf("%s: a string of its result: %w", o.call.f, err))
	}
}

// Bytes writes a list<u8>.
func (o Out) Bytes(v []byte) {
	a := o.arena(wit.List)
	if o.shape.parts[0].typ.Kind != wit.U8 {
		o.mismatch("a list<u8>")
	}
	a.SetBytes(o.value, v)
}

// List writes a list of n elements.
func (o Out) List(n int) Outs {
	return Outs{o.call, o.arena(wit.List).SetList(o.value, n), o.shape.parts}
}

// Record writes a record; the places of its fields are in the order of the WIT.
func (o Out) Record() Outs {
	return Outs{o.call, o.arena(wit.Record).SetRecord(o.value, o.shape.names), o.shape.parts}
}

// Tuple writes a tuple.
func (o Out) Tuple() Outs {
	return Outs{o.call, o.arena(wit.Tuple).SetTuple(o.value, len(o.shape.parts)), o.shape.parts}
}

// None writes an option without a value.
func (o Out) None() { o.arena(wit.Option).SetOption(o.value, false) }

// Some writes an option with a value.
func (o Out) Some() Out {
	return Out{o.call, o.arena(wit.Option).SetOption(o.value, true), o.shape.parts[0]}
}

// OK writes a result that is ok. Where it has a payload, that is to be written.
func (o Out) OK() Out { return o.result(true, o.shape.ok()) }

// Err writes a result that is an error. Where it has a payload, that is to be written.
func (o Out) Err() Out { return o.result(false, o.shape.err()) }

func (o Out) result(ok bool, payload *hostShape) Out {
	return Out{o.call, o.arena(wit.Result).SetResult(o.value, ok, payload != nil), payload}
}

// Case writes the case of that name of a variant or an enum. Where it has a payload, that is to be written.
func (o Out) Case(name string) Out {
	i := -1
	if o.shape != nil && o.shape.names != nil {
		i = o.shape.names.Index([]byte(name))
	}
	switch {
	case i < 0:
		o.mismatch("the case " + name)
	case o.shape.typ.Kind == wit.Enum:
		o.arena(wit.Enum).SetEnum(o.value, o.shape.names, i)
		return Out{}
	}
	payload := o.shape.parts[i]
	return Out{o.call, o.arena(wit.Variant).SetVariant(o.value, o.shape.names, i, payload != nil), payload}
}

// Resource writes a new resource, which the guest owns and which is dropped with its instance at the latest. It returns
// wasmtime.ErrTooManyResources if the guest has too many; the value is not kept then, nor dropped.
func (o Out) Resource(value any) error {
	o.arena(wit.Own)
	return o.call.values.SetResource(o.value, o.shape.resource, value)
}

// arena gives the arena to write a value of a kind to.
func (o Out) arena(k wit.Kind) *wasmtime.Arena {
	if o.shape == nil || o.shape.typ.Kind != k {
		o.mismatch(k.String())
	}
	return o.call.values.Arena()
}

func (o Out) mismatch(wrote string) {
	switch {
	case o.call == nil || o.shape == nil:
		panic(fmt.Sprintf("executor: a host function wrote %s where there is no value", wrote))
	default:
		panic(fmt.Sprintf("executor: %s: its result has a %v where %s was written", o.call.f, o.shape.typ.Kind, wrote))
	}
}

// hostShape is a type that host functions write, with what the engine needs for it. Names live as long as the process.
type hostShape struct {
	typ *wit.Type
	// names are the fields of a record, or the cases of a variant or an enum.
	names *wasmtime.Names
	// parts are the fields or members, the payloads of the cases (nil where there is none), the one element of a list or an
	// option, or the two sides of a result.
	parts    []*hostShape
	resource *wasmtime.ResourceType
}

func (s *hostShape) ok() *hostShape  { return s.side(0) }
func (s *hostShape) err() *hostShape { return s.side(1) }

func (s *hostShape) side(i int) *hostShape {
	if s == nil || s.typ.Kind != wit.Result {
		return nil // the writer complains
	}
	return s.parts[i]
}

// shape makes the shape of a type, nil of none.
func (h *hosts) shape(t *wit.Type) (*hostShape, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // a side of a result, or a case, without a payload
	}
	s := &hostShape{typ: t}
	var parts []*wit.Type
	var names []string
	switch t.Kind {
	case wit.Bool, wit.U8, wit.U16, wit.U32, wit.U64, wit.S64, wit.String, wit.Flags: // nobody writes flags
	case wit.Own:
		if s.resource = h.resource(t.Resource); s.resource == nil {
			return nil, fmt.Errorf("the resource %s is not among those that the node provides", t.Resource.Name)
		}
	case wit.List, wit.Option:
		parts = []*wit.Type{t.Elem}
	case wit.Result:
		parts = []*wit.Type{t.Ok, t.Err}
	case wit.Record, wit.Tuple:
		for _, f := range t.Fields {
			names, parts = append(names, f.Name), append(parts, f.Type)
		}
	case wit.Variant, wit.Enum:
		for _, c := range t.Cases {
			names, parts = append(names, c.Name), append(parts, c.Type)
		}
	default:
		return nil, fmt.Errorf("a %v can't be written by host functions", t.Kind)
	}
	for _, p := range parts {
		part, err := h.shape(p)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, part)
	}
	if t.Kind == wit.Record || t.Kind == wit.Variant || t.Kind == wit.Enum {
		var err error
		if s.names, err = wasmtime.NewNames(names); err != nil {
			return nil, err
		}
	}
	return s, nil
}
