package resolve

import (
	"slices"

	"github.com/weft-run/weft/wit"
)

// builder makes a world of declarations.
type builder struct {
	set   *set
	built *wit.World
	// exported are the interfaces that the world exports.
	exported map[*declaration]bool
	imports  map[*declaration]*scope
	exports  map[*declaration]*scope
}

func newBuilder(s *set) *builder {
	return &builder{
		set: s, built: &wit.World{}, exported: map[*declaration]bool{},
		imports: map[*declaration]*scope{}, exports: map[*declaration]*scope{},
	}
}

// scope is an interface or a world with the types that it knows.
type scope struct {
	b      *builder
	d      *declaration
	iface  *wit.Interface // nil for the world
	export bool
	// defined are the definitions that are not built yet, by name.
	defined map[string]*item
	types   map[string]*wit.NamedType
	busy    map[string]bool
}

func (b *builder) scope(d *declaration, i *wit.Interface, export bool) *scope {
	s := &scope{
		b: b, d: d, iface: i, export: export,
		defined: map[string]*item{}, types: map[string]*wit.NamedType{}, busy: map[string]bool{},
	}
	s.declare(d.items)
	return s
}

// declare notes the names of types.
func (s *scope) declare(items []*item) {
	for _, i := range items {
		switch i.kind {
		case typeItem:
			s.define(i, i.name, i)
		case useItem:
			for _, n := range i.names {
				s.define(i, n.as, i)
			}
		}
	}
	functions := map[string]bool{}
	for _, i := range items {
		if i.kind != functionItem || i.fn.form != "" {
			continue
		}
		if functions[i.name] || s.defined[i.name] != nil {
			s.d.file.fail(i.at, "there are two of the name %s in %s", i.name, s.d.name)
		}
		functions[i.name] = true
	}
}

func (s *scope) define(at *item, name string, i *item) {
	if s.defined[name] != nil && s.defined[name] != i {
		s.d.file.fail(at.at, "there are two types of the name %s in %s", name, s.d.name)
	}
	s.defined[name] = i
}

// flat is an item of a world or of one that it includes.
type flat struct {
	*item

	in   *declaration
	name string // after renaming
}

// world builds a world.
func (b *builder) world(w *declaration) *wit.World {
	items := b.flatten(w, nil, map[*declaration]bool{})
	for _, i := range items {
		if i.kind == exportItem && i.from != nil {
			b.exported[b.resolve(i.in.file, i.in.pack, i.from)] = true
		}
	}
	scopes := map[*declaration]*scope{}
	for _, i := range items {
		if scopes[i.in] == nil {
			scopes[i.in] = b.scope(i.in, nil, false)
		}
	}
	for _, kind := range []itemKind{importItem, exportItem} {
		seen := map[string]bool{}
		for _, i := range items {
			if i.kind == kind && (i.from != nil || !seen[i.name]) {
				seen[i.name] = true
				b.extern(i, scopes[i.in])
			}
		}
	}
	return b.built
}

// flatten lists the items of a world and of those that it includes.
func (b *builder) flatten(w *declaration, names []renamed, above map[*declaration]bool) []flat {
	var list []flat
	above[w] = true
	for _, i := range w.items {
		if i.kind == includeItem {
			included := b.includes(w, i)
			if above[included] {
				w.file.fail(i.at, "world %s includes itself", included.name)
			}
			list = append(list, b.flatten(included, i.names, above)...)
			continue
		}
		list = append(list, flat{i, w, i.name})
	}
	delete(above, w)
	for n := range list {
		for _, r := range names {
			if list[n].name == r.name {
				list[n].name = r.as
			}
		}
	}
	return list
}

// includes returns the world that an include names.
func (b *builder) includes(w *declaration, i *item) *declaration {
	d := b.lookup(w.file, w.pack, i.from, func(p *pack) map[string]*declaration { return p.worlds })
	if d == nil {
		w.file.fail(i.from.at, "there is no world %s", i.from)
	}
	return d
}

// extern adds an import or export to the world.
func (b *builder) extern(i flat, s *scope) {
	w, export := b.built, i.kind == exportItem
	switch {
	case i.from != nil:
		b.interfaceOf(b.resolve(i.in.file, i.in.pack, i.from), export)
	case i.inner != nil:
		inner := *i.inner
		inner.name, inner.pack = i.name, nil
		built := &wit.Interface{ID: i.name, Name: i.name}
		scope := b.scope(&inner, built, export)
		scope.home(i.in.pack)
		scope.build()
		if export {
			w.Exports = append(w.Exports, built)
		} else {
			w.Imports = append(w.Imports, built)
		}
	case export:
		w.ExportFunctions = append(w.ExportFunctions, s.function(i.name, i.fn))
	default:
		w.ImportFunctions = append(w.ImportFunctions, s.function(i.name, i.fn))
	}
}

// home gives an inline interface the package whose interfaces it can name.
func (s *scope) home(p *pack) {
	f := *s.d.file
	f.pack = p
	s.d.file = &f
}

// interfaceOf builds an interface on one side of the world, once.
func (b *builder) interfaceOf(d *declaration, export bool) *scope {
	known, list := b.imports, &b.built.Imports
	if export {
		known, list = b.exports, &b.built.Exports
	}
	if s := known[d]; s != nil {
		return s
	}
	i := &wit.Interface{ID: d.id(), Name: d.name, Namespace: d.pack.namespace, Package: d.pack.name, Version: d.pack.version}
	s := b.scope(d, i, export)
	known[d] = s
	s.build()
	*list = append(*list, i)
	return s
}

