package compose

import (
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasm"
)

// scope writes types: into the declarations of an imported interface, or, where that is nil, into the outer component itself.
type scope struct {
	outer *outer
	part  *Part // for errors
	in    *imported

	decls []byte
	count int // declarations
	types int // size of the index space

	// known are the indices of types without a name, outside those of types of other interfaces, and named those of the
	// interface's or the world's own types.
	known   map[*wit.Type]int
	outside map[typeName]int
	named   map[string]int
	depth   int
}

// maxDepth bounds the nesting of types; what package component decodes is nested less.
const maxDepth = 200

func (o *outer) newScope(p *Part, in *imported) *scope {
	return &scope{outer: o, part: p, in: in, known: map[*wit.Type]int{}, outside: map[typeName]int{}, named: map[string]int{}}
}

func (s *scope) fail(format string, args ...any) error {
	e := &Error{Part: s.part.Name, Msg: fmt.Sprintf(format, args...)}
	if s.in != nil {
		e.Import = s.in.iface.ID
	}
	return e
}

// define adds a type and returns its index.
func (s *scope) define(content string) int {
	if s.in == nil {
		s.outer.item(typeSection, content)
		s.outer.types++
		return s.outer.types - 1
	}
	s.declare("\x01" + content)
	s.types++
	return s.types - 1
}

func (s *scope) declare(content string) {
	s.decls = append(s.decls, content...)
	s.count++
}

// export declares an export.
func (s *scope) export(name, as string) { s.declare("\x04" + externName(name) + as) }

// own returns the index of a type of the interface that is being written, which is declared at its first use.
func (s *scope) own(name string) (int, error) {
	if index, ok := s.named[name]; ok {
		return index, nil
	}
	t, ok := s.in.types[name]
	if !ok {
		return 0, s.fail("the interface has no type %s, which it uses", name)
	}
	as := sortType + "\x01" // a resource
	if t.Resource == nil || !s.isOwn(t.Resource.Interface) || t.Resource.Name != name {
		index, err := s.namedType(t)
		if err != nil {
			return 0, err
		}
		as = sortType + "\x00" + wasm.Uint(index)
	}
	s.export(name, as)
	s.named[name] = s.types
	s.types++
	return s.named[name], nil
}

// isOwn tells whether the types of an interface are those of the one that is being written.
func (s *scope) isOwn(owner *wit.Interface) bool {
	switch {
	case s.in == nil || owner == nil:
		return false
	case s.in.exported != nil:
		return owner == s.in.exported
	default:
		return owner.ID == s.in.iface.ID
	}
}

// namedType returns the index of what a name stands for.
func (s *scope) namedType(t wit.NamedType) (int, error) {
	if t.Resource != nil {
		return s.reference(t.Resource.Interface, t.Resource.Name)
	}
	defines := t.Type.Name == t.Name && (s.isOwn(t.Type.Interface) || s.in == nil && t.Type.Interface == nil)
	if hasName(t.Type) && !defines {
		return s.reference(t.Type.Interface, t.Type.Name)
	}
	content, err := s.content(t.Type)
	if err != nil {
		return 0, err
	}
	return s.define(content), nil
}

func hasName(t *wit.Type) bool { return t.Name != "" }

// reference returns the index of a type with a name of its own.
func (s *scope) reference(owner *wit.Interface, name string) (int, error) {
	if s.isOwn(owner) {
		return s.own(name)
	}
	t := typeName{name: name}
	if owner != nil {
		_, exported := s.outer.exports[owner]
		t.iface, t.exported = owner.ID, exported
	}
	if index, ok := s.outside[t]; ok {
		return index, nil
	}
	index, err := s.elsewhere(owner, name)
	if err != nil {
		return 0, err
	}
	if s.in != nil {
		s.declare("\x02" + sortType + aliasOfOuter + wasm.Uint(1) + wasm.Uint(index))
		index = s.types
		s.types++
	}
	s.outside[t] = index
	return index, nil
}

// elsewhere returns the index, in the outer component, of a type that is not of the interface that is being written.
func (s *scope) elsewhere(owner *wit.Interface, name string) (int, error) {
	if owner != nil {
		return s.outer.alias(s.part, owner, name)
	}
	if world := s.outer.world; world != nil {
		if index, ok := world.named[name]; ok {
			return index, nil
		}
	}
	return 0, s.fail("it uses the type %s, which no interface defines", name)
}

