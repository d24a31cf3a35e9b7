package wasmtime

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
)

// echo makes the text of a component that exports run: func(x: T) -> T, which calls the import f: func(x: T) -> T. A
// value thus crosses all four edges: from Go, to a host function, from its result, and back to Go.
func echo(t *wit.Type) string {
	w := &echoWriter{names: map[*wit.Type]string{}}
	name := w.name(t)
	params := flatten(t)
	if len(params) > 16 {
		params = []string{"i32"}
	}
	results, ret := flatten(t), ""
	if len(results) > 1 {
		results, ret = []string{"i32"}, "(param i32)"
	}
	locals := ""
	for i := range params {
		locals += fmt.Sprintf(" local.get %d", i)
	}
	call := locals + " call $f"
	if ret != "" {
		call = fmt.Sprintf(`(local $ret i32)
      (local.set $ret (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const %d)))
      %s local.get $ret call $f local.get $ret`, 16*nodes(t), locals)
	}
	sig := "(param " + strings.Join(params, " ") + ")"
	lowResult, result := "(result "+strings.Join(results, " ")+")", "(result "+strings.Join(results, " ")+")"
	if ret != "" {
		lowResult = ""
	}
	return fmt.Sprintf(`(component
  %[1]s
  (import "f" (func $f (param "x" %[2]s) (result %[2]s)))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $oldsize i32) (param $align i32) (param $size i32) (result i32)
      (local $p i32)
      (local.set $p (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                             (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $p) (local.get $size)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $enough (i32.ge_s (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536))))
                                 (i32.const 0)))
        unreachable)
      local.get $p))
  (core instance $libc (instantiate $libc))
  (core func $low (canon lower (func $f) (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "host" "f" (func $f %[3]s %[4]s %[5]s))
    (func (export "run") %[3]s %[6]s
      %[7]s))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance (export "f" (func $low))))))
  (func (export "run") (param "x" %[2]s) (result %[2]s)
    (canon lift (core func $i "run") (memory $libc "memory") (realloc (func $libc "realloc")))))`,
		strings.Join(w.defs, "\n  "), name, sig, ret, lowResult, result, call)
}

// echoWriter writes types. Those that WIT names are imported by name, as the Component Model demands.
type echoWriter struct {
	defs  []string
	names map[*wit.Type]string
}

func (w *echoWriter) name(t *wit.Type) string {
	if n, ok := w.names[t]; ok {
		return n
	}
	var body string
	named := false
	switch t.Kind {
	case wit.List:
		body = "(list " + w.name(t.Elem) + ")"
	case wit.Option:
		body = "(option " + w.name(t.Elem) + ")"
	case wit.Result:
		body = "(result"
		if t.Ok != nil {
			body += " " + w.name(t.Ok)
		}
		if t.Err != nil {
			body += " (error " + w.name(t.Err) + ")"
		}
		body += ")"
	case wit.Tuple:
		body = "(tuple"
		for _, f := range t.Fields {
			body += " " + w.name(f.Type)
		}
		body += ")"
	case wit.Record:
		body, named = "(record", true
		for _, f := range t.Fields {
			body += fmt.Sprintf(" (field %q %s)", f.Name, w.name(f.Type))
		}
		body += ")"
	case wit.Variant:
		body, named = "(variant", true
		for _, c := range t.Cases {
			body += fmt.Sprintf(" (case %q", c.Name)
			if c.Type != nil {
				body += " " + w.name(c.Type)
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
		w.defs = append(w.defs, fmt.Sprintf(`(type %[1]s-def %[2]s) (import "t%[3]d" (type %[1]s (eq %[1]s-def)))`, n, body, len(w.names)))
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

// flatten returns the core types of a value, as the canonical ABI says.
func flatten(t *wit.Type) []string {
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
			all = append(all, flatten(f.Type)...)
		}
		return all
	case wit.Option:
		return flattenCases(t.Elem)
	case wit.Result:
		return flattenCases(t.Ok, t.Err)
	case wit.Variant:
		var payloads []*wit.Type
		for _, c := range t.Cases {
			payloads = append(payloads, c.Type)
		}
		return flattenCases(payloads...)
	default:
		return []string{"i32"}
	}
}

func flattenCases(payloads ...*wit.Type) []string {
	var joined []string
	for _, p := range payloads {
		for i, core := range flatten(p) {
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

// echoer calls an echo component and checks what the host function sees.
type echoer struct {
	typ  *wit.Type
	tmpl *Template
}

// seen is the Data of an echoing instance: the value that its host function saw.
type seen struct{ value any }

func newEchoer(t testing.TB, typ *wit.Type) *echoer {
	t.Helper()
	p := newPlan(t, typ)
	tmpl := prepare(t, echo(typ), map[string]HostFunc{"f": func(call *HostCall) error {
		s := call.Data().(*seen)
		s.value = p.read(call.Args().At(0))
		return p.write(call.Arena(), call.Result(), s.value)
	}}, "run")
	return &echoer{typ: typ, tmpl: tmpl}
}
