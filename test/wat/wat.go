// Package wat makes small components out of WebAssembly text, for tests that need no toolchain of a language: of one
// interface each, in variations that a contract cares about.
package wat

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime"
)

// Guest says what a component exports. The zero value exports every function of demo:calc/calc@1.0.0.
type Guest struct {
	// Interface is the exported interface. Empty: demo:calc/calc@1.0.0.
	Interface string
	// Functions are what it has, by name; see functions. Nil: all of them.
	Functions []string
	// Wide gives add parameters and a result of u64 in place of u32, which breaks its callers.
	Wide bool
	// Import adds an import of an interface with one function, by this name.
	Import string
	// Mark makes the component differ from others in its bytes only.
	Mark string
}

// functions are the lifted functions, by name:
//
//	add:   func(a: u32, b: u32) -> u32
//	div:   func(a: u32, b: u32) -> result<u32, string>       the error is "division by zero"
//	area:  func(size: tuple<u32, u32>) -> u32
//	spell: func(letter: char) -> u32                         its scalar value
//	greet: func(name: string) -> string                      the name itself
//	env:   func() -> list<tuple<string, string>>
//	log:   func()                                            a line "calc: hello" of level info
//	trap:  func()
//	spin:  func()                                            never returns
var functions = map[string]string{
	"add":   `(func $add (param "a" %[1]s) (param "b" %[1]s) (result %[1]s) (canon lift (core func $i "add-%[1]s")))`,
	"div":   `(func $div (param "a" u32) (param "b" u32) (result (result u32 (error string))) (canon lift (core func $i "div") (memory $libc "memory")))`,
	"area":  `(func $area (param "size" (tuple u32 u32)) (result u32) (canon lift (core func $i "area")))`,
	"spell": `(func $spell (param "letter" char) (result u32) (canon lift (core func $i "spell")))`,
	"greet": `(func $greet (param "name" string) (result string) (canon lift (core func $i "greet") (memory $libc "memory") (realloc (func $libc "cabi_realloc"))))`,
	"env":   `(func $env (result (list (tuple string string))) (canon lift (core func $i "env") (memory $libc "memory")))`,
	"log":   `(func $log (canon lift (core func $i "log")))`,
	"trap":  `(func $trap (canon lift (core func $i "trap")))`,
	"spin":  `(func $spin (canon lift (core func $i "spin")))`,
}

var order = []string{"add", "div", "area", "spell", "greet", "env", "log", "trap", "spin"}

//nolint:dupword // WebAssembly says i32 often
const body = `
(component
  %[1]s
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))))
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging
    (type $level-def (enum "trace" "debug" "info" "warn" "error" "critical"))
    (export "level" (type $level (eq $level-def)))
    (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (data (i32.const 0) "division by zerocalchello"))
  (core instance $libc (instantiate $libc))
  (core func $getenv
    (canon lower (func $environment "get-environment") (memory $libc "memory") (realloc (func $libc "cabi_realloc"))))
  (core func $write-log (canon lower (func $logging "log") (memory $libc "memory")))
  (core module $m
    (import "host" "memory" (memory 1))
    (import "host" "getenv" (func $getenv (param i32)))
    (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
    (func (export "add-u32") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "add-u64") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
    (func (export "div") (param i32 i32) (result i32)
      (if (local.get 1)
        (then
          (i32.store8 (i32.const 64) (i32.const 0))
          (i32.store (i32.const 68) (i32.div_u (local.get 0) (local.get 1))))
        (else
          (i32.store8 (i32.const 64) (i32.const 1))
          (i32.store (i32.const 68) (i32.const 0))
          (i32.store (i32.const 72) (i32.const 16))))
      (i32.const 64))
    (func (export "area") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
    (func (export "spell") (param i32) (result i32) (local.get 0))
    (func (export "greet") (param i32 i32) (result i32)
      (i32.store (i32.const 64) (local.get 0))
      (i32.store (i32.const 68) (local.get 1))
      (i32.const 64))
    (func (export "env") (result i32) (call $getenv (i32.const 64)) (i32.const 64))
    (func (export "log") (call $log (i32.const 2) (i32.const 16) (i32.const 4) (i32.const 20) (i32.const 5)))
    (func (export "trap") unreachable)
    (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m (with "host" (instance
    (export "memory" (memory $libc "memory"))
    (export "getenv" (func $getenv))
    (export "log" (func $write-log))))))
  %[2]s
  (instance $api%[3]s)
  (export %[4]q (instance $api)))
`

// Bytes returns the component.
func (g Guest) Bytes(tb testing.TB) []byte {
	tb.Helper()
	names := g.Functions
	if names == nil {
		names = order
	}
	width := "u32"
	if g.Wide {
		width = "u64"
	}
	var lifted, exported strings.Builder
	for _, name := range names {
		text, ok := functions[name]
		if !ok {
			tb.Fatalf("wat: no function %q", name)
		}
		if name == "add" {
			text = fmt.Sprintf(text, width)
		}
		fmt.Fprintf(&lifted, "%s\n  ", text)
		fmt.Fprintf(&exported, " (export %q (func $%s))", name, name)
	}
	imported := ""
	if g.Import != "" {
		imported = fmt.Sprintf(`(import %q (instance (export "ask" (func (result u32)))))`, g.Import)
	}
	iface := g.Interface
	if iface == "" {
		iface = "demo:calc/calc@1.0.0"
	}
	component := Bytes(tb, fmt.Sprintf(body, imported, lifted.String(), exported.String(), iface))
	if g.Mark != "" {
		component = append(component, custom("mark", g.Mark)...)
	}
	return component
}

// File writes the component to a file of the test's own and returns its path.
func (g Guest) File(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "guest.wasm")
	if err := os.WriteFile(path, g.Bytes(tb), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Bytes translates WebAssembly text.
func Bytes(tb testing.TB, text string) []byte {
	tb.Helper()
	data, err := wasmtime.WatToWasm(text)
	if err != nil {
		tb.Fatalf("wat: %v", err)
	}
	return data
}

// custom is a custom section (WebAssembly core specification, 5.5.3). Name and content have under 64 bytes each.
func custom(name, content string) []byte {
	section := append([]byte{byte(len(name))}, name...)
	section = append(section, content...)
	return append([]byte{0, byte(len(section))}, section...)
}
