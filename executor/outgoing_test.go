package executor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// outgoingFunc makes the calls of guests by a function.
type outgoingFunc func(context.Context, OutgoingCall) ([]byte, error)

func (f outgoingFunc) Call(ctx context.Context, call OutgoingCall) ([]byte, error) {
	return f(ctx, call)
}

func (f outgoingFunc) Local(OutgoingCall, Place) ([]byte, bool, error) { return nil, false, nil }

// proxies is an executor with a guest that passes each call on to the import of the same name.
type proxies struct {
	*guest
	contracts []*weftv1.Contract
}

// storedOf gives the contracts of a provider, by their packages.
func storedOf(t testing.TB, provider *wit.World) map[string]*weftv1.Contract {
	t.Helper()
	provided, err := contract.Build(contract.Input{Function: "provider", World: provider})
	if err != nil {
		t.Fatal(err)
	}
	stored := make(map[string]*weftv1.Contract)
	for _, c := range provided.Contracts {
		stored[c.GetPackage()] = c
	}
	return stored
}

// proxyRevision makes the revision of a guest that imports the one interface of a WIT text.
func proxyRevision(t testing.TB, text string, limits Limits) (Revision, []*weftv1.Contract) {
	t.Helper()
	provider := wittest.MustParse(text)
	i := provider.Exports[0]
	stored := storedOf(t, provider)
	world := &wit.World{Imports: []*wit.Interface{i}, ExportFunctions: i.Functions}
	built, err := contract.Build(contract.Input{Function: "proxy", World: world, Stored: stored})
	if err != nil {
		t.Fatal(err)
	}
	imported, err := contract.BindImport(i, stored)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "proxy.wasm")
	wasm := wat.Proxy(t, i)
	if err := os.WriteFile(path, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	return Revision{Key: Key{Namespace: "default", Function: "proxy", Revision: 1}, Digest: sha256.Sum256(wasm), Path: path,
		Limits: limits, World: world, Services: built.Services, Imports: []*contract.Service{imported}}, built.Contracts
}

// newProxies starts an executor with a proxy whose imports are answered by outgoing.
func newProxies(t testing.TB, text string, config Config, limits Limits, outgoing outgoingFunc) *proxies {
	t.Helper()
	config.Outgoing = outgoing
	return loadProxies(t, text, config, limits)
}

func loadProxies(t testing.TB, text string, config Config, limits Limits) *proxies {
	t.Helper()
	p := &proxies{guest: newExecutor(t, config)}
	p.rev, p.contracts = proxyRevision(t, text, limits)
	if err := p.CheckImports(p.rev.World, p.rev.Imports...); err != nil {
		t.Fatal(err)
	}
	p.load(p.rev)
	p.idle()
	return p
}

const proxyService = "proxy.Functions"

// send calls a method of the proxy.
func (p *proxies) send(ctx context.Context, method string, message []byte) ([]byte, error) {
	r, err := p.Call(ctx, Request{Key: p.rev.Key, Service: proxyService, Method: method, Message: message, CallID: "call-1",
		Metadata: map[string][]string{"x-tenant": {"acme"}}})
	return r.Message, err
}

const bank = `
	package demo:bank@1.2.0 { interface api {
		enum state { low, timeout, unavailable }
		variant trouble { declined(string), unavailable(string), timeout, limit(u32) }
		echo: func(x: u32) -> u32;
		note: func(x: string);
		pay: func(x: u32) -> result<u32, trouble>;
		ask: func(x: u32) -> result<u32, state>;
		tell: func(x: u32) -> result<u32, string>;
		try: func(x: u32) -> result<u32>;
	} }
	world w { export demo:bank/api@1.2.0; }`

// TestOutgoingCall looks at what the outgoing side is given, and at what comes back.
func TestOutgoingCall(t *testing.T) {
	var seen OutgoingCall
	p := newProxies(t, bank, Config{}, Limits{}, func(_ context.Context, call OutgoingCall) ([]byte, error) {
		seen = call
		seen.Message = slices.Clone(call.Message)
		if call.Method == "Note" {
			return nil, nil
		}
		return []byte("\x08\x09"), nil
	})
	got, err := p.send(t.Context(), "Echo", []byte("\x08\x07"))
	if err != nil || string(got) != "\x08\x09" {
		t.Fatalf("answer is %x, %v", got, err)
	}
	if seen.From != p.rev.Key || seen.CallID != "call-1" || seen.Import != "demo:bank/api@1.2.0" || seen.Service != "demo.bank.v1.Api" ||
		seen.Method != "Echo" || string(seen.Message) != "\x08\x07" || seen.Metadata["x-tenant"][0] != "acme" {
		t.Errorf("the call was %+v", seen)
	}
	if got, err = p.send(t.Context(), "Note", []byte("\x0a\x02hi")); err != nil || len(got) != 0 || string(seen.Message) != "\x0a\x02hi" {
		t.Errorf("answer is %x, %v; the request was %q", got, err, seen.Message)
	}
	if got, err = p.send(t.Context(), "Pay", []byte("\x08\x07")); err != nil || string(got) != "\x08\x09" {
		t.Errorf("answer is %x, %v", got, err)
	}
}

