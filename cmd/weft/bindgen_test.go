package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBindgenGo(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wit, gen := filepath.Join(dir, "wit"), filepath.Join(dir, "gen")
	write("wit/a.wit", `package demo:a; interface api { run: func(); } interface other { run: func(); } world w { export api; import other; }`)
	weftWith(t, "", "bindgen", "go", "--out", gen, wit).exits(exitFailure).complains("there is no go.mod above", "--package")
	write("go.mod", "module example.com/mine\n\ngo 1.26\n")
	weftWith(t, "", "bindgen", "go", "--out", gen, wit).ok()
	text, err := os.ReadFile(filepath.Join(gen, "demo", "a", "other", "other_wasip1.go"))
	if err != nil || !strings.Contains(string(text), "//go:wasmimport demo:a/other run") {
		t.Fatalf("%s, %v", text, err)
	}

	// What is no longer needed goes, unless somebody wrote it by hand.
	write("gen/demo/a/other/mine.go", "package other\n")
	write("wit/a.wit", `package demo:a; interface api { run: func(v: string); } world w { export api; }`)
	weftWith(t, "", "bindgen", "go", "--out", gen, wit).ok()
	left, err := os.ReadDir(filepath.Join(gen, "demo", "a", "other"))
	if err != nil || len(left) != 1 || left[0].Name() != "mine.go" {
		t.Errorf("%v, %v; want mine.go alone", left, err)
	}
	text, err = os.ReadFile(filepath.Join(gen, "demo", "a", "api", "api_wasip1.go"))
	if err != nil || !strings.Contains(string(text), `"example.com/mine/gen/guest"`) {
		t.Errorf("%s, %v", text, err)
	}

	weftWith(t, "", "bindgen", "go", "--out", gen, "--world", "x", wit).exits(exitFailure).complains(`there is no world "x"`)
	write("wit/a.wit", "package demo:a; world w {\n  export f: func(v: strin);\n}")
	weftWith(t, "", "bindgen", "go", "--out", gen, wit).exits(exitFailure).complains("a.wit:2:21", `no type "strin"`)
}
