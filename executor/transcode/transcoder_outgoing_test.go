package transcode_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/transcoder"
	"github.com/weft-run/weft/wit/wittest"
)

// kinds has functions with all kinds of parameters and results: those that are passed in core values of each type, alone and as
// cases that share them, and those that go through memory.
const kinds = `
	package demo:kinds@1.0.0 { interface kinds {
		enum level { low, high }
		enum trouble { timeout, unavailable, odd }
		flags perms { read, write }
		record point { x: s32, y: s64 }
		variant shape { rect(tuple<point, point>), label(string), none-at-all, codes(list<u8>), small(s8), wide(f64), narrow(f32), deep(option<f32>) }
		variant number { single(f32), double(f64), short(u16), long(s64), mark(char), state(level), yes(bool) }
		variant float { a(f32), b(u32) }
		record item { name: string, at: point, level: level, perms: perms, kids: list<shape>, initial: char, size: option<u16> }
		record problem { why: string, items: list<item> }
		variant refusal { timeout(string), items(list<item>), unavailable }
		same: func(v: list<item>) -> list<item>;
		items: func(a: list<item>, b: item) -> item;
		flat: func(a: list<string>, b: shape, c: number, d: float, e: u8, f: s16) -> shape;
		numbers: func(a: number, b: option<number>, c: list<number>, d: result<float, level>) -> number;
		many: func(a: u8, b: string, c: list<u32>, d: option<string>, e: bool, f: tuple<u8, s8>, g: string, h: f64, i: char, j: s64, k: f32) -> string;
		nothing: func(v: list<u32>);
		flag: func(v: list<perms>) -> perms;
		count: func(v: list<s64>) -> s64;
		sum: func(v: list<f64>) -> f64;
		half: func(v: list<f32>) -> f32;
		character: func(v: list<char>) -> char;
		state: func(v: list<level>) -> level;
		signed: func(v: list<s8>) -> s8;
		maybe: func(v: option<list<string>>) -> option<option<list<u16>>>;
		fails-text: func(v: list<u8>, w: list<string>) -> result<list<item>, string>;
		fails-state: func(v: list<point>) -> result<_, trouble>;
		fails-record: func(v: list<point>) -> result<point, problem>;
		fails-case: func(v: list<point>) -> result<u64, refusal>;
		fails-list: func(v: list<point>) -> result<shape, list<string>>;
		fails: func(v: list<point>) -> result;
	} }
	world w { export demo:kinds/kinds@1.0.0; }`

// mirror is a component that passes on what it is called with to what it imports, with transcoders on both sides.
type mirror struct {
	*binding
	template *wasmtime.Template
	all      []*contract.Method
	plansOf  []*transcode.Plan
	// imports are the methods that answer, and their plans.
	imports     []*contract.Method
	importPlans []*transcode.Plan
	// given is the request that came out, for which answer is what comes back, or failure where it is the detail of one. None is
	// accepted where again is asked for one in the form that weft writes.
	given          []byte
	answer         []byte
	failure, asked bool
	called         int
}

// errUnfit traps a guest whose call has an answer that does not fit.
var errUnfit = errors.New("the answer does not fit")

