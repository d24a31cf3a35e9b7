package executor

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/hostile"
)

// TestHostile sends the conformance component what no encoder writes, both ways. The caller is told the same: the same answer, or
// an error with the same reason, which gives its code, the same message and the same path.
func TestHostile(t *testing.T) {
	if !wasmtime.HasBytes {
		t.Skip("this engine has the plain path only")
	}
	g := bulkOfBinary(t, Config{}, components.Bytes(t, "conformance"), Limits{})
	if g.loaded().bulk.Load() == nil {
		t.Fatal("there is no transcoder")
	}
	messages := hostile.Messages()
	refusals := 0
	for _, s := range g.rev.Services {
		if s.Interface == "test:conformance/hostile@1.2.0" || s.Interface == "test:conformance/host@1.2.0" {
			continue // their methods do not end, or answer differently each time
		}
		for _, m := range s.Methods {
			for wrong, message := range messages {
				plain, fast, plainErr, fastErr := g.waysOf(s.Name, m.Name, message)
				if !bytes.Equal(plain, fast) {
					t.Errorf("%s/%s, %s: the answers are %.100x and %.100x", s.Name, m.Name, wrong, plain, fast)
				}
				want := told(plainErr)
				if diff := cmp.Diff(want, told(fastErr)); diff != "" {
					t.Errorf("%s/%s, %s: %s", s.Name, m.Name, wrong, diff)
				}
				if want.Reason == MalformedRequest && want.Path != "" {
					refusals++
				}
			}
		}
	}
	if refusals == 0 || counted(t, g, "answered") == 0 || counted(t, g, "refused") == 0 {
		t.Errorf("%d requests were refused with a path; the transcoder answered %v and refused %v", refusals, counted(t, g, "answered"), counted(t, g, "refused"))
	}
}
