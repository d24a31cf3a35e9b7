package bindgen

import (
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
)

var plainTypes = map[wit.Kind]string{
	wit.Bool: "bool", wit.S8: "int8", wit.U8: "uint8", wit.S16: "int16", wit.U16: "uint16", wit.S32: "int32", wit.U32: "uint32",
	wit.S64: "int64", wit.U64: "uint64", wit.F32: "float32", wit.F64: "float64", wit.Char: "rune", wit.String: "string",
}

// maxTuple is the longest tuple that the runtime has a type for.
const maxTuple = 16

// goType returns a type as Go spells it; that of nil is struct{}.
func (p *pkg) goType(t *wit.Type) string {
	if t == nil {
		return "struct{}"
	}
	if name, ok := plainTypes[t.Kind]; ok {
		return name
	}
	switch t.Kind {
	case wit.List:
		if t.Elem.Kind == wit.U8 {
			return "[]byte"
		}
		return "[]" + p.goType(t.Elem)
	case wit.Option:
		if nilable(t.Elem) {
			return p.goType(t.Elem)
		}
		return "*" + p.goType(t.Elem)
	case wit.Result:
		return fmt.Sprintf("%s[%s, %s]", p.guest("Result"), p.goType(t.Ok), p.goType(t.Err))
	case wit.Tuple:
		return p.tupleType(t)
	case wit.Own, wit.Borrow:
		owner := p.g.ownerOf(t.Resource.Interface)
		name := p.qualified(owner, owner.types[t.Resource])
		if owner.export {
			return name
		}
		return "*" + name
	default:
		owner := p.g.ownerOf(t.Interface)
		return p.qualified(owner, owner.types[t])
	}
}

// nilable tells whether a type's Go values can be nil where WIT's can't be missing, so that nil is none in an option.
func nilable(t *wit.Type) bool {
	return t.Kind == wit.Variant || t.Kind == wit.Own || t.Kind == wit.Borrow
}

func (p *pkg) tupleType(t *wit.Type) string {
	var parts []string
	for n, f := range t.Fields {
		part := p.goType(f.Type)
		if len(t.Fields) > maxTuple {
			part = fmt.Sprintf("F%d %s", n, part)
		}
		parts = append(parts, part)
	}
	if len(parts) > maxTuple || len(parts) == 0 {
		return "struct{" + strings.Join(parts, "; ") + "}"
	}
	return fmt.Sprintf("%s[%s]", p.guest(fmt.Sprintf("Tuple%d", len(parts))), strings.Join(parts, ", "))
}

// member returns the Go name of a field, case or flag, qualified where it is one of the package's names.
func (p *pkg) member(t *wit.Type, n int) string {
	if t.Kind == wit.Tuple {
		return fmt.Sprintf("F%d", n)
	}
	owner := p.g.ownerOf(t.Interface)
	name := owner.members[t][n]
	if t.Kind == wit.Record {
		return name
	}
	return p.qualified(owner, name)
}

// defineTypes writes the types of the package.
func (p *pkg) defineTypes() {
	for _, n := range p.iface.Types {
		if n.Resource != nil {
			p.defineResource(n)
			continue
		}
		name, own := p.types[n.Type]
		if !own || n.Type.Name != n.Name {
			p.alias(n)
			continue
		}
		p.defineType(name, n.Type)
	}
}

// alias writes another name of a type, unless the name is taken.
func (p *pkg) alias(n wit.NamedType) {
	name := exported(n.Name)
	if p.top[name] {
		return
	}
	p.top[name] = true
	p.comment(p.g.Comments[p.key()+"#"+n.Name], "")
	p.printf("type %s = %s\n\n", name, p.goType(n.Type))
}

// key is the owner in the keys of package doc.
func (p *pkg) key() string {
	switch {
	case p.world:
		return ""
	case p.iface.Package == "":
		return p.iface.Name
	default:
		return p.iface.Namespace + ":" + p.iface.Package + "/" + p.iface.Name
	}
}

func (p *pkg) defineType(name string, t *wit.Type) {
	p.comment(p.g.Comments.Type(t), fmt.Sprintf("%s is the %s %s.", name, t.Kind, t.Name))
	members := p.members[t]
	switch t.Kind {
	case wit.Record:
		p.printf("type %s struct {\n", name)
		for n, f := range t.Fields {
			p.comment(p.g.Comments.Member(t, f.Name), "")
			p.printf("%s %s\n", members[n], p.goType(f.Type))
		}
		p.printf("}\n\n")
		if p.g.errors[t] {
			p.printf("// Error tells all fields.\nfunc (v %s) Error() string {\ntype fields %s\nreturn %s(%q, fields(v))\n}\n\n",
				name, name, p.guest("Describe"), t.Name)
		}
	case wit.Enum:
		p.constants(name, t, fmt.Sprintf("uint%d", 8*abi.TagSize(len(t.Cases))), "iota")
		var list []string
		for _, c := range t.Cases {
			list = append(list, fmt.Sprintf("%q", c.Name))
		}
		p.printf("// String returns the name in WIT.\nfunc (v %s) String() string {\nreturn %s(int(v), %s)\n}\n\n",
			name, p.guest("Name"), strings.Join(list, ", "))
		if p.g.errors[t] {
			p.printf("// Error returns the name in WIT.\nfunc (v %s) Error() string { return v.String() }\n\n", name)
		}
	case wit.Flags:
		p.constants(name, t, fmt.Sprintf("uint%d", abi.FlagBits(t)), "1 << iota")
	case wit.Variant:
		p.defineVariant(name, t)
	}
}

// constants writes an enum or flags.
func (p *pkg) constants(name string, t *wit.Type, of, value string) {
	p.printf("type %s %s\n\nconst (\n", name, of)
	for n, c := range t.Cases {
		p.comment(p.g.Comments.Member(t, c.Name), "")
		if n == 0 {
			p.printf("%s %s = %s\n", p.members[t][n], name, value)
		} else {
			p.printf("%s\n", p.members[t][n])
		}
	}
	p.printf(")\n\n")
}

// defineVariant writes the sealed interface of a variant and the structs of its cases.
func (p *pkg) defineVariant(name string, t *wit.Type) {
	p.printf("type %s interface {\n", name)
	if p.g.errors[t] {
		p.printf("error\n")
	}
	p.printf("is%s()\n}\n\n", name)
	for n, c := range t.Cases {
		of := p.members[t][n]
		p.comment(p.g.Comments.Member(t, c.Name), fmt.Sprintf("%s is the case %s of %s.", of, c.Name, name))
		if c.Type == nil {
			p.printf("type %s struct{}\n\n", of)
		} else {
			p.printf("type %s struct { Value %s }\n\n", of, p.goType(c.Type))
		}
	}
	for n := range t.Cases {
		p.printf("func (%s) is%s() {}\n", p.members[t][n], name)
	}
	p.printf("\n")
	if !p.g.errors[t] {
		return
	}
	for n, c := range t.Cases {
		of := p.members[t][n]
		if c.Type == nil {
			p.printf("// Error returns the name in WIT.\nfunc (%s) Error() string { return %q }\n\n", of, c.Name)
		} else {
			p.printf("// Error returns the name in WIT and the value.\nfunc (v %s) Error() string { return %s(%q, v.Value) }\n\n",
				of, p.guest("Describe"), c.Name)
		}
	}
}
