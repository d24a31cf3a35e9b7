package bindgen

import "github.com/weft-run/weft/wit"

// core is a WebAssembly type, as Go spells it in an imported or exported function.
type core string

const (
	i32 core = "uint32"
	i64 core = "uint64"
	f32 core = "float32"
	f64 core = "float64"
)

// The limits of the flat calling convention.
const (
	maxFlatParams  = 16
	maxFlatResults = 1
)

// layout is how the canonical ABI represents a type: section "Despecialization" and the following of the Component
// Model's CanonicalABI.md.
type layout struct {
	size, align uint32
	flat        []core
}

// layoutOf returns the layout of a type; that of nil is empty.
func (g *generator) layoutOf(t *wit.Type) layout {
	if t == nil {
		return layout{align: 1}
	}
	if l, ok := g.layouts[t]; ok {
		return l
	}
	l := g.layoutAnew(t)
	g.layouts[t] = l
	return l
}

func (g *generator) layoutAnew(t *wit.Type) layout {
	switch t.Kind {
	case wit.Bool, wit.S8, wit.U8:
		return layout{1, 1, []core{i32}}
	case wit.S16, wit.U16:
		return layout{2, 2, []core{i32}}
	case wit.S32, wit.U32, wit.Char, wit.Own, wit.Borrow:
		return layout{4, 4, []core{i32}}
	case wit.S64, wit.U64:
		return layout{8, 8, []core{i64}}
	case wit.F32:
		return layout{4, 4, []core{f32}}
	case wit.F64:
		return layout{8, 8, []core{f64}}
	case wit.String, wit.List:
		return layout{8, 4, []core{i32, i32}}
	case wit.Flags:
		size := uint32(flagBits(t) / 8)
		return layout{size, size, []core{i32}}
	case wit.Record, wit.Tuple:
		l, _ := g.fields(types(t.Fields))
		return l
	default:
		return g.variant(payloads(t))
	}
}

// fields returns the layout of a record, and the offset of each field.
func (g *generator) fields(list []*wit.Type) (layout, []uint32) {
	l, offsets := layout{align: 1}, make([]uint32, len(list))
	for n, t := range list {
		f := g.layoutOf(t)
		offsets[n] = alignUp(l.size, f.align)
		l.size = offsets[n] + f.size
		l.align = max(l.align, f.align)
		l.flat = append(l.flat, f.flat...)
	}
	l.size = alignUp(l.size, l.align)
	return l, offsets
}

// variant returns the layout of a variant of cases with these payloads.
func (g *generator) variant(list []*wit.Type) layout {
	tag := tagSize(len(list))
	l, payload := layout{align: tag, flat: []core{i32}}, uint32(0)
	for _, t := range list {
		p := g.layoutOf(t)
		l.align = max(l.align, p.align)
		payload = max(payload, p.size)
		for n, c := range p.flat {
			if n+1 < len(l.flat) {
				l.flat[n+1] = join(l.flat[n+1], c)
			} else {
				l.flat = append(l.flat, c)
			}
		}
	}
	l.size = alignUp(g.payloadOffset(list)+payload, l.align)
	return l
}

// payloadOffset returns where the payload of a variant begins.
func (g *generator) payloadOffset(list []*wit.Type) uint32 {
	align := uint32(1)
	for _, t := range list {
		align = max(align, g.layoutOf(t).align)
	}
	return alignUp(tagSize(len(list)), align)
}

// tagSize is the size of what tells so many cases apart.
func tagSize(cases int) uint32 {
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
func join(a, b core) core {
	switch {
	case a == b:
		return a
	case (a == i32 || a == f32) && (b == i32 || b == f32):
		return i32
	default:
		return i64
	}
}

func alignUp(n, align uint32) uint32 { return (n + align - 1) / align * align }

// flagBits is the width of the integer that holds flags.
func flagBits(t *wit.Type) int {
	switch n := len(t.Cases); {
	case n <= 8:
		return 8
	case n <= 16:
		return 16
	default:
		return 32
	}
}

// types are the types of fields.
func types(fields []wit.Field) []*wit.Type {
	list := make([]*wit.Type, len(fields))
	for n, f := range fields {
		list[n] = f.Type
	}
	return list
}

// payloads are the payloads of whatever is a variant to the canonical ABI.
func payloads(t *wit.Type) []*wit.Type {
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
