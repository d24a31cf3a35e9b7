package component_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
)

// TestRandom encodes random worlds as components in the way of wit-component and decodes them.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds.Draw(t, "world")
		text := encode(w)
		got, err := component.Decode(assemble(t, text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got, want := dump(got), dump(w); got != want {
			t.Fatalf("got:\n%swant:\n%s%s", got, want, text)
		}
	})
}

// TestRandomOracle asks the oracle about one of them, which also shows that they are valid.
func TestRandomOracle(t *testing.T) {
	w := worlds.Filter(func(w *wit.World) bool { return strings.Contains(dump(w), "type t0 = out:") }).Example(1)
	data := assemble(t, encode(w))
	if got, want := visible(decode(t, data)), ask(t, data); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// worlds makes worlds that import some interfaces and export copies of some of them.
var worlds = rapid.Custom(func(t *rapid.T) *wit.World {
	w := &wit.World{}
	for n := range rapid.IntRange(1, 6).Draw(t, "interfaces") {
		g := &generator{T: t, i: &wit.Interface{Namespace: "demo", Package: fmt.Sprintf("p%d", n), Name: "i", Version: "1.0.0"}}
		g.i.ID = fmt.Sprintf("demo:p%d/i@1.0.0", n)
		g.fill(w.Imports)
		w.Imports = append(w.Imports, g.i)
	}
	c := copier{types: map[*wit.Type]*wit.Type{}}
	for _, i := range w.Imports {
		if !usesResources(i) && rapid.Bool().Draw(t, "exported") {
			w.Exports = append(w.Exports, c.export(i))
		}
	}
	return w
})

// generator fills one interface. A type may use what stands before it.
type generator struct {
	*rapid.T
	i         *wit.Interface
	types     []*wit.Type
	resources []*wit.Resource
}

func (g *generator) pick(label string, n int) int { return rapid.IntRange(0, n-1).Draw(g.T, label) }

func (g *generator) fill(before []*wit.Interface) {
	for n := range g.pick("types", 6) {
		g.define(fmt.Sprintf("t%d", n), before)
	}
	for n := range g.pick("functions", 5) {
		f := &wit.Function{Name: fmt.Sprintf("f%d", n)}
		for p := range g.pick("params", 4) {
			f.Params = append(f.Params, wit.Field{Name: fmt.Sprintf("p%d", p), Type: g.typ(3)})
		}
		if rapid.Bool().Draw(g.T, "result") {
			f.Result = g.typ(3)
		}
		g.i.Functions = append(g.i.Functions, f)
	}
}

// define adds a named type: one of its own, an alias, or one that another interface has.
func (g *generator) define(name string, before []*wit.Interface) {
	t := &wit.Type{Name: name, Interface: g.i}
	members := 1 + g.pick("members", 3)
	switch g.pick("kind", 8) {
	case 0, 1:
		t.Kind = wit.Record
		for m := range members {
			t.Fields = append(t.Fields, wit.Field{Name: fmt.Sprintf("m%d", m), Type: g.typ(2)})
		}
	case 2:
		t.Kind = wit.Variant
		for m := range members {
			c := wit.Case{Name: fmt.Sprintf("c%d", m)}
			if rapid.Bool().Draw(g.T, "payload") {
				c.Type = g.typ(2)
			}
			t.Cases = append(t.Cases, c)
		}
	case 3, 4:
		t.Kind = []wit.Kind{wit.Enum, wit.Flags}[g.pick("names", 2)]
		for m := range members {
			t.Cases = append(t.Cases, wit.Case{Name: fmt.Sprintf("c%d", m)})
		}
	case 5:
		r := &wit.Resource{Name: name, Interface: g.i}
		g.resources = append(g.resources, r)
		g.i.Types = append(g.i.Types, wit.NamedType{Name: name, Resource: r})
		return
	case 6: // an alias of what has no name
		t = &wit.Type{Kind: wit.List, Elem: g.typ(2)}
	case 7:
		if used := g.use(name, before); !used {
			t = &wit.Type{Kind: wit.Option, Elem: g.typ(2)}
			break
		}
		return
	}
	if t.Name != "" {
		g.types = append(g.types, t)
	}
	g.i.Types = append(g.i.Types, wit.NamedType{Name: name, Type: t})
}

// use adds a type of an earlier interface under a new name, if that has one.
func (g *generator) use(name string, before []*wit.Interface) bool {
	if len(before) == 0 {
		return false
	}
	from := before[g.pick("from", len(before))]
	if len(from.Types) == 0 {
		return false
	}
	n := from.Types[g.pick("used", len(from.Types))]
	switch {
	case n.Resource != nil:
		g.resources = append(g.resources, n.Resource)
	case n.Type.Name != "":
		g.types = append(g.types, n.Type)
	default:
		return false
	}
	g.i.Types = append(g.i.Types, wit.NamedType{Name: name, Type: n.Type, Resource: n.Resource})
	return true
}

// typ returns a type without a name, or a named one that is there.
func (g *generator) typ(depth int) *wit.Type {
	if len(g.types) > 0 && g.pick("named", 3) == 0 {
		return g.types[g.pick("which", len(g.types))]
	}
	if len(g.resources) > 0 && g.pick("handle", 6) == 0 {
		return &wit.Type{Kind: wit.Own, Resource: g.resources[g.pick("which", len(g.resources))]}
	}
	if depth == 0 {
		return &wit.Type{Kind: wit.Bool + wit.Kind(g.pick("primitive", int(wit.String-wit.Bool)+1))}
	}
	optional := func() *wit.Type {
		if rapid.Bool().Draw(g.T, "present") {
			return g.typ(depth - 1)
		}
		return nil
	}
	switch g.pick("form", 5) {
	case 0:
		return &wit.Type{Kind: wit.List, Elem: g.typ(depth - 1)}
	case 1:
		return &wit.Type{Kind: wit.Option, Elem: g.typ(depth - 1)}
	case 2:
		return &wit.Type{Kind: wit.Result, Ok: optional(), Err: optional()}
	case 3:
		return &wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: g.typ(depth - 1)}, {Type: g.typ(depth - 1)}}}
	default:
		return g.typ(0)
	}
}

