package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasm"
)

// outer writes the outer component.
type outer struct {
	writer

	// The sizes of its index spaces.
	types, instances, components, funcs int
	// budget is how many more bytes may be spent on types.
	budget int

	imports map[string]*imported // by ID
	// prefix is what plain names of imported interfaces begin with.
	prefix string
	// exports are the indices of the instances that are exported, so far.
	exports map[*wit.Interface]int
	// aliases are the indices of types of imported and exported interfaces.
	aliases map[typeName]int
	// world is the scope of the first part's world.
	world *scope
	// environments are the instances that give parts environments of their own, by what is in them.
	environments map[string]int
}

// maxTypes bounds the declarations of types, in bytes. Those of a Python component with all of WASI take 20 KiB.
const maxTypes = 4 << 20

// imported is an interface that the composition imports: what all parts use of it.
type imported struct {
	iface *wit.Interface // with Types and Functions of its own
	types map[string]wit.NamedType
	funcs map[string]*wit.Function
	from  string // name of the part that brought it
	state importState
	// instance is its index, once it is written.
	instance int
	// exported is set for an interface that the composition exports.
	exported *wit.Interface
}

type importState uint8

const (
	waiting importState = iota
	underWay
	written
)

// typeName names a type that has a name of its own. An interface may be imported, and exported with other types.
type typeName struct {
	iface, name string
	exported    bool
}

func newOuter() *outer {
	o := &outer{budget: maxTypes, imports: map[string]*imported{}, exports: map[*wit.Interface]int{}, aliases: map[typeName]int{}, environments: map[string]int{}}
	o.buf = append(o.buf, wasm.Component...)
	return o
}

// compose writes everything.
func (o *outer) compose(parts []Part) error {
	o.raw(customSection, partNames(parts))
	for n := range parts {
		if err := o.merge(&parts[n]); err != nil {
			return err
		}
	}
	for n := range parts {
		for _, i := range parts[n].World.Imports {
			if parts[n].answers(i) {
				continue
			}
			if err := o.require(&parts[n], i); err != nil {
				return err
			}
		}
	}
	instances := make([]int, len(parts))
	for n := range parts {
		component := parts[n].Component
		if parts[n].Once {
			component = callOnce(component)
		}
		o.raw(componentSection, component)
	}
	o.components = len(parts)
	for n := len(parts) - 1; n >= 0; n-- {
		var err error
		if instances[n], err = o.instantiate(parts, n, instances); err != nil {
			return err
		}
	}
	return o.exportAll(&parts[0], instances[0])
}

// answered returns the link that answers an import, or nil.
func (p *Part) answered(id string) *Link {
	for n := range p.Links {
		if p.Links[n].Import == id {
			return &p.Links[n]
		}
	}
	return nil
}

// answers tells whether an import of a part is answered within the composition as a whole.
func (p *Part) answers(i *wit.Interface) bool {
	l := p.answered(i.ID)
	return l != nil && l.Export != "" || p.HasEnvironment && isEnvironment(i)
}

// require writes the import of an interface, and before that what it needs.
func (o *outer) require(p *Part, iface *wit.Interface) error {
	i := o.imports[iface.ID]
	if i == nil { // it is inside of a part that is a composition
		i = newImported(iface.ID, p.Name)
		i.addTypes(iface.Types)
		o.imports[iface.ID] = i
	}
	switch i.state {
	case written:
		return nil
	case underWay:
		return &Error{Part: p.Name, Import: iface.ID, Msg: "it uses types of interfaces that use its own"}
	}
	i.state = underWay
	index, err := o.instanceType(p, i)
	if err != nil {
		return err
	}
	o.item(importSection, externName(o.importName(iface))+sortInstance+wasm.Uint(index))
	i.instance, i.state = o.instances, written
	o.instances++
	return nil
}

// importName is what an interface is imported by.
func (o *outer) importName(i *wit.Interface) string {
	if isPlain(i) {
		return o.prefix + i.ID
	}
	return i.ID
}

func newImported(id, from string) *imported {
	return &imported{iface: &wit.Interface{ID: id}, types: map[string]wit.NamedType{}, funcs: map[string]*wit.Function{}, from: from}
}

