package bindgen

import (
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
)

// lift returns the expression of a value from its flat values.
func (p *pkg) lift(t *wit.Type, flat []string) string {
	switch t.Kind {
	case wit.Bool:
		return flat[0] + " != 0"
	case wit.U32, wit.U64, wit.F32, wit.F64:
		return flat[0]
	case wit.S8, wit.U8, wit.S16, wit.U16, wit.S32, wit.S64, wit.Char, wit.Enum, wit.Flags:
		return fmt.Sprintf("%s(%s)", p.goType(t), flat[0])
	case wit.String:
		return fmt.Sprintf("%s(%s)", p.guest("LiftString"), strings.Join(flat, ", "))
	case wit.List:
		if scalar(t.Elem) {
			return fmt.Sprintf("%s[%s](%s)", p.guest("LiftScalars"), p.goType(t.Elem), strings.Join(flat, ", "))
		}
		return fmt.Sprintf("%s(%s, %d, %s)", p.guest("LiftList"), strings.Join(flat, ", "), p.g.layouts.Of(t.Elem).Size, p.mover(loading, t.Elem))
	case wit.Own, wit.Borrow:
		return p.liftHandle(t, flat[0])
	default:
		return fmt.Sprintf("%s(%s)", p.compoundMover(lifting, t), strings.Join(flat, ", "))
	}
}

// lower returns the expression of a value's flat values.
func (p *pkg) lower(t *wit.Type, value string) string {
	switch t.Kind {
	case wit.Bool:
		return fmt.Sprintf("%s(%s)", p.guest("Bit"), value)
	case wit.U32, wit.U64, wit.F32, wit.F64:
		return value
	case wit.S64:
		return fmt.Sprintf("uint64(%s)", value)
	case wit.S8, wit.U8, wit.S16, wit.U16, wit.S32, wit.Char, wit.Enum, wit.Flags:
		return fmt.Sprintf("uint32(%s)", value)
	case wit.String:
		return fmt.Sprintf("%s(%s)", p.guest("LowerString"), value)
	case wit.List:
		if scalar(t.Elem) {
			return fmt.Sprintf("%s(%s)", p.guest("LowerScalars"), value)
		}
		l := p.g.layouts.Of(t.Elem)
		return fmt.Sprintf("%s(%s, %d, %d, %s)", p.guest("LowerList"), value, l.Size, l.Align, p.mover(storing, t.Elem))
	case wit.Own, wit.Borrow:
		return p.lowerHandle(t, value)
	default:
		return fmt.Sprintf("%s(%s)", p.compoundMover(lowering, t), value)
	}
}

// liftHandle returns the expression of a resource from what the host passes for it.
func (p *pkg) liftHandle(t *wit.Type, flat string) string {
	owner := p.g.ownerOf(t.Resource.Interface)
	name := p.qualified(owner, owner.types[t.Resource])
	switch {
	case owner.export && t.Kind == wit.Own:
		return fmt.Sprintf("%sHandles.Receive(%s)", name, flat)
	case owner.export:
		return fmt.Sprintf("%sHandles.Value(%s)", name, flat)
	case t.Kind == wit.Own:
		return fmt.Sprintf("&%s{Handle: %s(%s)}", name, p.guest("NewHandle"), flat)
	default:
		return fmt.Sprintf("%s(&%s{Handle: %s(%s)})", p.guest("Lent"), name, p.guest("NewHandle"), flat)
	}
}

// lowerHandle returns the expression of what the host gets for a resource.
func (p *pkg) lowerHandle(t *wit.Type, value string) string {
	owner := p.g.ownerOf(t.Resource.Interface)
	switch {
	case owner.export:
		return fmt.Sprintf("%sHandles.Own(%s)", p.qualified(owner, owner.types[t.Resource]), value)
	case t.Kind == wit.Own:
		return value + ".Handle.Take()"
	default:
		return value + ".Handle.Borrow()"
	}
}

