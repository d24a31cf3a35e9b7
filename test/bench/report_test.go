package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime"
)

// buildWeft builds the weft binary with the engine of this test.
func buildWeft(t *testing.T, o *options) {
	t.Helper()
	o.weft = filepath.Join(t.TempDir(), "weft")
	if out, err := exec.Command("go", "build", engineTag, "-o", o.weft, "./cmd/weft").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// newSection writes a document with a section, and gives the lines around it, which docs/performance.md has.
func newSection(t *testing.T, dir, title, target string) (begin, end string) {
	t.Helper()
	begin = "<!-- " + title + " with the engine " + wasmtime.Name + ", written by make " + target + " -->\n"
	end = "<!-- end of " + title + " with the engine " + wasmtime.Name + " -->"
	if err := os.WriteFile(filepath.Join(dir, performanceName), []byte("# Figures\n\n"+begin+"old\n"+end+"\n\nThe end.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return begin, end
}

// checkSection checks that the section is new, has some parts, and that nothing else has changed.
func checkSection(t *testing.T, dir, begin, end string, parts ...string) {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(dir, performanceName))
	if err != nil {
		t.Fatal(err)
	}
	text := string(document)
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the document lacks %q:\n%s", part, text)
		}
	}
	if !strings.HasPrefix(text, "# Figures\n\n"+begin) || !strings.HasSuffix(text, end+"\n\nThe end.\n") || strings.Contains(text, "old\n"+end) {
		t.Errorf("the document is\n%s", text)
	}
}

// readDetails reads the report that a suite wrote, with its details into a value.
func readDetails(t *testing.T, dir, suite string, details any) *report {
	t.Helper()
	r, err := readReport(dir, suite)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		t.Fatalf("there is no %s", reportName(suite))
	}
	text, err := json.Marshal(r.Details)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, details); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFigureCells(t *testing.T) {
	for _, test := range []struct {
		figure figure
		want   string
	}{
		{
			compared("a", "requests", "grpc-go", perSecond, []float64{50_000, 60_000, 70_000}, []float64{100_000, 100_000, 100_000}, atLeast(0.7)),
			"60,000/s | 100,000/s | 0.6x | ≥ 0.7x | no",
		},
		{
			compared("b", "p99", "grpc-go", inMicros, []float64{1500, 900}, []float64{1000, 1000}, atMost(1.5)),
			"1.2 ms | 1 ms | 1.2x | ≤ 1.5x | yes",
		},
		{alone("c", "memory", inMiB, 102.4, atMost(150)), "102 MiB | – | – | ≤ 150 MiB | yes"},
		{alone("d", "memory", inMiB, 0, atMost(150)), "0 MiB | – | – | ≤ 150 MiB | yes"},
		{alone("e", "gap", inMillis, 2500, nil), "2.5 s | – | – | – | –"},
		{alone("f", "memory", inMiB, 1, atMost(150)).missed("the code is wrong"), "1 MiB | – | – | ≤ 150 MiB | no"},
	} {
		f := test.figure
		got := strings.Join([]string{f.valueText(), f.baselineText(), f.ratioText(), f.goalText(), f.metText()}, " | ")
		if got != test.want {
			t.Errorf("%s: %s; want %s", f.ID, got, test.want)
		}
	}
}

// TestRatioIsOfRounds has a machine that slows down: each round's ratio holds, the ratio of the medians would not.
func TestRatioIsOfRounds(t *testing.T) {
	f := compared("a", "requests", "grpc-go", perSecond, []float64{10, 20, 80}, []float64{20, 40, 160}, nil)
	if f.Ratio != 0.5 || f.Value != 20 || f.Baseline != 40 {
		t.Errorf("it is %+v", f)
	}
}

func TestParseBenchmarks(t *testing.T) {
	const text = `goos: linux
BenchmarkFresh/component=rust/threads=1-2         	       1	     16267 ns/call	     14028 ns/call-in-C	         1.160 x-C
BenchmarkFresh/component=c/threads=2-2
PASS
`
	all, err := parseBenchmarks(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].parts()["component"] != "rust" || all[0].parts()["threads"] != "1" ||
		all[0].metrics["ns/call"] != 16267 || all[0].metrics["x-C"] != 1.16 {
		t.Errorf("they are %+v", all)
	}
	if _, err := parseBenchmarks("BenchmarkFresh-2 1 many ns/call 1 x-C\n"); err == nil {
		t.Error("a word was read as a number")
	}
}

