package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/test/components"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	runChild()
	os.Exit(m.Run())
}

// TestPrograms checks that the program of every language gives the answer, and that their components are built.
func TestPrograms(t *testing.T) {
	o := smallest(t)
	o.languages = "rust,c,go,js,ts,python"
	list, err := implementations(t.Context(), o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(languages) {
		t.Errorf("%d languages of %d", len(list), len(languages))
	}
	for _, c := range list {
		if _, err := c.process(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// smallest builds what the benchmark of languages takes, goes to where it is run, and gives the options of a run of as little as
// can be measured. JavaScript is not in it: compiling its engine takes longer than all the rest.
func smallest(t *testing.T) options {
	t.Helper()
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range languages {
		components.Path(t, "receipt-"+l.id)
	}
	components.Path(t, "caller")
	built := filepath.Dir(components.Path(t, "bench"))
	t.Chdir(root)
	return options{components: built, languages: "rust,c,go,python", rounds: 1, calls: 3, starts: 1, compiles: 1, instances: 2}
}

// TestPolyglot runs the benchmark of languages. It judges no time: what is called gives the answer in every way, every figure is
// there, and the document and the chart are written.
func TestPolyglot(t *testing.T) {
	docs := t.TempDir()
	text := "# Figures\n\n" + figuresBegin + "\nold\n" + figuresEnd + "\n\nThe end.\n"
	if err := os.WriteFile(filepath.Join(docs, documentName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := smallest(t)
	o.docs, o.out = docs, t.TempDir()
	buildWeft(t, &o)
	if err := runPolyglot(t.Context(), o); err != nil {
		t.Fatal(err)
	}

	var r polyglotReport
	if wrote := readDetails(t, o.out, "polyglot", &r); len(wrote.Figures) != 4+len(functionCallers) {
		t.Errorf("the table has %d lines: %+v", len(wrote.Figures), wrote.Figures)
	}
	if len(r.Languages) != 4 || len(r.Between) != 1+len(functionCallers) {
		t.Errorf("%d languages and %d ways of a call", len(r.Languages), len(r.Between))
	}
	for _, f := range r.Languages {
		if f.ComponentBytes == 0 || f.CompileMillis <= 0 || f.FreshMicros <= 0 || f.CallMicros <= 0 || f.WarmMicros <= 0 ||
			f.ProcessMicros <= 0 || f.FreshRatio <= 0 || f.CallRatio <= 0 || f.Tool == "" {
			t.Errorf("figures are missing: %+v", f)
		}
	}
	document, err := os.ReadFile(filepath.Join(docs, documentName))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# Figures\n", "| Python |", "one node", "\n\nThe end.\n"} {
		if !strings.Contains(string(document), part) {
			t.Errorf("the document lacks %q:\n%s", part, document)
		}
	}
	if strings.Contains(string(document), "old") {
		t.Errorf("the document has its old figures:\n%s", document)
	}
	checkChart(t, filepath.Join(docs, chartName))
}

// checkChart checks that a chart is XML.
func checkChart(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for decoder := xml.NewDecoder(f); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
