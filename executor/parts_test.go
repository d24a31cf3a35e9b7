package executor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/compose"
)

// TestGuests has backtraces of a component that is at 1000 to 2000 of what runs. Code that copies values counts from a start of its own,
// so its offsets may be anywhere.
func TestGuests(t *testing.T) {
	var (
		guest      = wasmtime.Frame{Function: "price", Offset: 1500}
		nameless   = wasmtime.Frame{Index: 4, Offset: 1999}
		called     = wasmtime.Frame{Function: "call Place", Offset: 999}
		imported   = wasmtime.Frame{Function: "import stock", Offset: 2000}
		copies     = wasmtime.Frame{Index: 7, Offset: 100}
		copiesHigh = wasmtime.Frame{Index: 7, Offset: 1100}
	)
	b := &bulk{own: compose.Placed{Offset: 1000, Size: 1000}}
	for name, tt := range map[string]struct{ all, want []wasmtime.Frame }{
		"nothing":           {nil, nil},
		"called":            {[]wasmtime.Frame{guest, nameless, copies, called}, []wasmtime.Frame{guest, nameless}},
		"many that copy":    {[]wasmtime.Frame{nameless, copies, copies, called}, []wasmtime.Frame{nameless}},
		"high offsets":      {[]wasmtime.Frame{nameless, copiesHigh, called}, []wasmtime.Frame{nameless}},
		"an import":         {[]wasmtime.Frame{imported, copies, nameless, guest, copies, called}, []wasmtime.Frame{nameless, guest}},
		"the transcoder":    {[]wasmtime.Frame{called}, nil},
		"linked components": {[]wasmtime.Frame{guest, copies, guest, copies, called}, []wasmtime.Frame{guest, copies, guest}},
	} {
		if diff := cmp.Diff(tt.want, b.guests(tt.all)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
