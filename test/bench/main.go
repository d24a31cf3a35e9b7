// Command bench measures weft against a grpc-go server with generated code, on this machine, in one run.
//
// Both servers answer the same small record to the same cheap client. They take turns, so that a machine that slows
// down slows both, and each figure is the median of the rounds. `make bench` runs it and keeps its JSON. With the argument
// cluster it measures what several nodes do together (`make bench-cluster`), with polyglot functions in all languages
// (`make bench-polyglot`), and with kernels computing (`make bench-kernels`).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/weft-run/weft/executor"
)

// options are the command line.
type options struct {
	weft       string
	components string
	json       string
	rounds     int
	duration   time.Duration
	inFlight   int

	// Of the benchmark of languages.
	languages string
	docs      string
	calls     int
	starts    int
	compiles  int
	instances int

	// Of the benchmark of kernels.
	kernelSize int // of all; 0: each its own
}

func main() {
	executor.RunCompileChild()
	runChild()
	var o options
	flag.StringVar(&o.weft, "weft", "bin/weft", "the weft binary")
	flag.StringVar(&o.components, "components", "build/components", "directory of the built components")
	flag.StringVar(&o.json, "json", "", "file to write the figures to")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each server")
	flag.DurationVar(&o.duration, "duration", 2*time.Second, "length of a turn")
	flag.IntVar(&o.inFlight, "in-flight", 64, "calls at once")
	flag.StringVar(&o.languages, "languages", "rust,c,go,js,ts,python", "languages to measure")
	flag.StringVar(&o.docs, "docs", "", "directory to write the figures of languages or kernels into the documents of")
	flag.IntVar(&o.calls, "calls", 200, "calls in a turn of a language")
	flag.IntVar(&o.starts, "starts", 5, "processes in a turn of a language")
	flag.IntVar(&o.compiles, "compiles", 3, "times that each language's component is compiled")
	flag.IntVar(&o.instances, "instances", 32, "instances that live at once when their memory is measured")
	flag.IntVar(&o.kernelSize, "kernel-size", 0, "size of all kernels; 0: each its own, some ten milliseconds")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	switch flag.Arg(0) {
	case "cluster":
		exit(runCluster(ctx, o))
	case "kernels":
		exit(runKernels(ctx, o))
	case "polyglot":
		exit(runPolyglot(ctx, o))
	default:
		exit(run(ctx, o))
	}
}

// runChild does the work of a process that this program started of itself, and exits, if this is one.
func runChild() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case nativeName:
		exit(serveNative(len(os.Args) > 2 && os.Args[2] == "workers"))
	case instancesName:
		exit(runInstances(os.Args[2:]))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// report is what a run found. Latencies are in microseconds.
type report struct {
	InFlight int      `json:"inFlight"`
	Rounds   int      `json:"rounds"`
	Small    []figure `json:"smallRecord"`
	// IdleBytes is the resident memory of an idle node with the three examples deployed.
	IdleBytes int64 `json:"idleResidentBytes"`
}

func run(ctx context.Context, o options) (err error) {
	data, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()

	r := report{InFlight: o.inFlight, Rounds: o.rounds}
	if r.IdleBytes, err = idle(ctx, o, filepath.Join(data, "idle")); err != nil {
		return fmt.Errorf("idle node: %w", err)
	}
	if r.Small, err = small(ctx, o, filepath.Join(data, "small")); err != nil {
		return fmt.Errorf("small record: %w", err)
	}
	r.print(os.Stdout)
	return writeJSON(o.json, r)
}

// writeJSON writes figures to a file, if there is to be one.
func writeJSON(path string, figures any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