// build fills the interface of a scope.
func (s *scope) build() {
	for _, i := range s.d.items {
		switch i.kind {
		case typeItem:
			s.iface.Types = append(s.iface.Types, *s.named(i, i.name))
		case useItem:
			for _, n := range i.names {
				s.iface.Types = append(s.iface.Types, *s.named(i, n.as))
			}
		case functionItem:
			s.iface.Functions = append(s.iface.Functions, s.function(i.name, i.fn))
		}
	}
}

// function builds a function.
func (s *scope) function(name string, from *function) *wit.Function {
	f := &wit.Function{Name: name, Async: from.async}
	if from.form != "" {
		f.Name = from.form + from.resource
		if name != "" {
			f.Name += "." + name
		}
		resource := s.named(s.defined[from.resource], from.resource).Resource
		switch {
		case from.form == "[method]":
			f.Params = append(f.Params, wit.Field{Name: "self", Type: &wit.Type{Kind: wit.Borrow, Resource: resource}})
		case from.form == "[constructor]" && from.result == nil:
			f.Result = &wit.Type{Kind: wit.Own, Resource: resource}
		}
	}
	for _, p := range from.params {
		f.Params = append(f.Params, wit.Field{Name: p.name, Type: s.typ(p.typ)})
	}
	if from.result != nil {
		f.Result = s.typ(from.result)
	}
	return f
}

// named returns the type of a name, built if need be.
func (s *scope) named(at *item, name string) *wit.NamedType {
	if t := s.types[name]; t != nil {
		return t
	}
	if s.busy[name] {
		s.d.file.fail(at.at, "type %s holds itself", name)
	}
	s.busy[name] = true
	i := s.defined[name]
	t := &wit.NamedType{Name: name}
	if i.kind == useItem {
		n := slices.IndexFunc(i.names, func(r renamed) bool { return r.as == name })
		*t = *s.used(i, i.names[n])
		t.Name = name
	} else {
		s.definition(t, i.body)
	}
	s.types[name] = t
	return t
}

// used returns the type that a use takes from another interface.
func (s *scope) used(i *item, r renamed) *wit.NamedType {
	d := s.b.resolve(s.d.file, s.pack(), i.from)
	from := s.b.interfaceOf(d, s.export && s.b.exported[d])
	at := from.defined[r.name]
	if at == nil {
		s.d.file.fail(r.at, "interface %s has no type %s", d.id(), r.name)
	}
	return from.named(at, r.name)
}

// pack is the package whose interfaces need no path.
func (s *scope) pack() *pack {
	if s.d.pack != nil {
		return s.d.pack
	}
	return s.d.file.pack
}

// definition fills t with a definition.
func (s *scope) definition(t *wit.NamedType, e *expr) {
	if e.resource {
		t.Resource = &wit.Resource{Name: t.Name, Interface: s.iface}
		return
	}
	switch e.kind {
	case wit.Record, wit.Variant, wit.Enum, wit.Flags:
	default:
		if at := s.defined[e.name]; e.kind == 0 && at != nil {
			named := s.named(at, e.name) // another name, maybe of a resource
			t.Type, t.Resource = named.Type, named.Resource
			return
		}
		t.Type = s.typ(e)
		return
	}
	t.Type = &wit.Type{Kind: e.kind, Name: t.Name, Interface: s.iface}
	for _, f := range e.fields {
		if e.kind == wit.Record {
			t.Type.Fields = append(t.Type.Fields, wit.Field{Name: f.name, Type: s.typ(f.typ)})
			continue
		}
		c := wit.Case{Name: f.name}
		if f.typ != nil {
			c.Type = s.typ(f.typ)
		}
		t.Type.Cases = append(t.Type.Cases, c)
	}
}

// typ builds a type.
func (s *scope) typ(e *expr) *wit.Type {
	if e.kind == 0 {
		n := s.lookup(e)
		if n.Resource != nil {
			return &wit.Type{Kind: wit.Own, Resource: n.Resource}
		}
		return n.Type
	}
	t := &wit.Type{Kind: e.kind, Length: e.length}
	if e.kind == wit.Own || e.kind == wit.Borrow {
		if t.Resource = s.lookup(e.parts[0]).Resource; t.Resource == nil {
			s.d.file.fail(e.at, "%s is no resource", e.parts[0].name)
		}
		return t
	}
	parts := make([]*wit.Type, max(2, len(e.parts)))
	for n, part := range e.parts {
		if part != nil {
			parts[n] = s.typ(part)
		}
	}
	switch e.kind {
	case wit.Result:
		t.Ok, t.Err = parts[0], parts[1]
	case wit.Tuple:
		for _, part := range parts[:len(e.parts)] {
			t.Fields = append(t.Fields, wit.Field{Type: part})
		}
	case wit.Map:
		t.Key, t.Elem = parts[0], parts[1]
	default:
		t.Elem = parts[0]
	}
	return t
}

func (s *scope) lookup(e *expr) *wit.NamedType {
	at := s.defined[e.name]
	if at == nil {
		s.d.file.fail(e.at, "there is no type %q in %s", e.name, s.d.name)
	}
	return s.named(at, e.name)
}
