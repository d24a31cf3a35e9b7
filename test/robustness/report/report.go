// Package report says what runs gave: a table of all, and a directory for each that went wrong.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/anishathalye/porcupine"

	"github.com/weft-run/weft/test/robustness/model"
	"github.com/weft-run/weft/test/robustness/validate"
)

// Run is what one run gave.
type Run struct {
	Scenario string
	Nodes    int
	Seed     uint64
	// Command repeats the run.
	Command    string
	Operations []model.Operation
	// Failed is how many operations had no effect, by kind and reason.
	Failed     map[string]int
	Violations []validate.Violation
	// Lost are acknowledged deploys that are not there at the end.
	Lost []string
}

// Bad tells whether something was wrong.
func (r Run) Bad() bool { return len(r.Violations) > 0 || len(r.Lost) > 0 }

// Unknown is how many operations have an outcome that is not known.
func (r Run) Unknown() (count int) {
	for _, o := range r.Operations {
		if o.Unknown {
			count++
		}
	}
	return count
}

// Save writes what is known of a run into a directory, which it makes. What logs writes goes there too.
func (r Run) Save(dir string, logs func(dir string) error) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	summary, err := os.Create(filepath.Join(dir, "summary.txt"))
	if err != nil {
		return err
	}
	r.describe(summary)
	errs := []error{summary.Close(), r.saveHistory(filepath.Join(dir, "history.json")), logs(dir)}
	for _, v := range r.Violations {
		if v.History != nil {
			errs = append(errs, porcupine.VisualizePath(v.History.Model, v.History.Info, filepath.Join(dir, v.History.Function+".html")))
		}
	}
	return errors.Join(errs...)
}

func (r Run) describe(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%s, %d nodes, seed %d: %d operations, %d of unknown outcome\nrepeat it with:\n  %s\n",
		r.Scenario, r.Nodes, r.Seed, len(r.Operations), r.Unknown(), r.Command)
	for _, v := range r.Violations {
		_, _ = fmt.Fprintf(w, "violation: %s\n", v)
	}
	for _, lost := range r.Lost {
		_, _ = fmt.Fprintf(w, "lost: %s\n", lost)
	}
	for _, what := range slices.Sorted(maps.Keys(r.Failed)) {
		_, _ = fmt.Fprintf(w, "without effect: %d %s\n", r.Failed[what], what)
	}
}

// String says what was wrong, and how to see it again.
func (r Run) String() string {
	var text strings.Builder
	r.describe(&text)
	return text.String()
}

// saveHistory writes one operation in a line, in the order of their ends.
func (r Run) saveHistory(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(f)
	for _, o := range slices.SortedFunc(slices.Values(r.Operations), func(a, b model.Operation) int { return int(a.Ended - b.Ended) }) {
		if err := encoder.Encode(o); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// Table prints a line for each scenario, and one for all.
func Table(w io.Writer, runs []Run) error {
	type line struct{ runs, operations, unknown, violations, lost int }
	lines := make(map[string]*line)
	all := &line{}
	for _, r := range runs {
		l := lines[r.Scenario]
		if l == nil {
			l = &line{}
			lines[r.Scenario] = l
		}
		for _, l := range []*line{l, all} {
			l.runs++
			l.operations += len(r.Operations)
			l.unknown += r.Unknown()
			l.violations += len(r.Violations)
			l.lost += len(r.Lost)
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, l *line) {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", name, l.runs, l.operations, l.unknown, l.violations, l.lost)
	}
	_, _ = fmt.Fprintln(t, "scenario\truns\toperations\tunknown outcomes\tviolations\tlost deploys\t")
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		row(name, lines[name])
	}
	row("all", all)
	return t.Flush()
}
