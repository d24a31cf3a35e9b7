package guest

import (
	"errors"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/components"
)

// TestPanic checks that a panic in an export tells its message and where it was, on stderr, and then traps.
func TestPanic(t *testing.T) {
	var stderr strings.Builder
	i := instance(t, components.Bytes(t, "conformance-go"),
		[]wasmtime.Export{{Interface: "test:conformance/hostile@1.2.0", Function: "panic"}},
		func(text []byte) { stderr.Write(text) })
	arena := wasmtime.NewArena()
	defer arena.Free()
	set(t, arena, arena.Args(1).At(0), "the yarn is torn")
	_, err := i.Call(0, arena)
	if trap := (*wasmtime.Trap)(nil); !errors.As(err, &trap) {
		t.Errorf("error %v, want a trap", err)
	}
	for _, want := range []string{"panic: the yarn is torn", "goroutine 1 [running]", "main.misdeeds.Panic"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr.String())
		}
	}
}
