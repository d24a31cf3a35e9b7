package wat

import (
	"bytes"
	"testing"

	"github.com/weft-run/weft/wit/component"
)

func TestGuests(t *testing.T) {
	for name, g := range map[string]Guest{
		"all":      {},
		"one":      {Functions: []string{"add"}, Wide: true},
		"another":  {Interface: "demo:calc/extra@1.0.0"},
		"marked":   {Mark: "v2"},
		"importer": {Import: "demo:other/thing@1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			world, err := component.Decode(g.Bytes(t))
			if err != nil {
				t.Fatal(err)
			}
			want := len(g.Functions)
			if want == 0 {
				want = len(order)
			}
			if len(world.Exports) != 1 || len(world.Exports[0].Functions) != want {
				t.Errorf("exports %v", world.Exports)
			}
		})
	}
	if bytes.Equal(Guest{}.Bytes(t), Guest{Mark: "v2"}.Bytes(t)) {
		t.Error("a mark makes no difference")
	}
}
