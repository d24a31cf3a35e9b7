package bindgen

import (
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
)

// helpers are the functions that move values of compound types. Each is written once, when it is used first.
type helpers struct {
	names names
	known map[string]string // by what they do, then what to
	queue []func()
}

// way is a way of a value between Go and the canonical ABI.
type way string

const (
	loading  way = "load"  // from memory
	storing  way = "store" // to memory
	lifting  way = "lift"  // from flat values
	lowering way = "lower" // to flat values
)

// helper returns the name of the function that moves values of a compound type.
func (p *pkg) helper(w way, t *wit.Type) string {
	key := string(w) + " " + p.identity(t)
	if name, ok := p.helpers.known[key]; ok {
		return name
	}
	label := p.label(t)
	if len(label) > 60 {
		label = label[:60]
	}
	name := p.helpers.names.claim(string(w) + label)
	p.helpers.known[key] = name
	p.helpers.queue = append(p.helpers.queue, func() {
		switch w {
		case loading:
			p.loadHelper(name, t)
		case storing:
			p.storeHelper(name, t)
		case lifting:
			p.liftHelper(name, t)
		case lowering:
			p.lowerHelper(name, t)
		}
	})
	return name
}

// writeHelpers writes all that is used, and what that uses.
func (p *pkg) writeHelpers() {
	for len(p.helpers.queue) > 0 {
		first := p.helpers.queue[0]
		p.helpers.queue = p.helpers.queue[1:]
		first()
	}
}

// identity tells types apart that are moved in different ways.
func (p *pkg) identity(t *wit.Type) string {
	if t == nil {
		return "_"
	}
	var parts []string
	switch t.Kind {
	case wit.List, wit.Option:
		parts = []string{p.identity(t.Elem)}
	case wit.Result:
		parts = []string{p.identity(t.Ok), p.identity(t.Err)}
	case wit.Tuple:
		for _, f := range t.Fields {
			parts = append(parts, p.identity(f.Type))
		}
	case wit.Own, wit.Borrow:
		parts = []string{p.goType(t)}
	case wit.Record, wit.Variant, wit.Enum, wit.Flags:
		return p.goType(t)
	}
	return t.Kind.String() + "<" + strings.Join(parts, ",") + ">"
}

// label is a type as a part of a Go name.
func (p *pkg) label(t *wit.Type) string {
	switch {
	case t == nil:
		return "Nothing"
	case plainTypes[t.Kind] != "":
		return exported(t.Kind.String())
	}
	switch t.Kind {
	case wit.List:
		return "List" + p.label(t.Elem)
	case wit.Option:
		return "Option" + p.label(t.Elem)
	case wit.Result:
		return "Result" + p.label(t.Ok) + p.label(t.Err)
	case wit.Tuple:
		labels := []string{"Tuple"}
		for _, f := range t.Fields {
			labels = append(labels, p.label(f.Type))
		}
		return strings.Join(labels, "")
	case wit.Own:
		return p.g.ownerOf(t.Resource.Interface).types[t.Resource]
	case wit.Borrow:
		return "Borrowed" + p.g.ownerOf(t.Resource.Interface).types[t.Resource]
	default:
		return p.g.ownerOf(t.Interface).types[t]
	}
}

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
		return p.helper(w, t)
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

// loadHelper writes a function that loads values of a compound type.
func (p *pkg) loadHelper(name string, t *wit.Type) {
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

// cases writes statements that return the value of a variant, option or result by its tag.
func (p *pkg) cases(t *wit.Type, tag string, payload func(*wit.Type) string) {
	switch t.Kind {
	case wit.Option:
		p.printf("if %s == 0 {\nreturn nil\n}\n", tag)
		if nilable(t.Elem) {
			p.printf("return %s\n", payload(t.Elem))
		} else {
			p.printf("v := %s\nreturn &v\n", payload(t.Elem))
		}
	case wit.Result:
		side := func(function string, of *wit.Type) string {
			value := "struct{}{}"
			if of != nil {
				value = payload(of)
			}
			return fmt.Sprintf("%s[%s, %s](%s)", p.guest(function), p.goType(t.Ok), p.goType(t.Err), value)
		}
		p.printf("if %s == 0 {\nreturn %s\n}\nreturn %s\n", tag, side("OK", t.Ok), side("Err", t.Err))
	default:
		p.printf("switch tag := %s; tag {\n", tag)
		for n, c := range t.Cases {
			p.printf("case %d:\nreturn %s{", n, p.member(t, n))
			if c.Type != nil {
				p.printf("Value: %s", payload(c.Type))
			}
			p.printf("}\n")
		}
		p.printf("default:\npanic(%s(%q, tag))\n}\n", p.guest("Unknown"), t.Name)
	}
}

// storeHelper writes a function that stores values of a compound type.
func (p *pkg) storeHelper(name string, t *wit.Type) {
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

// writes tells whether a function writes something, which is not kept.
func (p *pkg) writes(f func()) bool {
	kept := p.file
	p.file = &file{imports: kept.imports}
	defer func() { p.file = kept }()
	f()
	return p.file.Len() > 0
}

// choose writes statements that branch by the case of v.
func (p *pkg) choose(t *wit.Type, branch func(n int, payload *wit.Type, value string)) {
	switch t.Kind {
	case wit.Option:
		value := "*v"
		if nilable(t.Elem) {
			value = "v"
		}
		p.printf("if v != nil {\n")
		branch(1, t.Elem, value)
		if p.writes(func() { branch(0, nil, "") }) {
			p.printf("} else {\n")
			branch(0, nil, "")
		}
		p.printf("}\n")
	case wit.Result:
		p.printf("if v.Failed {\n")
		branch(1, t.Err, "v.Err")
		p.printf("} else {\n")
		branch(0, t.Ok, "v.OK")
		p.printf("}\n")
	default:
		p.printf("switch v := v.(type) {\n")
		for n, c := range t.Cases {
			p.printf("case %s:\n", p.member(t, n))
			branch(n, c.Type, "v.Value")
		}
		p.printf("default:\npanic(%s(%q, v))\n}\n", p.guest("Unknown"), t.Name)
	}
}
