// Package ci tests the scripts of CI where they decide something.
package ci

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/test/components"
)

// What go test -fuzz says.
const (
	nothingFound = "fuzz: elapsed: 10s, execs: 5193 (519/sec), new interesting: 2 (total: 9)\nPASS\nok  \tweft/services/secrets\t10.2s\n"

	outOfTime = "fuzz: elapsed: 11s, execs: 5193 (0/sec), new interesting: 2 (total: 9)\n--- FAIL: FuzzOpen (11.02s)\n" +
		"    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tweft/services/secrets\t11.1s\n"

	found = "--- FAIL: FuzzOpen (0.03s)\n    --- FAIL: FuzzOpen (0.00s)\n        seal_test.go:90: context deadline exceeded\n    \n" +
		"    Failing input written to testdata/fuzz/FuzzOpen/771e938e4458e983\n    To re-run:\n    go test -run=FuzzOpen/771e938e4458e983\n" +
		"FAIL\nexit status 1\nFAIL\tweft/services/secrets\t0.1s\n"

	// foundOutOfTime is how it would look if the error of a target was no more than that.
	foundOutOfTime = "--- FAIL: FuzzOpen (0.03s)\n    context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzOpen/771e938e4458e983\n" +
		"    To re-run:\n    go test -run=FuzzOpen/771e938e4458e983\nFAIL\nexit status 1\n"

	seedFails = "--- FAIL: FuzzOpen (0.00s)\n    seal_test.go:70: context deadline exceeded\nFAIL\nexit status 1\n"

	hung = "--- FAIL: FuzzOpen (11.02s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\nFAIL\nexit status 1\n"

	twoFail = "--- FAIL: FuzzOpen (11.02s)\n    context deadline exceeded\n--- FAIL: TestMain (0.00s)\n    main_test.go:3: no\nFAIL\nexit status 1\n"

	unbuilt = "# weft/services/secrets\n./seal.go:3:1: context deadline exceeded\nFAIL\tweft/services/secrets [build failed]\nFAIL\n"

	panicked = "panic: context deadline exceeded\n\ngoroutine 1 [running]:\nFAIL\tweft/services/secrets\t0.1s\nFAIL\n"
)

// fakeGo answers as the files in $RUNS do, one after the other. Whatever does not pass fails.
const fakeGo = `#!/bin/sh
runs=$(($(cat "$RUNS/count" 2>/dev/null || echo 0) + 1))
echo $runs >"$RUNS/count"
cat "$RUNS/$runs" || { echo "nobody expected run $runs"; exit 1; }
grep -q '^PASS$' "$RUNS/$runs"
`

// TestFuzzRunsAgain has a target only run out of time, which Go takes for a failure, and has it fail: only the former runs again.
func TestFuzzRunsAgain(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		runs []string
		ok   bool
	}{
		{"passes", []string{nothingFound}, true},
		{"out of time", []string{outOfTime, nothingFound}, true},
		{"twice", []string{outOfTime, outOfTime, nothingFound}, true},
		{"always", []string{outOfTime, outOfTime, outOfTime}, false},
		{"then it finds something", []string{outOfTime, found}, false},
		{"finds something", []string{found}, false},
		{"finds what is out of time", []string{foundOutOfTime}, false},
		{"a seed fails", []string{seedFails}, false},
		{"hangs", []string{hung}, false},
		{"another test fails", []string{twoFail}, false},
		{"not built", []string{unbuilt}, false},
		{"panics", []string{panicked}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string, mode os.FileMode) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
					t.Fatal(err)
				}
			}
			write("go", fakeGo, 0o700)
			for i, run := range tt.runs {
				write(string(rune('1'+i)), run, 0o600)
			}
			c := exec.CommandContext(t.Context(), filepath.Join(root, ".ci", "fuzz"), "10s", "services/secrets/seal_test.go")
			c.Env = append(os.Environ(), "RUNS="+dir, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := c.CombinedOutput()
			if (err == nil) != tt.ok {
				t.Errorf("%v\n%s", err, out)
			}
			ran, err := os.ReadFile(filepath.Join(dir, "count"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(ran)); got != string(rune('0'+len(tt.runs))) {
				t.Errorf("it ran %s times, want %d\n%s", got, len(tt.runs), out)
			}
			for _, run := range tt.runs { // nothing is kept back
				if !strings.Contains(string(out), run) {
					t.Errorf("%q is not in the output:\n%s", run, out)
				}
			}
		})
	}
}
