package transcode_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/transcoder"
)

// twoPaths is a component with both forms: as it is, and with a transcoder around it, whose instances answer one call or more.
type twoPaths struct {
	*binding
	direct, wrapped *wasmtime.Template
	methods         []*contract.Method
	plansOf         []*transcode.Plan
}

func newTwoPaths(t testing.TB, e *wasmtime.Engine, name string, wasm []byte, service string, once bool) *twoPaths {
	t.Helper()
	world, err := component.Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	p := &twoPaths{binding: bind(t, world)}
	if p.binding == nil {
		t.Fatal("no binding")
	}
	tr, err := transcoder.New(p.services, nil, world, 1<<20, func(*contract.Method) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	composed, err := tr.Around(compose.Part{Name: name, Component: wasm, World: world, Once: once})
	if err != nil {
		t.Fatal(err)
	}
	var direct, wrapped []wasmtime.Export
	for _, s := range p.services {
		if s.Name != service {
			continue
		}
		for _, m := range s.Methods {
			if tr.Export(m) != "" {
				p.methods = append(p.methods, m)
				p.plansOf = append(p.plansOf, p.plans.Method(s.Name, m.Name))
				direct = append(direct, wasmtime.Export{Interface: s.Interface, Function: m.Function.Name})
				wrapped = append(wrapped, wasmtime.Export{Function: tr.Export(m)})
			}
		}
	}
	template := func(wasm []byte, exports []wasmtime.Export) *wasmtime.Template {
		c, err := e.Compile(wasm)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		l := e.NewLinker()
		t.Cleanup(l.Close)
		must(l.AddWASI())
		for _, i := range world.Imports {
			if i.Namespace == "wasi" && i.Package != "logging" {
				continue
			}
			for _, f := range i.Functions {
				must(l.Define(i.ID, f.Name, func(*wasmtime.HostCall) error { return nil }))
			}
		}
		tmpl, err := l.Prepare(c, exports)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tmpl.Close)
		return tmpl
	}
	p.direct, p.wrapped = template(wasm, direct), template(composed.Bytes(), wrapped)
	return p
}

// told is what a caller of a method gets.
type told struct {
	kind byte   // of an answer of the transcoder
	text string // why a request is refused, with the path
	// message is the response, or the detail of the function's error.
	message []byte
	trap    string // what ended the call
}

// plain calls a method by the plain path.
func (p *twoPaths) plain(n int, message []byte) told {
	arena := wasmtime.NewArena()
	defer arena.Free()
	if _, err := p.plansOf[n].Decode(message, arena); err != nil {
		return told{kind: transcoder.Refused, text: err.Error()}
	}
	i, err := p.direct.NewInstance(wasmtime.InstanceConfig{})
	must(err)
	defer i.Close()
	result, err := i.Call(n, arena)
	if err != nil {
		return ended(err)
	}
	defer result.Close()
	v, _ := result.Value()
	response, err := p.plansOf[n].Encode(v, math.MaxInt32)
	if failure, failed := errors.AsType[*transcode.Failure](err); failed {
		return told{kind: transcoder.Failed, message: failure.Detail}
	}
	must(err)
	return told{kind: transcoder.Answered, message: response}
}

// fast calls a method through the transcoder. What that refuses goes by the plain path, in the copy that was made of it, as in package executor.
func (p *twoPaths) fast(n int, message []byte) (got told, refused bool) {
	const memory = 64 << 20
	i, err := p.wrapped.NewInstance(wasmtime.InstanceConfig{Memory: memory})
	must(err)
	defer i.Close()
	argument, kept := transcoder.Argument(message, memory)
	r, err := i.CallBytes(n, wasmtime.ReturnsBytes, argument)
	if err != nil {
		return ended(err), false
	}
	defer r.Close()
	b := r.Value()
	if b[0] == transcoder.Refused {
		return p.plain(n, kept), true
	}
	return told{kind: b[0], message: bytes.Clone(b[1:])}, false
}

// ended is what is told of a call that did not end well. The backtrace is not compared: it has other functions than the guest's.
func ended(err error) told {
	if trap, trapped := errors.AsType[*wasmtime.Trap](err); trapped {
		return told{trap: trap.Message}
	}
	return told{trap: err.Error()}
}

// engineOfBytes is an engine with calls of bytes.
func engineOfBytes(t testing.TB) *wasmtime.Engine {
	t.Helper()
	if wasmtime.Name != "lts" {
		t.Skip("only the long-term-support engine has calls of bytes")
	}
	e, err := wasmtime.NewEngine(wasmtime.Config{})
	must(err)
	t.Cleanup(e.Close)
	return e
}

