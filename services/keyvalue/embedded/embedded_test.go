package embedded

import (
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/keyvaluetest"
)

func TestConformance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyvalue", "pairs.db")
	keyvaluetest.Run(t, keyvaluetest.Tested{Exclusive: true, Open: func(t testing.TB, quota int64) keyvalue.Backend {
		t.Helper()
		return Open(path, quota)
	}})
}
