package transcoder

import (
	"fmt"
	"slices"
	"strings"
)

// Text returns the code of the transcoder in WebAssembly's text format, for people: functions, variables and labels have the names
// that they have in Go, which are not unique, and comments say what fields are.
func (t *Transcoder) Text() string {
	var b strings.Builder
	type part struct {
		name string
		m    *module
	}
	parts := []part{{"the memory", t.exports.memory}, {"the messages", t.exports.code}}
	if t.imports != nil {
		parts = append(parts, part{"the memory of imports", t.imports.memory}, part{"the messages of imports", t.imports.code})
	}
	for _, part := range parts {
		fmt.Fprintf(&b, "(module ;; %s\n", part.name)
		for _, f := range part.m.imports {
			fmt.Fprintf(&b, "  (import %q %q %s))\n", f.from[0], f.from[1], f.head())
		}
		if part.m.memory > 0 {
			fmt.Fprintf(&b, "  (memory %d)\n", part.m.memory)
		} else {
			b.WriteString("  (import \"m\" \"memory\" (memory 1))\n")
		}
		for _, name := range part.m.globals {
			fmt.Fprintf(&b, "  (global $%s (mut i32) (i32.const 0))\n", name)
		}
		for _, f := range part.m.funcs {
			f.print(&b, part.m)
		}
		b.WriteString(")\n")
	}
	return b.String()
}

func (t valType) String() string {
	return map[valType]string{i32: "i32", i64: "i64", f32: "f32", f64: "f64"}[t]
}

// head is how a function begins, without the parenthesis that ends it.
func (f *function) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "(func $%s", symbol(f.name))
	for _, p := range f.params {
		fmt.Fprintf(&b, " (param %s)", strings.TrimSpace(named(p.name)+" "+p.typ.String()))
	}
	for _, r := range f.results {
		fmt.Fprintf(&b, " (result %s)", r)
	}
	return b.String()
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return "$" + name
}

// symbol is a name without spaces.
func symbol(name string) string { return strings.ReplaceAll(name, " ", "-") }

func (f *function) print(b *strings.Builder, m *module) {
	fmt.Fprintf(b, "\n  %s", f.head())
	for _, e := range m.exports {
		if e.fn == f {
			fmt.Fprintf(b, " ;; export %q", e.name)
		}
	}
	b.WriteByte('\n')
	for _, l := range f.locals {
		fmt.Fprintf(b, "    (local $%s %s)\n", l.name, l.typ)
	}
	variables := slices.Concat(f.params, f.locals)
	depth := 2
	for _, i := range f.body {
		if i.op == elseOp || i.op == endOp {
			depth--
		}
		fmt.Fprintf(b, "%s%s\n", strings.Repeat("  ", depth), i.text(variables, m))
		if i.op == elseOp || opcodes[i.op].form == structured {
			depth++
		}
	}
	b.WriteString("  )\n")
}

// text is one instruction.
func (i instr) text(variables []local, m *module) string {
	if i.op == nothing {
		return ";; " + i.note
	}
	name := opcodes[i.op].name
	switch opcodes[i.op].form {
	case called:
		return name + " $" + symbol(i.fn.name)
	case constant:
		return fmt.Sprintf("%s %d", name, i.a)
	case memory:
		if i.a == 0 {
			return name
		}
		return fmt.Sprintf("%s offset=%d", name, i.a)
	case tabled:
		return fmt.Sprintf("%s %s %d", name, strings.Trim(fmt.Sprint(i.table), "[]"), i.a)
	case indexed:
		switch i.op {
		case localGet, localSet, localTee:
			return name + " $" + variables[i.a].name
		case globalGet, globalSet:
			return name + " $" + m.globals[i.a]
		}
		return fmt.Sprintf("%s %d", name, i.a)
	}
	return name
}
