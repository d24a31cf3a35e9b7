package bindgen

import (
	"strings"

	"github.com/weft-run/weft/wit"
)

// movers are the functions that move values of compound types. Each is written once, when it is used first.
type movers struct {
	names names
	known map[string]string // by what they do, then what to
	queue []func()
}

// way is a way of a value between Go and the canonical ABI.
type way string

const (
	loading  way = "load"  // from memory
	storing  way = "store" // to memory
	lifting  way = "lift"  // from flat values
	lowering way = "lower" // to flat values
)

// compoundMover returns the name of the function that moves values of a compound type.
func (p *pkg) compoundMover(w way, t *wit.Type) string {
	key := string(w) + " " + p.identity(t)
	if name, ok := p.movers.known[key]; ok {
		return name
	}
	label := p.label(t)
	if len(label) > 60 {
		label = label[:60]
	}
	name := p.movers.names.claim(string(w) + label)
	p.movers.known[key] = name
	p.movers.queue = append(p.movers.queue, func() {
		switch w {
		case loading:
			p.loadMover(name, t)
		case storing:
			p.storeMover(name, t)
		case lifting:
			p.liftMover(name, t)
		case lowering:
			p.lowerMover(name, t)
		}
	})
	return name
}

// writeMovers writes all that is used, and what that uses.
func (p *pkg) writeMovers() {
	for len(p.movers.queue) > 0 {
		first := p.movers.queue[0]
		p.movers.queue = p.movers.queue[1:]
		first()
	}
}

// identity tells types apart that are moved in different ways.
func (p *pkg) identity(t *wit.Type) string {
	if t == nil {
		return "_"
	}
	var parts []string
	switch t.Kind {
	case wit.List, wit.Option:
		parts = []string{p.identity(t.Elem)}
	case wit.Result:
		parts = []string{p.identity(t.Ok), p.identity(t.Err)}
	case wit.Tuple:
		for _, f := range t.Fields {
			parts = append(parts, p.identity(f.Type))
		}
	case wit.Own, wit.Borrow:
		parts = []string{p.goType(t)}
	case wit.Record, wit.Variant, wit.Enum, wit.Flags:
		return p.goType(t)
	}
	return t.Kind.String() + "<" + strings.Join(parts, ",") + ">"
}

// label is a type as a part of a Go name.
func (p *pkg) label(t *wit.Type) string {
	switch {
	case t == nil:
		return "Nothing"
	case plainTypes[t.Kind] != "":
		return exported(t.Kind.String())
	}
	switch t.Kind {
	case wit.List:
		return "List" + p.label(t.Elem)
	case wit.Option:
		return "Option" + p.label(t.Elem)
	case wit.Result:
		return "Result" + p.label(t.Ok) + p.label(t.Err)
	case wit.Tuple:
		labels := []string{"Tuple"}
		for _, f := range t.Fields {
			labels = append(labels, p.label(f.Type))
		}
		return strings.Join(labels, "")
	case wit.Own:
		return p.g.ownerOf(t.Resource.Interface).types[t.Resource]
	case wit.Borrow:
		return "Borrowed" + p.g.ownerOf(t.Resource.Interface).types[t.Resource]
	default:
		return p.g.ownerOf(t.Interface).types[t]
	}
}
