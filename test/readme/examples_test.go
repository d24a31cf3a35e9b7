package readme

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// examples are those with a README, and the components that its commands deploy.
var examples = map[string][]string{
	"orders":     {"orders"},
	"text":       {"text"},
	"stats":      {"stats"},
	"report":     {"report"},
	"checksum":   {"checksum"},
	"formulas":   {"formulas"},
	"thumbnails": {"thumbnails"},
	"shop":       {"barcode", "receipts", "stock", "pricing", "checkout"},
}

// TestExamples runs the commands of each example's README on a node of its own, with weft on the PATH.
func TestExamples(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	t.Setenv("PATH", filepath.Join(root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, deployed := range examples {
		t.Run(name, func(t *testing.T) {
			for _, component := range deployed {
				components.Path(t, component)
			}
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