// value returns a type as the type of a value.
func (s *scope) value(t *wit.Type) (string, error) {
	if p, ok := primitives[t.Kind]; ok {
		return p, nil
	}
	if hasName(t) {
		index, err := s.reference(t.Interface, t.Name)
		return typeRef(index), err
	}
	if index, ok := s.known[t]; ok {
		return typeRef(index), nil
	}
	content, err := s.content(t)
	if err != nil {
		return "", err
	}
	s.known[t] = s.define(content)
	return typeRef(s.known[t]), nil
}

var primitives = map[wit.Kind]string{
	wit.Bool: "\x7f", wit.S8: "\x7e", wit.U8: "\x7d", wit.S16: "\x7c", wit.U16: "\x7b", wit.S32: "\x7a", wit.U32: "\x79",
	wit.S64: "\x78", wit.U64: "\x77", wit.F32: "\x76", wit.F64: "\x75", wit.Char: "\x74", wit.String: "\x73", wit.ErrorContext: "\x64",
}

// content returns the definition of a type.
func (s *scope) content(t *wit.Type) (string, error) {
	if s.depth++; s.depth > maxDepth {
		return "", ErrTooComplex
	}
	defer func() { s.depth-- }()
	content, err := s.parts(t)
	if err == nil {
		err = s.outer.spend(len(content))
	}
	return content, err
}

func (s *scope) parts(t *wit.Type) (string, error) {
	switch t.Kind {
	case wit.Record:
		return s.fields("\x72", t.Fields)
	case wit.Variant:
		return list("\x71", len(t.Cases), func(n int) (string, error) {
			payload, err := s.optional(t.Cases[n].Type)
			return wasm.Sized(t.Cases[n].Name) + payload + "\x00", err
		})
	case wit.Flags, wit.Enum:
		begin := map[wit.Kind]string{wit.Flags: "\x6e", wit.Enum: "\x6d"}[t.Kind]
		return list(begin, len(t.Cases), func(n int) (string, error) { return wasm.Sized(t.Cases[n].Name), nil })
	case wit.Tuple:
		return list("\x6f", len(t.Fields), func(n int) (string, error) { return s.value(t.Fields[n].Type) })
	case wit.Result:
		ok, err := s.optional(t.Ok)
		if err != nil {
			return "", err
		}
		failure, err := s.optional(t.Err)
		return "\x6a" + ok + failure, err
	case wit.Own, wit.Borrow:
		index, err := s.reference(t.Resource.Interface, t.Resource.Name)
		return map[wit.Kind]string{wit.Own: "\x69", wit.Borrow: "\x68"}[t.Kind] + wasm.Uint(index), err
	case wit.List:
		elem, err := s.value(t.Elem)
		return "\x70" + elem, err
	case wit.Option:
		elem, err := s.value(t.Elem)
		return "\x6b" + elem, err
	default:
		if p, ok := primitives[t.Kind]; ok {
			return p, nil
		}
		return "", s.fail("a type of kind %v can't be linked", t.Kind)
	}
}

// fields writes the fields of a record or the parameters of a function, with what begins it.
func (s *scope) fields(begin string, fields []wit.Field) (string, error) {
	return list(begin, len(fields), func(n int) (string, error) {
		t, err := s.value(fields[n].Type)
		return wasm.Sized(fields[n].Name) + t, err
	})
}

// list writes so many items, with what begins the list.
func list(begin string, count int, item func(int) (string, error)) (string, error) {
	var b strings.Builder
	b.WriteString(begin + wasm.Uint(count))
	for n := range count {
		content, err := item(n)
		if err != nil {
			return "", err
		}
		b.WriteString(content)
	}
	return b.String(), nil
}

func (s *scope) optional(t *wit.Type) (string, error) {
	if t == nil {
		return "\x00", nil
	}
	content, err := s.value(t)
	return "\x01" + content, err
}

// function writes the type of a function.
func (s *scope) function(f *wit.Function) (string, error) {
	begin := "\x40"
	if f.Async {
		begin = "\x43"
	}
	content, err := s.fields(begin, f.Params)
	if err != nil {
		return "", err
	}
	if f.Result == nil {
		return content + "\x01\x00", nil
	}
	result, err := s.value(f.Result)
	return content + "\x00" + result, err
}
