package wat

import (
	"fmt"
	"testing"
)

// Chain is a component of a chain of functions that call one another. It exports two functions:
//
//	ask:  func(n: u32) -> result<u32, string>
//	tell: func(n: u32) -> u32
//
// One that imports the next interface calls it with n + 1 and returns what that returns. The last one returns n, except
// that from 1000 on ask fails with "sold out" (and tell returns n), from 2000 on both spin for ever, and from 3000 on they
// trap.
type Chain struct {
	// Export is the interface that it exports, Import the one that it calls: "demo:chain/pay@1.0.0". Import is empty for the
	// last one.
	Export, Import string
	// Times is how often tell calls the next one for one call of its own; it returns what the last of them returned. Once if 0.
	Times int
	// Wide gives the exported tell a parameter of u64 in the last one, which breaks its callers.
	Wide bool
	// Mark makes the component differ from others in its bytes only.
	Mark string
}

//nolint:dupword // WebAssembly says i32 often
const chainText = `
(component
  %[1]s
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))))
    (data (i32.const 0) "sold out"))
  (core instance $libc (instantiate $libc))
  %[2]s
  (core instance $i (instantiate $m (with "host" (instance (export "memory" (memory $libc "memory")) %[3]s))))
  (func $ask (param "n" u32) (result (result u32 (error string)))
    (canon lift (core func $i "ask") (memory $libc "memory")))
  (func $tell (param "n" %[4]s) (result u32) (canon lift (core func $i "tell")))
  (instance $api (export "ask" (func $ask)) (export "tell" (func $tell)))
  (export %[5]q (instance $api)))`

const chainLink = `
  (core func $next-ask (canon lower (func $next "ask") (memory $libc "memory") (realloc (func $libc "cabi_realloc"))))
  (core func $next-tell (canon lower (func $next "tell")))
  (core module $m
    (import "host" "memory" (memory 1))
    (import "host" "ask" (func $ask (param i32 i32)))
    (import "host" "tell" (func $tell (param i32) (result i32)))
    (func (export "ask") (param i32) (result i32)
      (call $ask (i32.add (local.get 0) (i32.const 1)) (i32.const 64)) (i32.const 64))
    (func (export "tell") (param i32) (result i32)
      (local $left i32) (local $last i32)
      (local.set $left (i32.const %d))
      (loop $again
        (local.set $last (call $tell (i32.add (local.get 0) (i32.const 1))))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.get $last)))`

const chainEnd = `
  (core module $m
    (import "host" "memory" (memory 1))
    (func $check (param i32)
      (if (i32.ge_u (local.get 0) (i32.const 3000)) (then unreachable))
      (if (i32.ge_u (local.get 0) (i32.const 2000)) (then (loop (br 0)))))
    (func (export "ask") (param i32) (result i32)
      (call $check (local.get 0))
      (i32.store8 (i32.const 64) (i32.ge_u (local.get 0) (i32.const 1000)))
      (i32.store (i32.const 68) (select (i32.const 0) (local.get 0) (i32.ge_u (local.get 0) (i32.const 1000))))
      (i32.store (i32.const 72) (i32.const 8))
      (i32.const 64))
    %s)`

// Bytes returns the component.
func (c Chain) Bytes(tb testing.TB) []byte {
	tb.Helper()
	width, tell := "u32", `(func (export "tell") (param i32) (result i32) (call $check (local.get 0)) (local.get 0))`
	if c.Wide {
		width, tell = "u64", `(func (export "tell") (param i64) (result i32) (i32.wrap_i64 (local.get 0)))`
	}
	imported, module, given := "", fmt.Sprintf(chainEnd, tell), ""
	if c.Import != "" {
		imported = fmt.Sprintf(`(import %q (instance $next
    (export "ask" (func (param "n" u32) (result (result u32 (error string)))))
    (export "tell" (func (param "n" u32) (result u32)))))`, c.Import)
		module, given = fmt.Sprintf(chainLink, max(1, c.Times)), `(export "ask" (func $next-ask)) (export "tell" (func $next-tell))`
	}
	component := Bytes(tb, fmt.Sprintf(chainText, imported, module, given, width, c.Export))
	if c.Mark != "" {
		component = append(component, custom("mark", c.Mark)...)
	}
	return component
}
