// Package abi lays out WIT types as the canonical ABI of the Component Model does: where a value and its parts are in a linear
// memory, and which core values it is passed as. The rules are those of CanonicalABI.md, sections "Despecialization",
// "Alignment", "Element Size" and "Flattening".
package abi

import (
	"slices"

	"github.com/weft-run/weft/wit"
)

// Core is the type of a core value.
type Core string

// The core types that values are passed as.
const (
	I32 Core = "i32"
	I64 Core = "i64"
	F32 Core = "f32"
	F64 Core = "f64"
)

// The limits of the flat calling convention: beyond them, values go through memory.
const (
	maxFlatParams  = 16
	maxFlatResults = 1
)

// Layout is how a type is represented.
type Layout struct {
	// Size and Align are in bytes.
	Size, Align uint32
	// Flat are the core values.
	Flat []Core
}

// Layouts computes layouts, each once. It is not safe for concurrent use.
type Layouts struct{ known map[*wit.Type]Layout }

// Of returns the layout of a type; that of nil is empty.
func (l *Layouts) Of(t *wit.Type) Layout {
	if t == nil {
		return Layout{Align: 1}
	}
	if known, ok := l.known[t]; ok {
		return known
	}
	if l.known == nil {
		l.known = make(map[*wit.Type]Layout)
	}
	l.known[t] = l.anew(t)
	return l.known[t]
}

func (l *Layouts) anew(t *wit.Type) Layout {
	switch t.Kind {
	case wit.Bool, wit.S8, wit.U8:
		return Layout{1, 1, []Core{I32}}
	case wit.S16, wit.U16:
		return Layout{2, 2, []Core{I32}}
	case wit.S32, wit.U32, wit.Char, wit.Own, wit.Borrow:
		return Layout{4, 4, []Core{I32}}
	case wit.S64, wit.U64:
		return Layout{8, 8, []Core{I64}}
	case wit.F32:
		return Layout{4, 4, []Core{F32}}
	case wit.F64:
		return Layout{8, 8, []Core{F64}}
	case wit.String, wit.List:
		return Layout{8, 4, []Core{I32, I32}}
	case wit.Flags:
		size := uint32(FlagBits(t) / 8)
		return Layout{size, size, []Core{I32}}
	case wit.Record, wit.Tuple:
		layout, _ := l.Fields(Types(t.Fields))
		return layout
	default:
		return l.variant(Payloads(t))
	}
}

// Fields returns the layout of a record or of parameters, and the offset of each field.
func (l *Layouts) Fields(list []*wit.Type) (Layout, []uint32) {
	layout, offsets := Layout{Align: 1}, make([]uint32, len(list))
	for n, t := range list {
		f := l.Of(t)
		offsets[n] = alignUp(layout.Size, f.Align)
		layout.Size = offsets[n] + f.Size
		layout.Align = max(layout.Align, f.Align)
		layout.Flat = append(layout.Flat, f.Flat...)
	}
	layout.Size = alignUp(layout.Size, layout.Align)
	return layout, offsets
}

// variant returns the layout of a variant of cases with these payloads.
func (l *Layouts) variant(list []*wit.Type) Layout {
	tag := TagSize(len(list))
	layout, payload := Layout{Align: tag, Flat: []Core{I32}}, uint32(0)
	for _, t := range list {
		p := l.Of(t)
		layout.Align = max(layout.Align, p.Align)
		payload = max(payload, p.Size)
		for n, c := range p.Flat {
			if n+1 < len(layout.Flat) {
				layout.Flat[n+1] = join(layout.Flat[n+1], c)
			} else {
				layout.Flat = append(layout.Flat, c)
			}
		}
	}
	layout.Size = alignUp(l.PayloadOffset(list)+payload, layout.Align)
	return layout
}

// PayloadOffset returns where the payload of a variant begins.
func (l *Layouts) PayloadOffset(list []*wit.Type) uint32 {
	align := uint32(1)
	for _, t := range list {
		align = max(align, l.Of(t).Align)
	}
	return alignUp(TagSize(len(list)), align)
}

// TagSize is the size in bytes of what tells so many cases apart.
func TagSize(cases int) uint32 {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	default:
		return 4
	}
}

// join returns the type that holds values of both.
func join(a, b Core) Core {
	switch {
	case a == b:
		return a
	case (a == I32 || a == F32) && (b == I32 || b == F32):
		return I32
	default:
		return I64
	}
}

// Convention is how a function is called with core values.
type Convention struct {
	// Params are the core values of the parameters; the address of their record in memory if Spilled.
	Params  []Core
	Spilled bool
	// Result are the core values of the result, one at most; its address in memory if Returned.
	Result   []Core
	Returned bool
}

// Convention returns how a function is called.
func (l *Layouts) Convention(f *wit.Function) Convention {
	params, _ := l.Fields(Types(f.Params))
	c := Convention{Params: params.Flat, Result: l.Of(f.Result).Flat}
	if c.Spilled = len(c.Params) > maxFlatParams; c.Spilled {
		c.Params = []Core{I32}
	}
	if c.Returned = len(c.Result) > maxFlatResults; c.Returned {
		c.Result = []Core{I32}
	}
	return c
}

// Import returns the type that the function has for whoever imports it: who calls says where in memory the result is to go.
func (c Convention) Import() (params, result []Core) {
	if c.Returned {
		return append(slices.Clone(c.Params), I32), nil
	}
	return c.Params, c.Result
}

func alignUp(n, align uint32) uint32 { return (n + align - 1) / align * align }

// FlagBits is the width of the integer that holds flags.
func FlagBits(t *wit.Type) int {
	switch n := len(t.Cases); {
	case n <= 8:
		return 8
	case n <= 16:
		return 16
	default:
		return 32
	}
}

// Types are the types of fields.
func Types(fields []wit.Field) []*wit.Type {
	list := make([]*wit.Type, len(fields))
	for n, f := range fields {
		list[n] = f.Type
	}
	return list
}

// Payloads are the payloads of whatever is a variant to the canonical ABI.
func Payloads(t *wit.Type) []*wit.Type {
	switch t.Kind {
	case wit.Option:
		return []*wit.Type{nil, t.Elem}
	case wit.Result:
		return []*wit.Type{t.Ok, t.Err}
	default:
		list := make([]*wit.Type, len(t.Cases))
		for n, c := range t.Cases {
			list[n] = c.Type
		}
		return list
	}
}
