package control

import (
	"testing"

	"github.com/weft-run/weft/wit"
)

// TestPersonal: a provider is not linked if the host would take it for its caller.
func TestPersonal(t *testing.T) {
	ask := []*wit.Function{{Name: "ask"}}
	for _, tt := range []struct {
		namespace, pkg string
		functions      []*wit.Function
		types          []wit.NamedType
		want           bool
	}{
		{"wasi", "cli", ask, nil, false},
		{"wasi", "io", nil, []wit.NamedType{{Name: "r", Resource: &wit.Resource{}}}, false},
		{"wasi", "logging", ask, nil, false},
		{"weft", "http", ask, nil, false},
		{"wasi", "keyvalue", ask, nil, true},
		{"wasi", "keyvalue", nil, []wit.NamedType{{Name: "bucket", Resource: &wit.Resource{}}}, true},
		{"wasi", "config", ask, nil, true},
		{"weft", "runtime", ask, nil, true},
		{"demo", "types", nil, []wit.NamedType{{Name: "t", Type: &wit.Type{Kind: wit.U8}}}, false},
	} {
		i := &wit.Interface{Namespace: tt.namespace, Package: tt.pkg, Name: "x", Functions: tt.functions, Types: tt.types}
		if got := personal(i); got != tt.want {
			t.Errorf("%s:%s: %v", tt.namespace, tt.pkg, got)
		}
	}
}
