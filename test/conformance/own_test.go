package conformance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// What runs the tests that come with an example, in its folder. Those of TypeScript need the types of the WIT, and a compiler.
const (
	ownGo         = `go test .`
	ownPython     = `python3 -m unittest -q`
	ownTypeScript = `tools=$("$WEFT_ROOT/examples/toolchains/js.sh")/node_modules
		node "$tools/@bytecodealliance/jco/src/jco.js" guest-types wit --out-dir wit-types
		PATH="$tools/.bin:$PATH" npm test`
)

// TestOwn runs the tests that examples bring along: plain tests of their language, without WebAssembly.
func TestOwn(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for name, script := range map[string]string{
		"report":        ownGo,
		"formulas":      ownTypeScript,
		"shop/checkout": ownGo,
		"shop/pricing":  ownPython,
		"shop/receipts": ownTypeScript,
	} {
		t.Run(name, func(t *testing.T) {
			// In a copy, with files in place of links, so that nothing is left in the tree.
			dir := t.TempDir()
			command := exec.CommandContext(ctx, "bash", "-euc", `cp -rL "$WEFT_ROOT/examples/$1/." . && rm -rf wit-types
				`+script, "bash", name)
			command.Dir = dir
			command.Env = append(os.Environ(), "WEFT_ROOT="+filepath.Clean(root))
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