// every has a function for every type of value, as argument and as result.
const every = `
	package demo:every { interface every {
		enum level { low, high }
		flags perms { read, write, run, a3, a4, a5, a6, a7, a8 }
		record point { x: s32, y: s32 }
		variant shape { rect(tuple<point, point>), label(string), none-at-all, codes(list<u8>), level(level), many(list<option<point>>) }
		record item { name: string, at: point, level: level, perms: perms, kids: list<shape>, initial: char, maybe: option<shape> }
		a-bool: func(x: bool) -> bool; an-s8: func(x: s8) -> s8; a-u8: func(x: u8) -> u8; an-s16: func(x: s16) -> s16;
		a-u16: func(x: u16) -> u16; an-s32: func(x: s32) -> s32; a-u32: func(x: u32) -> u32; an-s64: func(x: s64) -> s64;
		a-u64: func(x: u64) -> u64; an-f32: func(x: f32) -> f32; an-f64: func(x: f64) -> f64; a-char: func(x: char) -> char;
		a-string: func(x: string) -> string; bytes: func(x: list<u8>) -> list<u8>; words: func(x: list<u16>) -> list<u16>;
		texts: func(x: list<string>) -> list<string>; an-enum: func(x: level) -> level; some-flags: func(x: perms) -> perms;
		a-record: func(x: point) -> point; a-variant: func(x: shape) -> shape; an-item: func(x: item) -> item;
		a-tuple: func(x: tuple<u8, string, point>) -> tuple<u8, string, point>; an-option: func(x: option<string>) -> option<string>;
		nested: func(x: option<option<list<list<level>>>>) -> option<option<list<list<level>>>>;
		results: func(x: list<result<point, string>>) -> list<result<point, string>>;
		bare: func(x: tuple<result>) -> tuple<result>;
		items: func(x: list<item>) -> list<item>;
	} }
	world w { export demo:every/every; }`

// everyValue are requests in JSON, by method.
var everyValue = map[string][]string{
	"ABool": {`true`, `false`}, "AnS8": {`-128`, `127`}, "AU8": {`0`, `255`}, "AnS16": {`-32768`}, "AU16": {`65535`},
	"AnS32": {`-2147483648`}, "AU32": {`4294967295`}, "AnS64": {`"-9223372036854775808"`}, "AU64": {`"18446744073709551615"`},
	"AnF32": {`1.5`, `"-Infinity"`}, "AnF64": {`-2.25`, `"Infinity"`}, "AChar": {`"a"`, `"🦀"`}, "AString": {`""`, `"Grüße"`},
	"Bytes": {`""`, `"AAH/"`}, "Words": {`[]`, `[0, 1, 65535]`}, "Texts": {`["", "a", "bc"]`}, "AnEnum": {`"LEVEL_LOW"`, `"LEVEL_HIGH"`},
	"SomeFlags": {`{}`, `{"read": true, "a8": true}`}, "ARecord": {`{"x": -1, "y": 2}`},
	"AVariant": {`{"rect": {"f0": {"x": 1}, "f1": {"y": 2}}}`, `{"label": "l"}`, `{"noneAtAll": {}}`, `{"codes": "AQI="}`,
		`{"level": "LEVEL_HIGH"}`, `{"many": {"items": [{}, {"value": {"x": 3}}]}}`},
	"AnItem": {`{"name": "n", "at": {}, "level": "LEVEL_LOW", "perms": {"write": true}, "initial": "i",
		"kids": [{"label": "a"}, {"noneAtAll": {}}], "maybe": {"level": "LEVEL_LOW"}}`},
	"ATuple": {`{"f0": 1, "f1": "b", "f2": {"x": 1}}`}, "AnOption": {`null`, `""`, `"s"`},
	"Nested":  {`null`, `{}`, `{"value": {"items": [{"items": ["LEVEL_LOW", "LEVEL_HIGH"]}, {}]}}`},
	"Results": {`[{"ok": {"x": 1}}, {"err": "no"}, {"err": ""}]`}, "Bare": {`{"f0": {"ok": {}}}`, `{"f0": {"err": {}}}`},
	"Items": {`[]`, `[{"at": {}, "level": "LEVEL_LOW", "perms": {}, "initial": "i"},
		{"at": {"x": 9}, "level": "LEVEL_HIGH", "perms": {}, "initial": "ü"}]`},
}