// usesResources tells whether an interface names a resource, itself or through a type.
func usesResources(i *wit.Interface) bool {
	for _, n := range i.Types {
		if n.Resource != nil || n.Type.Interface != nil && n.Type.Interface != i && usesResources(n.Type.Interface) {
			return true
		}
	}
	return false
}

// copier makes exports of imports. What an export uses from an interface that is exported too, is from that export.
type copier struct{ types map[*wit.Type]*wit.Type }

func (c copier) export(i *wit.Interface) *wit.Interface {
	e := &wit.Interface{Namespace: "out", Package: i.Package, Name: i.Name, Version: i.Version}
	e.ID = strings.Replace(i.ID, "demo:", "out:", 1)
	for _, n := range i.Types {
		if n.Type.Interface == i {
			c.types[n.Type] = &wit.Type{Kind: n.Type.Kind, Name: n.Type.Name, Interface: e}
			*c.types[n.Type] = *c.typ(n.Type, e)
		}
		e.Types = append(e.Types, wit.NamedType{Name: n.Name, Type: c.ref(n.Type)})
	}
	for _, f := range i.Functions {
		e.Functions = append(e.Functions, &wit.Function{Name: f.Name, Params: c.fields(f.Params), Result: c.ref(f.Result)})
	}
	return e
}

// ref returns the copy of a type, which for a named type is the one that was made of it.
func (c copier) ref(t *wit.Type) *wit.Type {
	switch {
	case t == nil:
		return nil
	case c.types[t] != nil:
		return c.types[t]
	case t.Name != "":
		return t
	default:
		return c.typ(t, nil)
	}
}

func (c copier) typ(t *wit.Type, owner *wit.Interface) *wit.Type {
	out := &wit.Type{Kind: t.Kind, Name: t.Name, Interface: owner, Elem: c.ref(t.Elem), Ok: c.ref(t.Ok), Err: c.ref(t.Err)}
	out.Fields = c.fields(t.Fields)
	for _, k := range t.Cases {
		out.Cases = append(out.Cases, wit.Case{Name: k.Name, Type: c.ref(k.Type)})
	}
	return out
}

func (c copier) fields(fields []wit.Field) (out []wit.Field) {
	for _, f := range fields {
		out = append(out, wit.Field{Name: f.Name, Type: c.ref(f.Type)})
	}
	return out
}
