package component_test

import (
	"fmt"
	"slices"
	"strings"

	bytecode "go.bytecodealliance.org/wit"

	"github.com/weft-run/weft/wit"
)

// dump writes a world as text that says everything about it: each type with its owner, each function with its types.
func dump(w *wit.World) string {
	var b strings.Builder
	for _, lines := range dumpLines(w) {
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

// dumpLines writes a world as groups of lines; the first of each names an import or export.
func dumpLines(w *wit.World) [][]string {
	var groups [][]string
	for _, side := range []struct {
		name       string
		interfaces []*wit.Interface
		functions  []*wit.Function
	}{{"import", w.Imports, w.ImportFunctions}, {"export", w.Exports, w.ExportFunctions}} {
		for _, i := range side.interfaces {
			lines := []string{side.name + " " + i.ID}
			for _, t := range i.Types {
				lines = append(lines, "\ttype "+t.Name+" = "+dumpNamed(i, t))
			}
			for _, f := range i.Functions {
				lines = append(lines, "\t"+dumpFunction(f))
			}
			groups = append(groups, lines)
		}
		for _, f := range side.functions {
			groups = append(groups, []string{side.name + " " + dumpFunction(f)})
		}
	}
	for _, name := range w.ImportOthers {
		groups = append(groups, []string{"import other " + name})
	}
	return groups
}

// merge writes groups of lines without their order, and an interface that is both imported and exported as one: that is how
// the oracle sees it.
func merge(groups [][]string) string {
	members := map[string][]string{}
	id := func(group []string) string {
		_, id, _ := strings.Cut(group[0], " ")
		return id
	}
	for _, g := range groups {
		members[id(g)] = append(members[id(g)], g[1:]...)
	}
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintln(&b, g[0])
		lines := slices.Clone(members[id(g)])
		slices.Sort(lines)
		for _, line := range slices.Compact(lines) {
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

// dumpNamed writes what the name of a type stands for in an interface.
func dumpNamed(i *wit.Interface, t wit.NamedType) string {
	switch {
	case t.Resource != nil:
		if t.Resource.Interface == i && t.Resource.Name == t.Name {
			return "resource"
		}
		return dumpName(t.Resource.Interface, t.Resource.Name)
	case t.Type.Name == t.Name && t.Type.Interface == i:
		return dumpDefinition(t.Type)
	default:
		return dumpType(t.Type)
	}
}

func dumpName(i *wit.Interface, name string) string {
	if i == nil {
		return "#" + name
	}
	return i.ID + "#" + name
}

func dumpFunction(f *wit.Function) string {
	var params []string
	for _, p := range f.Params {
		params = append(params, p.Name+": "+dumpType(p.Type))
	}
	text := f.Name + ": "
	if f.Async {
		text += "async "
	}
	text += "func(" + strings.Join(params, ", ") + ")"
	if f.Result != nil {
		text += " -> " + dumpType(f.Result)
	}
	return text
}

func dumpDefinition(t *wit.Type) string {
	var parts []string
	for _, f := range t.Fields {
		parts = append(parts, f.Name+": "+dumpType(f.Type))
	}
	for _, c := range t.Cases {
		if c.Type == nil {
			parts = append(parts, c.Name)
		} else {
			parts = append(parts, c.Name+"("+dumpType(c.Type)+")")
		}
	}
	return t.Kind.String() + " { " + strings.Join(parts, ", ") + " }"
}

func dumpType(t *wit.Type) string {
	if t == nil {
		return "_"
	}
	switch t.Kind {
	case wit.Record, wit.Variant, wit.Enum, wit.Flags:
		return dumpName(t.Interface, t.Name)
	case wit.List, wit.Option, wit.Stream, wit.Future:
		return fmt.Sprintf("%s<%s>", t.Kind, dumpType(t.Elem))
	case wit.FixedList:
		return fmt.Sprintf("list<%s, %d>", dumpType(t.Elem), t.Length)
	case wit.Map:
		return fmt.Sprintf("map<%s, %s>", dumpType(t.Key), dumpType(t.Elem))
	case wit.Result:
		return fmt.Sprintf("result<%s, %s>", dumpType(t.Ok), dumpType(t.Err))
	case wit.Tuple:
		var parts []string
		for _, f := range t.Fields {
			parts = append(parts, dumpType(f.Type))
		}
		return "tuple<" + strings.Join(parts, ", ") + ">"
	case wit.Own, wit.Borrow:
		return fmt.Sprintf("%s<%s>", t.Kind, dumpName(t.Resource.Interface, t.Resource.Name))
	default:
		return t.Kind.String()
	}
}

// oracle writes the same text for what the other decoder has read.
type oracle struct {
	ids map[*bytecode.Interface]string
}

func oracleLines(w *bytecode.World) [][]string {
	o := oracle{ids: map[*bytecode.Interface]string{}}
	for name, item := range w.AllItems() {
		if ref, ok := item.(*bytecode.InterfaceRef); ok {
			o.ids[ref.Interface] = name
		}
	}
	return append(o.side("import", w.Imports.All()), o.side("export", w.Exports.All())...)
}

func (o oracle) side(side string, items func(func(string, bytecode.WorldItem) bool)) (groups [][]string) {
	var functions [][]string
	for name, item := range items {
		switch item := item.(type) {
		case *bytecode.InterfaceRef:
			lines := []string{side + " " + o.id(name, item.Interface)}
			for name, t := range item.Interface.TypeDefs.All() {
				lines = append(lines, "\ttype "+name+" = "+o.named(t))
			}
			for _, f := range item.Interface.Functions.All() {
				lines = append(lines, "\t"+o.function(f))
			}
			groups = append(groups, lines)
		case *bytecode.Function:
			functions = append(functions, []string{side + " " + o.function(item)})
		}
	}
	return append(groups, functions...)
}

// id returns the ID of an interface; the oracle names those with a package by a key of its own.
func (o oracle) id(key string, i *bytecode.Interface) string {
	if i.Name == nil {
		return key
	}
	id := i.Package.Name
	id.Extension = *i.Name
	return strings.ReplaceAll(id.String(), "%", "")
}

func (o oracle) named(t *bytecode.TypeDef) string {
	root := t.Root()
	if root != t {
		return o.typ(root)
	}
	if _, ok := t.Kind.(*bytecode.Resource); ok {
		return "resource"
	}
	return o.definition(t)
}

func (o oracle) name(t *bytecode.TypeDef) string {
	if i, ok := t.Owner.(*bytecode.Interface); ok {
		return o.id(o.ids[i], i) + "#" + *t.Name
	}
	return "#" + *t.Name
}

func (o oracle) function(f *bytecode.Function) string {
	var params []string
	for _, p := range f.Params {
		params = append(params, p.Name+": "+o.typ(p.Type))
	}
	text := f.Name + ": func(" + strings.Join(params, ", ") + ")"
	if len(f.Results) == 1 {
		text += " -> " + o.typ(f.Results[0].Type)
	}
	return text
}

func (o oracle) definition(t *bytecode.TypeDef) string {
	var kind string
	var parts []string
	switch k := t.Kind.(type) {
	case *bytecode.Record:
		kind = "record"
		for _, f := range k.Fields {
			parts = append(parts, f.Name+": "+o.typ(f.Type))
		}
	case *bytecode.Variant:
		kind = "variant"
		for _, c := range k.Cases {
			if c.Type == nil {
				parts = append(parts, c.Name)
			} else {
				parts = append(parts, c.Name+"("+o.typ(c.Type)+")")
			}
		}
	case *bytecode.Enum:
		kind = "enum"
		for _, c := range k.Cases {
			parts = append(parts, c.Name)
		}
	case *bytecode.Flags:
		kind = "flags"
		for _, f := range k.Flags {
			parts = append(parts, f.Name)
		}
	default:
		return o.kind(t.Kind)
	}
	return kind + " { " + strings.Join(parts, ", ") + " }"
}

// typ writes a type; aliases are seen through.
func (o oracle) typ(t bytecode.TypeDefKind) string {
	def, ok := t.(*bytecode.TypeDef)
	if !ok {
		return o.kind(t)
	}
	def = def.Root()
	switch def.Kind.(type) {
	case *bytecode.Record, *bytecode.Variant, *bytecode.Enum, *bytecode.Flags:
		return o.name(def)
	case *bytecode.Resource:
		if t != bytecode.TypeDefKind(def) || def.Name == nil {
			return "own<" + o.name(def) + ">"
		}
		return o.name(def)
	default:
		return o.kind(def.Kind)
	}
}

func (o oracle) kind(k bytecode.TypeDefKind) string {
	optional := func(t bytecode.Type) string {
		if t == nil {
			return "_"
		}
		return o.typ(t)
	}
	switch k := k.(type) {
	case *bytecode.List:
		return "list<" + o.typ(k.Type) + ">"
	case *bytecode.Option:
		return "option<" + o.typ(k.Type) + ">"
	case *bytecode.Stream:
		return "stream<" + optional(k.Type) + ">"
	case *bytecode.Future:
		return "future<" + optional(k.Type) + ">"
	case *bytecode.Result:
		return "result<" + optional(k.OK) + ", " + optional(k.Err) + ">"
	case *bytecode.Tuple:
		var parts []string
		for _, t := range k.Types {
			parts = append(parts, o.typ(t))
		}
		return "tuple<" + strings.Join(parts, ", ") + ">"
	case *bytecode.Own:
		return "own<" + o.name(k.Type.Root()) + ">"
	case *bytecode.Borrow:
		return "borrow<" + o.name(k.Type.Root()) + ">"
	case *bytecode.ErrorContext:
		return "error-context"
	case *bytecode.TypeDef:
		return o.typ(k)
	case bytecode.Type:
		return primitive(k)
	default:
		return fmt.Sprintf("%T", k)
	}
}

// primitive writes a primitive type.
func primitive(t bytecode.Type) string {
	switch t.(type) {
	case bytecode.Bool:
		return "bool"
	case bytecode.S8:
		return "s8"
	case bytecode.U8:
		return "u8"
	case bytecode.S16:
		return "s16"
	case bytecode.U16:
		return "u16"
	case bytecode.S32:
		return "s32"
	case bytecode.U32:
		return "u32"
	case bytecode.S64:
		return "s64"
	case bytecode.U64:
		return "u64"
	case bytecode.F32:
		return "f32"
	case bytecode.F64:
		return "f64"
	case bytecode.Char:
		return "char"
	case bytecode.String:
		return "string"
	default:
		return fmt.Sprintf("%T", t)
	}
}