// liftMover writes a function that lifts values of a compound type.
func (p *pkg) liftMover(name string, t *wit.Type) {
	cores := p.g.layouts.Of(t).Flat
	var list, flat []string
	for n, c := range cores {
		flat = append(flat, fmt.Sprintf("f%d", n))
		list = append(list, fmt.Sprintf("f%d %s", n, goCores[c]))
	}
	p.printf("func %s(%s) %s {\n", name, strings.Join(list, ", "), p.goType(t))
	switch t.Kind {
	case wit.Record, wit.Tuple:
		p.printf("return %s{\n", p.goType(t))
		for n, f := range t.Fields {
			size := len(p.g.layouts.Of(f.Type).Flat)
			p.printf("%s: %s,\n", p.member(t, n), p.lift(f.Type, flat[:size]))
			flat = flat[size:]
		}
		p.printf("}\n")
	default:
		p.cases(t, "f0", func(of *wit.Type) string {
			var cast []string
			for n, c := range p.g.layouts.Of(of).Flat {
				cast = append(cast, p.narrow(flat[n+1], cores[n+1], c))
			}
			return p.lift(of, cast)
		})
	}
	p.printf("}\n\n")
}

// lowerMover writes a function that lowers values of a compound type.
func (p *pkg) lowerMover(name string, t *wit.Type) {
	cores := p.g.layouts.Of(t).Flat
	var list []string
	for n, c := range cores {
		list = append(list, fmt.Sprintf("f%d %s", n, goCores[c]))
	}
	p.printf("func %s(v %s) (%s) {\n", name, p.goType(t), strings.Join(list, ", "))
	switch t.Kind {
	case wit.Record, wit.Tuple:
		next := 0
		for n, f := range t.Fields {
			size := len(p.g.layouts.Of(f.Type).Flat)
			if size > 0 {
				p.printf("%s = %s\n", flatNames("f", next, size), p.lower(f.Type, "v."+p.member(t, n)))
			}
			next += size
		}
	default:
		p.choose(t, func(n int, of *wit.Type, value string) {
			if n > 0 {
				p.printf("f0 = %d\n", n)
			}
			p.lowerPayload(of, value, cores)
		})
	}
	p.printf("return\n}\n\n")
}

// lowerPayload writes the assignment of a payload to f1, f2, ….
func (p *pkg) lowerPayload(t *wit.Type, value string, cores []abi.Core) {
	flat := p.g.layouts.Of(t).Flat
	if len(flat) == 0 {
		return
	}
	same := true
	var wide []string
	for n, c := range flat {
		same = same && c == cores[n+1]
		wide = append(wide, p.widen(fmt.Sprintf("c%d", n+1), c, cores[n+1]))
	}
	lowered := p.lower(t, value)
	switch {
	case same:
		p.printf("%s = %s\n", flatNames("f", 1, len(flat)), lowered)
	case len(flat) == 1:
		p.printf("f1 = %s\n", p.widen(lowered, flat[0], cores[1]))
	default:
		p.printf("%s := %s\n", flatNames("c", 1, len(flat)), lowered)
		p.printf("%s = %s\n", flatNames("f", 1, len(flat)), strings.Join(wide, ", "))
	}
}

func flatNames(prefix string, first, count int) string {
	var list []string
	for n := range count {
		list = append(list, fmt.Sprintf("%s%d", prefix, first+n))
	}
	return strings.Join(list, ", ")
}

// widen converts a flat value to the type that it shares with those of other cases.
func (p *pkg) widen(value string, from, to abi.Core) string {
	switch {
	case from == to:
		return value
	case from == abi.F32 && to == abi.I32:
		return fmt.Sprintf("%s.Float32bits(%s)", p.use("math"), value)
	case from == abi.F32:
		return fmt.Sprintf("uint64(%s.Float32bits(%s))", p.use("math"), value)
	case from == abi.F64:
		return fmt.Sprintf("%s.Float64bits(%s)", p.use("math"), value)
	default:
		return fmt.Sprintf("uint64(%s)", value)
	}
}

// narrow is the inverse of widen.
func (p *pkg) narrow(value string, from, to abi.Core) string {
	switch {
	case from == to:
		return value
	case to == abi.F32 && from == abi.I32:
		return fmt.Sprintf("%s.Float32frombits(%s)", p.use("math"), value)
	case to == abi.F32:
		return fmt.Sprintf("%s.Float32frombits(uint32(%s))", p.use("math"), value)
	case to == abi.F64:
		return fmt.Sprintf("%s.Float64frombits(%s)", p.use("math"), value)
	default:
		return fmt.Sprintf("uint32(%s)", value)
	}
}
