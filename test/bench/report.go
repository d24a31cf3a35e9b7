package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// schema is the version of the JSON that reports are. It grows when a field goes or changes its meaning.
const schema = 1

// report is what a run of one suite found: what is written as JSON. docs/performance.md describes its fields.
type report struct {
	Schema int    `json:"schema"`
	Suite  string `json:"suite"`
	Run    run    `json:"run"`
	// Figures are the lines of the table, Curves what a cost does as work grows, Details all else that the suite found.
	Figures []figure `json:"figures"`
	Curves  []curve  `json:"curves,omitempty"`
	Details any      `json:"details,omitempty"`
	// Missing says what could not be measured, and why.
	Missing []string `json:"missing,omitempty"`

	// absent says which other suites the table lacks, and why.
	absent []string
}

// newReport begins the report of a suite.
func newReport(suite string, o options) (*report, error) {
	this, err := thisRun(o)
	return &report{Schema: schema, Suite: suite, Run: this, Figures: []figure{}}, err
}

func (r *report) add(figures ...figure) { r.Figures = append(r.Figures, figures...) }

// reportName is the file of a suite's report in the directory of all.
func reportName(suite string) string { return suite + "-" + wasmtime.Name + ".json" }

// write ends the run, and writes the report into the directory of all, if there is to be one.
func (r *report) write(dir string) error {
	r.Run.Seconds = time.Since(r.Run.began).Seconds()
	if dir == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a build directory is for all
		return err
	}
	return os.WriteFile(filepath.Join(dir, reportName(r.Suite)), append(text, '\n'), 0o600)
}

// publish writes the report, prints its figures, and has the document in a directory written, if there is one.
func (r *report) publish(o options, document func(dir string) error) error {
	if err := r.write(o.out); err != nil {
		return err
	}
	if err := printFigures(os.Stdout, []*report{r}); err != nil || o.docs == "" || document == nil {
		return err
	}
	return document(o.docs)
}

// readReport reads the last report of a suite with this engine; nil if there is none.
func readReport(dir, suite string) (*report, error) {
	name := filepath.Join(dir, reportName(suite))
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no report is no failure
	}
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w; measure it again or remove it", name, err)
	}
	if r.Schema != schema {
		return nil, fmt.Errorf("%s has the schema %d, this program knows %d; measure it again or remove it", name, r.Schema, schema)
	}
	return r, nil
}
