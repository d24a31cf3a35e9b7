package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/test/components"
)

// TestResources composes a component in Go that exports a resource with one that imports it, and lets the second use it
// in all ways. It runs them with jco, in node: wasmtime 44 can't compile calls between components that lend resources.
func TestResources(t *testing.T) {
	dir := t.TempDir()
	composed := filepath.Join(dir, "all.wasm")
	command(t, script(t, "wasm-tools.sh"), "compose", components.Path(t, "cursors-user-go"),
		"-d", components.Path(t, "cursors-go"), "-o", composed)
	modules := filepath.Join(script(t, "js.sh"), "node_modules")
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	command(t, "node", filepath.Join(modules, "@bytecodealliance", "jco", "src", "jco.js"), "transpile", composed, "-o", dir)
	for name, text := range map[string]string{
		"package.json": `{"type": "module"}`,
		"run.js":       `import { user } from './all.js'; console.log(user.run().join(' '));`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := command(t, "node", filepath.Join(dir, "run.js")); got != "a b c d e f" {
		t.Errorf("%q, want all words", got)
	}
}

// script installs a toolchain and returns where it is.
func script(t *testing.T, name string) string {
	t.Helper()
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	return command(t, filepath.Join(root, "examples", "toolchains", name))
}

// command runs a program and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	var errs strings.Builder
	c := exec.Command(name, args...)
	c.Stderr = &errs
	output, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, errs.String())
	}
	return strings.TrimSpace(string(output))
}
