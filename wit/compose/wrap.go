package compose

import (
	"bytes"
	"fmt"
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
}

// Call is a function that a component exports.
type Call struct {
	// Name is what the composition exports instead.
	Name     string
	Export   *wit.Interface
	Function *wit.Function
}

// Wrap puts a wrapper around a component. The composition exports its functions, list<u8> to list<u8>, and nothing of the
// component's own. It fails like [New].
func Wrap(w Wrapper, part Part) (*Composition, error) {
	component, world, err := w.component(&part)
	if err != nil {
		return nil, err
	}
	wrapper := Part{Name: "transcoder", Component: component, World: world}
	for _, i := range world.Imports {
		if find(part.World.Exports, i.ID) != nil {
			wrapper.Links = append(wrapper.Links, Link{Import: i.ID, Part: 1, Export: i.ID})
		}
	}
	return New([]Part{wrapper, part})
}

// bytesType is list<u8>.
var bytesType = &wit.Type{Kind: wit.List, Elem: &wit.Type{Kind: wit.U8}}

// required are the interfaces that are imported, in their order.
func (o *outer) required() []*wit.Interface {
	list := make([]*wit.Interface, o.instances)
	for _, i := range o.imports {
		if i.state == written {
			list[i.instance] = i.iface
		}
	}
	return list
}

// component writes the wrapper as a component, which imports what it calls.
func (w Wrapper) component(part *Part) ([]byte, *wit.World, error) {
	o := newOuter()
	world := &wit.World{}
	for _, c := range w.Calls {
		i := o.imports[c.Export.ID]
		if i == nil {
			i = newImported(c.Export.ID, part.Name)
			i.addTypes(c.Export.Types)
			o.imports[c.Export.ID] = i
		}
		i.iface.Functions = append(i.iface.Functions, c.Function)
	}
	for _, c := range w.Calls {
		if err := o.require(part, c.Export); err != nil {
			return nil, nil, err
		}
	}
	world.Imports = o.required()
	o.raw(coreModuleSection, w.Memory)
	o.raw(coreModuleSection, w.Code)
	o.item(coreInstSection, "\x00\x00\x00") // instance 0: the memory
	coreAlias := func(sort, instance int, name string) {
		o.item(aliasSection, "\x00"+wasm.Uint(sort)+"\x01"+wasm.Uint(instance)+wasm.Sized(name))
	}
	const coreFunc, coreMemory = 0, 2
	coreAlias(coreMemory, 0, "memory")
	coreAlias(coreFunc, 0, "realloc")
	coreAlias(coreFunc, 0, "reset")
	const realloc, reset, firstFunc = 0, 1, 2
	options := "\x03" + wasm.Uint(0) + "\x04" + wasm.Uint(realloc)
	var lowered strings.Builder
	for n, c := range w.Calls {
		o.item(aliasSection, sortFunc+aliasOfExport+wasm.Uint(o.imports[c.Export.ID].instance)+wasm.Sized(c.Function.Name))
		o.item(canonSection, "\x01\x00"+wasm.Uint(n)+wasm.Uint(3)+"\x00"+options)
		lowered.WriteString(wasm.Sized(fmt.Sprint(n)) + wasm.Uint(coreFunc) + wasm.Uint(firstFunc+n))
	}
	o.item(coreInstSection, "\x01"+wasm.Uint(len(w.Calls))+lowered.String()) // instance 1: what is called
	o.item(coreInstSection, "\x00\x01\x02"+wasm.Sized("m")+"\x12"+wasm.Uint(0)+wasm.Sized("u")+"\x12"+wasm.Uint(1))
	o.item(typeSection, "\x70"+primitives[wit.U8])
	o.item(typeSection, "\x40\x01"+wasm.Sized("message")+typeRef(o.types)+"\x00"+typeRef(o.types))
	for n, c := range w.Calls {
		coreAlias(coreFunc, 2, fmt.Sprint(n))
		o.item(canonSection, "\x00\x00"+wasm.Uint(firstFunc+len(w.Calls)+n)+wasm.Uint(4)+"\x00"+options+"\x05"+wasm.Uint(reset)+wasm.Uint(o.types+1))
		o.item(exportSection, externName(c.Name)+sortFunc+wasm.Uint(len(w.Calls)+2*n)+"\x00")
		world.ExportFunctions = append(world.ExportFunctions, &wit.Function{
			Name: c.Name, Params: []wit.Field{{Name: "message", Type: bytesType}}, Result: bytesType})
	}
	return bytes.Join(o.finish(), nil), world, nil
}
