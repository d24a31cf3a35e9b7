package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// measureFresh runs the Go benchmark of fresh instances, which has the same sequence in C beside it.
func (m *measurement) measureFresh(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", engineTag, "-run", "^$", "-bench", "^BenchmarkFresh$", "-benchtime", "1x", "./executor/wasmtime")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	results, err := parseBenchmarks(string(out))
	if err != nil {
		return err
	}
	for _, r := range results {
		parts := r.parts()
		for _, against := range []struct {
			id, text, figure, ratio string
			goal                    *goal
		}{
			{"", "the same in C on wasmtime alone, the component as it was built", "ns/call-in-C", "x-C", atMost(1.2)},
			{"-merged", "the same in C, the component as nodes compile it", "ns/call-in-C-merged", "x-C-merged", nil},
		} {
			inGo, inC, ratio := r.metrics["ns/call"], r.metrics[against.figure], r.metrics[against.ratio]
			if inGo == 0 || inC == 0 || ratio == 0 || parts["component"] == "" {
				return fmt.Errorf("BenchmarkFresh gives no figure that is known: %s %v", r.name, r.metrics)
			}
			f := figure{
				ID:      "fresh/" + parts["component"] + "-" + parts["threads"] + against.id,
				Name:    fmt.Sprintf("fresh instance + call + drop, component in %s, threads: %s", parts["component"], parts["threads"]),
				Against: against.text, Unit: inMicros, Value: inGo / 1e3, Baseline: inC / 1e3, Ratio: ratio, Goal: against.goal,
			}
			f.Met = f.Goal.met(ratio)
			m.report.add(f)
		}
	}
	if len(results) == 0 {
		return fmt.Errorf("BenchmarkFresh gives no figures:\n%s", out)
	}
	return nil
}

// benchmark is a line of what go test -bench prints.
type benchmark struct {
	name    string // without Benchmark and the number of processors
	metrics map[string]float64
}

// parts are the key=value parts of the name.
func (b benchmark) parts() map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(b.name, "/") {
		key, value, _ := strings.Cut(part, "=")
		all[key] = value
	}
	return all
}

// parseBenchmarks reads the lines of benchmarks, in Go's format: https://go.dev/design/14313-benchmark-format.
func parseBenchmarks(text string) (all []benchmark, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		b := benchmark{name: strings.TrimPrefix(fields[0], "Benchmark"), metrics: map[string]float64{}}
		if at := strings.LastIndexByte(b.name, '-'); at >= 0 {
			b.name = b.name[:at]
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if b.metrics[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
				return nil, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
			}
		}
		all = append(all, b)
	}
	return all, nil
}
