package contract

import "testing"

func TestCompatible(t *testing.T) {
	for _, tt := range []struct {
		exported, imported string
		want               bool
	}{
		{"2.3.1", "2.3.0", true},
		{"2.3.0", "2.3.0", true},
		{"2.4.0", "2.3.9", true},
		{"2.3.0", "2.3.1", false},
		{"2.2.9", "2.3.0", false},
		{"3.0.0", "2.3.0", false},
		{"0.2.3", "0.2.1", true},
		{"0.3.0", "0.2.1", false},
		{"0.0.2", "0.0.1", false},
		{"0.0.1", "0.0.1", true},
		{"", "", true},
		{"1.0.0", "", false},
		{"", "1.0.0", false},
		{"1.0.0-rc1", "1.0.0-rc1", true},
		{"1.0.0-rc2", "1.0.0-rc1", false},
		{"1.0.0", "1.0.0-rc1", false},
		{"1.0.0+b", "1.0.0+a", true},
		{"x", "x", false},
	} {
		if got := Compatible(tt.exported, tt.imported); got != tt.want {
			t.Errorf("%q for %q: %v", tt.exported, tt.imported, got)
		}
	}
}
