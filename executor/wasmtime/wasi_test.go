package wasmtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// wasiStreams imports output streams, get-stdout and get-stderr, and lowers them for a core module.
const wasiStreams = `
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $e0))
    (export "error" (type $e (eq $e0)))
    (export "output-stream" (type $out (sub resource)))
    (type $failure-def (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure-def)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $o0)) (export "output-stream" (type $o (eq $o0)))
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $out (type $o0)) (export "output-stream" (type $o (eq $o0)))
    (export "get-stderr" (func (result (own $o))))))
  (core module $libc (memory (export "memory") 1) (data (i32.const 0) "to stdoutto stderr"))
  (core instance $libc (instantiate $libc))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $get-stderr (canon lower (func $stderr "get-stderr")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $libc "memory")))`

// talker writes to stdout and stderr and returns the tag of the last write's result, 1 for an error.
const talker = `(component` + wasiStreams + `
  (core module $m
    (import "host" "memory" (memory 1))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "get-stderr" (func $get-stderr (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "run") (result i32)
      (call $write (call $get-stdout) (i32.const 0) (i32.const 9) (i32.const 64))
      (call $write (call $get-stderr) (i32.const 9) (i32.const 9) (i32.const 64))
      (i32.load8_u (i32.const 64))))
  (core instance $i (instantiate $m (with "host" (instance
    (export "memory" (memory $libc "memory")) (export "get-stdout" (func $get-stdout))
    (export "get-stderr" (func $get-stderr)) (export "write" (func $write))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`

func TestOutput(t *testing.T) {
	tmpl := prepare(t, talker, nil, "run")
	var out, err strings.Builder
	i := instance(t, tmpl, InstanceConfig{
		Stdout: func(b []byte) { out.Write(b) },
		Stderr: func(b []byte) { err.Write(b) },
	})
	if e := call0(i); e != nil {
		t.Fatal(e)
	}
	if out.String() != "to stdout" || err.String() != "to stderr" {
		t.Errorf("stdout is %q, stderr %q", out.String(), err.String())
	}
	if e := run(t, tmpl, InstanceConfig{}); e != nil {
		t.Errorf("without receivers: %v", e)
	}
}

func TestOutputPanic(t *testing.T) {
	err := run(t, prepare(t, talker, nil, "run"), InstanceConfig{Stderr: func([]byte) { panic("full") }})
	var p *PanicError
	if !errors.As(err, &p) || p.Value != "full" || len(p.Stack) == 0 {
		t.Errorf("error is %v", err)
	}
}

// environment returns what the guest sees of its environment.
const environment = `(component
  (import "wasi:cli/environment@0.2.0" (instance $env
    (export "get-environment" (func (result (list (tuple string string)))))))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (core func $get (canon lower (func $env "get-environment") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "host" "get" (func $get (param i32)))
    (func (export "run") (result i32) (call $get (i32.const 64)) (i32.const 64)))
  (core instance $i (instantiate $m (with "host" (instance (export "get" (func $get))))))
  (func (export "run") (result (list (tuple string string))) (canon lift (core func $i "run") (memory $libc "memory"))))`

