package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weft-run/weft/executor/wasmtime"
)

// What document writes in a directory, and the lines between which the figures are in the text.
const (
	documentName, chartName  = "polyglot.md", "polyglot.svg"
	figuresBegin, figuresEnd = "<!-- figures, written by make bench-polyglot -->", "<!-- end of figures -->"
)

// document writes the figures into the text in a directory, and the chart beside it.
func (r polyglotReport) document(dir string, of run) error {
	var chart bytes.Buffer
	if err := r.draw(&chart, of); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, chartName), chart.Bytes(), 0o600); err != nil {
		return err
	}
	return insertFigures(filepath.Join(dir, documentName), figuresBegin, figuresEnd, r.markdown(of))
}

// performanceName is the document that the other suites write into.
const performanceName = "performance.md"

// section is where figures are in the text: between two lines for each engine.
type section struct {
	title  string // of the lines
	target string // of make, that writes what is between them
}

func (s section) begin() string {
	return fmt.Sprintf("<!-- %s with the engine %s, written by make %s -->", s.title, wasmtime.Name, s.target)
}

func (s section) end() string {
	return fmt.Sprintf("<!-- end of %s with the engine %s -->", s.title, wasmtime.Name)
}

// write replaces the section in the text in a directory.
func (s section) write(dir, figures string) error {
	return insertFigures(filepath.Join(dir, performanceName), s.begin(), s.end(), figures)
}

// insertFigures replaces what is between two lines of a text.
func insertFigures(path, begin, end, figures string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s: the figures go between the lines %q and %q, which it lacks", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+figures+end+after), 0o600)
}

// figuresTable is the figures of reports as a table.
func figuresTable(all []*report) string {
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
	return b.String()
}

// charts are the charts of a report, and below each where it bends.
func charts(r *report) string {
	var b strings.Builder
	for _, c := range r.Curves {
		fmt.Fprintf(&b, "\n![%s](%s)\n\n", c.Title, c.chartFile())
		for _, text := range c.Bends {
			fmt.Fprintf(&b, "- %s.\n", text)
		}
	}
	return b.String()
}

// drawCharts draws the charts of a report in a directory.
func drawCharts(dir string, r *report) error {
	for _, c := range r.Curves {
		var chart bytes.Buffer
		if err := c.draw(&chart, r.Run); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, c.chartFile()), chart.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// markdown is the figures as tables.
func (r polyglotReport) markdown(of run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n", of)
	b.WriteString("| | component | compile | its CPU time | fresh instance + call | the same by gRPC | warm call | memory per instance | its process | process / fresh | process / gRPC |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, f := range r.Languages {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.3gx | %.3gx |\n", f.Language, sizeText(float64(f.ComponentBytes)),
			durationText(f.CompileMillis*1e3), durationText(f.CompileCPU*1e3), durationText(f.FreshMicros), durationText(f.CallMicros), durationText(f.WarmMicros),
			sizeText(f.InstanceBytes), durationText(f.ProcessMicros), f.FreshRatio, f.CallRatio)
	}
	b.WriteString("\n| one typed call of a small record | time | of gRPC's |\n|---|---:|---:|\n")
	for _, w := range r.Between {
		fmt.Fprintf(&b, "| %s | %s | %.2gx |\n", w.Name, durationText(w.Micros), w.Ratio)
	}
	b.WriteString("\nThe processes:")
	for i, f := range r.Languages {
		separator := ","
		if i == 0 {
			separator = ""
		}
		fmt.Fprintf(&b, "%s %s with %s", separator, f.Language, f.Tool)
	}
	b.WriteString(".\n")
	return b.String()
}

// markdown is the figures as a table.
func (r *kernelsReport) markdown(of run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s.\n\n", of, r.Compiler)
	b.WriteString("| kernel | size | program | weft | ratio | of the fastest | without epochs | ratio | epochs cost |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, f := range r.Kernels {
		fmt.Fprintf(&b, "| %s | %d | %.1f ms | %.1f ms | %.2fx | %.2fx | %.1f ms | %.2fx | %.2fx |\n",
			f.Kernel, f.Size, f.ProgramMillis, f.WeftMillis, f.Ratio, f.FastestRatio, f.WithoutMillis, f.WithoutRatio, f.EpochsRatio)
	}
	fmt.Fprintf(&b, "| geometric mean | | | | %.2fx | %.2fx | | %.2fx | %.2fx |\n", r.Ratio, r.FastestRatio, r.WithoutRatio, r.EpochsRatio)
	return b.String()
}

// markdown is the figures as a table.
func (r *fairnessReport) markdown(of run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. The node answers %.0f calls/s with nothing beside; half of them arrive.\n\n", of, r.PerSecond)
	b.WriteString("| beside calls that burn | p50 | ratio | p99 | ratio | p99.9 | ratio | cores of the node |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	fmt.Fprintf(&b, "| none | %s | | %s | | %s | | %.2f |\n", durationText(r.Alone.P50), durationText(r.Alone.P99), durationText(r.Alone.P999), r.Alone.Cores)
	for _, f := range r.Beside {
		fmt.Fprintf(&b, "| of %s | %s | %.2fx | %s | %.2fx | %s | %.2fx | %.2f |\n", durationText(f.Burn), durationText(f.P50), f.P50Ratio,
			durationText(f.P99), f.P99Ratio, durationText(f.P999), f.P999Ratio, f.Cores)
	}
	return b.String()
}

// sizeText writes bytes with a unit that suits them.
func sizeText(bytes float64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.0f KiB", bytes/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", bytes/(1<<20))
}
