package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// TestDensity runs make bench-density with a few functions. It judges no figure: all are there, and the document has them.
func TestDensity(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	o := options{
		out: t.TempDir(), docs: t.TempDir(), rounds: 1, duration: 50 * time.Millisecond, inFlight: 4,
		functions: 6, distinct: 2, own: 10, idle: 200 * time.Millisecond, still: 1,
	}
	t.Chdir(root)
	buildWeft(t, &o)
	begin, end := newSection(t, o.docs, "density", "bench-density")
	if err := runDensity(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var details densityDetails
	r := readDetails(t, o.out, densitySuite, &details)
	for _, id := range []string{"density/resident", "density/first-call-p50", "density/first-call-p99", "density/deploys", "density/start",
		"density/own-resident", "density/own-disk", "density/own-deploys"} {
		if figureOf(r, id).Name == "" {
			t.Errorf("there is no figure %s", id)
		}
	}
	for _, id := range []string{"density/hot-requests", "density/hot-cpu"} {
		if figureOf(r, id).Ratio <= 0 {
			t.Errorf("the figure %s is %+v", id, figureOf(r, id))
		}
	}
	if own := details.Own; len(own) != 2 || own[1].Functions != 10 || own[1].Compiling <= 0 || own[1].Burst == 0 {
		t.Errorf("with components of their own: %+v", own)
	}
	if len(details.Points) != 2 || details.Points[1].Functions != 6 || len(r.Curves) != 1 || len(r.Curves[0].Panels[0].Lines[0].Points) != 2 {
		t.Errorf("the points are %+v, the curves %+v", details.Points, r.Curves)
	}
	checkSection(t, o.docs, begin, end, "| 6 |", "with one; 2 components)", "]("+r.Curves[0].chartFile()+")")
	checkChart(t, filepath.Join(o.docs, r.Curves[0].chartFile()))
}
