package executor

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/resolve"
	"github.com/weft-run/weft/wit/wittest"
)

const hostText = `
	package test:host@0.1.0 { interface things {
		enum level { low, high }
		record item { name: string, size: u64, level: level }
		variant trouble { gone, other(string), code(u16) }
		bytes: func(n: list<u8>) -> result<option<list<u8>>, trouble>;
		items: func(n: u32) -> list<item>;
		pairs: func() -> list<tuple<string, bool>>;
		wait: func(n: u32) -> u32;
		fail: func(n: u32) -> result<u32, trouble>;
		nothing: func(n: u32);
	} }
	world w { import test:host/things@0.1.0; export run: func(); }`

// hostGuest is an executor that gives an interface to a guest, which exports what it imports.
func hostGuest(t testing.TB, text string, functions map[string]HostFunc, config Config) *guest {
	t.Helper()
	i := wittest.MustParse(text).Imports[0]
	for _, f := range i.Functions {
		if functions[f.Name] == nil {
			functions[f.Name] = func(*HostCall) error { return errors.New("not expected") }
		}
	}
	config.Host = append(config.Host, HostInterface{Type: i, Functions: functions})
	g := newExecutor(t, config)
	g.rev = hostRevision(t, i)
	if err := g.CheckImports(g.rev.World); err != nil {
		t.Fatal(err)
	}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.idle()
	return g
}

