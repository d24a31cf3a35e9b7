package transcoder

import (
	"errors"
	"fmt"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
)

// ErrNone says that no method gains by a transcoder: none has lists.
var ErrNone = errors.New("no method needs one")

// ErrTooLarge says that the contract is too large for a transcoder.
var ErrTooLarge = errors.New("the contract needs too much code for a transcoder")

// maxInstructions bounds the code of a transcoder. So many are 200 KB, which take about a second to compile.
const maxInstructions = 100_000

// overflow is what writing more panics with.
type overflow struct{}

// Transcoder is the code for some methods of a component, and for some that it calls.
type Transcoder struct {
	exports half
	// imports is nil where the component imports nothing that gains.
	imports *half
}

// half is the code for what a component exports, or for what it imports.
type half struct {
	memory, code *module
	calls        []compose.Call
	names        map[*contract.Method]string
}

// New writes the transcoder of a component, with memories of so many bytes at first. Services are what it exports, and imports what others
// answer; world is that of the component. Those methods have one that gain by it and are not direct; and if a method of the imports is one
// of them, all that are exported, as else they could not be called beside it. Its errors are [ErrNone] and [ErrTooLarge].
func New(services, imports []*contract.Service, world *wit.World, memory uint64,
	direct func(*contract.Method) bool) (_ *Transcoder, err error) {
	defer func() {
		if r := recover(); r == (overflow{}) {
			err = ErrTooLarge
		} else if r != nil {
			panic(r)
		}
	}()
	t := &Transcoder{}
	takes := func(m *contract.Method) bool { return Gains(m) && !direct(m) }
	t.imports = newImports(imports, world, memory, takes)
	t.exports = half{memory: memoryModule(int(memory >> pageBits)), code: &module{}, names: make(map[*contract.Method]string)}
	if t.imports != nil {
		t.exports.code.size = t.imports.code.size // both are within one bound
	}
	g := newGenerator(t.exports.code)
	var methods []*contract.Method
	var callees []*function
	for _, s := range services {
		exported := find(world.Exports, s.Interface)
		if exported == nil && s.Interface != "" {
			continue // the component does not have it
		}
		for _, m := range s.Methods {
			if t.imports == nil && !takes(m) {
				continue
			}
			params, results := g.signature(m.Function)
			callees = append(callees, g.m.imported("u", fmt.Sprint(len(methods)), params, results))
			methods = append(methods, m)
			t.exports.add(fmt.Sprintf("m%d", len(methods)-1), exported, m)
		}
	}
	if len(methods) == 0 {
		return nil, ErrNone
	}
	g.define(g.m)
	for n, m := range methods {
		g.m.export(fmt.Sprint(n), g.method(m, callees[n]))
	}
	return t, nil
}

// add notes that a method goes by a name in the composition.
func (h *half) add(name string, i *wit.Interface, m *contract.Method) {
	h.calls = append(h.calls, compose.Call{Name: name, Interface: i, Function: m.Function})
	h.names[m] = name
}

// find returns an interface by its ID, or nil.
func find(list []*wit.Interface, id string) *wit.Interface {
	for _, i := range list {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// Export is the name of the function of the composition that answers a method, empty for a method that has none.
func (t *Transcoder) Export(m *contract.Method) string { return t.exports.names[m] }

// Import is the name of the function of [Host] that answers a method that the component imports, empty for a method that has none.
func (t *Transcoder) Import(m *contract.Method) string {
	if t.imports == nil {
		return ""
	}
	return t.imports.names[m]
}

// Around puts the transcoder around the component. Its errors are those of [compose.New].
func (t *Transcoder) Around(part compose.Part) (*compose.Composition, error) {
	w := compose.Wrapper{Memory: t.exports.memory.binary(), Code: t.exports.code.binary(), Calls: t.exports.calls}
	if t.imports != nil {
		w.Answers = &compose.Answers{Memory: t.imports.memory.binary(), Code: t.imports.code.binary(), Host: Host, Calls: t.imports.calls}
	}
	return compose.Wrap(w, part)
}

// Gains tells whether a method gains by a transcoder: it has lists, bytes among them: values that are many where they are large.
func Gains(m *contract.Method) bool {
	seen := make(map[*contract.Shape]bool)
	for _, f := range m.Params {
		if hasList(f, seen) {
			return true
		}
	}
	return m.Result != nil && hasList(*m.Result, seen)
}

func hasList(f contract.Field, seen map[*contract.Shape]bool) bool {
	if f.Label == contract.Repeated {
		return true
	}
	if f.Shape == nil || seen[f.Shape] {
		return false
	}
	if f.Shape.Kind == wit.List {
		return true
	}
	seen[f.Shape] = true
	for _, inner := range f.Shape.Fields {
		if hasList(inner, seen) {
			return true
		}
	}
	return false
}