// addTypes adds types that are not there.
func (i *imported) addTypes(types []wit.NamedType) {
	for _, t := range types {
		if _, ok := i.types[t.Name]; !ok {
			i.types[t.Name] = t
			i.iface.Types = append(i.iface.Types, t)
		}
	}
}

// instanceType writes the type of an interface and returns its index.
func (o *outer) instanceType(p *Part, i *imported) (int, error) {
	s := o.newScope(p, i)
	for _, t := range i.iface.Types {
		if _, err := s.own(t.Name); err != nil {
			return 0, err
		}
	}
	for _, f := range i.iface.Functions {
		content, err := s.function(f)
		if err != nil {
			return 0, err
		}
		s.export(f.Name, "\x01"+wasm.Uint(s.define(content)))
	}
	if err := o.spend(len(s.decls)); err != nil {
		return 0, err
	}
	o.item(typeSection, "\x42"+wasm.Uint(s.count)+string(s.decls))
	o.types++
	return o.types - 1, nil
}

func (o *outer) spend(n int) error {
	if o.budget -= n; o.budget < 0 {
		return ErrTooComplex
	}
	return nil
}

// alias returns the index of a type of an interface that is imported or exported.
func (o *outer) alias(p *Part, owner *wit.Interface, name string) (int, error) {
	instance, exported := o.exports[owner]
	t := typeName{owner.ID, name, exported}
	if index, ok := o.aliases[t]; ok {
		return index, nil
	}
	if !exported {
		if err := o.require(p, owner); err != nil {
			return 0, err
		}
		instance = o.imports[owner.ID].instance
	}
	o.item(aliasSection, sortType+aliasOfExport+wasm.Uint(instance)+wasm.Sized(name))
	o.aliases[t] = o.types
	o.types++
	return o.aliases[t], nil
}

// instantiate writes an instance of a part and returns its index. The parts that answer it have theirs.
func (o *outer) instantiate(parts []Part, n int, instances []int) (int, error) {
	p := &parts[n]
	var args []string
	for _, i := range p.World.Imports {
		var index int
		switch l := p.answered(i.ID); {
		case l != nil && l.Export != "":
			index = o.aliasInstance(instances[l.Part], l.Export)
		case l != nil:
			var err error
			if index, err = o.assemble(p, i, l.Functions, instances[l.Part]); err != nil {
				return 0, err
			}
		case p.HasEnvironment && isEnvironment(i):
			index = o.environment(p.Environment)
		default:
			index = o.imports[i.ID].instance
		}
		args = append(args, wasm.Sized(i.ID)+sortInstance+wasm.Uint(index))
	}
	world := o.newScope(p, nil)
	o.world = world // that of the first part is the last
	for _, t := range p.World.ImportTypes {
		index, err := world.namedType(t)
		if err != nil {
			return 0, err
		}
		if n == 0 { // its exports use the type, which needs a name for that
			index = o.importType(t.Name, index)
		}
		world.named[t.Name] = index
		args = append(args, wasm.Sized(t.Name)+sortType+wasm.Uint(index))
	}
	for _, f := range p.World.ImportFunctions {
		l := p.answered("")
		o.aliasFunction(instances[l.Part], l.Functions[f.Name])
		args = append(args, wasm.Sized(f.Name)+sortFunc+wasm.Uint(o.funcs-1))
	}
	return o.instance(n, args), nil
}

// importType imports a type under a name of its own, and returns the index that it has as that.
func (o *outer) importType(name string, index int) int {
	o.item(importSection, externName(name)+sortType+"\x00"+wasm.Uint(index))
	o.types++
	return o.types - 1
}

// aliasInstance makes an interface that an instance exports an instance of the composition.
func (o *outer) aliasInstance(instance int, id string) int {
	o.item(aliasSection, sortInstance+aliasOfExport+wasm.Uint(instance)+wasm.Sized(id))
	o.instances++
	return o.instances - 1
}

// aliasFunction makes a function that an instance exports the last function of the composition.
func (o *outer) aliasFunction(instance int, name string) {
	o.item(aliasSection, sortFunc+aliasOfExport+wasm.Uint(instance)+wasm.Sized(name))
	o.funcs++
}