// newMirror makes the mirror of an interface, whose functions are exported by that, too, or outside of an interface; nil if it can have no
// transcoder.
func newMirror(t testing.TB, e *wasmtime.Engine, i *wit.Interface, outside bool) *mirror {
	t.Helper()
	imported := bind(t, &wit.World{Exports: []*wit.Interface{i}})
	if imported == nil {
		return nil
	}
	t.Cleanup(imported.plans.Close)
	wasm := wat.Mirror
	if outside {
		wasm = wat.Proxy
	}
	part := compose.Part{Name: "mirror", Component: wasm(t, i)}
	var err error
	part.World, err = component.Decode(part.Component)
	must(err)
	m := &mirror{binding: bind(t, part.World)}
	if m.binding == nil {
		return nil
	}
	t.Cleanup(m.plans.Close)
	tr, err := transcoder.New(m.services, imported.services, part.World, 1<<20, func(*contract.Method) bool { return false })
	if errors.Is(err, transcoder.ErrNone) || err == nil && tr.Import(imported.services[0].Methods[0]) == "" && len(m.services[0].Methods) == 1 {
		return nil
	}
	must(err)
	composed, err := tr.Around(part)
	if err != nil {
		t.Fatal(err)
	}
	l := e.NewLinker()
	t.Cleanup(l.Close)
	var exports []wasmtime.Export
	for at, method := range imported.services[0].Methods {
		name := tr.Import(method)
		if name == "" {
			must(l.Define(i.ID, method.Function.Name, func(*wasmtime.HostCall) error { return nil }))
			continue
		}
		n, exported := len(exports), m.services[0].Methods[at]
		exports = append(exports, wasmtime.Export{Function: tr.Export(exported)})
		m.all = append(m.all, exported)
		m.plansOf = append(m.plansOf, m.plans.Method(m.services[0].Name, exported.Name))
		m.imports = append(m.imports, method)
		m.importPlans = append(m.importPlans, imported.plans.Method(imported.services[0].Name, method.Name))
		must(l.DefineBytes(transcoder.Host, name, 1, wasmtime.ReturnsEither, func(call *wasmtime.BytesCall) ([]byte, bool, error) {
			if m.called = n; call.Len() != 1 {
				return nil, false, errors.New("no request")
			}
			m.given = bytes.Clone(call.Arg(0))
			return m.answer, m.failure, nil
		}))
	}
	if len(exports) == 0 {
		return nil
	}
	must(l.DefineBytes(transcoder.Host, transcoder.Again, 0, wasmtime.ReturnsEither, func(*wasmtime.BytesCall) ([]byte, bool, error) {
		if m.asked {
			return nil, false, errors.New("asked twice")
		}
		m.asked = true
		answer, failed, err := m.plain(m.called)
		if err != nil {
			return nil, false, errUnfit
		}
		return answer, failed, nil
	}))
	c, err := e.Compile(composed.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if m.template, err = l.Prepare(c, exports); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.template.Close)
	return m
}

// plain is what a guest that passes on what it gets answers by the plain path.
func (m *mirror) plain(n int) (answer []byte, failed bool, err error) {
	arena := wasmtime.NewArena()
	defer arena.Free()
	v, plan := arena.Args(1).At(0), m.importPlans[n]
	if m.failure {
		detailType := ""
		if e := m.imports[n].Error; e != nil {
			detailType = e.Message
		}
		err = plan.DecodeFailure(detailType, m.answer, arena, v)
	} else {
		err = plan.DecodeResult(m.answer, arena, v)
	}
	if err != nil {
		return nil, false, err
	}
	answer, err = m.plansOf[n].Encode(v, math.MaxInt32)
	if failure, ok := errors.AsType[*transcode.Failure](err); ok {
		return failure.Detail, true, nil
	}
	return answer, false, err
}

// compare sends a request, which the mirror accepts, and expects that it is passed on, and that the answer comes back, as on the
// plain path. Usual is an answer as encoders write it.
func (m *mirror) compare(t rapid.TB, n int, message, answer []byte, failure, usual bool) {
	t.Helper()
	arena := wasmtime.NewArena()
	defer arena.Free()
	args, err := m.plansOf[n].Decode(message, arena)
	if err != nil {
		return
	}
	request, err := m.importPlans[n].EncodeArgs(args, math.MaxInt32)
	must(err)
	m.given, m.answer, m.failure, m.asked = nil, answer, failure, false
	want, wantFailed, wantErr := m.plain(n)
	const memory = 64 << 20
	i, err := m.template.NewInstance(wasmtime.InstanceConfig{Memory: memory})
	must(err)
	defer i.Close()
	argument, _ := transcoder.Argument(message, memory)
	r, err := i.CallBytes(n, wasmtime.ReturnsBytes, argument)
	if err == nil && r.Value()[0] == transcoder.Refused {
		r.Close()
		if usual {
			t.Fatalf("%s: %.300x is refused", m.all[n].Name, message)
		}
		return
	}
	if !bytes.Equal(m.given, request) {
		t.Fatalf("%s: %.300x is passed on as %.300x, not %.300x; %v", m.all[n].Name, message, m.given, request, err)
	}
	if (err == nil) != (wantErr == nil) || err != nil && !errors.Is(err, errUnfit) {
		t.Fatalf("%s, answered %v %.300x: plain %v, transcoded %v", m.all[n].Name, failure, answer, wantErr, err)
	}
	if err != nil {
		return
	}
	defer r.Close()
	kind := transcoder.Answered
	if wantFailed {
		kind = transcoder.Failed
	}
	if got := r.Value(); got[0] != kind || !bytes.Equal(got[1:], want) {
		t.Fatalf("%s, answered %v %.300x: plain %d %.300x, transcoded %.300x", m.all[n].Name, failure, answer, kind, want, got)
	}
	if usual && m.asked {
		t.Fatalf("%s: the answer %.300x was not accepted", m.all[n].Name, answer)
	}
}

