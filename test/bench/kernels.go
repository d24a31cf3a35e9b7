package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
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
	Compiler string          `json:"compiler"` // of the program; the component has the same unless rustup can make components
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
func runKernels(ctx context.Context, o options) error {
	all, err := newReport("kernels", o)
	if err != nil {
		return err
	}
	r, err := computeKernels(ctx, o)
	if err != nil {
		return err
	}
	all.add(r.figures()...)
	all.Details, all.Run.Versions["rustc"] = r, r.Compiler
	r.print(os.Stdout)
	return all.publish(o, func(dir string) error { return kernelsSection.write(dir, r.markdown(all.Run)) })
}

// computeKernels has all that computes take turns with each kernel.
func computeKernels(ctx context.Context, o options) (r *kernelsReport, err error) {
	program, version, err := buildKernels(ctx, o)
	if err != nil {
		return nil, err
	}
	computers, err := newComputers(ctx, program, filepath.Join(o.components, "kernels.wasm"))
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, c := range computers {
			err = errors.Join(err, c.close())
		}
	}()
	r = &kernelsReport{Compiler: version}
	for _, k := range kernels {
		if o.kernelSize != 0 {
			k.size = o.kernelSize
		}
		f, err := measureKernel(ctx, computers, k, o.rounds)
		if err != nil {
			return nil, fmt.Errorf("%s of size %d: %w", k.name, k.size, err)
		}
		r.Kernels = append(r.Kernels, f)
	}
	r.Ratio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.Ratio })
	r.WithoutRatio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.WithoutRatio })
	r.EpochsRatio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.EpochsRatio })
	return r, nil
}

// figures are the lines of the table that computing has.
func (r *kernelsReport) figures() []figure {
	f := figure{
		ID: "kernels/ratio", Name: "compute kernels in Rust: processor time, geometric means", Against: "the same as a program", Unit: inMillis,
		Value:    geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.WeftMillis }),
		Baseline: geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.ProgramMillis }),
		Ratio:    r.Ratio, Goal: atMost(1.3),
	}
	f.Met = f.Goal.met(f.Ratio)
	return []figure{f.noted("%.2fx without epochs, which can not be stopped", r.WithoutRatio)}
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

var kernelsSection = section{"kernels", "bench-kernels"}
