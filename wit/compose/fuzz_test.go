package compose_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/compose"
)

// FuzzNew composes whatever decodes, with itself and with another part. What comes out decodes again and exports the same.
func FuzzNew(f *testing.F) {
	f.Add(wat.Chain{Export: iface("a"), Import: iface("b")}.Bytes(f))
	f.Add(wat.Chain{Export: iface("b")}.Bytes(f))
	f.Add(text(f, "", counter).Component)
	texts, err := filepath.Glob("../component/testdata/*.wat")
	if err != nil || len(texts) == 0 {
		f.Fatalf("no components of package component: %v", err)
	}
	for _, path := range texts {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text(f, path, string(content)).Component)
	}
	other := chain(f, "b", "")
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = compose.Read(data) // whatever it says
		w, err := component.Decode(data)
		if err != nil {
			return
		}
		own := compose.Part{Name: "fuzzed", Component: data, World: w}
		once := own
		once.Once = true
		linked := own
		linked.Links = []compose.Link{same(iface("b"), 1)}
		twice := own
		for _, i := range w.Imports {
			twice.Links = append(twice.Links, same(i.ID, 1))
		}
		for _, parts := range [][]compose.Part{{own}, {once}, {linked, other}, {twice, own}} {
			c, err := compose.New(parts)
			if err != nil {
				if refused, ok := errors.AsType[*compose.Error](err); !ok && !errors.Is(err, compose.ErrTooComplex) || ok && refused.Msg == "" {
					t.Fatalf("%T: %v", err, err)
				}
				continue
			}
			if limit := int64(len(parts)*len(data)) + 8<<20; c.Size() > limit {
				t.Fatalf("%d bytes of %d", c.Size(), len(data))
			}
			out, err := component.Decode(c.Bytes())
			if err != nil {
				continue // evaluating it anew takes more than is allowed, or its names are at odds with the parts'
			}
			if len(out.Exports) != len(w.Exports) || len(out.ExportFunctions) != len(w.ExportFunctions) {
				t.Fatalf("exports %v, not %v", out.Exports, w.Exports)
			}
		}
	})
}
