package component

import "github.com/weft-run/weft/wit"

// primitives are the types that one byte stands for.
var primitives = map[byte]*typeDef{
	0x7f: primitive(wit.Bool), 0x7e: primitive(wit.S8), 0x7d: primitive(wit.U8), 0x7c: primitive(wit.S16),
	0x7b: primitive(wit.U16), 0x7a: primitive(wit.S32), 0x79: primitive(wit.U32), 0x78: primitive(wit.S64),
	0x77: primitive(wit.U64), 0x76: primitive(wit.F32), 0x75: primitive(wit.F64), 0x74: primitive(wit.Char),
	0x73: primitive(wit.String), 0x64: primitive(wit.ErrorContext),
}

func primitive(k wit.Kind) *typeDef {
	return &typeDef{typ: &wit.Type{Kind: k}, depth: 1, size: 1}
}

// typeDef reads the definition of a type.
func (d *decoder) typeDef(r *reader, s *scope) *typeDef {
	switch b := r.byte(); b {
	case 0x3f:
		if rep := r.byte(); rep != 0x7f && rep != 0x7e {
			r.unknown("representation of a resource", rep)
		}
		switch dtor := r.byte(); dtor {
		case 0:
		case 1:
			r.u32()
		default:
			r.unknown("mark of a destructor", dtor)
		}
		return &typeDef{resource: &wit.Resource{}}
	case 0x40, 0x43:
		return &typeDef{fn: d.function(r, s, b == 0x43)}
	case 0x41, 0x42:
		t := &body{
			kind: isComponentType, start: r.pos, section: r.section,
			outer: s, types: len(s.types), components: len(s.components),
		}
		if b == 0x42 {
			t.kind = isInstanceType
		}
		d.declarations(r, &scope{body: t}, nil) // once, to find its end
		t.end = r.pos
		return &typeDef{body: t}
	default:
		if p := primitives[b]; p != nil {
			return p
		}
		return d.composite(r, s, b)
	}
}

// declarations evaluates the body of an instance type or a component type. If actual is not nil, it binds what the type declares as
// exports to the exports of actual.
func (d *decoder) declarations(r *reader, s *scope, actual *instance) {
	d.enter(r)
	defer d.leave()
	for range r.count("declarations") {
		r.spend(defCost)
		switch b := r.byte(); b {
		case 0x00:
			d.coreType(r)
		case 0x01:
			s.define(d.typeDef(r, s))
		case 0x02:
			d.alias(r, s)
		case 0x03:
			if s.body.kind != isComponentType {
				r.failAt(r.pos-1, "an instance type can not import")
			}
			d.importing(r, s)
		case 0x04:
			start := r.pos
			name := r.externName()
			var e entity
			if actual != nil {
				if e = actual.get(name.name); e == nil {
					r.failAt(start, "an instance lacks the export %q that its type declares", name.name)
				}
			}
			e = d.externType(r, s, e)
			s.exports.add(r, extern{externName: name, entity: e, pos: start})
			s.define(e)
		default:
			r.unknown("declaration in a type", b)
		}
	}
}

// externType reads the type of an import or export and returns an entity of that type. If actual is not nil, the result is
// actual as seen through the type: types stay what they are.
func (d *decoder) externType(r *reader, s *scope, actual entity) entity {
	start := r.pos
	e := d.externTypeOf(r, s, actual)
	if actual != nil && describe(e) != describe(actual) {
		r.failAt(start, "a %s stands where the type says %s", describe(actual), describe(e))
	}
	return e
}

func (d *decoder) externTypeOf(r *reader, s *scope, actual entity) entity {
	switch b := r.byte(); b {
	case 0x00:
		return coreItem(r)
	case 0x01:
		start := r.pos
		t := s.typeAt(r)
		if t.fn == nil {
			r.failAt(start, "this type is not a function type")
		}
		return t.fn
	case 0x02:
		d.valueType(r, s)
		return value
	case 0x03:
		return d.bound(r, s, actual)
	case 0x04:
		t := d.bodyAt(r, s, isComponentType)
		if c, ok := actual.(*body); ok {
			return c
		}
		return t
	case 0x05:
		t := d.bodyAt(r, s, isInstanceType)
		i, _ := actual.(*instance)
		return d.bind(r, t, i)
	default:
		r.unknown("sort of import or export", b)
		return nil
	}
}

// bound reads the bound of a type and returns a type that fits it.
func (d *decoder) bound(r *reader, s *scope, actual entity) *typeDef {
	a, bound := actual.(*typeDef)
	switch b := r.byte(); b {
	case 0x00:
		t := s.typeAt(r)
		if bound {
			return a
		}
		return t
	case 0x01:
		if bound && a.resource == nil {
			r.failAt(r.pos-1, "a type that is no resource stands where a resource is declared")
		}
		if bound {
			return a
		}
		return &typeDef{resource: &wit.Resource{}}
	default:
		r.unknown("bound of a type", b)
		return nil
	}
}

// bodyAt reads the index of an instance type or component type.
func (d *decoder) bodyAt(r *reader, s *scope, kind bodyKind) *body {
	start := r.pos
	t := s.typeAt(r)
	if t.body == nil || t.body.kind != kind {
		r.failAt(start, "this type is not of the sort that is needed")
	}
	return t.body
}

// function reads a function type.
func (d *decoder) function(r *reader, s *scope, async bool) *wit.Function {
	f := &wit.Function{Async: async, Params: d.fields(r, s, "parameter", &measure{})}
	f.Result = d.result(r, s)
	return f
}

// result reads the result of a function, nil if there is none.
func (d *decoder) result(r *reader, s *scope) *wit.Type {
	switch b := r.byte(); b {
	case 0x00:
		return d.valueType(r, s).typ
	case 0x01:
		if r.byte() != 0 {
			r.failAt(r.pos-1, "results with names are of an older format; build the component with newer tools")
		}
	default:
		r.unknown("form of results", b)
	}
	return nil
}
