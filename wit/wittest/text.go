package wittest

import (
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
)

// TypeText writes types in WebAssembly's text format. Those that WIT names need a name there too where a component shows them.
type TypeText struct {
	defs  []string
	names map[*wit.Type]string
	named func(n int, symbol, body, name string) string
}

// NewTypeText returns a TypeText without types, which imports those with a name.
func NewTypeText() *TypeText {
	return newTypeText(func(n int, symbol, body, _ string) string {
		return fmt.Sprintf(`(type %[1]s-def %[2]s) (import "t%[3]d" (type %[1]s (eq %[1]s-def)))`, symbol, body, n)
	})
}

// NewInterfaceText returns a TypeText without types for the inside of an interface, which exports those with a name.
func NewInterfaceText() *TypeText {
	return newTypeText(func(_ int, symbol, body, name string) string {
		return fmt.Sprintf(`(type %[1]s-def %[2]s) (export %[3]q (type %[1]s (eq %[1]s-def)))`, symbol, body, name)
	})
}

// NewAliasText returns a TypeText without types, which takes those with a name from an instance that exports them.
func NewAliasText(instance string) *TypeText {
	return newTypeText(func(_ int, symbol, _, name string) string {
		return fmt.Sprintf(`(alias export %s %q (type %s))`, instance, name, symbol)
	})
}

func newTypeText(named func(n int, symbol, body, name string) string) *TypeText {
	return &TypeText{names: make(map[*wit.Type]string), named: named}
}

// Defs gives the definitions of the types that were named.
func (w *TypeText) Defs() string { return strings.Join(w.defs, "\n  ") }

// Name gives what stands for a type.
func (w *TypeText) Name(t *wit.Type) string {
	if n, ok := w.names[t]; ok {
		return n
	}
	var body string
	named := false
	switch t.Kind {
	case wit.List:
		body = "(list " + w.Name(t.Elem) + ")"
	case wit.Option:
		body = "(option " + w.Name(t.Elem) + ")"
	case wit.Result:
		body = "(result"
		if t.Ok != nil {
			body += " " + w.Name(t.Ok)
		}
		if t.Err != nil {
			body += " (error " + w.Name(t.Err) + ")"
		}
		body += ")"
	case wit.Tuple:
		body = "(tuple"
		for _, f := range t.Fields {
			body += " " + w.Name(f.Type)
		}
		body += ")"
	case wit.Record:
		body, named = "(record", true
		for _, f := range t.Fields {
			body += fmt.Sprintf(" (field %q %s)", f.Name, w.Name(f.Type))
		}
		body += ")"
	case wit.Variant:
		body, named = "(variant", true
		for _, c := range t.Cases {
			body += fmt.Sprintf(" (case %q", c.Name)
			if c.Type != nil {
				body += " " + w.Name(c.Type)
			}
			body += ")"
		}
		body += ")"
	case wit.Enum, wit.Flags:
		body, named = map[wit.Kind]string{wit.Enum: "(enum", wit.Flags: "(flags"}[t.Kind], true
		for _, c := range t.Cases {
			body += fmt.Sprintf(" %q", c.Name)
		}
		body += ")"
	default:
		return primitives[t.Kind]
	}
	n := fmt.Sprintf("$t%d", len(w.names))
	if named {
		w.defs = append(w.defs, w.named(len(w.names), n, body, t.Name))
	} else {
		w.defs = append(w.defs, fmt.Sprintf("(type %s %s)", n, body))
	}
	w.names[t] = n
	return n
}

var primitives = map[wit.Kind]string{
	wit.Bool: "bool", wit.S8: "s8", wit.U8: "u8", wit.S16: "s16", wit.U16: "u16", wit.S32: "s32", wit.U32: "u32",
	wit.S64: "s64", wit.U64: "u64", wit.F32: "f32", wit.F64: "f64", wit.Char: "char", wit.String: "string",
}

// Flatten returns the core types of a value, as the canonical ABI says.
func Flatten(t *wit.Type) []string {
	if t == nil {
		return nil
	}
	switch t.Kind {
	case wit.S64, wit.U64:
		return []string{"i64"}
	case wit.F32:
		return []string{"f32"}
	case wit.F64:
		return []string{"f64"}
	case wit.String, wit.List:
		return []string{"i32", "i32"}
	case wit.Record, wit.Tuple:
		var all []string
		for _, f := range t.Fields {
			all = append(all, Flatten(f.Type)...)
		}
		return all
	case wit.Option:
		return flatCases(t.Elem)
	case wit.Result:
		return flatCases(t.Ok, t.Err)
	case wit.Variant:
		var payloads []*wit.Type
		for _, c := range t.Cases {
			payloads = append(payloads, c.Type)
		}
		return flatCases(payloads...)
	default:
		return []string{"i32"}
	}
}

func flatCases(payloads ...*wit.Type) []string {
	var joined []string
	for _, p := range payloads {
		for i, core := range Flatten(p) {
			switch {
			case i == len(joined):
				joined = append(joined, core)
			case joined[i] == core:
			case joined[i]+core == "i32f32" || joined[i]+core == "f32i32":
				joined[i] = "i32"
			default:
				joined[i] = "i64"
			}
		}
	}
	return append([]string{"i32"}, joined...)
}

// MaxBytes is more than a value takes in memory, without what it points to.
func MaxBytes(t *wit.Type) int { return 16 * nodes(t) }

// nodes counts the parts of a type, each of which takes at most 16 bytes.
func nodes(t *wit.Type) int {
	if t == nil {
		return 0
	}
	n := 1 + nodes(t.Ok) + nodes(t.Err)
	if t.Kind == wit.Option {
		n += nodes(t.Elem)
	}
	for _, f := range t.Fields {
		n += nodes(f.Type)
	}
	for _, c := range t.Cases {
		n += nodes(c.Type)
	}
	return n
}
