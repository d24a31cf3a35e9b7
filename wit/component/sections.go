package component

import (
	"strings"

	"github.com/weft-run/weft/wit"
)

// sectionNames are the sections of a component, by ID.
var sectionNames = [...]string{
	"custom", "core module", "core instance", "core type", "component", "instance", "alias", "type", "canon", "start",
	"import", "export", "value",
}

// component evaluates the sections of a component.
func (d *decoder) component(r *reader, s *scope) {
	d.enter(r)
	defer d.leave()
	for r.more() {
		start := r.pos
		id := r.byte()
		if int(id) >= len(sectionNames) {
			r.failAt(start, "unknown section %#02x", id)
		}
		r.section = sectionNames[id]
		size := r.u32()
		if uint64(size) > uint64(r.end-r.pos) {
			r.failAt(start, "the section has %d bytes, but the component ends after %d", size, r.end-r.pos)
		}
		p := r.part(int(size), r.section)
		switch r.section {
		case "component":
			d.nested(p, s)
		case "instance":
			d.each(p, "instances", func() { s.define(d.instance(p, s)) })
		case "alias":
			d.each(p, "aliases", func() { d.alias(p, s) })
		case "type":
			d.each(p, "types", func() { s.define(d.typeDef(p, s)) })
		case "canon":
			d.each(p, "canonical functions", func() { d.canon(p, s) })
		case "import":
			d.each(p, "imports", func() { d.importing(p, s) })
		case "export":
			d.each(p, "exports", func() { d.exporting(p, s) })
		}
	}
}

// each reads a section of items.
func (d *decoder) each(r *reader, what string, item func()) {
	for range r.count(what) {
		r.spend(defCost)
		item()
	}
	r.done()
}

// nested defines a component, which is evaluated when it is instantiated.
func (d *decoder) nested(r *reader, s *scope) {
	if !strings.HasPrefix(string(r.data[r.pos:min(r.end, r.pos+len(componentPreamble))]), componentPreamble) {
		r.failAt(r.pos, "a nested component does not begin like a component of version 13")
	}
	r.spend(defCost)
	s.define(&body{
		kind: isComponent, start: r.pos + len(componentPreamble), end: r.end, section: "component",
		outer: s, types: len(s.types), components: len(s.components),
	})
}

// instance reads the definition of an instance.
func (d *decoder) instance(r *reader, s *scope) *instance {
	switch b := r.byte(); b {
	case 0x00:
		c := s.components[r.index(len(s.components), "component")]
		args := map[string]entity{}
		for range r.count("arguments") {
			r.spend(partCost)
			start := r.pos
			name := r.text()
			if _, ok := args[name]; ok {
				r.failAt(start, "argument %q is given twice", name)
			}
			args[name] = d.item(r, s)
		}
		return d.instantiate(r, c, args)
	case 0x01:
		i := &instance{}
		for range r.count("exports") {
			r.spend(partCost)
			start := r.pos
			name := r.externName()
			i.add(r, extern{externName: name, entity: d.item(r, s), pos: start})
		}
		return i
	default:
		r.unknown("kind of instance", b)
		return nil
	}
}

// coreItem reads the sort of a core item, and an index. The sort is that of modules: no other has a place in a component.
func coreItem(r *reader) entity {
	if b := r.byte(); b != 0x11 {
		r.unknown("sort of core item", b)
	}
	r.u32()
	return coreModule
}

// item reads a sort and an index, and returns what is there.
func (d *decoder) item(r *reader, s *scope) entity {
	switch b := r.byte(); b {
	case 0x00:
		return coreItem(r)
	case 0x01:
		return s.funcs[r.index(len(s.funcs), "function")]
	case 0x02:
		r.u32()
		return value
	case 0x03:
		return s.typeAt(r)
	case 0x04:
		return s.components[r.index(len(s.components), "component")]
	case 0x05:
		return s.instances[r.index(len(s.instances), "instance")]
	default:
		r.unknown("sort of item", b)
		return nil
	}
}

// alias reads an alias and defines what it leads to.
func (d *decoder) alias(r *reader, s *scope) {
	start := r.pos
	sort, core := r.byte(), byte(0)
	if sort == 0 {
		core = r.byte()
	}
	switch target := r.byte(); target {
	case 0x00: // an export of an instance
		i := s.instances[r.index(len(s.instances), "instance")]
		name := r.text()
		e := i.get(name)
		if e == nil {
			r.failAt(start, "the instance has no export %q", name)
		}
		if sortOf(e) != sort {
			r.failAt(start, "export %q of the instance is a %s, not of sort %#02x", name, describe(e), sort)
		}
		s.define(e)
	case 0x01: // an export of a core instance
		r.u32()
		r.text()
	case 0x02: // an item of an enclosing component
		types, components := s.outer(r)
		switch sort {
		case 0x00:
			if core != 0x10 && core != 0x11 {
				r.failAt(start, "unknown sort of core item %#02x", core)
			}
			r.u32()
		case 0x03:
			s.define(types[r.index(len(types), "outer type")])
		case 0x04:
			s.define(components[r.index(len(components), "outer component")])
		default:
			r.failAt(start, "an alias of an outer item can not be of sort %#02x", sort)
		}
	default:
		r.unknown("target of an alias", target)
	}
}

// sortOf returns the byte that stands for the sort of an entity.
func sortOf(e entity) byte {
	switch e := e.(type) {
	case *wit.Function:
		return 0x01
	case *typeDef:
		return 0x03
	case *body:
		return 0x04
	case *instance:
		return 0x05
	default:
		if e == value {
			return 0x02
		}
		return 0x00
	}
}

// importing reads an import, of a component or a component type.
func (d *decoder) importing(r *reader, s *scope) {
	start := r.pos
	name := r.externName()
	r.addName(&s.names, start, name.name, "import")
	var actual entity
	if s.args != nil {
		if actual = s.args[name.name]; actual == nil {
			r.failAt(start, "the component is instantiated without its import %q", name.name)
		}
	}
	e := d.externType(r, s, actual)
	if i, ok := e.(*instance); ok && actual != nil {
		d.noteForeign(name.name, i)
	}
	s.imports = append(s.imports, extern{externName: name, entity: e, pos: start})
	s.define(e)
}

// exporting reads an export of a component. A type that it ascribes narrows what is seen of it.
func (d *decoder) exporting(r *reader, s *scope) {
	start := r.pos
	name := r.externName()
	e := d.item(r, s)
	switch b := r.byte(); b {
	case 0x00:
	case 0x01:
		e = d.externType(r, s, e)
	default:
		r.unknown("mark of an export's type", b)
	}
	s.exports.add(r, extern{externName: name, entity: e, pos: start})
	s.define(e)
}