// TestOutgoingTypes has values of every type go out and come back.
func TestOutgoingTypes(t *testing.T) {
	p := newProxies(t, every, Config{}, Limits{}, func(_ context.Context, call OutgoingCall) ([]byte, error) {
		return slices.Clone(call.Message), nil // x and value have the same number and type
	})
	set, err := contract.Files(p.contracts)
	if err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range p.rev.Services[0].Methods {
		values := everyValue[m.Name]
		if len(values) == 0 {
			t.Errorf("%s is not tested", m.Name)
		}
		d, err := files.FindDescriptorByName(protoreflect.FullName(m.Request))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			request := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
			if err := protojson.Unmarshal(fmt.Appendf(nil, `{"x": %s}`, v), request); err != nil {
				t.Fatalf("%s: %s: %v", m.Name, v, err)
			}
			message, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.send(t.Context(), m.Name, message); err != nil || string(got) != string(message) {
				t.Errorf("%s: %s: got %x, %v; want %x", m.Name, v, got, err, message)
			}
		}
	}
}

// TestOutgoingErrors has calls fail in all ways.
func TestOutgoingErrors(t *testing.T) {
	var answer error
	p := newProxies(t, bank, Config{}, Limits{}, func(context.Context, OutgoingCall) ([]byte, error) { return nil, answer })
	declined := &FunctionError{Case: "declined", Message: "no", DetailType: "demo.bank.v1.Trouble", Detail: []byte("\x0a\x02no")}
	lost := &Error{Reason: "NODE_LOST", Message: "default/bank@3: the node is gone"}
	late := &Error{Reason: Deadline, Message: "demo.bank.v1.Api/Pay: not done after 30s"}
	const pay, where = "demo.bank.v1.Api/Pay: ", "import demo:bank/api@1.2.0: call of demo.bank.v1.Api/"
	for _, c := range []struct {
		method string
		err    error
		trap   string // what the message of a trap has
		failed string // or the detail of the function's error
	}{
		{"Pay", declined, "", "\x0a\x02no"},
		{"Pay", fmt.Errorf("wrapped: %w", declined), "", "\x0a\x02no"},
		{"Pay", lost, "", detail(2, pay+"NODE_LOST: default/bank@3: the node is gone")},
		{"Pay", late, "", "\x1a\x00"},
		{"Pay", context.DeadlineExceeded, "", "\x1a\x00"},
		{"Pay", context.Canceled, "", detail(2, pay+"context canceled")},
		{"Pay", errors.New("odd"), "", detail(2, pay+"odd")},
		{"Pay", &FunctionError{Message: "new", DetailType: "demo.bank.v1.Trouble", Detail: []byte("\x7a\x00")}, "",
			detail(2, pay+"it returned an error that does not fit the import's types: no case is set (new)")},
		{"Pay", &FunctionError{Message: "other", DetailType: "demo.bank.v1.State"}, "", detail(2, pay+
			`it returned an error that does not fit the import's types: the error is a "demo.bank.v1.State", and the import's is a "demo.bank.v1.Trouble" (other)`)},
		{"Ask", lost, "", "\x08\x03"},
		{"Ask", late, "", "\x08\x02"},
		{"Tell", lost, "", detail(1, "demo.bank.v1.Api/Tell: NODE_LOST: default/bank@3: the node is gone")},
		{"Try", &FunctionError{Message: "whatever"}, "", ""},
		{"Try", lost, where + "Try: NODE_LOST: default/bank@3: the node is gone", ""},
		{"Echo", lost, where + "Echo: NODE_LOST: default/bank@3: the node is gone", ""},
		{"Echo", declined, where + "Echo: it returned an error, which the import has no place for: no", ""},
		{"Note", &Error{Reason: Trap, Message: "x\n  at y", Summary: "x"}, where + "Note: TRAP: x", ""},
		{"Note", declined, where + "Note: it returned an error, which the import has no place for: no", ""},
	} {
		answer = c.err
		_, err := p.send(t.Context(), c.method, nil)
		failed, own := errors.AsType[*FunctionError](err)
		switch {
		case c.trap == "" && (!own || string(failed.Detail) != c.failed):
			t.Errorf("%s, %v: error is %v, want %q", c.method, c.err, err, c.failed)
		case c.trap != "":
			refused(t, err, Trap, c.method+": trap: "+c.trap)
			if e := asError(t, err); strings.Contains(e.Summary, "at y") {
				t.Errorf("the callee's backtrace is in %q", e.Summary)
			}
		}
	}
	answer = nil // and no bytes: a value of 0
	if got, err := p.send(t.Context(), "Echo", []byte("\x08\x07")); err != nil || len(got) != 0 {
		t.Errorf("the next call gave %x, %v", got, err)
	}
}

