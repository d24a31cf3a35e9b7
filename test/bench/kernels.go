package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	FastestRatio float64 `json:"fastestRatio"`
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
	FastestRatio  float64 `json:"fastestRatio"`       // the same of the fastest round of each
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
	if r.Kernels, err = computeRounds(ctx, computers, o); err != nil {
		return nil, err
	}
	r.Ratio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.Ratio })
	r.FastestRatio = geometricMean(r.Kernels, func(f kernelFigures) float64 { return f.FastestRatio })
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
	return []figure{f.noted("%.2fx without epochs, which can not be stopped; %.2fx between the fastest rounds", r.WithoutRatio, r.FastestRatio)}
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

// trial is a kernel that computers take turns with.
type trial struct {
	kernel
	digest uint64      // of the first answer, which is to be that of all others
	took   [][]float64 // milliseconds of each computer, in all rounds but the first, which warms up
}

// computeRounds has the computers take turns with each kernel, one after the other, in each round: what others do on the machine lasts for
// seconds, and is to meet few rounds of a kernel.
func computeRounds(ctx context.Context, computers []computer, o options) (all []kernelFigures, err error) {
	trials := make([]trial, len(kernels))
	for i, k := range kernels {
		if o.kernelSize != 0 {
			k.size = o.kernelSize
		}
		trials[i] = trial{kernel: k, took: make([][]float64, len(computers))}
	}
	for round := range 1 + o.rounds {
		for i := range trials {
			t := &trials[i]
			if err := t.turns(ctx, computers, round); err != nil {
				return nil, fmt.Errorf("%s of size %d: %w", t.name, t.size, err)
			}
		}
	}
	for i := range trials {
		all = append(all, trials[i].figures())
	}
	return all, nil
}

// turns has each computer compute the kernel once.
func (t *trial) turns(ctx context.Context, computers []computer, round int) error {
	for i, c := range computers {
		if err := ctx.Err(); err != nil {
			return err
		}
		digest, took, err := c.compute(t.kernel)
		if err != nil {
			return err
		}
		if round == 0 && i == 0 {
			t.digest = digest
		}
		if digest != t.digest {
			return fmt.Errorf("the component answers %d, the program %d", digest, t.digest)
		}
		if round > 0 {
			t.took[i] = append(t.took[i], micros(took)/1e3)
		}
	}
	return nil
}

func (t *trial) figures() kernelFigures {
	program, weft, without := t.took[0], t.took[1], t.took[2]
	return kernelFigures{
		Kernel: t.name, Size: t.size,
		ProgramMillis: median(program), WeftMillis: median(weft), WithoutMillis: median(without),
		Ratio: medianRatio(weft, program), FastestRatio: slices.Min(weft) / slices.Min(program),
		WithoutRatio: medianRatio(without, program), EpochsRatio: medianRatio(weft, without),
	}
}

func geometricMean(all []kernelFigures, of func(kernelFigures) float64) float64 {
	var sum float64
	for _, f := range all {
		sum += math.Log(of(f))
	}
	return math.Exp(sum / float64(len(all)))
}

var kernelsSection = section{"kernels", "bench-kernels"}
