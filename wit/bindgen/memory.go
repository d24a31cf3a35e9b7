package bindgen

import (
	"fmt"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
)

// scalar tells whether values of a type lie in memory as Go has them.
func scalar(t *wit.Type) bool {
	switch t.Kind {
	case wit.String:
		return false
	case wit.Enum, wit.Flags:
		return true
	default:
		return plainTypes[t.Kind] != ""
	}
}

// mover returns the function that loads or stores values of a type.
func (p *pkg) mover(w way, t *wit.Type) string {
	upper := "Load"
	if w == storing {
		upper = "Store"
	}
	switch {
	case t.Kind == wit.String:
		return p.guest(upper + "String")
	case scalar(t):
		return fmt.Sprintf("%s[%s]", p.guest(upper), p.goType(t))
	case t.Kind == wit.List && scalar(t.Elem):
		return fmt.Sprintf("%s[%s]", p.guest(upper+"Scalars"), p.goType(t.Elem))
	default:
		return p.compoundMover(w, t)
	}
}

// load returns the expression of a value at an address.
func (p *pkg) load(t *wit.Type, ptr string) string {
	return fmt.Sprintf("%s(%s)", p.mover(loading, t), ptr)
}

// store returns the statement that writes a value to an address.
func (p *pkg) store(t *wit.Type, ptr, value string) string {
	return fmt.Sprintf("%s(%s, %s)", p.mover(storing, t), ptr, value)
}

// loadMover writes a function that loads values of a compound type.
func (p *pkg) loadMover(name string, t *wit.Type) {
	p.printf("func %s(p %s) %s {\n", name, p.guest("Ptr"), p.goType(t))
	switch t.Kind {
	case wit.List:
		p.printf("return %s(p, %d, %s)\n", p.guest("LoadList"), p.g.layouts.Of(t.Elem).Size, p.mover(loading, t.Elem))
	case wit.Own, wit.Borrow:
		p.printf("return %s\n", p.lift(t, []string{p.guest("Load") + "[uint32](p)"}))
	case wit.Record, wit.Tuple:
		_, offsets := p.g.layouts.Fields(abi.Types(t.Fields))
		p.printf("return %s{\n", p.goType(t))
		for n, f := range t.Fields {
			p.printf("%s: %s,\n", p.member(t, n), p.load(f.Type, at("p", offsets[n])))
		}
		p.printf("}\n")
	default:
		offset := p.g.layouts.PayloadOffset(abi.Payloads(t))
		p.cases(t, p.tag(t), func(of *wit.Type) string { return p.load(of, at("p", offset)) })
	}
	p.printf("}\n\n")
}

// tag returns the expression of a variant's tag at p.
func (p *pkg) tag(t *wit.Type) string {
	return fmt.Sprintf("%s[uint%d](p)", p.guest("Load"), 8*abi.TagSize(len(abi.Payloads(t))))
}

// storeMover writes a function that stores values of a compound type.
func (p *pkg) storeMover(name string, t *wit.Type) {
	p.printf("func %s(p %s, v %s) {\n", name, p.guest("Ptr"), p.goType(t))
	switch t.Kind {
	case wit.List:
		l := p.g.layouts.Of(t.Elem)
		p.printf("%s(p, v, %d, %d, %s)\n", p.guest("StoreList"), l.Size, l.Align, p.mover(storing, t.Elem))
	case wit.Own, wit.Borrow:
		p.printf("%s[uint32](p, %s)\n", p.guest("Store"), p.lower(t, "v"))
	case wit.Record, wit.Tuple:
		_, offsets := p.g.layouts.Fields(abi.Types(t.Fields))
		for n, f := range t.Fields {
			p.printf("%s\n", p.store(f.Type, at("p", offsets[n]), "v."+p.member(t, n)))
		}
	default:
		offset := p.g.layouts.PayloadOffset(abi.Payloads(t))
		tag := fmt.Sprintf("%s[uint%d]", p.guest("Store"), 8*abi.TagSize(len(abi.Payloads(t))))
		p.choose(t, func(n int, of *wit.Type, value string) {
			p.printf("%s(p, %d)\n", tag, n)
			if of != nil {
				p.printf("%s\n", p.store(of, at("p", offset), value))
			}
		})
	}
	p.printf("}\n\n")
}
