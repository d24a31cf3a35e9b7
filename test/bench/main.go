// Command bench measures weft against its baselines, on this machine, in one run: mostly a grpc-go server with generated code, which
// answers the same calls of the same cheap client. What is compared takes turns, so that a machine that slows down slows both, and each figure
// is the median of the rounds. docs/performance.md explains the figures and the JSON.
//
// `make bench` runs it. With the argument cluster it measures what several nodes do together (`make bench-cluster`), with
// polyglot functions in all languages (`make bench-polyglot`), with kernels computing (`make bench-kernels`), with density
// ten thousand functions on a node (`make bench-density`), and with fairness what a function that burns costs another (`make bench-fairness`).
// With profile it writes what the Go compiler is to know of nodes at work (`make profile`).
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/weft-run/weft/executor"
)

// options are the command line.
type options struct {
	weft       string
	components string
	out        string // directory of the reports
	rounds     int
	duration   time.Duration
	inFlight   int
	open       time.Duration // of the open loop
	grow       time.Duration // of a point of a curve
	parts      string        // that are measured

	// Of the benchmark of languages.
	languages string
	docs      string
	calls     int
	starts    int
	compiles  int
	instances int

	// Of the benchmark of kernels.
	kernelSize int // of all; 0: each its own

	// Of the benchmark of density.
	functions int
	distinct  int // components of different bytes
	own       int // functions with a component of their own
	idle      time.Duration
	still     int // seconds
}

func main() {
	executor.RunCompileChild()
	runChild()
	var o options
	flag.StringVar(&o.weft, "weft", "bin/weft", "the weft binary; empty: none, which kernels need not")
	flag.StringVar(&o.components, "components", "build/components", "directory of the built components")
	flag.StringVar(&o.out, "out", "", "directory to write the figures to, as SUITE-ENGINE.json")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each server")
	flag.DurationVar(&o.duration, "duration", 2*time.Second, "length of a turn")
	flag.IntVar(&o.inFlight, "in-flight", 64, "calls at once")
	flag.DurationVar(&o.open, "open", time.Minute, "length of the open loop, for each server")
	flag.DurationVar(&o.grow, "grow", 700*time.Millisecond, "length of a turn at a point of a curve")
	flag.StringVar(&o.parts, "parts", strings.Join(partNames(), ","), "parts to measure")
	flag.StringVar(&o.languages, "languages", "rust,c,go,js,ts,python", "languages to measure")
	flag.StringVar(&o.docs, "docs", "", "directory with the documents to write the figures into")
	flag.IntVar(&o.calls, "calls", 200, "calls in a turn of a language")
	flag.IntVar(&o.starts, "starts", 5, "processes in a turn of a language")
	flag.IntVar(&o.compiles, "compiles", 3, "times that each language's component is compiled")
	flag.IntVar(&o.instances, "instances", 32, "instances that live at once when their memory is measured")
	flag.IntVar(&o.kernelSize, "kernel-size", 0, "size of all kernels; 0: each its own, some ten milliseconds")
	flag.IntVar(&o.functions, "functions", 10_000, "functions that a node is given")
	flag.IntVar(&o.distinct, "distinct", 100, "components of different bytes that they are made of")
	flag.IntVar(&o.own, "own", 10_000, "functions with a component of their own that another node is given; 0: none")
	flag.DurationVar(&o.idle, "idle", 6*time.Second, "after what time without calls functions leave memory, where density is measured")
	flag.IntVar(&o.still, "still", 5, "for how many seconds a node's memory must not have fallen before its density is read")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	run, err := suiteOf(flag.Args())
	if err != nil {
		exit(err)
	}
	exit(run(ctx, o))
}

// suiteOf is what the arguments ask for.
func suiteOf(args []string) (func(context.Context, options) error, error) {
	suites := map[string]func(context.Context, options) error{
		"cluster": runCluster, "density": runDensity, "fairness": runFairness, "kernels": runKernels, "polyglot": runPolyglot,
		"profile": runProfile,
	}
	if len(args) == 0 {
		return measure, nil
	}
	run := suites[args[0]]
	if run == nil || len(args) > 1 {
		return nil, fmt.Errorf("the arguments are %q; one of %s may follow the flags, or none", args, strings.Join(slices.Sorted(maps.Keys(suites)), ", "))
	}
	return run, nil
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
