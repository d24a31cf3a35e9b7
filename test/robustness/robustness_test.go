package robustness

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/robustness/failpoint"
	"github.com/weft-run/weft/test/robustness/report"
)

var (
	runs  = flag.Int("runs", 0, "how many runs; the scenarios take turns. 0: a short choice")
	nodes = flag.Int("nodes", 5, "how many nodes a cluster has, with -runs")
	seed  = flag.Uint64("seed", 0, "seed of the first run; those after it count up. 0: any")
	only  = flag.String("scenario", "", "the scenario of all runs. Empty: they take turns")
)

// short is what is run where nothing is asked for.
var short = []string{"kill-leader", "partition-leader", "disk-full-leader", "lossy-kill-all"}

func TestRobustness(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	var results []report.Run
	for _, s := range scenarios(t) {
		t.Run(fmt.Sprintf("%s-%d", s.failpoint.Name, s.seed), func(t *testing.T) {
			r := s.run(t, filepath.Join(root, "build", "robustness"))
			results = append(results, r)
			if r.Bad() {
				t.Error(r)
			}
		})
	}
	if err := report.Table(os.Stdout, results); err != nil {
		t.Error(err)
	}
}

func scenarios(t *testing.T) (all []scenario) {
	t.Helper()
	first := *seed
	if first == 0 {
		first = uint64(rand.Uint32())
	}
	if *runs == 0 && *only == "" {
		for i, name := range short {
			f, _ := failpoint.ByName(name)
			all = append(all, scenario{failpoint: f, nodes: 3, seed: first + uint64(i)})
		}
		return all
	}
	points := failpoint.All()
	if *only != "" {
		f, ok := failpoint.ByName(*only)
		if !ok {
			t.Fatalf("there is no scenario %q", *only)
		}
		points = []failpoint.Failpoint{f}
	}
	for i := 0; len(all) < max(1, *runs); i++ {
		if f := points[i%len(points)]; f.Nodes <= *nodes {
			all = append(all, scenario{failpoint: f, nodes: *nodes, seed: first + uint64(i)})
		}
	}
	return all
}

// TestCheckerFails breaks a rule on purpose: the checker must see it. What the scenario does not provoke every time it
// is given a few tries for.
func TestCheckerFails(t *testing.T) {
	for _, test := range []struct{ broken, scenario string }{
		{"stale-read", "partition-follower"}, // a node that nobody tells anything shows what it knows as the newest
		{"early-ack", "partition-leader"},    // a leader whom nobody follows any more acknowledges
	} {
		t.Run(test.broken, func(t *testing.T) {
			f, ok := failpoint.ByName(test.scenario)
			if !ok {
				t.Fatalf("there is no scenario %q", test.scenario)
			}
			const tries = 4
			for i := range uint64(tries) {
				s := scenario{failpoint: f, nodes: 3, seed: 1 + i, env: []string{"WEFT_TEST_BREAK=" + test.broken}, eager: true}
				r := s.run(t, t.TempDir())
				for _, v := range r.Violations {
					if v.Rule == "linearizable" {
						t.Logf("seen in try %d: %s", i+1, v)
						return
					}
				}
			}
			t.Errorf("no violation in %d tries", tries)
		})
	}
}
