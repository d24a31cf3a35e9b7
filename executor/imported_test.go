package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/wat"
	wasm "github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

const warehouse = `
	package demo:bank@1.2.0 { interface api {
		record item { name: string, size: u32 }
		variant trouble { declined(string), unavailable(string), timeout, limit(u32) }
		enum state { low, timeout, unavailable }
		same: func(v: list<item>) -> list<item>;
		pay: func(v: list<item>) -> result<list<item>, trouble>;
		ask: func(v: list<u32>) -> result<u32, state>;
		tell: func(v: list<string>) -> result<u32, string>;
		try: func(v: list<string>) -> result<list<string>>;
		nothing: func(v: list<u32>);
		small: func(x: u32) -> u32;
		echo: func(v: list<u8>) -> list<u8>;
		join: func(a: string, b: list<u8>) -> string;
		put: func(v: list<u8>);
		say: func(v: list<u8>) -> result<list<u8>, string>;
		store: func(v: list<u8>) -> result<_, list<u8>>;
		check: func(v: string) -> result<string>;
		record place { city: string, zip: u32 }
		record customer { id: u64, name: string, active: bool, score: f64, home: place, tags: list<string> }
		customers: func(v: list<customer>) -> list<customer>;
		numbered: func(n: u32, v: list<u8>) -> list<u8>;
	} }
	world w { export demo:bank/api@1.2.0; }`

// newRelay starts an executor with a guest whose functions, those of an interface, pass their calls on to the imports of the
// same name, which outgoing answers.
func newRelay(t testing.TB, limits Limits, outgoing outgoingFunc) *guest {
	t.Helper()
	provider := wittest.MustParse(warehouse)
	stored := storedOf(t, provider)
	binary := wat.Relay(t, provider.Exports[0], "demo:relay/relay@1.0.0")
	world, err := wasm.Decode(binary)
	if err != nil {
		t.Fatal(err)
	}
	built, err := contract.Build(contract.Input{Function: "relay", World: world, Stored: stored})
	if err != nil {
		t.Fatal(err)
	}
	imported, err := contract.BindImport(world.Imports[0], stored)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "relay.wasm")
	if err := os.WriteFile(path, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	g := newExecutor(t, Config{Outgoing: outgoing})
	g.rev = Revision{Key: Key{"default", "relay", 1}, Digest: sha256.Sum256(binary), Path: path, Limits: limits, World: world,
		Services: built.Services, Imports: []*contract.Service{imported}}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.bulks.Wait()
	return g
}

// relay calls a method of a relay.
func (g *guest) relay(method string, message []byte) ([]byte, error) {
	r, err := g.Call(context.Background(), Request{Key: g.rev.Key, Service: "demo.relay.v1.Relay", Method: method, Message: message})
	return r.Message, err
}

const oneItem = "\x0a\x05\x0a\x01a\x10\x07" // {value: {name: "a", size: 7}}

