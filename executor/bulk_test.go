package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	wasm "github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

//go:embed testdata/bulk.wat
var bulkText string

// bulkGuest is an executor with testdata/bulk.wat, which has its second form where the engine can have it.
func bulkGuest(t *testing.T, limits Limits) *guest {
	t.Helper()
	return bulkOf(t, Config{}, bulkText, limits)
}

// bulkOf is an executor with a component in text, once it has what second form it can have.
func bulkOf(t testing.TB, config Config, text string, limits Limits) *guest {
	t.Helper()
	binary, err := wasmtime.WatToWasm(text)
	if err != nil {
		t.Fatal(err)
	}
	return bulkOfBinary(t, config, binary, limits)
}

func bulkOfBinary(t testing.TB, config Config, binary []byte, limits Limits) *guest {
	t.Helper()
	g := newExecutor(t, config)
	world, err := wasm.Decode(binary)
	if err != nil {
		t.Fatal(err)
	}
	built, err := contract.Build(contract.Input{Function: "bulk", World: world})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bulk.wasm")
	if err := os.WriteFile(path, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	g.rev = Revision{Key: Key{"default", "bulk", 1}, Digest: sha256.Sum256(binary), Path: path, Limits: limits, World: world,
		Services: built.Services}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.bulks.Wait()
	return g
}

// loaded is the revision, which stays loaded.
func (g *guest) loaded() *revision { return g.resident(g.rev.Key).rev.Load() }

// ways are the two ways that a call takes: by the plain path, and through the transcoder.
func (g *guest) ways(method string, message []byte) (plain, transcoded []byte, plainErr, transcodedErr error) {
	g.t.Helper()
	return g.waysOf("demo.bulk.Api", method, message)
}

// waysOf is ways for a method of any service. One that is direct goes directly instead of through the transcoder.
func (g *guest) waysOf(service, name string, message []byte) (plain, fast []byte, plainErr, fastErr error) {
	g.t.Helper()
	call := func() ([]byte, error) {
		r, err := g.Call(context.Background(), Request{Key: g.rev.Key, Service: service, Method: name, Message: message})
		return r.Message, err
	}
	rev := g.loaded()
	m := rev.method(service, name)
	m.returned.Store(bulkFrom)
	fast, fastErr = call()
	form, direct := rev.bulk.Swap(nil), m.direct
	m.direct = false
	defer func() {
		rev.bulk.Store(form)
		m.direct = direct
	}()
	plain, plainErr = call()
	return plain, fast, plainErr, fastErr
}

// pairs is a list of pairs.
func pairs(n int) []byte {
	var message []byte
	for range n {
		message = protowire.AppendBytes(protowire.AppendTag(message, 1, protowire.BytesType), []byte("\x08\x07\x12\x05wörd"))
	}
	return message
}

func TestBulk(t *testing.T) {
	g := bulkGuest(t, Limits{})
	if got := g.loaded().bulk.Load() != nil; got != wasmtime.HasBytes {
		t.Fatalf("there is a second form: %v", got)
	}
	numbers := protowire.AppendBytes([]byte("\x0a"), bytes.Repeat([]byte{7}, 1000))
	for name, tt := range map[string]struct {
		method  string
		message []byte
		refused bool
	}{
		"a list":             {"Same", pairs(1000), false},
		"nothing":            {"Same", nil, false},
		"scattered":          {"Same", append(append(pairs(20), "\x78\x01"...), pairs(20)...), true},
		"a wrong wire type":  {"Same", append(pairs(20), "\x0d1234"...), true},
		"not UTF-8":          {"Same", append(pairs(20), "\x0a\x05\x08\x07\x12\x01\xff"...), true},
		"truncated":          {"Same", pairs(20)[:98], true},
		"a length that lies": {"Same", append(pairs(20), "\x0a\xff\xff\xff\xff\x0f"...), true},
		"an error":           {"Fail", numbers, false},
		"a trap":             {"Boom", numbers, false},
		"many":               {"Many", []byte("\x08\xe8\x07"), false},
	} {
		t.Run(name, func(t *testing.T) {
			before := counted(t, g, "answered")
			plain, transcoded, plainErr, transcodedErr := g.ways(tt.method, tt.message)
			if !bytes.Equal(plain, transcoded) {
				t.Errorf("the answers are %.100x and %.100x", plain, transcoded)
			}
			if diff := cmp.Diff(told(plainErr), told(transcodedErr)); diff != "" {
				t.Error(diff)
			}
			answered := wasmtime.HasBytes && !tt.refused && told(plainErr).Reason == ""
			if got := counted(t, g, "answered") > before; got != answered {
				t.Errorf("answered by the transcoder: %v", got)
			}
		})
	}
}

// TestResultOutside expects a list that does not fit the guest's memory to be the guest's fault, whoever looks at it.
func TestResultOutside(t *testing.T) {
	g := bulkGuest(t, Limits{})
	_, _, plain, transcoded := g.ways("Many", []byte("\x08\xff\xff\xff\xff\x0f"))
	refused(t, plain, Trap, "demo.bulk.Api/Many: trap: ", "out of bounds")
	refused(t, transcoded, Trap, "demo.bulk.Api/Many: trap: ")
}

// toldError is what a caller is told of an error.
type toldError struct {
	Reason  Reason
	Message string
	Path    string // to what is malformed
	Failed  FunctionError
}

// told is that of an error.
func told(err error) toldError {
	var out toldError
	if e, ok := errors.AsType[*Error](err); ok {
		out.Reason = e.Reason
		out.Message = e.Message
	}
	if e, ok := errors.AsType[*transcode.Error](err); ok {
		out.Path = e.Path
	}
	if e, ok := errors.AsType[*FunctionError](err); ok {
		out.Failed = *e
	}
	return out
}

// counted is how many calls transcoders answered or refused.
func counted(t *testing.T, g *guest, result string) float64 {
	t.Helper()
	families, err := g.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "weft_transcoded_calls_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// TestBulkTooLarge returns more than a response may have.
func TestBulkTooLarge(t *testing.T) {
	g := bulkGuest(t, Limits{Message: 500})
	_, _, plainErr, transcodedErr := g.ways("Many", []byte("\x08\xe8\x07"))
	if diff := cmp.Diff(told(plainErr), told(transcodedErr)); diff != "" || told(plainErr).Reason != ResponseTooLarge {
		t.Errorf("%v\n%s", plainErr, diff)
	}
}

// TestBulkSize expects the reason where the component is too large to be compiled twice.
func TestBulkSize(t *testing.T) {
	g := bulkGuest(t, Limits{})
	r := g.rev
	if got := DescribeTranscoding(r, ""); (len(got.Methods) == 4) != wasmtime.HasBytes || strings.Contains(got.Text(), "(module") != wasmtime.HasBytes {
		t.Errorf("it has %v, %s", got.Methods, got.Reason)
	}
	r.Path = filepath.Join(t.TempDir(), "large.wasm")
	if err := errors.Join(os.WriteFile(r.Path, nil, 0o600), os.Truncate(r.Path, maxBulk+1)); err != nil {
		t.Fatal(err)
	}
	want := "the component has 8 MiB"
	if !wasmtime.HasBytes {
		want = "has no calls of bytes"
	}
	if got := DescribeTranscoding(r, ""); len(got.Methods) != 0 || !strings.Contains(got.Reason, want) {
		t.Errorf("it has %v, %s", got.Methods, got.Reason)
	}
}

// wholesaleText has functions that return all of a memory of 5 MiB, as bytes and as a string.
const wholesaleText = `(component
  (core module $m (memory (export "memory") 80)
    (func (export "all") (result i32) (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 5242872)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $bytes (result (list u8)) (canon lift (core func $i "all") (memory $i "memory")))
  (func $text (result string) (canon lift (core func $i "all") (memory $i "memory")))
  (instance $api (export "bytes" (func $bytes)) (export "text" (func $text)))
  (export "demo:bulk/api" (instance $api)))`

// TestWholesale follows the advice that comes with a result that is too large to be unfolded.
func TestWholesale(t *testing.T) {
	g := bulkOf(t, Config{}, wholesaleText, Limits{Message: 8 << 20})
	call := func(method string) error {
		_, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: "demo.bulk.Api", Method: method})
		return err
	}
	asBytes, asText := call("Bytes"), call("Text")
	if asText != nil {
		t.Error(asText)
	}
	if wasmtime.HasBytes {
		if asBytes != nil {
			t.Error(asBytes)
		}
		return
	}
	refused(t, asBytes, ResponseTooLarge, "too many values", "or return a string")
}

