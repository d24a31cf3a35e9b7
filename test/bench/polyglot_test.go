package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
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

// TestPolyglot runs the benchmark of languages with as little as can be measured. It judges no time: every language gives the
// answer in every way, every figure is there, and the document and the chart are written.
func TestPolyglot(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range languages {
		components.Path(t, "receipt-"+l.id)
	}
	components.Path(t, "caller")
	built := filepath.Dir(components.Path(t, "bench"))
	docs := t.TempDir()
	text := "# Figures\n\n" + figuresBegin + "\nold\n" + figuresEnd + "\n\nThe end.\n"
	if err := os.WriteFile(filepath.Join(docs, documentName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	weft := filepath.Join(t.TempDir(), "weft")
	if out, err := exec.Command("go", "build", "-o", weft, "./cmd/weft").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o := options{weft: weft, components: built, json: filepath.Join(docs, "figures.json"), docs: docs,
		rounds: 1, calls: 3, starts: 1, compiles: 1, instances: 2}
	if err := runPolyglot(t.Context(), o); err != nil {
		t.Fatal(err)
	}

	content, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var r polyglotReport
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Languages) != len(languages) || len(r.Between) != 1+len(functionCallers) {
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
	for _, part := range []string{"# Figures\n", "| TypeScript |", "one node", "\n\nThe end.\n"} {
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