// outside has a type and functions of the world itself, one of which is called as the type.
const outside = `(component
  (type $entry (record (field "name" string) (field "tags" (list u16)) (field "more" (option (list string)))))
  (import "entry" (type $named (eq $entry)))
` + wat.Libc + `
  (core module $m
    (import "libc" "memory" (memory 1))
    (func (export "same") (param $at i32) (param $count i32) (result i32)
      (i32.store (i32.const 8) (local.get $at))
      (i32.store (i32.const 12) (local.get $count))
      i32.const 8)
    (func (export "count") (param i32 i32) (result i32) (local.get 1)))
  (core instance $i (instantiate $m (with "libc" (instance $libc))))
  (func (export "same") (param "entries" (list $named)) (result (list $named))
    (canon lift (core func $i "same") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (func (export "entry") (param "entries" (list $named)) (result u32)
    (canon lift (core func $i "count") (memory $libc "memory") (realloc (func $libc "realloc")))))`

// inline is a component with an interface of a plain name, which is that of the type of the world that it uses. It has a function of the world's
// own where that is more.
func inline(more string) string {
	return strings.NewReplacer(`(func (export "same") (param "e`, `(func $same (param "e`, `(func (export "entry") (param "e`, `(func $count (param "e`).Replace(outside[:len(outside)-1]) + `
  (instance $entries (export "same" (func $same)) (export "count" (func $count)))
  (export "entry" (instance $entries))` + more + ")"
}

// TestTwoPaths calls the functions of real components, and of one in text, both ways, with random requests, whole and damaged.
func TestTwoPaths(t *testing.T) {
	e := engineOfBytes(t)
	texts := map[string]string{"outside": outside, "inline": inline(""), "inline and outside": inline(`(export "also" (func $count))`)}
	for name, service := range map[string]string{"bench": "bench.records.v1.Records", "orders": "demo.orders.v1.Orders", "conformance": "test.conformance.v1.Shapes",
		"outside": "random_fn.Functions", "inline": "random_fn.Entry", "inline and outside": "random_fn.Entry"} {
		for _, once := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " once ", once), func(t *testing.T) {
				wasm := func() []byte { return components.Bytes(t, name) }
				if text, ok := texts[name]; ok {
					wasm = func() []byte { return wat.Bytes(t, text) }
				}
				p := newTwoPaths(t, e, name, wasm(), service, once)
				rapid.Check(t, func(t *rapid.T) {
					n := rapid.IntRange(0, len(p.methods)-1).Draw(t, "method")
					message := p.request(t, p.methods[n], 5)
					p.compare(t, n, message, true)
					for range rapid.IntRange(1, 3).Draw(t, "damages") {
						message = damage(t, message)
					}
					p.compare(t, n, message, false)
				})
			})
		}
	}
}

// TestTextsOnTwoPaths has each kind of character, and of bytes that are none, at each place of texts of many sizes, between bytes that are no
// ASCII.
func TestTextsOnTwoPaths(t *testing.T) {
	p := newTwoPaths(t, engineOfBytes(t), "outside", wat.Bytes(t, outside), "random_fn.Functions", true)
	same := slices.IndexFunc(p.methods, func(m *contract.Method) bool { return m.Name == "Same" })
	tags := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), []byte("\xff\xff\x03"))
	for size := range 28 {
		for at := range size + 1 {
			for _, c := range []string{"", "\x7f", "é", "€", "😀", "\x80", "\xff", "\xe2\x82", "\xc1\xbf", "\xed\xa0\x80"} {
				text := strings.Repeat("a", at) + c + strings.Repeat("z", size-at)
				named := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), text)
				var message []byte
				for _, entry := range [][]byte{slices.Concat(tags, named), slices.Concat(named, tags)} {
					message = protowire.AppendBytes(protowire.AppendTag(message, 1, protowire.BytesType), entry)
				}
				p.compare(t, same, message, utf8.ValidString(text))
			}
		}
	}
}

// compare expects the same answer from both paths, errors with the same text. The transcoder may leave a message to the plain path unless
// it is one that encoders write.
func (p *twoPaths) compare(t rapid.TB, n int, message []byte, usual bool) {
	t.Helper()
	got, refused := p.fast(n, message)
	if refused && usual {
		t.Fatalf("%s of %.300x: the transcoder refuses it", p.methods[n].Name, message)
	}
	want := p.plain(n, message)
	if got.kind != want.kind || got.text != want.text || got.trap != want.trap || !bytes.Equal(got.message, want.message) {
		t.Fatalf("%s of %.300x: plain %d %.300x %q %q; transcoded %d %.300x %q %q", p.methods[n].Name, message,
			want.kind, want.message, want.text, want.trap, got.kind, got.message, got.text, got.trap)
	}
}

// FuzzTwoPaths sends whatever bytes both ways.
func FuzzTwoPaths(f *testing.F) {
	p := newTwoPaths(f, engineOfBytes(f), "conformance", components.Bytes(f, "conformance"), "test.conformance.v1.Shapes", true)
	for n := range p.methods {
		f.Add(n, []byte("\x0a\x04\x08\x01\x12\x00\x0a\x00"))
	}
	f.Fuzz(func(t *testing.T, n int, message []byte) {
		p.compare(t, max(n, -n-1)%len(p.methods), message, false)
	})
}
