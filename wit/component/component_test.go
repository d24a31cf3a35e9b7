package component_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bytecode "go.bytecodealliance.org/wit"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // tests build components from text
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// failer is a test, a fuzz target or a property.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// assemble makes a component of text.
func assemble(t failer, text string) []byte {
	t.Helper()
	data, err := wasmtime.WatToWasm(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return data
}

// build makes a component of a text in testdata.
func build(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".wat"))
	if err != nil {
		t.Fatal(err)
	}
	return assemble(t, string(text))
}

func decode(t testing.TB, data []byte) *wit.World {
	t.Helper()
	w, err := component.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// components are the texts in testdata.
var components = []string{"everything", "composed", "handwritten"}

// TestGolden compares all that is known of a component, in order, with a golden file.
func TestGolden(t *testing.T) {
	for _, name := range components {
		t.Run(name, func(t *testing.T) {
			got := dump(decode(t, build(t, name)))
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("not as in %s (-update writes it):\n%s", golden, got)
			}
		})
	}
}

// ask returns what the decoder of go.bytecodealliance.org says of a component. It runs wasm-tools inside, in wazero.
func ask(t *testing.T, data []byte) string {
	t.Helper()
	resolve, err := bytecode.DecodeWIT(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range resolve.Worlds {
		if w.Name == "root" {
			return merge(oracleLines(w))
		}
	}
	t.Fatal("the oracle has no root world")
	return ""
}

// visible leaves out what the oracle does not show: imports that are neither instances nor functions.
func visible(w *wit.World) string {
	shown := *w
	shown.ImportOthers = nil
	return merge(dumpLines(&shown))
}

// TestOracle compares decoded components with what another decoder says of them. It does not read handwritten.wat, which
// has what WIT has no words for. Of the composition it loses who owns a type: see TestCompositionKeepsOwners.
func TestOracle(t *testing.T) {
	data := build(t, "everything")
	if got, want := visible(decode(t, data)), ask(t, data); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	data = build(t, "composed")
	lost := strings.NewReplacer(
		"type item = demo:stock/types@1.0.0#item", "type item = record { sku: string, count: u32 }",
		"demo:stock/types@1.0.0#item", "demo:shop/shop@1.0.0#item",
	)
	if got, want := lost.Replace(visible(decode(t, data))), ask(t, data); got != want {
		t.Errorf("composed: got:\n%swant:\n%s", got, want)
	}
}

// TestCompositionKeepsOwners: a composition exports an interface whose types belong to one that it hides. They are owned as they
// were before composing, so that the contract stays the same.
func TestCompositionKeepsOwners(t *testing.T) {
	w := decode(t, build(t, "composed"))
	if len(w.Exports) != 1 || len(w.Imports) == 0 {
		t.Fatalf("got %s", dump(w))
	}
	shop := w.Exports[0]
	if item := shop.Types[0]; item.Name != "item" || item.Type.Interface == nil || item.Type.Interface.ID != "demo:stock/types@1.0.0" {
		t.Errorf("item is owned by %+v", item.Type.Interface)
	}
	owner := shop.Types[0].Type.Interface
	if owner.Namespace != "demo" || owner.Package != "stock" || owner.Name != "types" || owner.Version != "1.0.0" {
		t.Errorf("owner is %+v", owner)
	}
	if len(owner.Types) != 1 || owner.Types[0].Type != shop.Types[0].Type || len(owner.Functions) != 0 {
		t.Errorf("owner holds %+v", owner)
	}
	for _, i := range w.Imports {
		if i.Package == "stock" {
			t.Errorf("%s is still imported", i.ID)
		}
	}
}

// TestSharing: one type is one pointer wherever it is used, also across interfaces, and a type of the same structure is another.
func TestSharing(t *testing.T) {
	w := decode(t, build(t, "everything"))
	types := map[string]*wit.Type{}
	for _, i := range w.Exports {
		for _, n := range i.Types {
			types[i.Name+"."+n.Name] = n.Type
		}
	}
	for _, i := range w.Imports {
		for _, n := range i.Types {
			types["import "+i.Name+"."+n.Name] = n.Type
		}
	}
	for _, same := range [][2]string{
		{"shop.order", "walk.order"}, {"types.item", "shop.item"}, {"types.item", "admin.thing"},
		{"shop.way", "import kinds.payment"}, {"import types.item", "import stock.item"},
	} {
		if a, b := types[same[0]], types[same[1]]; a == nil || a != b {
			t.Errorf("%s is %p, %s is %p", same[0], a, same[1], b)
		}
	}
	if types["types.item"] == types["import types.item"] {
		t.Error("the imported and the exported item are one")
	}
}