// detail is a message with one text.
func detail(number byte, text string) string {
	if len(text) < 128 {
		return string([]byte{number<<3 | 2, byte(len(text))}) + text
	}
	return string([]byte{number<<3 | 2, byte(len(text)) | 0x80, byte(len(text) >> 7)}) + text
}

// TestOutgoingBadAnswers gives guests what does not fit, or is too large.
func TestOutgoingBadAnswers(t *testing.T) {
	var answer []byte
	p := newProxies(t, bank, Config{}, Limits{Message: 1000}, func(context.Context, OutgoingCall) ([]byte, error) {
		if answer == nil {
			panic("oh")
		}
		return answer, nil
	})
	answer = []byte("\x0a\x01x")
	_, err := p.send(t.Context(), "Echo", nil)
	refused(t, err, Trap, "demo.bank.v1.Api/Echo: the response does not fit the import's types: value: wire type 2")
	answer = make([]byte, 1001)
	_, err = p.send(t.Context(), "Echo", nil)
	refused(t, err, Trap, "the response has 1001 bytes; default/proxy@1 accepts 1000")
	answer = nil
	_, err = p.send(t.Context(), "Echo", nil)
	refused(t, err, Internal, "panic: oh")
	answer = []byte("\x08\x01")
	if got, err := p.send(t.Context(), "Echo", nil); err != nil || string(got) != "\x08\x01" {
		t.Errorf("the next call gave %x, %v", got, err)
	}
	p.rested()
}

// rested fails the test unless no guest is away and all slots are free in the end.
func (p *proxies) rested() {
	p.t.Helper()
	until(p.t, func() bool {
		p.queue.mu.Lock()
		defer p.queue.mu.Unlock()
		return p.queue.away == 0 && p.queue.busy == 0 && p.queue.lost == 0 && p.queue.stuck == 0 &&
			p.queue.returning == 0 && p.queue.parked == 0 && p.queue.workers == p.queue.slots
	})
}

// TestOutgoingClose shuts the executor down while guests wait: they are interrupted when the time for it is over.
func TestOutgoingClose(t *testing.T) {
	var waiting sync.WaitGroup
	waiting.Add(3)
	p := newProxies(t, bank, Config{Slots: 1}, Limits{Timeout: time.Minute}, func(ctx context.Context, _ OutgoingCall) ([]byte, error) {
		waiting.Done()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() {
			_, err := p.send(context.Background(), "Pay", nil)
			refused(t, err, Closing, "shutting down")
		})
	}
	waiting.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	calls.Wait()
}

// TestOutgoingStubborn has an outgoing side that does not return in time: callers have their answers, the slot goes on, and
// the executor closes.
func TestOutgoingStubborn(t *testing.T) {
	hold, waiting := make(chan struct{}), make(chan struct{}, 1)
	p := newProxies(t, bank, Config{Slots: 1}, Limits{Timeout: time.Minute}, func(_ context.Context, call OutgoingCall) ([]byte, error) {
		if call.Method == "Pay" {
			waiting <- struct{}{}
			<-hold
		}
		return []byte("\x08\x09"), nil
	})
	err := overdue(t, func() bool { return len(waiting) > 0 }, func(ctx context.Context) error {
		_, err := p.send(ctx, "Pay", nil)
		return err
	})
	refused(t, err, Deadline)
	if got, err := p.send(t.Context(), "Echo", nil); err != nil || string(got) != "\x08\x09" {
		t.Errorf("the next call gave %x, %v", got, err)
	}
	until(t, func() bool {
		p.queue.mu.Lock()
		defer p.queue.mu.Unlock()
		return p.queue.stuck == 1
	})
	close(hold)
	p.rested()
}

func TestOutgoingNobody(t *testing.T) {
	g := newExecutor(t, Config{})
	rev, _ := proxyRevision(t, bank, Limits{})
	refused(t, g.Load(t.Context(), rev), Unsupported, "demo:bank/api@1.2.0", "makes no calls for functions")
	refused(t, g.CheckImports(rev.World), Unsupported, "import demo:bank/api@1.2.0: nobody provides it")
	_, err := New(Config{Dir: t.TempDir(), Waiting: maxWaiting + 1})
	if err == nil || !strings.Contains(err.Error(), "4097") {
		t.Errorf("error is %v", err)
	}
}
