package wat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wittest"
)

// Mirror makes a component that exports an interface that it imports, as it is. All types of that must be its own.
func Mirror(tb testing.TB, i *wit.Interface) []byte {
	tb.Helper()
	types := wittest.NewInterfaceText()
	for _, t := range i.Types {
		types.Name(t.Type)
	}
	var functions strings.Builder
	for _, f := range i.Functions {
		fmt.Fprintf(&functions, "\n    (export %q (func", f.Name)
		for _, p := range f.Params {
			name := types.Name(p.Type)
			fmt.Fprintf(&functions, " (param %q %s)", p.Name, name)
		}
		if f.Result != nil {
			fmt.Fprintf(&functions, " (result %s)", types.Name(f.Result))
		}
		functions.WriteString("))")
	}
	return Bytes(tb, fmt.Sprintf("(component\n  (import %[1]q (instance $i\n  %[2]s%[3]s))\n  (export %[1]q (instance $i)))", i.ID, types.Defs(),
		functions.String()))
}
