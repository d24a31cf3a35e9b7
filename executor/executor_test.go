package executor

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	decode "github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

func TestMain(m *testing.M) {
	RunCompileChild()
	status := m.Run()
	if err := os.RemoveAll(sharedCache()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

//go:embed testdata/guest.wat
var guestText string

const guestService = "test.guest.Api"

// guestServices are the exports of testdata/guest.wat, bound.
func guestServices() []*contract.Service {
	u32 := &contract.Shape{Kind: wit.U32, Type: &wit.Type{Kind: wit.U32}}
	u64 := &contract.Shape{Kind: wit.U64, Type: &wit.Type{Kind: wit.U64}}
	text := &contract.Shape{Kind: wit.String, Type: &wit.Type{Kind: wit.String}}
	pair := &contract.Shape{Kind: wit.Tuple, Message: "test.guest.EnvResponse.Value", Fields: []contract.Field{
		{Name: "f0", Number: 1, Shape: text}, {Name: "f1", Number: 2, Shape: text}}}
	one := func(name string, s *contract.Shape) []contract.Field {
		return []contract.Field{{Name: name, Number: 1, Shape: s}}
	}
	value := func(s *contract.Shape) *contract.Field { return &one("value", s)[0] }
	method := func(name string, params []contract.Field, result *contract.Field) *contract.Method {
		return &contract.Method{Name: strings.ToUpper(name[:1]) + name[1:], Function: &wit.Function{Name: name},
			Params: params, Result: result}
	}
	fail := method("fail", one("n", u32), value(u32))
	fail.Fallible = true
	fail.Error = &contract.Error{Message: "test.guest.FailError", Field: value(text)}
	env := method("env", nil, value(pair))
	env.Result.Label = contract.Repeated
	return []*contract.Service{{Name: guestService, Interface: "test:guest/api", Methods: []*contract.Method{
		method("echo", one("v", u32), value(u32)), method("loop", nil, nil), method("recurse", nil, nil),
		method("grow", nil, nil), method("trap", nil, nil), method("print", one("times", u32), nil),
		method("sleep", one("nanoseconds", u64), nil), method("big", one("n", u32), value(text)), fail,
		method("log", nil, nil), env,
	}}}
}

// journalLines collects log lines.
type journalLines struct {
	mu    sync.Mutex
	lines []Line
	grown chan struct{} // closed when a line comes
}

func (l *journalLines) add(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
}

func (l *journalLines) all() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// wait waits for a line that fits.
func (l *journalLines) wait(t testing.TB, fits func(Line) bool) Line {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		if i := slices.IndexFunc(l.lines, fits); i >= 0 {
			defer l.mu.Unlock()
			return l.lines[i]
		}
		if l.grown == nil {
			l.grown = make(chan struct{})
		}
		grown := l.grown
		l.mu.Unlock()
		select {
		case <-grown:
		case <-timeout:
			t.Fatalf("no such line in %v", l.all())
		}
	}
}

// guest is an executor with the test guest loaded.
type guest struct {
	t testing.TB
	*Executor
	rev   Revision
	lines *journalLines
	reg   *prometheus.Registry
}

// newExecutor starts an executor that the test closes.
func newExecutor(t testing.TB, config Config) *guest {
	t.Helper()
	if config.Dir == "" {
		config.Dir = sharedCache()
	}
	g := &guest{t: t, lines: &journalLines{}, reg: prometheus.NewRegistry()}
	if config.Log == nil {
		config.Log = g.lines.add
	}
	config.Registerer = g.reg
	x, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	g.Executor = x
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := x.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g
}

// sharedCache is the cache of compiled code of most tests.
var sharedCache = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "weft-executor")
	if err != nil {
		panic(err)
	}
	return dir
})

// component writes the component of some WAT to a file.
func component(t testing.TB, wat string) (path string, digest [32]byte) {
	t.Helper()
	wasm, err := wasmtime.WatToWasm(wat)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "component.wasm")
	if err := os.WriteFile(path, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, sha256.Sum256(wasm)
}

func guestRevision(t testing.TB, limits Limits) Revision {
	t.Helper()
	path, digest := component(t, guestText)
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	world, err := decode.Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	world.Exports = nil // guestServices says what callers reach
	return Revision{Key: Key{Namespace: "default", Function: "guest", Revision: 1}, Digest: digest, Path: path, Limits: limits,
		Environment: map[string]string{"GREETING": "hello", "EMPTY": ""}, World: world, Services: guestServices()}
}

// newGuest starts an executor with the test guest.
func newGuest(t testing.TB, config Config, limits Limits) *guest {
	t.Helper()
	g := newExecutor(t, config)
	g.rev = guestRevision(t, limits)
	g.load(g.rev)
	g.idle()
	return g
}

// load loads a revision whose time limit may be short: its first instance must start within that, which takes more than one attempt on a busy
// machine.
func (g *guest) load(r Revision) {
	g.t.Helper()
	until(g.t, func() bool {
		err := g.Load(g.t.Context(), r)
		if err != nil && (r.Limits.Timeout == 0 || asError(g.t, err).Reason != Deadline) {
			g.t.Fatal(err)
		}
		return err == nil
	})
}

// idle waits until no instance is left, not even of a call that was answered.
func (g *guest) idle() {
	g.t.Helper()
	until(g.t, func() bool { _, busy, lost := g.queue.counts(); return busy == lost })
}

// call calls a method whose parameter, if it has one, is a number.
func (g *guest) call(ctx context.Context, method string, arg uint64) ([]byte, error) {
	var message []byte
	if arg != 0 {
		message = protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), arg)
	}
	r, err := g.Call(ctx, Request{Key: g.rev.Key, Service: guestService, Method: method, Message: message, CallID: "call-1"})
	return r.Message, err
}

// works fails the test unless a call gives its answer.
func (g *guest) works() {
	g.t.Helper()
	got, err := g.call(context.Background(), "Echo", 7)
	if err != nil || string(got) != "\x08\x07" {
		g.t.Errorf("the next call gave %x, %v", got, err)
	}
}

// asError gives the Error that an error is.
func asError(t testing.TB, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error is %v, no *Error", err)
	}
	return e
}

// refused fails the test unless a call failed for a reason, with a message that has some text.
func refused(t testing.TB, err error, reason Reason, text ...string) {
	t.Helper()
	e := asError(t, err)
	if e.Reason != reason {
		t.Errorf("reason is %s (%s), want %s", e.Reason, e.Message, reason)
	}
	for _, part := range text {
		if !strings.Contains(e.Message, part) {
			t.Errorf("message %q lacks %q", e.Message, part)
		}
	}
}

// metric gives the value of a gauge or counter, or the count of a histogram, of the first series.
func (g *guest) metric(name string) float64 {
	g.t.Helper()
	families, err := g.reg.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	g.t.Fatalf("there is no metric %s", name)
	return 0
}