// hostRevision is a revision that imports an interface and exports its functions.
func hostRevision(t testing.TB, i *wit.Interface) Revision {
	t.Helper()
	world := &wit.World{Imports: []*wit.Interface{i}, ExportFunctions: i.Functions}
	built, err := contract.Build(contract.Input{Function: "proxy", World: world})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guest.wasm")
	wasm := wat.Proxy(t, i)
	if err := os.WriteFile(path, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	return Revision{Key: Key{Namespace: "default", Function: "proxy", Revision: 1}, Digest: sha256.Sum256(wasm), Path: path,
		World: world, Services: built.Services}
}

func (g *guest) ask(ctx context.Context, method, message string) (string, error) {
	r, err := g.Call(ctx, Request{Key: g.rev.Key, Service: proxyService, Method: method, Message: []byte(message), CallID: "call-1",
		Metadata: map[string][]string{"x-tenant": {"acme"}}})
	return string(r.Message), err
}

// TestHostValues has a host function write values of every kind.
func TestHostValues(t *testing.T) {
	var seen []byte
	g := hostGuest(t, hostText, map[string]HostFunc{
		"bytes": func(c *HostCall) error {
			seen = c.Arg(0).U8s(nil)
			switch string(seen) {
			case "none":
				c.Result().OK().None()
			case "gone":
				c.Result().Err().Case("gone")
			case "other":
				c.Result().Err().Case("other").Text("why")
			default:
				c.Result().OK().Some().Bytes(seen)
			}
			return nil
		},
		"items": func(c *HostCall) error {
			list := c.Result().List(int(c.Arg(0).U32()))
			for i := range list.Len() {
				item := list.At(i).Record()
				item.At(0).Text("n")
				item.At(1).U64(uint64(i))
				item.At(2).Case("high")
			}
			return nil
		},
		"pairs": func(c *HostCall) error {
			pair := c.Result().List(1).At(0).Tuple()
			pair.At(0).Text("p")
			pair.At(1).Bool(true)
			return nil
		},
		"nothing": func(*HostCall) error { return nil },
	}, Config{})
	for _, tt := range []struct{ method, request, want string }{
		{"Bytes", "\x0a\x03abc", "\x0a\x03abc"},
		{"Bytes", "\x0a\x04none", ""},
		{"Items", "\x08\x02", "\x0a\x05\x0a\x01n\x18\x02\x0a\x07\x0a\x01n\x10\x01\x18\x02"},
		{"Items", "", ""},
		{"Pairs", "", "\x0a\x05\x0a\x01p\x10\x01"},
		{"Nothing", "", ""},
	} {
		if got, err := g.ask(t.Context(), tt.method, tt.request); err != nil || got != tt.want {
			t.Errorf("%s(%q) is %q, %v", tt.method, tt.request, got, err)
		}
	}
	for request, want := range map[string]string{"\x0a\x04gone": "gone", "\x0a\x05other": "other"} {
		_, err := g.ask(t.Context(), "Bytes", request)
		if failed, ok := errors.AsType[*FunctionError](err); !ok || failed.Case != want {
			t.Errorf("error is %v", err)
		}
	}
}

// TestHostCallFacts looks at what a host function knows of its call.
func TestHostCallFacts(t *testing.T) {
	var key Key
	var id, tenant string
	var deadline time.Time
	g := hostGuest(t, hostText, map[string]HostFunc{"nothing": func(c *HostCall) error {
		key, id, tenant, deadline = c.From(), c.CallID(), c.Metadata()["x-tenant"][0], c.Deadline()
		return nil
	}}, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := g.ask(ctx, "Nothing", ""); err != nil {
		t.Fatal(err)
	}
	if want, _ := ctx.Deadline(); key != g.rev.Key || id != "call-1" || tenant != "acme" || !deadline.Equal(want) {
		t.Errorf("key %v, id %q, tenant %q, deadline %v", key, id, tenant, deadline)
	}
	before := time.Now()
	if _, err := g.ask(t.Context(), "Nothing", ""); err != nil {
		t.Fatal(err)
	}
	if deadline.Before(before.Add(DefaultTimeout)) || deadline.After(time.Now().Add(DefaultTimeout)) {
		t.Errorf("without a deadline of the caller it is %v from now", time.Until(deadline))
	}
}

// TestHostFailures has host functions fail in ways that must trap the guest, and nothing else.
func TestHostFailures(t *testing.T) {
	var do HostFunc
	g := hostGuest(t, hostText, map[string]HostFunc{"fail": func(c *HostCall) error { return do(c) }}, Config{})
	for name, tt := range map[string]struct {
		do   HostFunc
		want string
	}{
		"error":         {func(*HostCall) error { return errors.New("no such thing") }, "import test:host/things@0.1.0: fail: no such thing"},
		"panic":         {func(*HostCall) error { panic("oh") }, "panic: oh"},
		"panic in Wait": {func(c *HostCall) error { return c.Wait(func(context.Context) error { panic("oh") }) }, "panic: oh"},
		"no result":     {func(*HostCall) error { return nil }, "type mismatch"},
		"no payload":    {func(c *HostCall) error { c.Result().OK(); return nil }, "type mismatch"},
		"wrong type":    {func(c *HostCall) error { c.Result().OK().Text("x"); return nil }, "its result has a u32 where string was written"},
		"wrong case":    {func(c *HostCall) error { c.Result().Err().Case("what"); return nil }, "the case what"},
		"wrong kind":    {func(c *HostCall) error { c.Result().Some(); return nil }, "its result has a result where option was written"},
		"no such side":  {func(c *HostCall) error { c.Result().Err().Case("gone").U32(1); return nil }, "where there is no value"},
		"bad UTF-8":     {func(c *HostCall) error { c.Result().Err().Case("other").Text("\xff"); return nil }, "not UTF-8"},
		"wrong reading": {func(c *HostCall) error { c.Arg(0).Text(); return nil }, "value is a u32, not a string"},
		"no argument":   {func(c *HostCall) error { c.Arg(1); return nil }, "out of range"},
		"no resource":   {func(c *HostCall) error { c.Resource(0); return nil }, "not a resource"},
	} {
		do = tt.do
		_, err := g.ask(t.Context(), "Fail", "")
		if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Message, tt.want) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	do = func(c *HostCall) error { c.Result().OK().U32(5); return nil }
	if got, err := g.ask(t.Context(), "Fail", ""); err != nil || got != "\x08\x05" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

// TestHostWait has more guests wait than there are slots, and one end while it waits.
func TestHostWait(t *testing.T) {
	entered, release := make(chan struct{}, 8), make(chan struct{})
	g := hostGuest(t, hostText, map[string]HostFunc{"wait": func(c *HostCall) error {
		n := c.Arg(0).U32()
		err := c.Wait(func(ctx context.Context) error {
			entered <- struct{}{}
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil {
			c.Result().U32(0) // nobody sees it
		} else {
			c.Result().U32(n)
		}
		return nil
	}}, Config{Slots: 1})
	answers := make(chan string, 4)
	for range 4 {
		go func() {
			got, err := g.ask(t.Context(), "Wait", "\x08\x07")
			if err != nil {
				got = err.Error()
			}
			answers <- got
		}()
	}
	for range 4 {
		<-entered
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := g.ask(ctx, "Wait", "\x08\x07")
		failed <- err
	}()
	<-entered
	cancel()
	if e, ok := errors.AsType[*Error](<-failed); !ok || e.Reason != Canceled {
		t.Errorf("error of a call whose caller left is %v", e)
	}
	close(release)
	for range 4 {
		if got := <-answers; got != "\x08\x07" {
			t.Errorf("answer is %q", got)
		}
	}
	g.idle()
}

// TestHostImports looks at which components are refused.
func TestHostImports(t *testing.T) {
	provided := wittest.MustParse(hostText).Imports[0]
	functions := map[string]HostFunc{}
	for _, f := range provided.Functions {
		functions[f.Name] = func(*HostCall) error { return nil }
	}
	absent := wittest.MustParse(`package test:off@1.0.0 { interface off { f: func(); } }
		world w { import test:off/off@1.0.0; export run: func(); }`).Imports[0]
	g := newExecutor(t, Config{Host: []HostInterface{{Type: provided, Also: []string{strings.Replace(provided.ID, provided.Version, "0.1.1", 1)}, Functions: functions},
		{Type: absent, Absent: "start the node with --off"}}})
	for _, tt := range []struct{ from, to, want string }{
		{"", "", ""},
		{"0.1.0", "0.1.1", ""},
		{"0.1.0", "0.3.0", "this node provides it in the versions 0.1.0, 0.1.1"},
		{"wait:", "await:", "has no function await; it has bytes, fail, "},
		{"wait: func(n: u32)", "wait: func(n: u64)", "the component's wait(n) is u64, where this node has u32"},
		{"wait: func(n: u32)", "wait: func(m: u32)", "wait(parameter 1) is named m, where this node has n"},
		{"wait: func(n: u32)", "wait: func()", "wait() is a function of 0 parameters, where this node has 1"},
		{"code(u16)", "code(u32)", "bytes -> result.err.code is u32, where this node has u16"},
		{"gone,", "", "bytes -> result.err is of 2 cases"},
		{"name: string, ", "title: string, ", "items -> result[].0 is the field title"},
		{"low, high", "high, low", "items -> result[].level.0 is the case high"},
		{"nothing: func(n: u32)", "nothing: func(n: u32) -> u8", "nothing -> result is u8, where this node has nothing"},
		{"test:host", "test:off", "this node provides wasi:cli"},
	} {
		i := wittest.MustParse(strings.ReplaceAll(hostText, tt.from, tt.to)).Imports[0]
		err := g.CheckImports(&wit.World{Imports: []*wit.Interface{i}})
		if e, ok := errors.AsType[*Error](err); tt.want == "" && err != nil || tt.want != "" && (!ok || !strings.Contains(e.Message, tt.want)) {
			t.Errorf("%q instead of %q: error is %v", tt.to, tt.from, err)
		}
	}
	err := g.CheckImports(&wit.World{Imports: []*wit.Interface{absent}})
	if err == nil || err.Error() != "import test:off/off@1.0.0: start the node with --off" {
		t.Errorf("error is %v", err)
	}
}

// TestHostInterfaces gives New interfaces that are not complete.
func TestHostInterfaces(t *testing.T) {
	parse := func(functions string) *wit.Interface {
		world, _, err := resolve.World(map[string][]byte{"w.wit": []byte("package test:jars@0.1.0; interface store { resource jar { get: func() -> u32; } " +
			functions + " } world w { import store; }")}, "")
		if err != nil {
			t.Fatal(err)
		}
		return world.Imports[0]
	}
	answer := func(*HostCall) error { return nil }
	functions := map[string]HostFunc{"[method]jar.get": answer, "f": answer}
	jars := map[string]func(any){"jar": nil}
	for _, tt := range []struct {
		name  string
		hosts []HostInterface
		want  string
	}{
		{"complete", []HostInterface{{Type: parse("f: func(j: jar, n: list<u8>) -> result<option<jar>>;"), Functions: functions, Resources: jars}}, ""},
		{"absent", []HostInterface{{Type: parse("f: func();"), Absent: "not here"}}, ""},
		{"no function", []HostInterface{{Type: parse("g: func();"), Functions: functions, Resources: jars}}, "store@0.1.0: nobody answers its function g"},
		{"no resource", []HostInterface{{Type: parse("f: func();"), Functions: functions}}, "nobody made the resource jar"},
		{"a resource inside", []HostInterface{{Type: parse("f: func(j: list<jar>);"), Functions: functions, Resources: jars}},
			"f: parameter j: a resource inside of a value is not supported"},
		{"a borrow inside", []HostInterface{{Type: parse("f: func(j: option<tuple<u8, borrow<jar>>>);"), Functions: functions, Resources: jars}},
			"f: parameter j: a resource inside"},
		{"a result that can't be written", []HostInterface{{Type: parse("f: func() -> list<char>;"), Functions: functions, Resources: jars}}, "f: result: a char"},
		{"twice", []HostInterface{{Type: parse("f: func();"), Functions: functions, Resources: jars}, {Type: parse("f: func();"), Absent: "x"}}, "is there twice"},
	} {
		x, err := New(Config{Dir: t.TempDir(), Host: tt.hosts})
		if err == nil {
			_ = x.Close(t.Context())
		}
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error is %v", tt.name, err)
		}
	}
}
