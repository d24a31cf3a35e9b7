package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor"
)

func TestUsage(t *testing.T) {
	tests := []struct{ args, want string }{
		{"frobnicate", `no command "frobnicate"`},
		{"lst", "did you mean list?"},
		{"--frobnicate", "unknown flag: --frobnicate"},
		{"list extra", "takes no arguments; 1 given"},
		{"deploy", "takes FILE; 0 given"},
		{"deploy a.wasm", "--name NAME"},
		{"deploy a.wasm --name a --memory 64MB", `"64MB" is no size`},
		{"deploy a.wasm --name a --memory 1.5GiB", "is no size"},
		{"deploy a.wasm --name a --memory 0", "must be more than 0"},
		{"deploy a.wasm --name a --memory 99999999999GiB", "too large"},
		{"deploy a.wasm --name a --timeout 30", `"30" is no duration`},
		{"deploy a.wasm --name a --timeout -1s", "must be more than 0"},
		{"deploy a.wasm --name a --concurrency 0", "is no whole number from 1 on"},
		{"deploy a.wasm --name a --env A", `"A" is no variable: write it as KEY=VALUE`},
		{"deploy a.wasm --name a --env A=\xff", `"A=\xff" is no UTF-8 text`},
		{"deploy a.wasm --name a --env A=1 --env A=2", "variable A is set twice"},
		{"deploy a.wasm --name a --bind demo:pay/api", `"demo:pay/api" is no binding: write it as KEY=VALUE`},
		{"deploy a.wasm --name a --bind a:b/c=d --bind a:b/c=e", "import a:b/c is bound twice"},
		{"update a --bind a:b/c=", "import a:b/c is bound to nothing: write IMPORT=FUNCTION"},
		{"server --allow-host grpc://pay", `--allow-host: "grpc://pay"`},
		{"server --keyvalue memory://x", `--keyvalue: "memory" is no kind of storage: write embedded, redis://`},
		{"server --keyvalue redis://a:b/c@d", "it is no URL; characters such as / and @ in a password"},
		{"server --keyvalue-quota 1MB", "is no size"},
		{"server --idle-unload -1s", "must be more than 0"},
		{"deploy a.wasm --name a --replicas 0", "neither a whole number from 1 on nor"},
		{"new", "takes NAME; 0 given"},
		{"new a", "--lang, one of rust, go, js"},
		{"new --lang cobol a", `--lang "cobol": weft knows rust`},
		{"build a b", "takes [DIR]; 2 given"},
		{"build --lang cobol", `--lang "cobol": weft knows rust`},
		{"call", "takes SERVICE/METHOD [JSON|@FILE|-]; 0 given"},
		{"call a/b {} {}", "3 given"},
		{"call a/b -H nothing", "is no header"},
		{"call a/b -H a-bin=?", "must be base64"},
		{"call a/b -H a/b=1", `header "a/b": a key has letters, digits`},
		{"call a/b -H :path=1", `header ":path": a key has letters, digits`},
		{"call a/b -H grpc-timeout=1", "header grpc-timeout: gRPC sets it itself"},
		{"call a/b -H User-Agent=me", "header User-Agent: gRPC sets it itself"},
		{"call a/b -H name=Zoë", "header name: a value is printable ASCII"},
		{"help frobnicate", `no command "frobnicate"`},
		{"help secret frobnicate", `no command "secret frobnicate"`},
		{"completion tcsh", `no command "tcsh"`},
		{"completion bash extra", "takes no arguments; 1 given"},
		{"describe", "takes NAME; 0 given"},
		{"update calc", "nothing to change"},
		{"route a", "takes SERVICE NAME; 1 given"},
		{"logs a --tail x", "is no whole number"},
		{"schema a --format json", "write proto or descriptors"},
		{"diff a", "takes FILE NAME"},
		{"server extra", "takes no arguments"},
		{"server --token weft1", "--token is for joining"},
		{"server --roles boss", `"boss" is no role`},
		{"server --labels zone", `"zone" is no label`},
		{"server --labels zone=a,zone=b", "label zone is set twice"},
		{"server --listen 0.0.0.0:0 --data-dir DIR", "--insecure"},
		{"server --http :0 --listen 127.0.0.1:0 --data-dir DIR", "--insecure"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			args := strings.Fields(strings.ReplaceAll(tt.args, "DIR", t.TempDir()))
			weftWith(t, "", args...).exits(exitUsage).complains(tt.want, "--help")
		})
	}
}

// TestUsageJSON: whoever asks for JSON reads JSON, wherever the flag stands.
func TestUsageJSON(t *testing.T) {
	for _, args := range []string{"list extra --json", "list --json --frobnicate", "list --frobnicate --json", "call --json", "update calc --json"} {
		r := weftWith(t, "", strings.Fields(args)...).exits(exitUsage).complains(`"message": `)
		var printed struct {
			Error failure `json:"error"`
		}
		if err := json.Unmarshal([]byte(r.err), &printed); err != nil || printed.Error.Message == "" {
			t.Errorf("%s: %v: %s", args, err, r.err)
		}
	}
}

func TestHelp(t *testing.T) {
	weftWith(t, "").ok().prints("Projects:", "Functions:", "Servers:", "weft deploy orders.wasm")
	a := &app{}
	for _, c := range a.root().Commands() {
		t.Run(c.Name(), func(t *testing.T) {
			weftWith(t, "", c.Name(), "--help").ok().prints("Usage:", "Examples:")
			weftWith(t, "", "help", c.Name()).ok().prints("Usage:", "Examples:")
			if c.Short == "" || strings.HasSuffix(c.Short, ".") || !strings.Contains(c.Example, "weft "+c.Name()) {
				t.Errorf("short %q, example %q", c.Short, c.Example)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	weftWith(t, "", "version").ok().prints("weft ", "linux/", executor.Engine)
	weftWith(t, "", "version", "--json").ok().prints(`"version": `, `"go": "go1.`, `"engine": "wasmtime `)
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		weftWith(t, "", "completion", shell).ok().prints("weft")
	}
}

func TestNoServer(t *testing.T) {
	// Port 1 of the loopback is nobody's.
	weftWith(t, "", "list", "--addr", "127.0.0.1:1").exits(exitFailure).
		complains("UNAVAILABLE: no answer from 127.0.0.1:1: connection refused", "weft server", "WEFT_ADDR")
	weftWith(t, "", "list", "--addr", "localhost").exits(exitFailure).complains(`address "localhost" is no host:port`)
	weftWith(t, "", "list", "--addr", "http://127.0.0.1:1").exits(exitFailure).complains(`address "http://127.0.0.1:1" is no host:port`)
	weftWith(t, "", "list", "--addr", "127.0.0.1:70700").exits(exitFailure).complains(`address "127.0.0.1:70700": a port is at most 65535`)
	weftWith(t, "", "list", "--addr", "127.0.0.1:1", "--json").exits(exitFailure).complains(`"code": "UNAVAILABLE"`)
	// Completion stays quiet.
	weftWith(t, "", "__complete", "describe", "--addr", "127.0.0.1:1", "").ok()
}
