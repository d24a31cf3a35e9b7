package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

func TestDeploy(t *testing.T) {
	s := startServer(t)
	file := wat.Guest{}.File(t)
	r := s.weft("deploy", file, "--name", "calc").ok().
		prints("calc revision 1 is ready (sha256:", "\ndemo.calc.v1.Calc\n", "div: func(a: u32, b: u32) -> result<u32, string>",
			"Changes:", "Try it:", s.addr)
	if r.err != "" {
		t.Errorf("stderr: %s", r.err)
	}
	s.weft("deploy", file, "--name", "calc").ok().prints("calc revision 2 is ready")

	// Another function of the same interface is not its owner.
	s.weft("deploy", file, "--name", "other").ok().
		prints("calc answers it", "weft route demo.calc.v1.Calc other", "'weft-function: other'")
	s.weft("deploy", file, "--name", "calc", "-n", "staging").ok().prints("'weft-namespace: staging'")
}

func TestDeployJSON(t *testing.T) {
	s := startServer(t)
	file := wat.Guest{}.File(t)
	first := s.weft("deploy", file, "--name", "calc", "--json", "--memory", "128MiB", "--timeout", "2s", "--env", "A=b").ok()
	var got weftv1.DeployResponse
	if err := protojson.Unmarshal([]byte(first.out), &got); err != nil {
		t.Fatal(err)
	}
	f := got.GetFunction()
	if !got.GetReady() || f.GetRevision() != 1 || len(f.GetRevisions()) != 1 || len(f.GetServices()) != 1 {
		t.Fatalf("%v", &got)
	}
	r, service := f.GetRevisions()[0], f.GetServices()[0]
	if r.GetLimits().GetMemoryBytes() != 128<<20 || r.GetLimits().GetTimeout().AsDuration() != 2*time.Second ||
		r.GetEnvironment()["A"] != "b" || r.GetState() != "ready" {
		t.Errorf("revision %v", r)
	}
	if b := r.GetBindings(); len(b) != 2 || b[0].GetImport() != "wasi:cli/environment@0.2.0" || b[0].GetTarget() != "host" {
		t.Errorf("bindings %v", b)
	}
	if service.GetInterface() != "demo:calc/calc@1.0.0" || service.GetOwner() != "calc" ||
		service.GetMethods()[2].GetSample() != `{"size":{"f0":1,"f1":1}}` {
		t.Errorf("service %v", service)
	}
	if again := s.weft("describe", "calc", "--json").ok(); again.out != s.weft("describe", "calc", "--json").out {
		t.Error("JSON differs from one time to the next")
	}
}

