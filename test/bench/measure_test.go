package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// TestMeasure runs the parts of make bench that call servers, each for a moment. It judges no time: every figure is there, the document has
// the table, and the charts are drawn.
func TestMeasure(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hello", "conformance"} {
		components.Path(t, name)
	}
	o := options{
		components: filepath.Dir(components.Path(t, "bench")), out: t.TempDir(), docs: t.TempDir(),
		rounds: 1, duration: 300 * time.Millisecond, open: 300 * time.Millisecond, grow: 20 * time.Millisecond, inFlight: 8,
		parts: "small,open,bulk,guests,concurrency",
	}
	t.Chdir(root)
	buildWeft(t, &o)
	begin, end := newSection(t, o.docs, "figures", "bench")
	if err := measure(t.Context(), o); err != nil {
		t.Fatal(err)
	}

	var details mainDetails
	r := readDetails(t, o.out, suite, &details)
	for _, id := range []string{
		"small/requests", "small/p50", "small/p99", "small/cpu", "small/requests-workers", "small/requests-fresh", "open/p999", "bulk/echo", "bulk/list", "bulk/list-plain",
		"guests/records", "guests/growth", "guests/sleep",
	} {
		if !strings.HasPrefix(id, "guests/") && figureOf(r, id).Ratio <= 0 || figureOf(r, id).Name == "" {
			t.Errorf("the figure %s is %+v", id, figureOf(r, id))
		}
	}
	if len(details.Small) < 3 || len(details.Open) != 2 || len(details.Guests) != len(badGuests) {
		t.Errorf("the details are %+v", details)
	}
	for i, g := range details.Guests {
		if g.Code != badGuests[i].code.String() {
			t.Errorf("%s ended with %s", g.Guest, g.Code)
		}
	}
	if r.Run.Commit == "" || r.Run.Versions["grpc-go"] == "" || r.Run.Machine.Cores == 0 || r.Run.Seconds <= 0 {
		t.Errorf("the run is %+v", r.Run)
	}
	if len(r.Curves) != 1 || len(r.Curves[0].Panels[0].Lines[1].Points) != len(concurrency) || len(r.Curves[0].Bends) != 2 {
		t.Fatalf("the curves are %+v", r.Curves)
	}
	checkChart(t, filepath.Join(o.docs, r.Curves[0].chartFile()))
	checkSection(t, o.docs, begin, end, "| 1 MiB bytes echo", "]("+r.Curves[0].chartFile()+")")
}

// figureOf is a figure of a report; empty if it has none of the name.
func figureOf(r *report, id string) figure {
	for _, f := range r.Figures {
		if f.ID == id {
			return f
		}
	}
	return figure{}
}

// TestPartsAreKnown has a part that there is none of.
func TestPartsAreKnown(t *testing.T) {
	if err := measure(t.Context(), options{parts: "small,smaller"}); err == nil || !strings.Contains(err.Error(), "smaller") {
		t.Errorf("the error is %v", err)
	}
}

// TestSuitesAreKnown has a suite that there is none of, and flags behind the suite, which would go unread.
func TestSuitesAreKnown(t *testing.T) {
	for _, name := range append(otherSuites, "") {
		if _, err := suiteOf(strings.Fields(name)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, args := range [][]string{{"densities"}, {"density", "-functions=10"}} {
		if _, err := suiteOf(args); err == nil || !strings.Contains(err.Error(), "cluster, density, fairness, kernels, polyglot") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestOtherEngine has a weft binary that is none.
func TestOtherEngine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weft")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := thisRun(options{weft: path}); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("the error is %v", err)
	}
}