// result is a random answer to a method, as weft writes it.
func (m *mirror) result(t *rapid.T, n int) (answer []byte, failed bool) {
	f := m.imports[n].Function
	if f.Result == nil {
		return nil, false
	}
	arena := wasmtime.NewArena()
	defer arena.Free()
	v := arena.Args(1).At(0)
	write(arena, v, f.Result, wittest.Value(t, f.Result, 5))
	answer, err := m.importPlans[n].Encode(v, math.MaxInt32)
	if failure, ok := errors.AsType[*transcode.Failure](err); ok {
		return failure.Detail, true
	}
	must(err)
	return answer, false
}

// TestMirror passes on random requests and answers, whole and damaged.
func TestMirror(t *testing.T) {
	e := engineOfBytes(t)
	for name, outside := range map[string]bool{"an interface": false, "functions outside of one": true} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, newMirror(t, e, wittest.MustParse(kinds).Exports[0], outside).random)
		})
	}
}

func (m *mirror) random(t *rapid.T) {
	n := rapid.IntRange(0, len(m.all)-1).Draw(t, "method")
	message := m.request(t, m.all[n], 5)
	answer, failed := m.result(t, n)
	m.compare(t, n, message, answer, failed, true)
	for range rapid.IntRange(1, 3).Draw(t, "damages") {
		answer = damage(t, bytes.Clone(answer))
	}
	m.compare(t, n, message, answer, failed && m.imports[n].Error != nil, false)
}

// TestMirrorRandom does so for interfaces of random types.
func TestMirrorRandom(t *testing.T) {
	e := engineOfBytes(t)
	worlds := rapid.Custom(func(t *rapid.T) *wit.World { return wittest.World(t, "demo") })
	made := 0
	for seed := range 60 {
		world := worlds.Example(seed)
		if len(world.Exports) == 0 || !selfContained(world.Exports[0]) {
			continue
		}
		for _, outside := range []bool{false, true} {
			m := newMirror(t, e, world.Exports[0], outside)
			if m == nil {
				continue
			}
			made++
			rapid.Check(t, m.random)
		}
	}
	if made < 10 {
		t.Errorf("only %d mirrors of interfaces had a transcoder", made)
	}
}

// selfContained tells whether all types of an interface are its own, and no function has the name of one.
func selfContained(i *wit.Interface) bool {
	ok := true
	for _, t := range i.Types {
		ok = ok && !slices.ContainsFunc(i.Functions, func(f *wit.Function) bool { return f.Name == t.Name })
	}
	var look func(*wit.Type)
	look = func(t *wit.Type) {
		if t == nil {
			return
		}
		ok = ok && (t.Name == "" || t.Interface == i)
		for _, inner := range []*wit.Type{t.Elem, t.Ok, t.Err} {
			look(inner)
		}
		for _, f := range t.Fields {
			look(f.Type)
		}
		for _, c := range t.Cases {
			look(c.Type)
		}
	}
	for _, t := range i.Types {
		look(t.Type)
	}
	for _, f := range i.Functions {
		look(f.Result)
		for _, p := range f.Params {
			look(p.Type)
		}
	}
	return ok
}

// FuzzMirror has whatever bytes come back.
func FuzzMirror(f *testing.F) {
	m := newMirror(f, engineOfBytes(f), wittest.MustParse(kinds).Exports[0], false)
	for n := range m.all {
		f.Add(n, []byte(nil), []byte("\x0a\x04\x08\x01\x12\x00\x0a\x00"), n%2 == 1)
	}
	f.Fuzz(func(t *testing.T, n int, message, answer []byte, failure bool) {
		n = max(n, -n-1) % len(m.all)
		m.compare(t, n, message, answer, failure && m.imports[n].Fallible && m.imports[n].Error != nil, false)
	})
}
