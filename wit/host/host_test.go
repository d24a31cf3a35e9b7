package host_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit/host"
)

// TestPackages reads every package.
func TestPackages(t *testing.T) {
	dirs, err := fs.ReadDir(host.Files(), ".")
	if err != nil || len(dirs) == 0 {
		t.Fatal(dirs, err)
	}
	for _, d := range dirs {
		for name, i := range host.Interfaces(d.Name()) {
			if i.Name != name || i.Version == "" || len(i.Functions) == 0 {
				t.Errorf("%s: interface %s has version %q and %d functions", d.Name(), i.ID, i.Version, len(i.Functions))
			}
			for _, id := range host.Also(i) {
				if base, _, _ := strings.Cut(id, "@"); base != strings.TrimSuffix(i.ID, "@"+i.Version) || id == i.ID {
					t.Errorf("%s is given as %s, too", i.ID, id)
				}
			}
		}
	}
}
