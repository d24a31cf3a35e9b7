package compose

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasm"
)

// Wrapper is core code around a component: a function of bytes for each of some functions that the component exports.
type Wrapper struct {
	// Memory is a core module with the exports "memory", "realloc" and "reset": the linear memory that values are in, what hands it
	// out, and what is called with the result of a function once that was read.
	Memory []byte
	// Code is a core module that imports whatever Memory exports as "m", and the functions of Calls as "u" "0", "u" "1", ….
	// It exports as "0", "1", … a function for each, which takes and returns bytes.
	Code []byte
	// Calls are the functions.
	Calls []Call
	// Answers is the code in front of what the component imports, nil if there is none.
	Answers *Answers
}

// Call is a function that a component exports or imports.
type Call struct {
	// Name is what the composition exports instead, or imports.
	Name string
	// Interface is nil for a function that is exported outside of one.
	Interface *wit.Interface
	Function  *wit.Function
}

// Wrap puts a wrapper around a component. The composition exports its functions, list<u8> to list<u8>, and nothing of the
// component's own. It fails like [New].
func Wrap(w Wrapper, part Part) (*Composition, error) {
	component, world, err := w.component(&part)
	if err != nil {
		return nil, err
	}
	wrapper, prefix := Part{Name: "transcoder", Component: component, World: world}, w.prefix(&part)
	for _, i := range world.Imports {
		exported := i.ID
		if isPlain(i) {
			exported = strings.TrimPrefix(i.ID, prefix)
		}
		if find(part.World.Exports, exported) != nil {
			wrapper.Links = append(wrapper.Links, Link{Import: i.ID, Part: 1, Export: exported})
		}
	}
	if len(world.ImportFunctions) > 0 {
		outside := Link{Part: 1, Functions: make(map[string]string)}
		for _, f := range world.ImportFunctions {
			outside.Functions[f.Name] = strings.TrimPrefix(f.Name, prefix)
		}
		wrapper.Links = append(wrapper.Links, outside)
	}
	parts := []Part{wrapper, part}
	if w.Answers != nil {
		answers, err := w.Answers.part(&part)
		if err != nil {
			return nil, err
		}
		parts[1].Links = slices.Concat(part.Links, w.Answers.links(len(parts)))
		parts = append(parts, answers)
	}
	return New(parts)
}

// bytesType is list<u8>.
var bytesType = &wit.Type{Kind: wit.List, Elem: &wit.Type{Kind: wit.U8}}

// bytesFunction is a function that takes and returns bytes.
func bytesFunction(name string) *wit.Function {
	return &wit.Function{Name: name, Params: []wit.Field{{Name: "message", Type: bytesType}}, Result: bytesType}
}

// isPlain tells whether an interface has a plain name, as one that the world writes inline.
func isPlain(i *wit.Interface) bool { return !strings.Contains(i.ID, ":") }

// required are the interfaces that are imported, in their order, by the names that they are imported by.
func (o *outer) required() []*wit.Interface {
	list := make([]*wit.Interface, o.instances)
	for _, i := range o.imports {
		if i.state == written {
			named := *i.iface
			named.ID = o.importName(i.iface)
			list[i.instance] = &named
		}
	}
	return list
}

// prefix is what plain names begin with where the wrapper imports them: a function or an interface may be called as a type of the component,
// which imports the one and exports the other, but the wrapper imports both.
func (w Wrapper) prefix(part *Part) string {
	taken := make(map[string]bool)
	for _, t := range part.World.ImportTypes {
		taken[t.Name] = true
	}
	prefix := ""
	for slices.ContainsFunc(w.Calls, func(c Call) bool {
		return c.Interface == nil && taken[prefix+c.Function.Name] || c.Interface != nil && taken[prefix+c.Interface.ID]
	}) {
		prefix += "call-"
	}
	return prefix
}