// TestGrpcurlLine takes the printed command apart as a shell does and calls what it says.
func TestGrpcurlLine(t *testing.T) {
	s := startServer(t)
	file := wat.Guest{Functions: []string{"greet", "area"}}.File(t)
	s.weft("deploy", file, "--name", "calc", "-n", "it-s").ok()
	r := s.weft("deploy", file, "--name", "other", "-n", "it-s").ok()
	_, line, _ := strings.Cut(r.out, "Try it:\n")
	script := `grpcurl() { for a in "$@"; do printf '%s\0' "$a"; done; }` + "\n" + line
	out, err := exec.Command("sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	want := []string{
		"-plaintext", "-H", "weft-namespace: it-s", "-H", "weft-function: other",
		"-d", `{"name":"name"}`, s.addr, "demo.calc.v1.Calc/Greet",
	}
	if strings.Join(words, "|") != strings.Join(want, "|") {
		t.Fatalf("words %q", words)
	}
	client, err := weft.Connect(s.addr, weft.WithNamespace("it-s"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	answer, err := client.Call(t.Context(), words[8], []byte(words[6]), weft.OfFunction("other"))
	if err != nil || string(answer) != `{"value":"name"}` {
		t.Errorf("%s, %v", answer, err)
	}
}

func TestQuote(t *testing.T) {
	for _, word := range []string{"", "plain", "a b", `it's`, `'`, `{"a":"b"}`, "$HOME", "`x`", "a\nb", "ü", "-d", "a;b"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q became %q (%v)", word, out, err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	s := startServer(t)
	whole := wat.Guest{}.Bytes(t)
	zeros := filepath.Join(t.TempDir(), "zeros.wasm")
	if err := os.WriteFile(zeros, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(zeros, 1<<30); err != nil { // no disk is used for it
		t.Fatal(err)
	}
	tests := []struct{ name, file, want string }{
		{"missing", filepath.Join(t.TempDir(), "none.wasm"), "no such file"},
		{"directory", t.TempDir(), "is a directory"},
		{"empty", write(t, "empty.wasm", nil), "INVALID_ARGUMENT (NOT_WASM): "},
		{"text", write(t, "text.wasm", []byte("hello, world")), "the file is not WebAssembly"},
		{"a gibibyte of zeros", zeros, "NOT_WASM"},
		{"core module", write(t, "core.wasm", wat.Bytes(t, "(module)")), "(CORE_MODULE): "},
		{"core module, what to do", write(t, "core.wasm", wat.Bytes(t, "(module)")), "wasm-tools component new"},
		{"truncated", write(t, "truncated.wasm", whole[:len(whole)/2]), "(MALFORMED_COMPONENT): "},
		{"no exports", write(t, "none.wasm", wat.Bytes(t, "(component)")), "exports no function that can be called"},
		{"unknown import", wat.Guest{Import: "demo:stock/stock@1.0.0"}.File(t), "demo:stock/stock@1.0.0"},
		{"reserved package", wat.Guest{Interface: "google:calc/calc"}.File(t), "(UNSUPPORTED): "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.weft("deploy", tt.file, "--name", "bad").exits(exitFailure).complains(tt.want, filepath.Base(tt.file))
			if strings.Count(r.err, "\n") != 1 {
				t.Errorf("more than a sentence: %s", r.err)
			}
		})
	}
	s.weft("deploy", wat.Guest{}.File(t), "--name", "Bad_Name").exits(exitFailure).complains("(INVALID_REQUEST)", `function name "Bad_Name"`)
	s.weft("list").ok().complains("nothing is deployed in namespace default")
}

func TestBreakingDeploy(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{Functions: []string{"add", "div"}}.File(t), "--name", "calc").ok()
	wide := wat.Guest{Functions: []string{"add", "div"}, Wide: true}.File(t)
	s.weft("diff", wide, "calc").exits(exitFailure).prints("! demo.calc.v1.AddRequest.a: ")
	s.weft("diff", wide, "calc", "--json").exits(exitFailure).prints(`"breaking": true`)
	s.weft("deploy", wide, "--name", "calc").exits(exitFailure).
		complains("FAILED_PRECONDITION (BREAKING_CHANGE)", "demo.calc.v1.AddRequest.a", "demo.calc.v1.AddRequest.b",
			"demo.calc.v1.AddResponse.value", "--allow-breaking")
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`).ok().prints(`"value": 3`)

	s.weft("deploy", wide, "--name", "calc", "--allow-breaking", "--dry-run").ok().prints("calc would deploy")
	s.weft("revisions", "calc").ok().prints("1         current, ready")
	s.weft("deploy", wide, "--name", "calc", "--allow-breaking").ok().prints("revision 2 is ready", "! demo.calc.v1.AddRequest.a")
	s.weft("call", "Calc/Add", `{"a":"5000000000","b":2}`).ok().prints(`"value": "5000000002"`)
	s.weft("call", "Calc/Add", `{}`, "--revision", "1").ok()
}

func TestDeployThatDropsAService(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	extra := wat.Guest{Interface: "demo:calc/extra@1.0.0"}.File(t)
	s.weft("diff", extra, "calc").exits(exitFailure).prints("! demo.calc.v1.Calc: service no longer exported by calc")
	s.weft("deploy", extra, "--name", "calc").exits(exitFailure).complains("demo.calc.v1.Calc", "BREAKING_CHANGE")

	// Another function that exports it, too, is no help to those who name this one.
	s.weft("deploy", wat.Guest{}.File(t), "--name", "heir").ok()
	gone := "! demo.calc.v1.Calc: service no longer exported by calc; heir answers calls that name no function"
	s.weft("diff", extra, "calc").exits(exitFailure).prints(gone)
	s.weft("deploy", extra, "--name", "calc").exits(exitFailure).complains("demo.calc.v1.Calc", "BREAKING_CHANGE")
	s.weft("route", "demo.calc.v1.Calc", "heir").ok()
	s.weft("diff", extra, "calc").exits(exitFailure).prints("by calc; heir goes on answering calls that name no function")
	s.weft("deploy", extra, "--name", "calc", "--allow-breaking").ok().prints("demo.calc.v1.Extra", "! demo.calc.v1.Calc: service no longer")
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`).ok().prints(`"value": 3`)
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`, "--function", "calc").exits(exitFailure).complains("NOT_EXPORTED")
}

// TestDeployThatGainsAService says who answers it then, where the contract has it already.
func TestDeployThatGainsAService(t *testing.T) {
	s := startServer(t)
	extra := wat.Guest{Interface: "demo:calc/extra@1.0.0"}.File(t)
	full := wat.Guest{Interface: "demo:calc/calc@1.1.0", Functions: []string{"add", "div"}}.File(t)
	less := wat.Guest{Functions: []string{"add"}}.File(t)
	if r := s.weft("deploy", extra, "--name", "older").ok(); strings.Contains(r.out, "exported") {
		t.Errorf("what is new is taken for gained: %s", r.out)
	}
	s.weft("deploy", full, "--name", "owner").ok()
	s.weft("deploy", extra, "--name", "younger").ok()

	goes := "  demo.calc.v1.Calc: service exported by younger, too; owner goes on answering calls that name no function"
	s.weft("diff", less, "younger").exits(exitFailure).prints(goes) // it drops Extra
	s.weft("diff", full, "new").ok().prints("exported by new, too; owner goes on")
	s.weft("diff", full, "older").exits(exitFailure).prints("  demo.calc.v1.Calc: service exported by older, too, and it answers calls",
		"instead of owner; to keep that, weft route demo.calc.v1.Calc owner")
	s.weft("deploy", full, "--name", "older", "--allow-breaking", "--dry-run").ok().prints("\ndemo.calc.v1.Calc\n")

	// Those who call what the new owner lacks would have no answer any more.
	lacks := "! demo.calc.v1.Calc/Div: method not exported by older, which would answer calls that name no function, instead of owner"
	s.weft("diff", less, "older").exits(exitFailure).prints(lacks)
	s.weft("deploy", less, "--name", "older").exits(exitFailure).complains("BREAKING_CHANGE", "demo.calc.v1.Calc/Div")
	s.weft("route", "demo.calc.v1.Calc", "owner").ok()
	s.weft("diff", less, "older").exits(exitFailure).prints("exported by older, too; owner goes on")
	s.weft("deploy", less, "--name", "older", "--allow-breaking").ok().prints("owner answers it; call with --function older")
	s.weft("diff", less, "older").ok().prints("no changes")

	s.weft("deploy", less, "--name", "again", "-n", "other").ok()
	s.weft("delete", "again", "-n", "other").ok()
	s.weft("diff", less, "again", "-n", "other").ok().prints("  demo.calc.v1.Calc: service exported by again; no other function exports it")
}

// An older version of an interface may leave out what the contract has, unless it was the function's own.
func TestDeployThatDropsAMethod(t *testing.T) {
	s := startServer(t)
	older := wat.Guest{Interface: "demo:calc/calc@1.0.0", Functions: []string{"add"}}.File(t)
	s.weft("deploy", wat.Guest{Interface: "demo:calc/calc@1.1.0", Functions: []string{"add", "div"}}.File(t), "--name", "calc").ok()
	s.weft("diff", older, "calc").exits(exitFailure).prints("! demo.calc.v1.Calc/Div: method no longer exported by calc")
	s.weft("deploy", older, "--name", "calc").exits(exitFailure).complains("demo.calc.v1.Calc/Div", "BREAKING_CHANGE")
	s.weft("deploy", older, "--name", "second").ok()
	s.weft("diff", older, "second").ok().prints("no changes")
}

func TestDiff(t *testing.T) {
	s := startServer(t)
	small := wat.Guest{Functions: []string{"add"}}.File(t)
	s.weft("diff", small, "calc").ok().prints("demo.calc.v1")
	s.weft("deploy", small, "--name", "calc").ok()
	s.weft("diff", small, "calc").ok().prints("no changes")
	s.weft("diff", wat.Guest{}.File(t), "calc").ok().prints("  demo.calc.v1.Calc/Div: ")
	s.weft("diff", write(t, "x.wasm", []byte("no component")), "calc").exits(exitFailure).complains("NOT_WASM")
}

const wit = `package demo:calc@1.0.0;
/// Calculates.
interface calc {
  /// Adds two numbers.
  add: func(a: u32, b: u32) -> u32;
}
world w { export calc; }
`

func TestSchemaTravels(t *testing.T) {
	s := startServer(t)
	witDir := filepath.Dir(write(t, "calc.wit", []byte(wit)))
	file := wat.Guest{Functions: []string{"add"}}.File(t)
	s.weft("deploy", file, "--name", "calc", "--wit", witDir).ok()
	s.weft("schema", "calc").ok().prints("// demo/calc/v1/calc.proto", "// Adds two numbers.", "service Calc")
	s.weft("schema", "--json").ok().prints(`"package": "demo.calc.v1"`)

	dir := filepath.Join(t.TempDir(), "out")
	s.weft("schema", "calc", "-o", dir).ok().prints("contract.binpb", "buf.yaml", "calc.proto")
	text, err := os.ReadFile(filepath.Join(dir, "demo/calc/v1/calc.proto"))
	if err != nil || !strings.Contains(string(text), "message AddRequest") {
		t.Fatalf("%s, %v", text, err)
	}
	s.weft("schema", "calc", "--format", "descriptors", "-o", dir).ok().prints("schema.binpb")

	// A breaking change gives new numbers; staging gets them from production's contract.
	wide := wat.Guest{Functions: []string{"add"}, Wide: true}.File(t)
	s.weft("deploy", wide, "--name", "calc", "--allow-breaking").ok()
	s.weft("schema", "calc", "-o", dir).ok()
	s.weft("deploy", wide, "--name", "calc", "-n", "staging", "--contract", filepath.Join(dir, "contract.binpb")).ok()
	s.weft("deploy", wide, "--name", "calc", "-n", "fresh").ok()
	numbers := func(namespace string) string { return s.weft("schema", "calc", "-n", namespace).ok().out }
	if numbers("staging") != numbers("default") {
		t.Errorf("staging:\n%s\nproduction:\n%s", numbers("staging"), numbers("default"))
	}
	if numbers("fresh") == numbers("default") {
		t.Error("the contract makes no difference, so this test shows nothing")
	}
	s.weft("deploy", file, "--name", "calc", "--contract", write(t, "contract.binpb", []byte("x"))).exits(exitFailure).
		complains("no contract in it")
	s.weft("deploy", file, "--name", "calc", "--wit", t.TempDir()).exits(exitFailure).complains("no .wit file")
	s.weft("deploy", file, "--name", "calc", "--wit", filepath.Dir(write(t, "bad.wit", []byte("interface {")))).
		exits(exitFailure).complains("bad.wit")
}

func TestInterruptedDeployLeavesNoTrace(t *testing.T) {
	s := startServer(t)
	client, err := weft.Connect(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = client.Deploy(ctx, &interrupted{head: wat.Guest{}.Bytes(t), cancel: cancel}, deploySpec("calc"), nil)
	if err == nil {
		t.Fatal("an interrupted deploy succeeds")
	}
	s.weft("list").ok().complains("nothing is deployed")
	s.stop() // it waits for the handler of the deploy
	if files := artifactFiles(t, s.dir); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}
