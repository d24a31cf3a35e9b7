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
		first = uint64(rand.Uint32()) //nolint:gosec // no secret
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