// TestImported has calls of a guest answered in many ways, and expects the same by values and through the transcoder; by the bytes as
// they are, what is said here.
func TestImported(t *testing.T) {
	var answer func() ([]byte, error)
	var sent []byte
	g := newRelay(t, Limits{Message: 1000, Memory: 16 << 20}, func(_ context.Context, call OutgoingCall) ([]byte, error) {
		sent = bytes.Clone(call.Message)
		return answer()
	})
	if got := g.loaded().bulk.Load() != nil; got != wasmtime.HasBytes {
		t.Fatalf("there is a second form: %v", got)
	}
	gone := &Error{Reason: NotLoaded, Message: "gone"}
	late := &Error{Reason: Deadline, Message: "late"}
	failed := func(detailType, detail string) error {
		return &FunctionError{Message: "no", DetailType: detailType, Detail: []byte(detail)}
	}
	const trouble, text = "demo.bank.v1.Trouble", "demo.bank.v1.TellError"
	for name, tt := range map[string]struct {
		method, message string
		response        string
		err             error
		want            string // of the response, or of what is told of the error
	}{
		"a list":                        {"Same", oneItem, oneItem, nil, oneItem},
		"an empty one":                  {"Same", "", "", nil, ""},
		"scattered":                     {"Same", oneItem, oneItem + "\x78\x01" + oneItem, nil, oneItem + oneItem},
		"a field twice":                 {"Same", oneItem, "\x0a\x08\x0a\x01b\x10\x01\x0a\x01a", nil, "\x0a\x05\x0a\x01a\x10\x01"},
		"not UTF-8":                     {"Same", oneItem, "\x0a\x03\x0a\x01\xff", nil, "the response does not fit the import's types: value[0].name: not UTF-8"},
		"truncated":                     {"Same", oneItem, oneItem[:5], nil, "the response does not fit the import's types: value"},
		"a response over the limit":     {"Same", oneItem, strings.Repeat(oneItem, 200), nil, "the response has 1400 bytes; default/relay@1 accepts 1000"},
		"gone, and no place for it":     {"Same", oneItem, "", gone, "NOT_LOADED: gone"},
		"an error, and no place for it": {"Same", oneItem, "", failed(trouble, "\x20\x05"), "it returned an error, which the import has no place for: no"},
		"ok":                            {"Pay", oneItem, oneItem, nil, oneItem},
		"an error":                      {"Pay", oneItem, "", failed(trouble, "\x20\x05"), "limit(5)"},
		"an error with text":            {"Pay", oneItem, "", failed(trouble, "\x0a\x02no"), "no"},
		"an error set twice":            {"Pay", oneItem, "", failed(trouble, "\x0a\x02no\x20\x05"), "limit(5)"},
		"an error that is none":         {"Pay", oneItem, "", failed(trouble, "\x0a\x02n"), "an error that does not fit the import's types: declined"},
		"an error of another type":      {"Pay", oneItem, "", failed(text, ""), `the error is a "demo.bank.v1.TellError"`},
		"a fault":                       {"Pay", oneItem, "", gone, "demo.bank.v1.Api/Pay: NOT_LOADED: gone"},
		"a fault in time":               {"Pay", oneItem, "", late, "timeout"},
		"a response that does not fit":  {"Pay", oneItem, "\x08\x01", nil, "the response does not fit the import's types: value: wire type 0"},
		"an enum":                       {"Ask", "\x0a\x01\x07", "\x08\x07", nil, "\x08\x07"},
		"a fault as an enum":            {"Ask", "\x0a\x01\x07", "", gone, "unavailable"},
		"a text":                        {"Tell", "\x0a\x01a", "\x08\x07", nil, "\x08\x07"},
		"an error that is a text":       {"Tell", "\x0a\x01a", "", failed(text, "\x0a\x02no"), "no"},
		"a fault as a text":             {"Tell", "\x0a\x01a", "", gone, "demo.bank.v1.Api/Tell: NOT_LOADED: gone"},
		"no payload":                    {"Try", "\x0a\x01a", "", failed("", ""), "the function returned an error"},
		"no place":                      {"Try", "\x0a\x01a", "", gone, "NOT_LOADED: gone"},
		"nothing":                       {"Nothing", "\x0a\x01\x07", "", nil, ""},
		"nothing, but not protobuf":     {"Nothing", "\x0a\x01\x07", "\xff", nil, "the response does not fit the import's types: not protobuf"},
		"bytes and a number":            {"Numbered", "\x08\x07\x12\x01a", "\x0a\x01b", nil, "\x0a\x01b"},
		"a number":                      {"Small", "\x08\x07", "\x08\x09", nil, "\x08\x09"},

		"bytes":                           {"Echo", "\x0a\x02\xff\x00", "\x0a\x01\xfe", nil, "\x0a\x01\xfe"},
		"no bytes":                        {"Echo", "", "", nil, ""},
		"bytes that are not protobuf":     {"Echo", "\x0a\x01a", "\x0a\x02a", nil, "the response does not fit the import's types: value: not protobuf"},
		"bytes that can't come":           {"Echo", "\x0a\x01a", "", gone, "NOT_LOADED: gone"},
		"two":                             {"Join", "\x0a\x01a\x12\x01b", "\x0a\x02ab", nil, "\x0a\x02ab"},
		"the second only":                 {"Join", "\x12\x01b", "\x0a\x02ab", nil, "\x0a\x02ab"},
		"a string that is not UTF-8":      {"Join", "\x0a\x01a", "\x0a\x01\xff", nil, "the response does not fit the import's types: value: not UTF-8"},
		"bytes, and nothing back":         {"Put", "\x0a\x01a", "", nil, ""},
		"bytes, and nothing that is some": {"Put", "\x0a\x01a", "\xff", nil, "the response does not fit the import's types: not protobuf"},
		"bytes or a text":                 {"Say", "\x0a\x01a", "\x0a\x01b", nil, "\x0a\x01b"},
		"a text instead":                  {"Say", "\x0a\x01a", "", failed("demo.bank.v1.SayError", "\x0a\x02no"), "no"},
		"another error":                   {"Say", "\x0a\x01a", "", failed(trouble, ""), `the error is a "demo.bank.v1.Trouble"`},
		"a fault instead":                 {"Say", "\x0a\x01a", "", late, "demo.bank.v1.Api/Say: DEADLINE: late"},
		"bytes that are an error":         {"Store", "\x0a\x01a", "", failed("demo.bank.v1.StoreError", "\x0a\x02no"), "[110, 111]"},
		"bytes have no place for faults":  {"Store", "\x0a\x01a", "", gone, "NOT_LOADED: gone"},
		"a string":                        {"Check", "\x0a\x01a", "\x0a\x01b", nil, "\x0a\x01b"},
		"a string, or nothing":            {"Check", "\x0a\x01a", "", failed("", ""), "the function returned an error"},
	} {
		t.Run(name, func(t *testing.T) {
			answer = func() ([]byte, error) { return []byte(tt.response), tt.err }
			rev := g.loaded()
			rev.method("demo.relay.v1.Relay", tt.method).imported.Store(bulkFrom)
			before := counted(t, g, "answered")
			transcoded, transcodedErr := g.relay(tt.method, []byte(tt.message))
			if string(sent) != tt.message {
				t.Errorf("%x was passed on as %x", tt.message, sent)
			}
			through := wasmtime.HasBytes && told(transcodedErr).Reason == ""
			if got := counted(t, g, "answered") > before; got != through {
				t.Errorf("answered by the transcoder: %v", got)
			}
			form := rev.bulk.Swap(nil)
			defer rev.bulk.Store(form)
			plain, plainErr := g.relay(tt.method, []byte(tt.message))
			if string(sent) != tt.message {
				t.Errorf("%x was passed on by values as %x", tt.message, sent)
			}
			if !bytes.Equal(plain, transcoded) {
				t.Errorf("the answers are %.100x and %.100x", plain, transcoded)
			}
			if diff := cmp.Diff(told(plainErr), told(transcodedErr)); diff != "" {
				t.Error(diff)
			}
			got := string(plain)
			if plainErr != nil {
				got = plainErr.Error()
			}
			if got != tt.want && (plainErr == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestImportedDescribed expects the path of each import to be said.
func TestImportedDescribed(t *testing.T) {
	g := newRelay(t, Limits{}, func(context.Context, OutgoingCall) ([]byte, error) { return nil, errors.New("nobody calls") })
	got := DescribeTranscoding(g.rev, "")
	var want ImportTranscoding
	add := func(to *[]string, names ...string) {
		for _, n := range names {
			*to = append(*to, "demo.bank.v1.Api/"+n)
		}
		slices.Sort(*to)
	}
	if wasmtime.HasBytes {
		add(&want.Methods, "Same", "Pay", "Ask", "Tell", "Try", "Nothing", "Customers", "Numbered")
		add(&want.Direct, "Echo", "Join", "Put", "Say", "Store", "Check")
		add(&want.Plain, "Small")
	} else {
		add(&want.Plain, "Same", "Pay", "Ask", "Tell", "Try", "Nothing", "Customers", "Numbered", "Echo", "Join", "Put", "Say", "Store", "Check", "Small")
	}
	for _, names := range [][]string{got.Imports.Methods, got.Imports.Direct, got.Imports.Plain} {
		slices.Sort(names)
	}
	if diff := cmp.Diff(want, got.Imports); diff != "" {
		t.Error(diff)
	}
	if has := strings.Contains(got.Text(), "(module ;; the messages of imports"); has != wasmtime.HasBytes {
		t.Errorf("the code for imports is printed: %v", has)
	}
}

// BenchmarkImported has a guest pass on what it is given, 1 MiB of bytes or 10,000 records, to a function that answers the same: by
// values of the engine, through the transcoder, and directly.
//
//	go test -tags wasmtime_lts -run '^$' -bench Imported ./executor
func BenchmarkImported(b *testing.B) {
	var response []byte
	g := newRelay(b, Limits{Memory: 256 << 20}, func(context.Context, OutgoingCall) ([]byte, error) { return response, nil })
	rev := g.loaded()
	customer := protowire.AppendBytes([]byte{0x0a}, []byte("\x08\xc0\xc4\x07\x12\x15a name of some length\x18\x01\x21\x00\x00\x00\x00\x00\x4a\x93\x40"+
		"\x2a\x0a\x0a\x06a city\x10\x39\x32\x03one\x32\x07another"))
	data := make([]byte, 1<<20)
	inFirst := protowire.AppendBytes([]byte{0x0a}, data)
	inSecond := protowire.AppendBytes([]byte("\x08\x07\x12"), data)
	for _, bench := range []struct {
		name, method      string
		message, response []byte
		bulk              bool
	}{
		{"records/values", "Customers", bytes.Repeat(customer, 10_000), nil, false},
		{"records/transcoded", "Customers", bytes.Repeat(customer, 10_000), nil, true},
		{"bytes/values", "Numbered", inSecond, inFirst, false},
		{"bytes/transcoded", "Numbered", inSecond, inFirst, true},
		{"bytes/direct", "Echo", inFirst, nil, false},
	} {
		if bench.name != "records/values" && bench.name != "bytes/values" && !wasmtime.HasBytes {
			continue
		}
		b.Run(bench.name, func(b *testing.B) {
			if response = bench.response; response == nil {
				response = bench.message
			}
			if !bench.bulk {
				form := rev.bulk.Swap(nil)
				defer rev.bulk.Store(form)
			}
			b.SetBytes(int64(len(bench.message)))
			for b.Loop() {
				if got, err := g.relay(bench.method, bench.message); err != nil || len(got) != len(response) {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}

// TestImportOverflows has a guest pass more values to an import than can be unfolded. With a transcoder, the calls after that pass them on.
func TestImportOverflows(t *testing.T) {
	sent := 0
	g := newRelay(t, Limits{Message: 8 << 20, Memory: 256 << 20}, func(_ context.Context, call OutgoingCall) ([]byte, error) {
		sent = len(call.Message)
		return nil, nil
	})
	const many = 5 << 20
	message := append(protowire.AppendVarint([]byte("\x0a"), many), make([]byte, many)...)
	rev := g.loaded()
	form := rev.bulk.Swap(nil)
	_, err := g.relay("Nothing", message)
	rev.bulk.Store(form)
	refused(t, err, Trap, "what the guest passed to an import has too many values", "pass less")
	if !rev.method("demo.relay.v1.Relay", "Nothing").overflows.Load() {
		t.Error("nobody took note")
	}
	if !wasmtime.HasBytes {
		return
	}
	if _, err = g.relay("Nothing", message); err != nil || sent != len(message) {
		t.Errorf("%d of %d bytes passed on, %v", sent, len(message), err)
	}
}
