//go:build wasmtime_lts

package wasmtime

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installed returns the directory that executor/wasmtime/lts/install.sh printed.
func installed(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "CGO_LDFLAGS").Output()
	if err != nil {
		t.Fatal(err)
	}
	for flag := range strings.FieldsSeq(string(out)) {
		if dir, ok := strings.CutPrefix(flag, "-L"); ok {
			return dir
		}
	}
	t.Fatal("CGO_LDFLAGS names no directory of the long-term-support engine; run make test ENGINE=lts")
	return ""
}

// engineHeaders returns the compiler's flags for the engine's headers, and a text that includes what api.h does not
// declare.
func engineHeaders(t testing.TB) (flags []string, more string) {
	t.Helper()
	return []string{"-DWEFT_LTS", "-I", filepath.Join(installed(t), "include")}, "#include <weft_lts.h>\n#include \"lts.h\"\n"
}

// engineLink returns the linker's flags for the engine, and the C file that stands on it.
func engineLink(t testing.TB) (flags []string, file string) {
	t.Helper()
	return []string{"-L" + installed(t), "-lweft_wasmtime"}, "lts.c"
}

// TestLongTermDeclarations checks that TestDeclarations notices a change in lts.h.
func TestLongTermDeclarations(t *testing.T) {
	const prototype = "void weft_lts_limit(wasmtime_store_t *, size_t memory, "
	_, more := engineHeaders(t)
	if out, err := checkC(t, more+prototype+"size_t);", ""); err != nil {
		t.Fatal(out)
	}
	if _, err := checkC(t, more+prototype+"int);", ""); err == nil {
		t.Error("another type was not noticed")
	}
}

// TestLongTermName checks that code says which patches its engine has, so that an engine without them does not load it.
func TestLongTermName(t *testing.T) {
	id, err := engineSection(compiled(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := Version + "+weft-"; !bytes.Contains(id, []byte(want)) {
		t.Errorf("the engine's section is %q, without %q", id, want)
	}
}
