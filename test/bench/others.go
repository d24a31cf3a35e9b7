package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weft-run/weft/executor/wasmtime"
)

// otherSuites are those whose last reports are shown below what make bench measures: each takes minutes, and a target of its own.
var otherSuites = []string{"density", "fairness", "cluster", "polyglot", "kernels"}

// withOthers is this report, and the last ones of the other suites without what this one has measured too.
func (r *report) withOthers(dir string) ([]*report, error) {
	all := []*report{r}
	measured := map[string]bool{}
	for _, f := range r.Figures {
		measured[f.ID] = true
	}
	for _, name := range otherSuites {
		other, err := readReport(dir, name)
		if err != nil {
			return nil, err
		}
		if other == nil {
			if !r.hasRowsOf(name) {
				r.absent = append(r.absent, fmt.Sprintf("the suite %s, as there is no %s; make bench-%s ENGINE=%s writes it, and the next make bench has it in its table",
					name, filepath.Join(dir, reportName(name)), name, wasmtime.Name))
			}
			continue
		}
		own := other.Figures[:0]
		for _, f := range other.Figures {
			if !measured[f.ID] {
				own = append(own, f)
			}
		}
		if other.Figures = own; len(own)+len(other.Curves) > 0 {
			all = append(all, other)
		}
	}
	return all, nil
}

// hasRowsOf tells whether this report has measured what another suite has in the table.
func (r *report) hasRowsOf(suite string) bool {
	return slices.ContainsFunc(r.Figures, func(f figure) bool { return strings.HasPrefix(f.ID, suite+"/") })
}

// gaps are lines about what the table lacks of this report.
func (r *report) gaps() (all []string) {
	for _, text := range r.Missing {
		all = append(all, "not measured: "+text)
	}
	for _, text := range r.absent {
		all = append(all, "not in this table: "+text)
	}
	return all
}

// bends are the sentences about all curves.
func (r *report) bends() (all []string) {
	for _, c := range r.Curves {
		for _, text := range c.Bends {
			all = append(all, c.Title+": "+text)
		}
	}
	return all
}

var figuresSection = section{"figures", "bench"}

// documentFigures writes the table into the text in a directory, and the charts of the first report beside it. Those of the other suites are
// in sections of their own.
func documentFigures(dir string, all []*report) error {
	if err := drawCharts(dir, all[0]); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(figuresTable(all))
	b.WriteByte('\n')
	for _, r := range all {
		fmt.Fprintf(&b, "- `%s`: %s; %.0f s\n", reportName(r.Suite), r.Run, r.Run.Seconds)
		for _, text := range r.gaps() {
			fmt.Fprintf(&b, "- %s\n", text)
		}
	}
	b.WriteString(charts(all[0]))
	return figuresSection.write(dir, b.String())
}
