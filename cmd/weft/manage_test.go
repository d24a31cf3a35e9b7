package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

func TestListAndDescribe(t *testing.T) {
	s := startServer(t)
	s.weft("list").ok().complains("nothing is deployed in namespace default")
	s.weft("list", "--json").ok().prints(`"functions": []`)
	file := wat.Guest{}.File(t)
	s.weft("deploy", file, "--name", "calc", "--env", "B=2", "--env", "A=1").ok()
	s.weft("deploy", file, "--name", "second").ok()
	s.weft("list").ok().prints("NAME    REVISION  STATE", "calc    1         ready", "(demo.calc.v1.Calc)")
	s.weft("list", "-n", "other").ok().complains("namespace other")
	s.weft("describe", "calc").ok().prints("Name:         calc", "State:        ready", "Environment:  A=1\n              B=2",
		"wasi:logging/logging@0.1.0-draft (host)", "timeout 30s", "demo.calc.v1.Calc\n", "Try it:")
	if r := s.weft("describe", "calc", "--transcoder"); strings.HasSuffix(executor.Engine, " lts") {
		r.ok().prints("(module ;; the memory", "(func $call-Env (param $request i32) (param $size i32) (result i32)")
		s.weft("describe", "calc").ok().prints("Transcoder:   demo.calc.v1.Calc/", "(messages from 256B on)",
			"env: func() -> list<tuple<string, string>>  (compiled: lists; messages under 256 bytes are plain)\n", "  (plain: no lists)\n")
	} else {
		r.exits(exitFailure).complains("calc has no transcoder; weft describe calc says why")
		s.weft("describe", "calc").ok().prints("Transcoder:   none: the engine "+executor.Engine+" has no calls of bytes",
			"env: func() -> list<tuple<string, string>>  (plain: the engine has no other)\n")
	}
	s.weft("describe", "clac").exits(exitFailure).complains("NOT_FOUND: no function clac in namespace default; did you mean calc?")
	s.weft("describe", "calc", "-n", "NO").exits(exitFailure).complains("INVALID_ARGUMENT (INVALID_REQUEST)", `namespace "NO"`)
}

func TestRevisionText(t *testing.T) {
	for want, numbers := range map[string][]uint32{"2 of 3": {1, 2, 3}, "2 of 7 (3 are kept)": {2, 6, 7}} {
		f := &weftv1.Function{Revision: 2}
		for _, n := range numbers {
			f.Revisions = append(f.Revisions, &weftv1.Revision{Number: n})
		}
		if got := revisionText(f); got != want {
			t.Errorf("%v: %q", numbers, got)
		}
	}
}

