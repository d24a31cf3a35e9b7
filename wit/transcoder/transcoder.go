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

// ErrOutside says that the methods that would gain are functions that the component exports outside of an interface, which can't be
// composed.
var ErrOutside = errors.New("functions outside of an interface can have no transcoder")

// ErrTooLarge says that the contract is too large for a transcoder.
var ErrTooLarge = errors.New("the contract needs too much code for a transcoder")

// maxInstructions bounds the code of a transcoder. So many are 200 KB, which take about a second to compile.
const maxInstructions = 100_000

// overflow is what writing more panics with.
type overflow struct{}

// Transcoder is the code for some methods of a component.
type Transcoder struct {
	memory, code *module
	calls        []compose.Call
	exports      map[*contract.Method]string
}

// New writes the transcoder for those methods of services that gain by it, with a memory of so many bytes at first. world is that
// of the component. Its errors are [ErrNone], [ErrOutside] and [ErrTooLarge].
func New(services []*contract.Service, world *wit.World, memory uint64) (_ *Transcoder, err error) {
	defer func() {
		if r := recover(); r == (overflow{}) {
			err = ErrTooLarge
		} else if r != nil {
			panic(r)
		}
	}()
	t := &Transcoder{memory: memoryModule(int(memory >> pageBits)), code: &module{}, exports: make(map[*contract.Method]string)}
	g := &generator{m: t.code, decoders: make(map[*contract.Shape]*function), encoders: make(map[*contract.Shape]*function),
		enums: make(map[*contract.Shape]*function), numbers: make(map[*contract.Shape]*function)}
	g.wire = newWire(t.code)
	var methods []*contract.Method
	var callees []*function
	none := ErrNone
	for _, s := range services {
		exported := exportOf(world, s.Interface)
		for _, m := range s.Methods {
			if !gains(m) {
				continue
			}
			if exported == nil {
				none = ErrOutside
				continue
			}
			n := len(methods)
			params, results := g.signature(m.Function)
			callees = append(callees, t.code.imported("u", fmt.Sprint(n), params, results))
			methods = append(methods, m)
			name := fmt.Sprintf("m%d", n)
			t.calls = append(t.calls, compose.Call{Name: name, Export: exported, Function: m.Function})
			t.exports[m] = name
		}
	}
	if len(methods) == 0 {
		return nil, none
	}
	g.define(t.code)
	for n, m := range methods {
		t.code.export(fmt.Sprint(n), g.method(m, callees[n]))
	}
	return t, nil
}

func exportOf(world *wit.World, id string) *wit.Interface {
	for _, i := range world.Exports {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// Export is the name of the function of the composition that answers a method, empty for a method that has none.
func (t *Transcoder) Export(m *contract.Method) string { return t.exports[m] }

// Around puts the transcoder around the component. Its errors are those of [compose.New].
func (t *Transcoder) Around(part compose.Part) (*compose.Composition, error) {
	return compose.Wrap(compose.Wrapper{Memory: t.memory.binary(), Code: t.code.binary(), Calls: t.calls}, part)
}

// gains tells whether a method has lists, bytes among them: values that are many where they are large.
func gains(m *contract.Method) bool {
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