// TestOtherReports has other suites' figures below this one's, but not those that it has too; a schema of another time is refused.
func TestOtherReports(t *testing.T) {
	dir := t.TempDir()
	other := &report{Schema: schema, Suite: "polyglot"}
	other.add(alone("both", "measured by both", inMiB, 1, nil), alone("own", "measured by it", inMiB, 2, nil))
	if err := other.write(dir); err != nil {
		t.Fatal(err)
	}
	mine := &report{Schema: schema, Suite: suite}
	mine.add(alone("both", "measured by both", inMiB, 3, nil))
	all, err := mine.withOthers(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || len(all[1].Figures) != 1 || all[1].Figures[0].ID != "own" || len(mine.Missing) != 0 || len(mine.absent) != len(otherSuites)-1 {
		t.Errorf("they are %+v, without %q and %q", all, mine.Missing, mine.absent)
	}
	if err := os.WriteFile(filepath.Join(dir, reportName("polyglot")), []byte(`{"schema": 999}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.withOthers(dir); err == nil || !strings.Contains(err.Error(), "measure it again") {
		t.Errorf("a schema of another time: %v", err)
	}
}

// TestAbsentSuites has no report of another suite. That says nothing of whether it was ever measured; and a suite whose rows this run has is not absent.
func TestAbsentSuites(t *testing.T) {
	r := &report{Schema: schema, Suite: suite, Missing: []string{"open: no answer"}}
	r.add(alone("kernels/ratio", "kernels", inMillis, 1, nil))
	all, err := r.withOthers(filepath.Join("build", "bench"))
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	var b strings.Builder
	if err := printFigures(&b, all); err != nil {
		t.Fatal(err)
	}
	docs := t.TempDir()
	begin, end := newSection(t, docs, "figures", "bench")
	if err := documentFigures(docs, all); err != nil {
		t.Fatal(err)
	}
	const lacks = "not in this table: the suite density, as there is no build/bench/density-"
	checkSection(t, docs, begin, end, "- not measured: open: no answer\n", "- "+lacks)
	document, err := os.ReadFile(filepath.Join(docs, performanceName))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"table": b.String(), "document": string(document)} {
		if strings.Count(text, "not measured: ") != 1 || !strings.Contains(text, lacks) || strings.Contains(text, "the suite kernels") {
			t.Errorf("the %s is\n%s", name, text)
		}
	}
}

func TestBends(t *testing.T) {
	cost := line{Name: "weft", Points: []point{{1, 10}, {1024, 11}, {2048, 30}, {4096, 50}}}
	if got, want := bendOfCost(&cost, axis{"payload", inBytes}), "weft takes 10 µs at 1 B, more than 1.5 times that from 2 KiB on, and 10 µs more for each KiB in the end"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	rate := line{Name: "weft", Points: []point{{1, 10}, {4, 95}, {16, 100}, {64, 50}}}
	if got, want := bendOfRate(&rate), "weft serves 100 requests/s at most, nine tenths of that from 4 in flight on, and 0.50 of it with 64"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestPlot draws a curve, and one of which nothing could be measured.
func TestPlot(t *testing.T) {
	full := panel{Y: axis{"CPU & time", inMicros}, Lines: []line{
		{Name: "weft", Points: []point{{1, 10}, {4, 12}, {4 << 20, 90_000}}},
		{Name: "grpc-go", Points: []point{{1, 8}, {4 << 20, 2000}}},
	}}
	c := &curve{Name: "payload", Title: "Bytes <and> more", X: axis{"payload", inBytes}, Panels: []panel{full, {Y: axis{"nothing", perSecond}}}}
	docs := t.TempDir()
	f, err := os.Create(filepath.Join(docs, "chart.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.draw(f, run{}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	checkChart(t, f.Name())
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"4 MiB", "Bytes &lt;and&gt; more", "weft, 4 B: 12 µs", `class="line line1"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the chart lacks %q:\n%s", part, text)
		}
	}
}