func TestBindings(t *testing.T) {
	s := startServer(t)
	file := func(c wat.Chain) string {
		path := filepath.Join(t.TempDir(), "chain.wasm")
		if err := os.WriteFile(path, c.Bytes(t), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pay := file(wat.Chain{Export: "demo:chain/pay@1.0.0"})
	shop := file(wat.Chain{Export: "demo:chain/shop@1.0.0", Import: "demo:chain/pay@1.0.0"})
	front := file(wat.Chain{Export: "demo:chain/front@1.0.0", Import: "demo:chain/shop@1.0.0"})
	s.weft("deploy", shop, "--name", "shop").exits(exitFailure).complains("FAILED_PRECONDITION (UNBOUND)", "--bind demo:chain/pay=FUNCTION")
	s.weft("deploy", pay, "--name", "pay").ok()
	s.weft("deploy", shop, "--name", "shop").ok()
	s.weft("deploy", front, "--name", "front").ok()
	s.weft("call", "demo.chain.v1.Front/Ask", `{"n": 1}`).ok().prints(`"value": 3`)
	traced := s.weft("call", "demo.chain.v1.Front/Ask", `{"n": 1}`, "--trace").ok().prints(`"value": 3`)
	traced.out = "" // the rest is on stderr
	traced.complains("front@1 node=test queue=", "\n  default/front@1 > default/shop@1 demo.chain.v1.Shop/Ask took=",
		"\n    default/shop@1 > default/pay@1 demo.chain.v1.Pay/Ask took=")
	s.weft("describe", "front").ok().prints("demo:chain/shop@1.0.0 (function shop, demo.chain.v1.Shop)", "demo.chain.v1.Shop/Ask (plain)",
		"Calls:\n  front\n  └─ shop  (demo.chain.v1.Shop)\n     └─ pay  (demo.chain.v1.Pay)\n")
	s.weft("describe", "pay").ok().prints("Called by:   shop\n")
	s.weft("describe", "shop", "--json").ok().prints(`"function": "pay"`, `"callers": [`)
	s.weft("delete", "pay").exits(exitFailure).complains("IN_USE", `"pay" is called by shop`)
	s.weft("deploy", pay, "--name", "pay-eu").ok()
	s.weft("update", "shop", "--bind", "demo:chain/pay=pay-eu").ok().prints("shop revision 2 is ready")
	s.weft("describe", "front").ok().prints("─ pay-eu  (demo.chain.v1.Pay)")
	s.weft("delete", "pay").ok()
	s.weft("update", "shop", "--bind", "demo:chain/pay=grpc://pay.example:443").exits(exitFailure).complains("NOT_ALLOWED", "weft server --allow-host pay.example:443")
}

func TestUpdate(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc", "--env", "A=1", "--env", "B=2", "--queue", "7").ok()
	s.weft("update", "calc", "--memory", "128MiB", "--env", "A=3", "--unset-env", "B").ok().
		prints("calc revision 2 is ready (memory 128MiB, timeout 30s, concurrency 64, queue 7")
	s.weft("call", "Calc/Env").ok().prints(`"f0": "A"`, `"f1": "3"`)
	s.weft("call", "Calc/Env", "--revision", "1").ok().prints(`"f1": "1"`, `"f1": "2"`)
	s.weft("update", "calc", "--timeout", "2s", "--json").ok().prints(`"timeout": "2s"`, `"ready": true`)
	s.weft("update", "calc", "--unset-env", "B").exits(exitFailure).complains(`"B" is not set in revision 3`)
	s.weft("update", "calc", "--memory", "1B").exits(exitFailure).complains("memory 1: from 65536")
	s.weft("update", "none", "--memory", "1MiB").exits(exitFailure).complains("NOT_FOUND")
	s.weft("revisions", "calc").ok().prints("3         current, ready", "2  ", "1  ")
	s.weft("revisions", "calc", "--json").ok().prints(`"number": 2`)
}

func TestRouteDeleteForget(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{Mark: "1"}.File(t), "--name", "one").ok()
	s.weft("deploy", wat.Guest{Mark: "2"}.File(t), "--name", "two", "--env", "WHO=two").ok()
	s.weft("call", "Calc/Env").ok().prints(`"value": []`)
	s.weft("route", "demo.calc.v1.Calc", "two").ok().prints("two answers demo.calc.v1.Calc, before it one did")
	s.weft("call", "Calc/Env").ok().prints(`"two"`)
	s.weft("route", "demo.calc.v1.Calc", "two", "--json").ok().prints(`"previous": "two"`)
	s.weft("route", "demo.calc.v1.Nothing", "two").exits(exitFailure).complains("NOT_EXPORTED")
	s.weft("route", "demo.calc.v1.Calc", "three").exits(exitFailure).complains("NOT_FOUND")

	s.weft("forget", "demo.calc.v1").exits(exitFailure).complains("FAILED_PRECONDITION (IN_USE)")
	s.weft("update", "two", "--env", "A=b").ok()
	s.weft("delete", "two").ok().prints("deleted two (2 revisions)")
	s.weft("call", "Calc/Env").ok().prints(`"value": []`)
	s.weft("delete", "one", "--json").ok().prints(`"revisions": 1`)
	s.weft("delete", "one").exits(exitFailure).complains("NOT_FOUND")
	s.weft("call", "Calc/Env").exits(exitFailure).complains("UNIMPLEMENTED")
	waitUntil(t, "the artifacts are gone", func() bool { return len(artifactFiles(t, s.dir)) == 0 })

	s.weft("schema").ok().prints("service Calc")
	s.weft("forget", "demo.calc.v1").ok().prints("forgot demo.calc.v1")
	s.weft("forget", "demo.calc.v1").exits(exitFailure).complains("NOT_FOUND")
	if r := s.weft("schema").ok(); strings.Contains(r.out, "Calc") {
		t.Errorf("the contract is still there: %s", r.out)
	}
}

func TestLogs(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	s.weft("logs", "calc").ok()
	for range 3 {
		s.weft("call", "Calc/Log").ok()
	}
	s.weft("call", "Calc/Trap").exits(exitFailure)
	all := s.weft("logs", "calc").ok().prints("logging info | calc: hello", "weft error")
	if n := strings.Count(all.out, "hello"); n != 3 {
		t.Errorf("%d lines of 3:\n%s", n, all.out)
	}
	if n := strings.Count(s.weft("logs", "calc", "--tail", "2").ok().out, "hello"); n > 2 {
		t.Errorf("a tail of 2 has %d", n)
	}
	var line weftv1.LogsResponse
	first, _, _ := strings.Cut(s.weft("logs", "calc", "--json").ok().out, "\n")
	if err := protojson.Unmarshal([]byte(first), &line); err != nil || line.GetMessage() != "hello" ||
		line.GetContext() != "calc" || line.GetLevel() != "info" {
		t.Errorf("%s: %v", first, err)
	}
	s.weft("logs", "none").exits(exitFailure).complains("NOT_FOUND")
}

func TestNodes(t *testing.T) {
	s := startServer(t)
	waitUntil(t, "the node is in the catalog and in the directory", func() bool {
		return strings.Contains(s.weft("nodes").ok().out, "v0.0.0-test")
	})
	s.weft("nodes").ok().prints("NODE  ROLES", "test  scheduler,executor  alive  leader  v0.0.0-test")
	s.weft("nodes", "--json").ok().prints(`"name": "test"`, `"stateHash": "`, `"engine": "`, `"leader": "test"`)
	s.weft("drain", "tset").exits(exitFailure).complains("NOT_FOUND", "no node tset in the cluster; did you mean test?")
	s.weft("remove", "test").exits(exitFailure).complains("LAST_SCHEDULER", "test is the last scheduler")
	if token := s.weft("token").ok().out; !strings.HasPrefix(token, "weft1.") || strings.Count(token, "\n") != 1 {
		t.Errorf("token %q", token)
	}
}

func TestCompletion(t *testing.T) {
	s := startServer(t)
	file := wat.Guest{Functions: []string{"add", "div"}}.File(t)
	s.weft("deploy", file, "--name", "calc").ok()
	s.weft("deploy", file, "--name", "other").ok()
	complete := func(args ...string) result {
		t.Helper()
		return weftWith(t, "", append([]string{"__complete"}, args...)...).ok()
	}
	t.Setenv("WEFT_ADDR", s.addr)
	for _, command := range []string{"describe", "revisions", "update", "delete", "logs", "schema"} {
		complete(command, "").prints("calc\nother\n")
	}
	complete("route", "").prints("demo.calc.v1.Calc\n")
	complete("route", "demo.calc.v1.Calc", "").prints("calc\nother\n")
	complete("forget", "").prints("demo.calc.v1\n")
	complete("call", "").prints("demo.calc.v1.Calc/Add\ndemo.calc.v1.Calc/Div\n")
	complete("call", "Calc/Add", "--function", "").prints("calc\nother\n")
	complete("deploy", "--name", "").prints("calc\nother\n")
	complete("deploy", "").prints("wasm\n")
	if r := complete("describe", "calc", ""); strings.Contains(r.out, "other") {
		t.Errorf("a second name is offered: %s", r.out)
	}
}
