package main

import (
	"testing"
	"time"

	"github.com/weft-run/weft/test/load"
)

// TestFairnessReport expects medians of the rounds, ratios within the rounds, and both in the document and the JSON.
func TestFairnessReport(t *testing.T) {
	turns := func(p99 ...time.Duration) (all []fairnessTurn) {
		for _, p := range p99 {
			all = append(all, fairnessTurn{load.Result{P50: p / 2, P99: p, P999: 2 * p}, 1})
		}
		return all
	}
	alone, beside := turns(1e6, 2e6, 9e6), turns(3e6, 4e6, 9e6)
	r := &fairnessReport{PerSecond: 1234, Alone: figuresOf(alone)}
	b := besideFigures{fairnessFigures: figuresOf(beside), Burn: 5e6, Size: 7}
	b.P50Ratio, b.P99Ratio, b.P999Ratio = ratios(beside, alone)
	r.Beside = append(r.Beside, b)

	o := options{out: t.TempDir(), docs: t.TempDir()}
	begin, end := newSection(t, o.docs, "fairness", "bench-fairness")
	all, err := newReport("fairness", o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.publish(all, o); err != nil {
		t.Fatal(err)
	}
	checkSection(t, o.docs, begin, end, "answers 1234 calls/s", "| none | 1 ms | | 2 ms | | 4 ms | | 1.00 |",
		"| of 5 s | 2 ms | 2.00x | 4 ms | 2.00x | 8 ms | 2.00x | 1.00 |")
	var read fairnessReport
	wrote := readDetails(t, o.out, "fairness", &read)
	if read.Alone != r.Alone || len(read.Beside) != 1 || read.Beside[0] != b {
		t.Errorf("the details are %+v", read)
	}
	if len(wrote.Figures) != 1 || wrote.Figures[0].Ratio != 2 || !wrote.Figures[0].Met {
		t.Errorf("the line of the table is %+v", wrote.Figures)
	}
}