// assemble makes an instance of what a part imports: its types and functions are those of the import of the composition, but for functions
// that another instance answers, by the names that they have there.
func (o *outer) assemble(p *Part, i *wit.Interface, answered map[string]string, by int) (int, error) {
	var items []string
	for _, t := range i.Types {
		index, err := o.alias(p, i, t.Name)
		if err != nil {
			return 0, err
		}
		items = append(items, externName(t.Name)+sortType+wasm.Uint(index))
	}
	for _, f := range i.Functions {
		from, name := o.imports[i.ID].instance, f.Name
		if other, ok := answered[f.Name]; ok {
			from, name = by, other
		}
		o.aliasFunction(from, name)
		items = append(items, externName(f.Name)+sortFunc+wasm.Uint(o.funcs-1))
	}
	o.item(instanceSection, "\x01"+wasm.Uint(len(items))+strings.Join(items, ""))
	o.instances++
	return o.instances - 1, nil
}

// instance writes an instance of a component of the composition and returns its index.
func (o *outer) instance(component int, args []string) int {
	o.item(instanceSection, "\x00"+wasm.Uint(component)+wasm.Uint(len(args))+strings.Join(args, ""))
	o.instances++
	return o.instances - 1
}

// exportAll exports what the first part exports, with types that say the same by the names that the composition has for
// them: those of a part are not its own.
func (o *outer) exportAll(p *Part, instance int) error {
	for _, i := range p.World.Exports {
		content := externName(i.ID) + sortInstance + wasm.Uint(o.aliasInstance(instance, i.ID))
		if hasResources(i) { // which are new in each instance, and whose names are those of the export
			content += "\x00"
		} else {
			e := newImported(i.ID, p.Name)
			e.exported = i
			e.addTypes(i.Types)
			e.iface.Functions = i.Functions
			index, err := o.instanceType(p, e)
			if err != nil {
				return err
			}
			content += "\x01" + sortInstance + wasm.Uint(index)
		}
		o.item(exportSection, content)
		o.exports[i] = o.instances // an export is an instance as well
		o.instances++
	}
	for _, f := range p.World.ExportFunctions {
		content, err := o.world.function(f)
		if err != nil {
			return err
		}
		index := o.world.define(content)
		o.aliasFunction(instance, f.Name)
		o.item(exportSection, externName(f.Name)+sortFunc+wasm.Uint(o.funcs-1)+"\x01\x01"+wasm.Uint(index))
		o.funcs++
	}
	return nil
}

func hasResources(i *wit.Interface) bool {
	return slices.ContainsFunc(i.Types, func(t wit.NamedType) bool { return t.Resource != nil })
}

// merge adds the imports of a part to those of the composition.
func (o *outer) merge(p *Part) error {
	for _, i := range p.World.Imports {
		m := o.imports[i.ID]
		if m == nil {
			m = newImported(i.ID, p.Name)
			o.imports[i.ID] = m
		}
		c := &comparison{sides: [2]string{m.from, p.Name}}
		for _, t := range i.Types {
			known, ok := m.types[t.Name]
			if !ok {
				continue
			}
			if reason := c.namedTypes(known, t); reason != "" {
				return &Error{Part: p.Name, Import: i.ID, Msg: fmt.Sprintf("%s imports it too, with another type %s: %s", m.from, t.Name, reason)}
			}
		}
		m.addTypes(i.Types)
		if p.answers(i) {
			continue // its types may be used by other imports
		}
		l := p.answered(i.ID)
		for _, f := range i.Functions {
			if l != nil && l.Functions[f.Name] != "" {
				continue
			}
			known, ok := m.funcs[f.Name]
			if !ok {
				m.funcs[f.Name] = f
				m.iface.Functions = append(m.iface.Functions, f)
				continue
			}
			if reason := c.functions(known, f); reason != "" {
				return &Error{Part: p.Name, Import: i.ID, Msg: fmt.Sprintf("%s imports it too, with another function %s: %s", m.from, f.Name, reason)}
			}
		}
	}
	return nil
}
