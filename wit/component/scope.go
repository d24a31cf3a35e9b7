package component

import "github.com/weft-run/weft/wit"

// entity is what an index space holds: a *typeDef, a *wit.Function without name (a function, known by its type), an
// *instance, a *body (a component) or an opaque.
type entity any

// opaque is an entity whose type does not matter; it says what it is.
type opaque string

const (
	coreModule opaque = "core module"
	value      opaque = "value"
)

// describe says what an entity is.
func describe(e entity) string {
	switch e := e.(type) {
	case *typeDef:
		return "type"
	case *wit.Function:
		return "function"
	case *instance:
		return "instance"
	case *body:
		return "component"
	case opaque:
		return string(e)
	default:
		return "nothing"
	}
}

// typeDef is a type: one of its pointers is set.
type typeDef struct {
	typ      *wit.Type
	resource *wit.Resource
	fn       *wit.Function
	// body is an instance type or a component type.
	body *body
	// depth and size are those of typ as a tree.
	depth, size int
}

// body is code that is evaluated where it is used: a component, a component type or an instance type.
type body struct {
	kind       bodyKind
	start, end int
	section    string
	// outer is the scope around it, of which it sees the first types and components.
	outer             *scope
	types, components int
}

type bodyKind uint8

const (
	isComponent bodyKind = iota
	isComponentType
	isInstanceType
)

// scope holds the index spaces of one evaluation of a body.
type scope struct {
	body *body // nil for the outermost component
	// args are what the imports are bound to. If it is nil, nobody knows: imports are what they declare.
	args map[string]entity

	types      []*typeDef
	funcs      []*wit.Function
	instances  []*instance
	components []*body

	imports []extern
	exports instance
	// names are those of the imports.
	names names
}

// extern is an import or an export.
type extern struct {
	externName
	entity entity
	pos    int
}

// define appends an entity to its index space.
func (s *scope) define(e entity) {
	switch e := e.(type) {
	case *typeDef:
		s.types = append(s.types, e)
	case *wit.Function:
		s.funcs = append(s.funcs, e)
	case *instance:
		s.instances = append(s.instances, e)
	case *body:
		s.components = append(s.components, e)
	}
}

// instance is a list of exports.
type instance struct {
	list  []extern
	names names
}

// get returns an export, or nil.
func (i *instance) get(name string) entity {
	if at, ok := i.names.find(name); ok && i.list[at].name == name {
		return i.list[at].entity
	}
	return nil
}

// add appends an export.
func (i *instance) add(r *reader, x extern) {
	r.addName(&i.names, x.pos, x.name, "export")
	i.list = append(i.list, x)
}

// instantiate evaluates a component with its arguments.
func (d *decoder) instantiate(r *reader, b *body, args map[string]entity) *instance {
	s := &scope{body: b, args: args}
	code := &reader{d: d, data: r.data, pos: b.start, end: b.end, section: b.section}
	if b.kind == isComponent {
		d.component(code, s)
	} else {
		d.declarations(code, s, nil)
	}
	return &s.exports
}

// bind evaluates an instance type. If actual is not nil, the result shows of it what the type declares.
func (d *decoder) bind(r *reader, b *body, actual *instance) *instance {
	s := &scope{body: b}
	d.declarations(&reader{d: d, data: r.data, pos: b.start, end: b.end, section: b.section}, s, actual)
	return &s.exports
}

// typeAt returns a type by index.
func (s *scope) typeAt(r *reader) *typeDef {
	return s.types[r.index(len(s.types), "type")]
}

// outer reads how many scopes to go outwards, and returns what is visible there of types and components.
func (s *scope) outer(r *reader) ([]*typeDef, []*body) {
	start := r.pos
	types, components := s.types, s.components
	for range r.u32() {
		b := s.body
		if b == nil {
			r.failAt(start, "an alias leads out of the component")
		}
		s = b.outer
		types, components = s.types[:b.types], s.components[:b.components]
	}
	return types, components
}
