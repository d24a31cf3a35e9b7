package wat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wittest"
)

// Proxy makes a component that imports an interface and exports its functions as functions of the world: each passes its
// arguments on to the import of the same name, and returns what that returns. All types of the interface must be its own.
func Proxy(tb testing.TB, i *wit.Interface) []byte {
	tb.Helper()
	return proxyOf(tb, i, func(name string) string { return fmt.Sprintf("(export %q (func $f-%s))", name, name) }, "%s")
}

// Relay is a Proxy that exports the functions as an interface of another name.
func Relay(tb testing.TB, i *wit.Interface, id string) []byte {
	tb.Helper()
	export := func(name string) string { return fmt.Sprintf("(export %[1]q (func $f-%[1]s))", name) }
	return proxyOf(tb, i, export, "\n  (instance $relay %s)\n  (export "+fmt.Sprintf("%q", id)+" (instance $relay))")
}

// proxyOf makes a proxy with an export for each function, and something around all.
func proxyOf(tb testing.TB, i *wit.Interface, export func(name string) string, around string) []byte {
	tb.Helper()
	p := &proxy{inner: wittest.NewInterfaceText(), types: wittest.NewAliasText("$api")}
	var exports strings.Builder
	for _, f := range i.Functions {
		p.function(f)
		exports.WriteString(export(f.Name))
	}
	return Bytes(tb, fmt.Sprintf(proxyText, p.types.Defs(), i.ID, p.inner.Defs()+p.imports.String(), p.lowered.String(),
		p.core.String()+strings.Join(p.bodies, ""), p.given.String(), p.lifted.String()+fmt.Sprintf(around, exports.String()), Libc))
}

// proxy holds the texts of the functions.
type proxy struct {
	inner, types                          *wittest.TypeText // those of the import, and of the proxy itself
	imports, lowered, core, given, lifted strings.Builder
	bodies                                []string
}

func (p *proxy) function(f *wit.Function) {
	var params []string
	var sig, imported, locals strings.Builder
	for _, a := range f.Params {
		fmt.Fprintf(&imported, " (param %q %s)", a.Name, p.inner.Name(a.Type))
		fmt.Fprintf(&sig, " (param %q %s)", a.Name, p.types.Name(a.Type))
		params = append(params, wittest.Flatten(a.Type)...)
	}
	if len(params) > 16 {
		params = []string{"i32"}
	}
	var results []string
	if f.Result != nil {
		fmt.Fprintf(&imported, " (result %s)", p.inner.Name(f.Result))
		fmt.Fprintf(&sig, " (result %s)", p.types.Name(f.Result))
		results = wittest.Flatten(f.Result)
	}
	for i := range params {
		fmt.Fprintf(&locals, " local.get %d", i)
	}
	core, low, body := "(param "+strings.Join(params, " ")+")", "", fmt.Sprintf("%s call $%s", locals.String(), f.Name)
	switch {
	case len(results) > 1:
		low = " (param i32)"
		core += " (result i32)"
		body = fmt.Sprintf("(local $ret i32)\n      (local.set $ret (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const %d)))"+
			"\n      %s local.get $ret call $%s local.get $ret", wittest.MaxBytes(f.Result), locals.String(), f.Name)
	case len(results) == 1:
		core += " (result " + results[0] + ")"
	}
	lower := core
	if low != "" {
		lower = "(param " + strings.Join(params, " ") + ")" + low
	}
	fmt.Fprintf(&p.imports, "\n    (export %q (func%s))", f.Name, imported.String())
	fmt.Fprintf(&p.lowered, "\n  (core func $%[1]s (canon lower (func $api %[1]q) (memory $libc \"memory\") (realloc (func $libc \"realloc\"))))", f.Name)
	fmt.Fprintf(&p.core, "\n    (import \"host\" %[1]q (func $%[1]s %[2]s))", f.Name, lower)
	fmt.Fprintf(&p.given, " (export %[1]q (func $%[1]s))", f.Name)
	fmt.Fprintf(&p.lifted, "\n  (func $f-%[1]s%[2]s (canon lift (core func $i %[1]q) (memory $libc \"memory\") (realloc (func $libc \"realloc\"))))",
		f.Name, sig.String())
	p.bodies = append(p.bodies, fmt.Sprintf("\n    (func (export %q) %s %s)", f.Name, core, body))
}

// Libc is the text of a core instance, $libc, with a memory and a realloc that frees nothing.
const Libc = `  (core module $libc
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
  (core instance $libc (instantiate $libc))`

//nolint:dupword // WebAssembly says i32 often
const proxyText = `(component
  (import %[2]q (instance $api
  %[3]s))
  %[1]s
%[8]s%[4]s
  (core module $m
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))%[5]s)
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance%[6]s))))%[7]s)`
