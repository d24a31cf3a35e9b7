package component

import "github.com/weft-run/weft/wit"

// place is where a type is defined, by name.
type place struct{ interfaceID, name string }

// noteForeign keeps the names that a nested component gives to types that it imports from an interface. In a composition
// the outermost component may neither import nor export that interface, yet it is what defines the types.
func (d *decoder) noteForeign(id string, i *instance) {
	if _, _, _, _, ok := splitInterface(id); !ok {
		return
	}
	for _, x := range i.list {
		if t, ok := x.entity.(*typeDef); ok {
			if key := t.identity(); key != nil && d.foreign[key] == (place{}) {
				d.foreign[key] = place{id, x.name}
			}
		}
	}
}

// identity returns the pointer that identifies a type that has a name of its own, or nil.
func (t *typeDef) identity() any {
	switch {
	case t.resource != nil:
		return t.resource
	case t.typ != nil && hasName(t.typ.Kind):
		return t.typ
	default:
		return nil
	}
}

// hasName tells whether types of a kind have names of their own.
func hasName(k wit.Kind) bool {
	switch k {
	case wit.Record, wit.Variant, wit.Enum, wit.Flags:
		return true
	default:
		return false
	}
}

// named tells whether a type needs no name, or has one.
func (t *typeDef) named() bool {
	if t.resource != nil {
		return t.resource.Name != ""
	}
	return t.typ == nil || !hasName(t.typ.Kind) || t.typ.Name != ""
}

// builder makes a world of what the outermost component imports and exports.
type builder struct {
	d     *decoder
	world *wit.World
	// known are the interfaces by ID: those of exports before those of imports, then hidden ones.
	known map[string]*wit.Interface
	// hidden are interfaces that only own types of a composition.
	hidden map[*wit.Interface]bool
	// foreign is the decoder's once all imports have their names.
	foreign map[any]place
	// checked are the types whose parts all have names.
	checked map[*wit.Type]bool
}

// world makes the world of the outermost component.
func (d *decoder) world(root *scope) *wit.World {
	b := &builder{
		d: d, world: &wit.World{}, known: map[string]*wit.Interface{}, hidden: map[*wit.Interface]bool{},
		checked: map[*wit.Type]bool{},
	}
	imports, exports := b.interfaces(root.imports), b.interfaces(root.exports.list)
	for n, x := range root.imports {
		b.importing(x, imports[n])
	}
	b.foreign = d.foreign
	for n, x := range root.exports.list {
		b.exporting(x, exports[n])
	}
	b.check("import", root.imports)
	b.check("export", root.exports.list)
	return b.world
}

// interfaces returns an empty interface for each instance in a list.
func (b *builder) interfaces(list []extern) []*wit.Interface {
	interfaces := make([]*wit.Interface, len(list))
	for n, x := range list {
		if _, ok := x.entity.(*instance); ok {
			i := newInterface(x.name)
			i.Implements = x.implements
			b.known[i.ID] = i
			interfaces[n] = i
		}
	}
	return interfaces
}

func newInterface(id string) *wit.Interface {
	i := &wit.Interface{ID: id, Name: id}
	if namespace, pkg, name, version, ok := splitInterface(id); ok {
		i.Namespace, i.Package, i.Name, i.Version = namespace, pkg, name, version
	}
	return i
}

// importing adds an import to the world.
func (b *builder) importing(x extern, i *wit.Interface) {
	w := b.world
	switch e := x.entity.(type) {
	case *instance:
		w.Imports = append(w.Imports, i)
		for _, other := range b.fill(i, e) {
			w.ImportOthers = append(w.ImportOthers, i.ID+"/"+other)
		}
	case *wit.Function:
		w.ImportFunctions = append(w.ImportFunctions, named(x.name, e))
	case *typeDef:
		fresh := b.claim(e, x.name, nil)
		switch {
		case fresh && e.resource != nil:
			w.ImportOthers = append(w.ImportOthers, x.name)
		case e.typ != nil || e.resource != nil:
			w.ImportTypes = append(w.ImportTypes, wit.NamedType{Name: x.name, Type: e.typ, Resource: e.resource})
		}
	default:
		w.ImportOthers = append(w.ImportOthers, x.name)
	}
}

