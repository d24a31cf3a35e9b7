package component_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
)

// encode writes a world as a component in the text format, as wit-component does: an import declares its types in an instance
// type; an export is the instance of a shim that imports types and functions under invented names and exports them with
// types of its own. The functions of export out:p/i come from import demo:p/i.
func encode(w *wit.World) string {
	e := &encoder{root: map[any]string{}}
	e.line("(component")
	for _, i := range w.Imports {
		e.imports(i)
	}
	for _, i := range w.Exports {
		e.exports(i)
	}
	e.line(")")
	return e.out.String()
}

type encoder struct {
	out strings.Builder
	// root is what types and resources are called in the outermost component.
	root map[any]string
}

func (e *encoder) line(format string, args ...any) { fmt.Fprintf(&e.out, format+"\n", args...) }

// key identifies what an entry of an interface stands for.
func key(n wit.NamedType) any {
	if n.Resource != nil {
		return n.Resource
	}
	return n.Type
}

func (e *encoder) imports(i *wit.Interface) {
	here := map[any]string{}
	e.line("(import %q (instance $%s", i.ID, i.ID)
	for _, n := range i.Types {
		id := "$" + n.Name
		outer, used := e.root[key(n)]
		switch {
		case used:
			e.line("(export %q (type %s (eq %s)))", n.Name, id, outer)
		case n.Resource != nil:
			e.line("(export %q (type %s (sub resource)))", n.Name, id)
		default:
			e.line("(type %s' %s)", id, text(n.Type, here, true))
			e.line("(export %q (type %s (eq %s')))", n.Name, id, id)
		}
		here[key(n)] = id
	}
	for _, f := range i.Functions {
		e.line("(export %q %s)", f.Name, signature(f, here))
	}
	e.line("))")
	for _, n := range i.Types {
		if _, ok := e.root[key(n)]; !ok {
			e.root[key(n)] = "$" + i.ID + "." + n.Name
			e.line("(alias export $%s %q (type %s))", i.ID, n.Name, e.root[key(n)])
		}
	}
}

func (e *encoder) exports(i *wit.Interface) {
	from := strings.Replace(i.ID, "out:", "demo:", 1)
	imported := map[any]string{}
	args := []string{}
	e.line("(component $%s.shim", i.ID)
	for n, t := range closure(i) {
		e.line("(type $r%d %s)", n, text(t, imported, true))
		e.line("(import \"import-type-t%d\" (type $m%d (eq $r%d)))", n, n, n)
		imported[t] = fmt.Sprintf("$m%d", n)
		outer := e.root[t]
		if t.Interface == i {
			outer = "$" + from + "." + t.Name
		}
		args = append(args, fmt.Sprintf("(with \"import-type-t%d\" (type %s))", n, outer))
	}
	for n, f := range i.Functions {
		e.line("(import \"import-func-f%d\" %s)", n, strings.Replace(signature(f, imported), "(func", fmt.Sprintf("(func $f%d", n), 1))
		args = append(args, fmt.Sprintf("(with \"import-func-f%d\" (func $%s %q))", n, from, f.Name))
	}
	here := map[any]string{}
	for _, n := range i.Types {
		if n.Type.Name != "" && n.Type.Interface != i {
			e.line("(export $%s %q (type %s))", n.Name, n.Name, imported[n.Type])
		} else {
			e.line("(type $d-%s %s)", n.Name, text(n.Type, here, true))
			e.line("(export $%s %q (type $d-%s))", n.Name, n.Name, n.Name)
		}
		here[n.Type] = "$" + n.Name
	}
	for n, f := range i.Functions {
		e.line("(export %q (func $f%d) %s)", f.Name, n, signature(f, here))
	}
	e.line(")")
	e.line("(instance $%s.made (instantiate $%s.shim %s))", i.ID, i.ID, strings.Join(args, " "))
	e.line("(export $%s %q (instance $%s.made))", i.ID, i.ID, i.ID)
	for _, n := range i.Types {
		if n.Type.Interface == i {
			e.root[n.Type] = "$" + i.ID + "." + n.Name
			e.line("(alias export $%s %q (type %s))", i.ID, n.Name, e.root[n.Type])
		}
	}
}

// closure returns the types with names that an interface needs, each after those that it is made of.
func closure(i *wit.Interface) (all []*wit.Type) {
	var visit func(t *wit.Type)
	visit = func(t *wit.Type) {
		if t == nil || slices.Contains(all, t) {
			return
		}
		for _, part := range []*wit.Type{t.Elem, t.Ok, t.Err} {
			visit(part)
		}
		for _, f := range t.Fields {
			visit(f.Type)
		}
		for _, c := range t.Cases {
			visit(c.Type)
		}
		if t.Name != "" {
			all = append(all, t)
		}
	}
	for _, n := range i.Types {
		visit(n.Type)
	}
	return all
}

func signature(f *wit.Function, names map[any]string) string {
	var b strings.Builder
	b.WriteString("(func")
	for _, p := range f.Params {
		fmt.Fprintf(&b, " (param %q %s)", p.Name, text(p.Type, names, false))
	}
	if f.Result != nil {
		fmt.Fprintf(&b, " (result %s)", text(f.Result, names, false))
	}
	return b.String() + ")"
}

// text writes a type; a type with a name is its definition if asked for, otherwise what it is called.
func text(t *wit.Type, names map[any]string, definition bool) string {
	if t.Name != "" && !definition {
		return names[t]
	}
	ref := func(t *wit.Type) string { return text(t, names, false) }
	var parts []string
	switch t.Kind {
	case wit.Record:
		for _, f := range t.Fields {
			parts = append(parts, fmt.Sprintf("(field %q %s)", f.Name, ref(f.Type)))
		}
	case wit.Variant:
		for _, c := range t.Cases {
			if c.Type == nil {
				parts = append(parts, fmt.Sprintf("(case %q)", c.Name))
			} else {
				parts = append(parts, fmt.Sprintf("(case %q %s)", c.Name, ref(c.Type)))
			}
		}
	case wit.Enum, wit.Flags:
		for _, c := range t.Cases {
			parts = append(parts, fmt.Sprintf("%q", c.Name))
		}
	case wit.Tuple:
		for _, f := range t.Fields {
			parts = append(parts, ref(f.Type))
		}
	case wit.List, wit.Option:
		parts = append(parts, ref(t.Elem))
	case wit.Result:
		if t.Ok != nil {
			parts = append(parts, ref(t.Ok))
		}
		if t.Err != nil {
			parts = append(parts, fmt.Sprintf("(error %s)", ref(t.Err)))
		}
	case wit.Own:
		parts = append(parts, names[t.Resource])
	default:
		return t.Kind.String()
	}
	return "(" + strings.Join(append([]string{t.Kind.String()}, parts...), " ") + ")"
}