// component writes the wrapper as a component, which imports what it calls.
func (w Wrapper) component(part *Part) ([]byte, *wit.World, error) {
	o, world, prefix := newOuter(), &wit.World{}, w.prefix(part)
	o.prefix = prefix
	for _, c := range w.Calls {
		if c.Interface == nil {
			imported := *c.Function
			imported.Name = prefix + imported.Name
			world.ImportFunctions = append(world.ImportFunctions, &imported)
			continue
		}
		i := o.imports[c.Interface.ID]
		if i == nil {
			i = newImported(c.Interface.ID, part.Name)
			i.addTypes(c.Interface.Types)
			o.imports[c.Interface.ID] = i
		}
		i.iface.Functions = append(i.iface.Functions, c.Function)
	}
	if slices.ContainsFunc(w.Calls, func(c Call) bool { return c.Interface == nil || isPlain(c.Interface) }) {
		world.ImportTypes = part.World.ImportTypes // which they may use
	}
	if err := o.outside(part, world); err != nil {
		return nil, nil, err
	}
	for _, c := range w.Calls {
		if c.Interface == nil {
			continue
		}
		if err := o.require(part, c.Interface); err != nil {
			return nil, nil, err
		}
	}
	world.Imports = o.required()
	o.coreMemory(w.Memory, w.Code)
	o.coreAlias(sortCoreFunc, 0, "reset")
	const reset = coreRealloc + 1
	var lowered strings.Builder
	outside := 0 // so many that are imported by themselves, and come first
	for n, c := range w.Calls {
		if c.Interface == nil {
			o.lower(outside)
			outside++
		} else {
			o.aliasFunction(o.imports[c.Interface.ID].instance, c.Function.Name)
			o.lower(o.funcs - 1)
		}
		lowered.WriteString(wasm.Sized(fmt.Sprint(n)) + sortCoreFunc + wasm.Uint(reset+1+n))
	}
	o.coreCode("u", len(w.Calls), lowered.String())
	o.item(typeSection, "\x70"+primitives[wit.U8])
	o.item(typeSection, "\x40\x01"+wasm.Sized("message")+typeRef(o.types)+"\x00"+typeRef(o.types))
	for n, c := range w.Calls {
		o.coreAlias(sortCoreFunc, 2, fmt.Sprint(n))
		o.lift(reset+1+len(w.Calls)+n, reset, o.types+1)
		o.item(exportSection, externName(c.Name)+sortFunc+wasm.Uint(len(w.Calls)+2*n)+"\x00")
		world.ExportFunctions = append(world.ExportFunctions, bytesFunction(c.Name))
	}
	return bytes.Join(o.finish(), nil), world, nil
}

// outside imports what a world has outside of interfaces.
func (o *outer) outside(part *Part, w *wit.World) error {
	world := o.newScope(part, nil)
	o.world = world
	for _, t := range w.ImportTypes {
		index, err := world.namedType(t)
		if err != nil {
			return err
		}
		world.named[t.Name] = o.importType(t.Name, index)
	}
	for _, f := range w.ImportFunctions {
		content, err := world.function(f)
		if err != nil {
			return err
		}
		o.item(importSection, externName(f.Name)+sortFunc+wasm.Uint(world.define(content)))
		o.funcs++
	}
	return nil
}

// What a component of core code begins with.
const (
	sortCoreFunc   = "\x00"
	sortCoreMemory = "\x02"
	// coreRealloc is the first core function, and the memory the first memory.
	coreRealloc = 0
)

// coreOptions are those of canonical functions: the memory and realloc.
var coreOptions = "\x03" + wasm.Uint(0) + "\x04" + wasm.Uint(coreRealloc)

// coreMemory writes the core modules, makes an instance of the first, and names its memory and realloc.
func (o *outer) coreMemory(memory, code []byte) {
	o.raw(coreModuleSection, memory)
	o.raw(coreModuleSection, code)
	o.item(coreInstSection, "\x00\x00\x00")
	o.coreAlias(sortCoreMemory, 0, "memory")
	o.coreAlias(sortCoreFunc, 0, "realloc")
}

func (o *outer) coreAlias(sort string, instance int, name string) {
	o.item(aliasSection, "\x00"+sort+"\x01"+wasm.Uint(instance)+wasm.Sized(name))
}

// coreCode makes an instance of so many core functions, core instance 1, and one of the second module, which gets them by a name.
func (o *outer) coreCode(name string, count int, functions string) {
	o.item(coreInstSection, "\x01"+wasm.Uint(count)+functions)
	o.item(coreInstSection, "\x00\x01\x02"+wasm.Sized("m")+"\x12"+wasm.Uint(0)+wasm.Sized(name)+"\x12"+wasm.Uint(1))
}

// lower makes a core function of a function.
func (o *outer) lower(function int) {
	o.item(canonSection, "\x01\x00"+wasm.Uint(function)+wasm.Uint(2+1)+"\x00"+coreOptions)
}

// lift makes a function of a core function, and of one that is called when its result was read.
func (o *outer) lift(function, after, typ int) {
	o.item(canonSection, "\x00\x00"+wasm.Uint(function)+wasm.Uint(3+1)+"\x00"+coreOptions+"\x05"+wasm.Uint(after)+wasm.Uint(typ))
}