// someText has a function that returns the first bytes of a memory of 5 MiB, as many as it is told.
const someText = `(component
  (core module $m (memory (export "memory") 80)
    (func (export "some") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (local.get 0)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $some (param "n" u32) (result (list u8)) (canon lift (core func $i "some") (memory $i "memory")))
  (instance $api (export "some" (func $some)))
  (export "demo:bulk/api" (instance $api)))`

// TestOverflows has a result that is too large to be unfolded follow small ones: the calls after it take the transcoder, however small
// the results between are, and also once the revision was dormant.
func TestOverflows(t *testing.T) {
	var g *guest
	g = bulkOf(t, Config{Describe: func(context.Context, Key) (Revision, error) { return g.rev, nil }}, someText,
		Limits{Message: 8 << 20, Memory: 256 << 20})
	some := func(n uint64) error {
		message := protowire.AppendVarint([]byte("\x08"), n)
		_, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: "demo.bulk.Api", Method: "Some", Message: message})
		return err
	}
	const small, large = 10, 5<<20 - 8
	if !wasmtime.HasBytes { // there is no other way than by values
		if err := some(small); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			refused(t, some(large), ResponseTooLarge, "too many values", "return less, or return a string")
		}
		return
	}
	if err := errors.Join(some(large), some(small)); err != nil {
		t.Fatal(err)
	}
	refused(t, some(large), ResponseTooLarge, "too many values", "take the compiled transcoder from now on")
	for range 2 {
		if err := errors.Join(some(small), some(small), some(large)); err != nil {
			t.Fatal(err)
		}
		g.sleep()
	}
}