func TestEnvironment(t *testing.T) {
	tmpl := prepare(t, environment, nil, "run")
	for _, env := range [][]string{nil, {"A=1"}, {"A=1", "EMPTY=", "EQ=a=b", "UTF=h\u00e9"}} {
		i := instance(t, tmpl, InstanceConfig{Env: env})
		r, err := i.Call(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := r.Value()
		var got []string
		for k := range v.List().Len() {
			pair := v.List().At(k).Tuple()
			got = append(got, fmt.Sprintf("%s=%s", pair.At(0).Bytes(), pair.At(1).Bytes()))
		}
		r.Close()
		if !slices.Equal(got, env) {
			t.Errorf("environment is %q, want %q", got, env)
		}
	}
	for _, bad := range []string{"", "A", "=b", "A=\xff", "\xff=1", "A=\x00", "A\x00=1"} {
		if _, err := tmpl.NewInstance(InstanceConfig{Env: []string{"OK=1", bad}}); err == nil {
			t.Errorf("%q was accepted", bad)
		} else if !strings.Contains(err.Error(), "entry 1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// socketImports are imports of what in wasi:sockets reaches out.
const socketImports = `
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $code-def (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable"
      "address-in-use" "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted"
      "datagram-too-large" "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
    (export "error-code" (type (eq $code-def)))
    (type $family-def (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type (eq $family-def)))
    (type $v4-def (tuple u8 u8 u8 u8))
    (export "ipv4-address" (type $v4 (eq $v4-def)))
    (type $v6-def (tuple u16 u16 u16 u16 u16 u16 u16 u16))
    (export "ipv6-address" (type $v6 (eq $v6-def)))
    (type $s4-def (record (field "port" u16) (field "address" $v4)))
    (export "ipv4-socket-address" (type $s4 (eq $s4-def)))
    (type $s6-def (record (field "port" u16) (field "flow-info" u32) (field "address" $v6) (field "scope-id" u32)))
    (export "ipv6-socket-address" (type $s6 (eq $s6-def)))
    (type $address-def (variant (case "ipv4" $s4) (case "ipv6" $s6)))
    (export "ip-socket-address" (type (eq $address-def)))))
  (alias export $network "network" (type $net))
  (alias export $network "error-code" (type $code))
  (alias export $network "ip-address-family" (type $family))
  (alias export $network "ip-socket-address" (type $address))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance
    (alias outer 1 $net (type $n0)) (export "network" (type $n (eq $n0)))
    (export "instance-network" (func (result (own $n))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (alias outer 1 $net (type $n0)) (export "network" (type $n (eq $n0)))
    (alias outer 1 $code (type $c0)) (export "error-code" (type $c (eq $c0)))
    (export "resolve-address-stream" (type $stream (sub resource)))
    (export "resolve-addresses"
      (func (param "network" (borrow $n)) (param "name" string) (result (result (own $stream) (error $c)))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp
    (alias outer 1 $net (type $n0)) (export "network" (type $n (eq $n0)))
    (alias outer 1 $code (type $c0)) (export "error-code" (type $c (eq $c0)))
    (alias outer 1 $address (type $a0)) (export "ip-socket-address" (type $a (eq $a0)))
    (export "tcp-socket" (type $socket (sub resource)))
    (export "[method]tcp-socket.start-connect" (func (param "self" (borrow $socket)) (param "network" (borrow $n))
      (param "remote-address" $a) (result (result (error $c)))))
    (export "[method]tcp-socket.start-bind" (func (param "self" (borrow $socket)) (param "network" (borrow $n))
      (param "local-address" $a) (result (result (error $c)))))))
  (alias export $tcp "tcp-socket" (type $socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
    (alias outer 1 $code (type $c0)) (export "error-code" (type $c (eq $c0)))
    (alias outer 1 $family (type $f0)) (export "ip-address-family" (type $f (eq $f0)))
    (alias outer 1 $socket (type $s0)) (export "tcp-socket" (type $s (eq $s0)))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
`

// sockets has functions that reach out, and return 0 for success and 1 + error-code.
const sockets = `(component` + socketImports + `
  (core module $libc (memory (export "memory") 1) (data (i32.const 0) "localhost"))
  (core instance $libc (instantiate $libc))
  (core func $net (canon lower (func $instance "instance-network")))
  (core func $resolve (canon lower (func $lookup "resolve-addresses") (memory $libc "memory")))
  (core func $create (canon lower (func $create "create-tcp-socket") (memory $libc "memory")))
  (core func $connect (canon lower (func $tcp "[method]tcp-socket.start-connect") (memory $libc "memory")))
  (core func $bind (canon lower (func $tcp "[method]tcp-socket.start-bind") (memory $libc "memory")))
  (core module $m
    (import "host" "memory" (memory 1))
    (import "host" "net" (func $net (result i32)))
    (import "host" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (import "host" "create" (func $create (param i32 i32)))
    (type $reach (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "connect" (func $connect (type $reach)))
    (import "host" "bind" (func $bind (type $reach)))
    (func (export "resolve") (result i32)
      (call $resolve (call $net) (i32.const 0) (i32.const 9) (i32.const 64))
      (if (result i32) (i32.load8_u (i32.const 64)) (then (i32.add (i32.const 1) (i32.load8_u (i32.const 68)))) (else (i32.const 0))))
    (func $code (result i32)
      (if (result i32) (i32.load8_u (i32.const 64)) (then (i32.add (i32.const 1) (i32.load8_u (i32.const 65)))) (else (i32.const 0))))
    (func $no-socket (result i32)
      (call $create (i32.const 0) (i32.const 64))
      (i32.load8_u (i32.const 64)))
    (func $socket (result i32) (i32.load (i32.const 68)))
    (func $no-socket-code (result i32) (i32.add (i32.const 1) (i32.load8_u (i32.const 68))))
    (func (export "connect") (result i32)
      (if (call $no-socket) (then (return (call $no-socket-code))))
      (call $connect (call $socket) (call $net) (i32.const 0) (i32.const 80) (i32.const 127) (i32.const 0) (i32.const 0)
        (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
      call $code)
    (func (export "bind") (result i32)
      (if (call $no-socket) (then (return (call $no-socket-code))))
      (call $bind (call $socket) (call $net) (i32.const 0) (i32.const 0) (i32.const 127) (i32.const 0) (i32.const 0)
        (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
      call $code))
  (core instance $i (instantiate $m (with "host" (instance
    (export "memory" (memory $libc "memory")) (export "net" (func $net)) (export "resolve" (func $resolve))
    (export "create" (func $create)) (export "connect" (func $connect)) (export "bind" (func $bind))))))
  (func (export "resolve") (result u32) (canon lift (core func $i "resolve")))
  (func (export "connect") (result u32) (canon lift (core func $i "connect")))
  (func (export "bind") (result u32) (canon lift (core func $i "bind"))))`

func TestNoNetwork(t *testing.T) {
	const denied, resolverFailed = 1 + 1, 1 + 20
	functions := []string{"resolve", "connect", "bind"}
	tmpl := prepare(t, sockets, nil, functions...)
	for k, want := range []uint32{resolverFailed, denied, denied} {
		name := functions[k]
		i := instance(t, tmpl, InstanceConfig{})
		r, err := i.Call(k, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v, _ := r.Value()
		if got := v.U32(); got != want {
			t.Errorf("%s gave %d, want %d: the guest has a network", name, got, want)
		}
		r.Close()
	}
}

func TestNoFiles(t *testing.T) {
	tmpl := prepare(t, `(component
  (import "wasi:filesystem/types@0.2.0" (instance $types (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $d))
  (import "wasi:filesystem/preopens@0.2.0" (instance $pre
    (alias outer 1 $d (type $d0)) (export "descriptor" (type $d (eq $d0)))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (core module $libc (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8)))
  (core instance $libc (instantiate $libc))
  (core func $get (canon lower (func $pre "get-directories") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "host" "memory" (memory 1))
    (import "host" "get" (func $get (param i32)))
    (func (export "run") (result i32) (call $get (i32.const 64)) (i32.load (i32.const 68))))
  (core instance $i (instantiate $m (with "host" (instance (export "get" (func $get)) (export "memory" (memory $libc "memory"))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))`, nil, "run")
	i := instance(t, tmpl, InstanceConfig{})
	r, err := i.Call(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if v, _ := r.Value(); v.U32() != 0 {
		t.Errorf("the guest has %d directories", v.U32())
	}
}

func TestExit(t *testing.T) {
	tmpl := prepare(t, `(component
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core func $exit (canon lower (func $exit "exit")))
  (core module $m (import "host" "exit" (func $exit (param i32))) (func (export "run") (call $exit (i32.const 1))))
  (core instance $i (instantiate $m (with "host" (instance (export "exit" (func $exit))))))
  (func (export "run") (canon lift (core func $i "run"))))`, nil, "run")
	if trap := trapOf(t, run(t, tmpl, InstanceConfig{})); trap.Kind != TrapExit || trap.Status != 1 {
		t.Errorf("trap is %d with status %d, %q", trap.Kind, trap.Status, trap.Message)
	}
}

// TestTypesOnlyImport links a component that imports an interface with nothing but types in it.
func TestTypesOnlyImport(t *testing.T) {
	tmpl := prepare(t, `(component
  (import "hidden:x/types" (instance $x (type $r-def (record (field "a" u8))) (export "r" (type (eq $r-def)))))
  (core module $m (func (export "run")))
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))`, nil, "run")
	if err := run(t, tmpl, InstanceConfig{}); err != nil {
		t.Error(err)
	}
}

func TestMissingImport(t *testing.T) {
	for _, text := range []string{
		`(component (import "demo:stock/stock@1.0.0" (instance (export "take" (func (param "n" u32))))))`,
		`(component (import "take" (func (param "n" u32))))`,
	} {
		_, err := prepare(t, text, nil).NewInstance(InstanceConfig{})
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "take") || strings.Contains(e.Message, "\n") || e.Op != "instantiate" {
			t.Errorf("error is %v", err)
		}
	}
}
