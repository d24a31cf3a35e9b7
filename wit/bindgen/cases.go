package bindgen

import (
	"fmt"

	"github.com/weft-run/weft/wit"
)

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
