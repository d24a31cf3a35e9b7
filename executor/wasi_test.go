package executor

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	decode "github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wasi"
)

// TestWASIVersions links every interface in versions that components are built with.
func TestWASIVersions(t *testing.T) {
	g := newExecutor(t, Config{})
	for _, version := range []string{"0.2.0", "0.2.6", wasi.Version} {
		for name, i := range wasi.Interfaces() {
			other := *i
			other.ID, other.Version = "wasi:"+name+"@"+version, version
			if err := g.CheckImports(&wit.World{Imports: []*wit.Interface{&other}}); err != nil {
				t.Error(err)
			}
		}
	}
}

// wasiProxy is a guest that exports some functions of an interface of WASI, and answers with what it is given.
func wasiProxy(t *testing.T, name string, functions ...string) *guest {
	t.Helper()
	i := *wasi.Interfaces()[name]
	i.Functions = slices.DeleteFunc(slices.Clone(i.Functions), func(f *wit.Function) bool { return !slices.Contains(functions, f.Name) })
	i.Types = slices.DeleteFunc(slices.Clone(i.Types), func(t wit.NamedType) bool { return t.Resource != nil })
	g := newExecutor(t, Config{})
	g.rev = hostRevision(t, &i)
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestWASIClocks(t *testing.T) {
	g := wasiProxy(t, "clocks/wall-clock", "now", "resolution")
	before := time.Now().Unix()
	got, err := g.ask(t.Context(), "Now", "")
	if err != nil {
		t.Fatal(err)
	}
	record, _ := protowire.ConsumeBytes([]byte(got[1:])) // value
	if seconds, _ := protowire.ConsumeVarint(record[1:]); seconds < uint64(before) || seconds > uint64(time.Now().Unix()) {
		t.Errorf("it is %d, before %d", seconds, before)
	}
	g = wasiProxy(t, "clocks/monotonic-clock", "now", "resolution")
	var last uint64
	for range 3 {
		got, err := g.ask(t.Context(), "Now", "")
		if err != nil {
			t.Fatal(err)
		}
		now, _ := protowire.ConsumeVarint([]byte(got[1:]))
		if now <= last {
			t.Errorf("the clock goes from %d to %d", last, now)
		}
		last = now
	}
}

func TestWASIRandom(t *testing.T) {
	for name, functions := range map[string][]string{
		"random/random":   {"get-random-bytes", "get-random-u64"},
		"random/insecure": {"get-insecure-random-bytes", "get-insecure-random-u64"},
	} {
		g := wasiProxy(t, name, functions...)
		bytes, number := upperCamel(functions[0]), upperCamel(functions[1])
		seen := map[string]bool{}
		for range 4 {
			got, err := g.ask(t.Context(), bytes, string(protowire.AppendVarint([]byte("\x08"), 100)))
			if value, _ := protowire.ConsumeBytes([]byte(got[1:])); err != nil || len(value) != 100 {
				t.Errorf("%s: %d bytes, %v", bytes, len(value), err)
			}
			seen[got] = true
			got, err = g.ask(t.Context(), number, "")
			if err != nil {
				t.Error(err)
			}
			seen[got] = true
		}
		if len(seen) != 8 {
			t.Errorf("%s: 8 values, %d of them different", name, len(seen))
		}
		_, err := g.ask(t.Context(), bytes, string(protowire.AppendVarint([]byte("\x08"), 1<<40)))
		refused(t, err, Trap, "1099511627776 random bytes", strconv.Itoa(maxRandom))
	}
	g := wasiProxy(t, "random/insecure-seed", "insecure-seed")
	if got, err := g.ask(t.Context(), "InsecureSeed", ""); err != nil || len(got) < 10 {
		t.Errorf("%x, %v", got, err)
	}
}

func upperCamel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// TestWASIExit has guests end themselves.
func TestWASIExit(t *testing.T) {
	g := wasiProxy(t, "cli/exit", "exit", "exit-with-code")
	for _, c := range []struct{ method, message, want string }{
		{"Exit", "\x0a\x02\x0a\x00", "exit with status 0"},
		{"Exit", "\x0a\x02\x12\x00", "exit with status 1"},
		{"ExitWithCode", "\x08\x2a", "exit with status 42"},
	} {
		_, err := g.ask(t.Context(), c.method, c.message)
		refused(t, err, Trap, "the guest ended itself: "+c.want)
	}
}

// pollText waits for two times, in nanoseconds from now, and gives which of them have come, as bits. With none it waits for
// nothing; more than 64 KiB are written at once if asked for.
const pollText = `(component
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $e0))
    (export "error" (type $e (eq $e0)))
    (export "output-stream" (type $out (sub resource)))
    (type $failure-def (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure-def)))
    (export "[method]output-stream.write"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdout@0.2.3" (instance $stdout
    (alias outer 1 $out (type $o0)) (export "output-stream" (type $o (eq $o0)))
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p0)) (export "pollable" (type $p (eq $p0)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (core module $libc
    (memory (export "memory") 4)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $wait (canon lower (func $poll "poll") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $libc "memory")))
  (core module $m
    (import "host" "memory" (memory 1))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "wait") (param i32 i64 i64) (result i32) (local $bits i32) (local $n i32)
      (i32.store (i32.const 0) (call $subscribe (local.get 1)))
      (i32.store (i32.const 4) (call $subscribe (local.get 2)))
      (call $poll (i32.const 0) (local.get 0) (i32.const 16))
      (loop $next
        (if (i32.lt_u (local.get $n) (i32.load (i32.const 20))) (then
          (local.set $bits (i32.or (local.get $bits) (i32.shl (i32.const 1)
            (i32.load (i32.add (i32.load (i32.const 16)) (i32.mul (local.get $n) (i32.const 4)))))))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br $next))))
      (local.get $bits))
    (func (export "print") (param i32)
      (call $write (call $get-stdout) (i32.const 4096) (local.get 0) (i32.const 16))))
  (core instance $i (instantiate $m (with "host" (instance
    (export "memory" (memory $libc "memory")) (export "subscribe" (func $subscribe)) (export "poll" (func $wait))
    (export "get-stdout" (func $get-stdout)) (export "write" (func $write))))))
  (func (export "wait") (param "pollables" u32) (param "first" u64) (param "second" u64) (result u32) (canon lift (core func $i "wait")))
  (func (export "print") (param "bytes" u32) (canon lift (core func $i "print"))))`

func TestWASIPoll(t *testing.T) {
	g := newExecutor(t, Config{Slots: 1})
	path, _ := component(t, pollText)
	wasm, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	world, err := decode.Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	built, err := contract.Build(contract.Input{Function: "proxy", World: world})
	if err != nil {
		t.Fatal(err)
	}
	g.rev = Revision{Key: Key{Namespace: "default", Function: "proxy", Revision: 1}, Digest: sha256.Sum256(wasm), Path: path,
		Limits: Limits{Timeout: time.Minute}, World: world, Services: built.Services}
	if err := g.CheckImports(world); err != nil {
		t.Fatal(err)
	}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	wait := func(ctx context.Context, n, first, second uint64) (string, error) {
		message := protowire.AppendVarint([]byte("\x08"), n)
		message = protowire.AppendVarint(append(message, 0x10), first)
		return g.ask(ctx, "Wait", string(protowire.AppendVarint(append(message, 0x18), second)))
	}
	const short = uint64(time.Millisecond)
	for _, c := range []struct {
		n, first, second uint64
		want             string
	}{{2, short, hour, "\x08\x01"}, {2, hour, short, "\x08\x02"}, {2, 0, 0, "\x08\x03"}, {1, short, 0, "\x08\x01"}} {
		if got, err := wait(t.Context(), c.n, c.first, c.second); err != nil || got != c.want {
			t.Errorf("%v: %x, %v", c, got, err)
		}
	}
	_, err = wait(t.Context(), 0, 0, 0)
	refused(t, err, Trap, "import wasi:io/poll", "nothing to wait for")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = wait(ctx, 2, 1<<63, 1<<64-1)
	refused(t, err, Deadline)

	if _, err := g.ask(t.Context(), "Print", string(protowire.AppendVarint([]byte("\x08"), maxWrite))); err != nil {
		t.Error(err)
	}
	_, err = g.ask(t.Context(), "Print", string(protowire.AppendVarint([]byte("\x08"), maxWrite+1)))
	refused(t, err, Trap, "65537 bytes are written at once; the most is 65536")
	if _, trapped := err.(*Error).Err.(*wasmtime.Trap); !trapped { //nolint:errorlint,forcetypeassert // refused has checked it
		t.Errorf("error is %v", err)
	}
}