// exporting adds an export to the world.
func (b *builder) exporting(x extern, i *wit.Interface) {
	w := b.world
	switch e := x.entity.(type) {
	case *instance:
		w.Exports = append(w.Exports, i)
		b.fill(i, e)
	case *wit.Function:
		w.ExportFunctions = append(w.ExportFunctions, named(x.name, e))
	case *typeDef:
		b.claim(e, x.name, nil)
	}
}

func named(name string, f *wit.Function) *wit.Function {
	return &wit.Function{Name: name, Params: f.Params, Result: f.Result, Async: f.Async}
}

// fill fills an interface with what an instance holds, and returns the names of what is neither a type nor a function.
func (b *builder) fill(i *wit.Interface, from *instance) (others []string) {
	for _, x := range from.list {
		switch e := x.entity.(type) {
		case *wit.Function:
			i.Functions = append(i.Functions, named(x.name, e))
		case *typeDef:
			b.claim(e, x.name, i)
			if e.typ != nil || e.resource != nil {
				i.Types = append(i.Types, wit.NamedType{Name: x.name, Type: e.typ, Resource: e.resource})
			}
		default:
			others = append(others, x.name)
		}
	}
	return others
}

// claim gives a type its name and owner unless it has them, and tells whether it did.
func (b *builder) claim(t *typeDef, name string, owner *wit.Interface) bool {
	if t.named() {
		return false
	}
	if f, ok := b.foreign[t.identity()]; ok && (owner == nil || f.interfaceID != owner.ID) {
		name, owner = f.name, b.known[f.interfaceID]
		if owner == nil {
			owner = newInterface(f.interfaceID)
			b.known[owner.ID] = owner
			b.hidden[owner] = true
		}
		if b.hidden[owner] {
			owner.Types = append(owner.Types, wit.NamedType{Name: name, Type: t.typ, Resource: t.resource})
		}
	}
	if t.resource != nil {
		t.resource.Name, t.resource.Interface = name, owner
	} else {
		t.typ.Name, t.typ.Interface = name, owner
	}
	return true
}

// check refuses functions with types that should have a name and have none. No toolchain makes them, and nobody could tell what
// they are called.
func (b *builder) check(section string, list []extern) {
	for _, x := range list {
		r := &reader{d: b.d, section: section}
		switch e := x.entity.(type) {
		case *wit.Function:
			b.checkFunction(r, x.pos, x.name, e)
		case *instance:
			for _, member := range e.list {
				if f, ok := member.entity.(*wit.Function); ok {
					b.checkFunction(r, x.pos, x.name+"/"+member.name, f)
				}
			}
		}
	}
}

func (b *builder) checkFunction(r *reader, pos int, name string, f *wit.Function) {
	bad := b.unnamed(f.Result)
	for _, p := range f.Params {
		if bad == "" {
			bad = b.unnamed(p.Type)
		}
	}
	if bad != "" {
		r.failAt(pos, "function %q uses a %s that has no name", name, bad)
	}
}

// unnamed returns the kind of a part of a type that has no name but should, or "".
func (b *builder) unnamed(t *wit.Type) string {
	if t == nil || b.checked[t] {
		return ""
	}
	b.checked[t] = true
	if d := (&typeDef{typ: t}); hasName(t.Kind) && !d.named() && !b.claimForeign(d) {
		return t.Kind.String()
	}
	if t.Resource != nil {
		if d := (&typeDef{resource: t.Resource}); !d.named() && !b.claimForeign(d) {
			return "resource"
		}
	}
	parts := []*wit.Type{t.Elem, t.Key, t.Ok, t.Err}
	for _, f := range t.Fields {
		parts = append(parts, f.Type)
	}
	for _, c := range t.Cases {
		parts = append(parts, c.Type)
	}
	for _, p := range parts {
		if bad := b.unnamed(p); bad != "" {
			return bad
		}
	}
	return ""
}

// claimForeign names a type that the outermost component has no name for.
func (b *builder) claimForeign(t *typeDef) bool {
	_, ok := b.foreign[t.identity()]
	return ok && b.claim(t, "", nil)
}
