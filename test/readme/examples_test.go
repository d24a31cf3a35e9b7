package readme

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// TestExamples runs the commands of each example's README on a node of its own, with weft on the PATH.
func TestExamples(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	t.Setenv("PATH", filepath.Join(root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"orders", "text", "stats"} {
		t.Run(name, func(t *testing.T) {
			components.Path(t, name)
			r := &reader{root: root, data: t.TempDir()}
			r.run(ctx, t, "make build")
			r.server(ctx, t, "weft server")
			text, err := os.ReadFile(filepath.Join(root, "examples", name, "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			ran := 0
			for _, b := range blocks(string(text)) {
				for _, line := range b.lines {
					r.run(ctx, t, line)
					ran++
				}
			}
			if ran < 3 {
				t.Errorf("%d commands; were its blocks found?", ran)
			}
		})
	}
}
