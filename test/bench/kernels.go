package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/wasmtime"
)

// A kernel is a computation of test/components/kernels, and the size of the problem that it is measured with: one that takes
// a program some ten milliseconds.
type kernel struct {
	name string
	size int
}

var kernels = []kernel{
	{"gemm", 512},
	{"lu", 640},
	{"floyd-warshall", 640},
	{"jacobi-2d", 1024},
	{"seidel-2d", 384},
	{"nussinov", 768},
	{"n-body", 500_000},
	{"mandelbrot", 640},
	{"sha-256", 8 << 20},
	{"json", 10_000},
	{"words", 500_000},
	{"sort", 2_000_000},
}

// computer runs kernels: a program, or a component in an engine.
type computer interface {
	// compute runs a kernel and returns a digest of what it computed, and the processor time that it took.
	compute(k kernel) (digest uint64, took time.Duration, err error)
	close() error
}

// kernelsReport is what a run over all kernels found.
type kernelsReport struct {
	Machine  machine         `json:"machine"`
	Engine   string          `json:"engine"`
	Compiler string          `json:"compiler"` // of the program; the component has the same unless rustup can make components
	Rounds   int             `json:"rounds"`
	Kernels  []kernelFigures `json:"kernels"`
	// Geometric means of the ratios of all kernels.
	Ratio        float64 `json:"ratio"`
	WithoutRatio float64 `json:"withoutEpochsRatio"`
	EpochsRatio  float64 `json:"epochsRatio"`
}

// kernelFigures are those of one kernel, medians of the rounds. A ratio is the median of those within each round.
type kernelFigures struct {
	Kernel        string  `json:"kernel"`
	Size          int     `json:"size"`
	ProgramMillis float64 `json:"programMillis"`
	WeftMillis    float64 `json:"weftMillis"`
	WithoutMillis float64 `json:"withoutEpochsMillis"`
	Ratio         float64 `json:"ratio"`              // weft to the program
	WithoutRatio  float64 `json:"withoutEpochsRatio"` // the engine without epochs to the program
	EpochsRatio   float64 `json:"epochsRatio"`        // weft to the engine without epochs
}

// runKernels measures computing. `make bench-kernels` runs it.
func runKernels(ctx context.Context, o options) (err error) {
	r := kernelsReport{Machine: thisMachine(), Engine: executor.Engine, Rounds: o.rounds}
	program, version, err := buildKernels(ctx, o)
	if err != nil {
		return err
	}
	r.Compiler = version
	computers, err := newComputers(ctx, program, filepath.Join(o.components, "kernels.wasm"))
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range computers {
			err = errors.Join(err, c.close())
		}
	}()
	for _, k := range kernels {
		if o.kernelSize != 0 {
			k.size = o.kernelSize
		}
		f, err := measureKernel(ctx, computers, k, o.rounds)
		if err != nil {
			return fmt.Errorf("%s of size %d: %w", k.name, k.size, err)
		}
		r.Kernels = append(r.Kernels, f)
	}
	r.Ratio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.Ratio })
	r.WithoutRatio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.WithoutRatio })
	r.EpochsRatio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.EpochsRatio })
	return r.write(o)
}

// newComputers starts what takes turns: the program, weft's engine, and that engine without epochs.
func newComputers(ctx context.Context, program, component string) (all []computer, err error) {
	p, err := startProgram(ctx, program)
	if err != nil {
		return nil, err
	}
	all = []computer{p}
	for _, uninterruptible := range []bool{false, true} {
		s, err := newSandbox(component, uninterruptible)
		if err != nil {
			for _, c := range all {
				err = errors.Join(err, c.close())
			}
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// measureKernel has the computers take turns with one kernel.
func measureKernel(ctx context.Context, computers []computer, k kernel, rounds int) (kernelFigures, error) {
	took := make([][]float64, len(computers))
	var want uint64
	for round := range 1 + rounds {
		for i, c := range computers {
			if err := ctx.Err(); err != nil {
				return kernelFigures{}, err
			}
			digest, d, err := c.compute(k)
			if err != nil {
				return kernelFigures{}, err
			}
			if round == 0 && i == 0 {
				want = digest
			}
			if digest != want {
				return kernelFigures{}, fmt.Errorf("the component answers %d, the program %d", digest, want)
			}
			if round > 0 { // the first warms up
				took[i] = append(took[i], micros(d)/1e3)
			}
		}
	}
	program, weft, without := took[0], took[1], took[2]
	return kernelFigures{
		Kernel: k.name, Size: k.size,
		ProgramMillis: median(program), WeftMillis: median(weft), WithoutMillis: median(without),
		Ratio: medianRatio(weft, program), WithoutRatio: medianRatio(without, program), EpochsRatio: medianRatio(weft, without),
	}, nil
}

func geometricMean(all []kernelFigures, of func(kernelFigures) float64) float64 {
	var sum float64
	for _, f := range all {
		sum += math.Log(of(f))
	}
	return math.Exp(sum / float64(len(all)))
}

// The document that the figures go into, and what begins and ends those of one engine there.
const (
	performanceName    = "performance.md"
	kernelFiguresBegin = "<!-- kernels with the engine %s, written by make bench-kernels -->"
	kernelFiguresEnd   = "<!-- end of kernels with the engine %s -->"
)

// write prints the figures and writes them where the options say.
func (r kernelsReport) write(o options) error {
	r.print(os.Stdout)
	if err := writeJSON(o.json, r); err != nil || o.docs == "" {
		return err
	}
	return insertFigures(filepath.Join(o.docs, performanceName), fmt.Sprintf(kernelFiguresBegin, wasmtime.Name),
		fmt.Sprintf(kernelFiguresEnd, wasmtime.Name), r.markdown())
}
