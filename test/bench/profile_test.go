package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/weft-run/weft/test/components"
)

// TestProfile: the profile for the Go compiler has both nodes, and does not say when and where it was made.
func TestProfile(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	o := options{components: filepath.Dir(components.Path(t, "bench")), out: t.TempDir(), duration: 300 * time.Millisecond, inFlight: 8}
	t.Chdir(root)
	buildWeft(t, &o)
	if err := runProfile(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(o.out, filepath.Base(profileFile)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	if p.TimeNanos != 0 {
		t.Errorf("it says that it is of %d", p.TimeNanos)
	}
	for _, part := range []string{"services/lean.", "grpc.(*Server).handleStream"} {
		if !slices.ContainsFunc(p.Function, func(f *profile.Function) bool { return strings.Contains(f.Name, part) }) {
			t.Errorf("it has nothing of %s", part)
		}
	}
	for _, m := range p.Mapping {
		if strings.Contains(m.File, "/") {
			t.Errorf("it names %s", m.File)
		}
	}
}
