package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/wit/bindgen"
	"github.com/weft-run/weft/wit/host"
)

func TestInterfaces(t *testing.T) {
	weftWith(t, "", "interfaces").ok().prints("weft-http", "weft:http/client@", "weft-runtime", "weft:runtime/context@",
		"wasi:config/store@0.2.0-draft, ", "wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0-draft-2024-09-27", "wasi:logging/logging, ")
	weftWith(t, "", "interfaces", "weft-http", "wasi-http").exits(exitUsage).complains(`no package "wasi-http"`, "weft-runtime")

	dir := t.TempDir()
	bindings := filepath.Join(t.TempDir(), "bindings.go")
	if err := os.WriteFile(bindings, []byte(bindgen.Header), 0o600); err != nil {
		t.Fatal(err)
	}
	weftWith(t, "", "interfaces", "weft-http", "--out", filepath.Dir(bindings)).ok()
	if _, err := os.Stat(bindings); err != nil {
		t.Errorf("bindings are gone: %v", err)
	}
	weftWith(t, "", "interfaces", "weft-http", "--out", dir).ok()
	if all, err := fs.Glob(os.DirFS(dir), "*/*"); err != nil || len(all) != 1 || all[0] != "weft-http/client.wit" {
		t.Errorf("%v, %v", all, err)
	}
	weftWith(t, "", "interfaces", "--out", dir).ok() // over what is there
	names, err := fs.Glob(host.Files(), "*/*.wit")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		want, err := fs.ReadFile(host.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(os.DirFS(dir), name); err != nil || string(got) != string(want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
