package compose

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasm"
)

// Answers is core code in front of what a component imports: it answers functions by functions of bytes, which the composition imports
// instead.
type Answers struct {
	// Memory is a core module with the exports "memory" and "realloc": the linear memory that values are in, and what hands it out.
	Memory []byte
	// Code is a core module that imports whatever Memory exports as "m", and the functions of bytes as "h": "0", "1", … for Calls, and
	// Again. It exports as "0", "1", … the functions of Calls, and as "after 0", "after 1", … what is called with their
	// results once those were read.
	Code []byte
	// Host is the ID of the interface that the composition imports: a function for each of Calls, which takes a list<u8> and returns
	// a result<list<u8>, list<u8>>, and Again, which returns one.
	Host string
	// Calls are the functions, by the name of what Host has instead.
	Calls []Call
}

// Again is the function of the host that says what the one that was called last has said, in another way.
const Again = "again"

// hostFunction is a function of the host.
func hostFunction(name string, params ...wit.Field) *wit.Function {
	return &wit.Function{Name: name, Params: params, Result: &wit.Type{Kind: wit.Result, Ok: bytesType, Err: bytesType}}
}

// links has the functions answered by a part of the composition.
func (a *Answers) links(part int) []Link {
	var links []Link
	index := make(map[string]int)
	for _, c := range a.Calls {
		n, ok := index[c.Interface.ID]
		if !ok {
			n = len(links)
			index[c.Interface.ID] = n
			links = append(links, Link{Import: c.Interface.ID, Part: part, Functions: make(map[string]string)})
		}
		links[n].Functions[c.Function.Name] = c.Name
	}
	return links
}

// part writes the code as a component for what a part imports. It exports the functions outside of an interface, with types that it
// imports.
func (a *Answers) part(user *Part) (Part, error) {
	o := newOuter()
	host := newImported(a.Host, user.Name)
	o.imports[a.Host] = host
	for _, c := range a.Calls {
		host.iface.Functions = append(host.iface.Functions, hostFunction(c.Name, wit.Field{Name: "message", Type: bytesType}))
		if o.imports[c.Interface.ID] == nil {
			i := newImported(c.Interface.ID, user.Name)
			i.addTypes(c.Interface.Types)
			o.imports[c.Interface.ID] = i
		}
	}
	host.iface.Functions = append(host.iface.Functions, hostFunction(Again))
	if err := o.require(user, host.iface); err != nil {
		return Part{}, err
	}
	types, world := make([]int, len(a.Calls)), o.newScope(user, nil)
	for n, c := range a.Calls {
		content, err := world.function(c.Function)
		if err != nil {
			return Part{}, err
		}
		types[n] = world.define(content)
	}
	out := Part{Name: "transcoder of imports", World: &wit.World{Imports: o.required()}}
	o.coreMemory(a.Memory, a.Code)
	var lowered strings.Builder
	const firstFunc = coreRealloc + 1
	for n, f := range host.iface.Functions {
		name := fmt.Sprint(n)
		if f.Name == Again {
			name = Again
		}
		o.item(aliasSection, sortFunc+aliasOfExport+wasm.Uint(host.instance)+wasm.Sized(f.Name))
		o.lower(n)
		lowered.WriteString(wasm.Sized(name) + sortCoreFunc + wasm.Uint(firstFunc+n))
	}
	o.coreCode("h", len(host.iface.Functions), lowered.String())
	first, funcs := firstFunc+len(host.iface.Functions), len(host.iface.Functions)
	for n, c := range a.Calls {
		o.coreAlias(sortCoreFunc, 2, fmt.Sprint(n))
		o.coreAlias(sortCoreFunc, 2, fmt.Sprintf("after %d", n))
		o.lift(first+2*n, first+2*n+1, types[n])
		o.item(exportSection, externName(c.Name)+sortFunc+wasm.Uint(funcs+2*n)+"\x00")
		exported := *c.Function
		exported.Name = c.Name
		out.World.ExportFunctions = append(out.World.ExportFunctions, &exported)
	}
	out.Component = bytes.Join(o.finish(), nil)
	return out, nil
}
