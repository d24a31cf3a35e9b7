package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
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
			r.Missing = append(r.Missing, fmt.Sprintf("the suite %s: make bench-%s measures it, and the next make bench has it in its table", name, name))
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

// bends are the sentences about all curves.
func (r *report) bends() (all []string) {
	for _, c := range r.Curves {
		for _, text := range c.Bends {
			all = append(all, c.Title+": "+text)
		}
	}
	return all
}

// The lines of docs/performance.md between which the figures of an engine are.
const (
	tableBegin = "<!-- figures with the engine %s, written by make bench -->"
	tableEnd   = "<!-- end of figures with the engine %s -->"
)

// documentFigures writes the table into the text in a directory, and the charts of the first report beside it. Those of the other suites are
// in sections of their own.
func documentFigures(dir string, all []*report) error {
	own := all[0]
	for _, c := range own.Curves {
		var chart bytes.Buffer
		if err := c.draw(&chart, own.Run); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, c.chartFile()), chart.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return insertFigures(filepath.Join(dir, performanceName), fmt.Sprintf(tableBegin, wasmtime.Name), fmt.Sprintf(tableEnd, wasmtime.Name), figuresMarkdown(all))
}

// figuresMarkdown is the table, with the charts of the first report below it.
func figuresMarkdown(all []*report) string {
	var b strings.Builder
	b.WriteString("| figure | weft | against | baseline | ratio | goal | met |\n|---|---:|---|---:|---:|---:|---|\n")
	for _, r := range all {
		for _, f := range r.Figures {
			name := f.Name
			if f.Note != "" {
				name += " (" + f.Note + ")"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n",
				name, f.valueText(), dash(f.Against != "", f.Against), f.baselineText(), f.ratioText(), f.goalText(), f.metText())
		}
	}
	b.WriteByte('\n')
	for _, r := range all {
		fmt.Fprintf(&b, "- `%s`: %s; %.0f s\n", reportName(r.Suite), r.Run, r.Run.Seconds)
		for _, text := range r.Missing {
			fmt.Fprintf(&b, "- not measured: %s\n", text)
		}
	}
	for _, c := range all[0].Curves {
		fmt.Fprintf(&b, "\n![%s](%s)\n\n", c.Title, c.chartFile())
		for _, text := range c.Bends {
			fmt.Fprintf(&b, "- %s.\n", text)
		}
	}
	return b.String()
}
