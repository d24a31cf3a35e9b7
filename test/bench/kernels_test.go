package main

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/test/components"
)

// TestKernels runs the benchmark of kernels with the smallest of problems. It judges no time: the program and the component give
// the same answers, every figure is there, and the document is written.
func TestKernels(t *testing.T) {
	o := kernelOptions(t)
	o.out, o.docs = t.TempDir(), t.TempDir()
	begin, end := newSection(t, o.docs, "kernels", "bench-kernels")
	if err := runKernels(t.Context(), o); err != nil {
		t.Fatal(err)
	}

	var r kernelsReport
	wrote := readDetails(t, o.out, "kernels", &r)
	if len(wrote.Figures) != 1 || wrote.Figures[0].Value <= 0 || wrote.Figures[0].Baseline <= 0 || wrote.Figures[0].Ratio != r.Ratio {
		t.Errorf("the line of the table is %+v", wrote.Figures)
	}
	if len(r.Kernels) != len(kernels) || r.Ratio <= 0 || r.FastestRatio <= 0 || r.WithoutRatio <= 0 || r.EpochsRatio <= 0 || r.Compiler == "" {
		t.Errorf("figures are missing: %+v", r)
	}
	for _, f := range r.Kernels {
		if f.ProgramMillis <= 0 || f.WeftMillis <= 0 || f.WithoutMillis <= 0 || f.Ratio <= 0 || f.FastestRatio <= 0 || f.WithoutRatio <= 0 || f.EpochsRatio <= 0 {
			t.Errorf("figures are missing: %+v", f)
		}
	}
	checkSection(t, o.docs, begin, end, "| gemm | 32 |", "| geometric mean |")
}

// kernelOptions builds the component, goes to where the benchmark is run, and gives the options of a short run.
func kernelOptions(t *testing.T) options {
	t.Helper()
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	built := filepath.Dir(components.Path(t, "kernels"))
	t.Chdir(root)
	return options{components: built, rounds: 1, kernelSize: 32}
}

// TestKernelAnswers compares some answers with what is known otherwise.
func TestKernelAnswers(t *testing.T) {
	o := kernelOptions(t)
	s, err := newSandbox(filepath.Join(o.components, "kernels.wasm"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	compute := func(name string, size int) uint64 {
		t.Helper()
		digest, _, err := s.compute(kernel{name, size})
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	// The lengths around which the padding of SHA-256 takes another block.
	for _, size := range []int{0, 55, 56, 63, 64, 1000} {
		message := make([]byte, 0, size+8)
		for random := splitMix(42); len(message) < size; {
			message = binary.LittleEndian.AppendUint64(message, random.next())
		}
		sum := sha256.Sum256(message[:size])
		if got, want := compute("sha-256", size), binary.BigEndian.Uint64(sum[:]); got != want {
			t.Errorf("SHA-256 of %d bytes begins with %x, want %x", size, got, want)
		}
	}
	// The energies that the problem's authors give.
	for steps, want := range map[int]float64{0: -0.169075164, 1000: -0.169087605} {
		if got := math.Float64frombits(compute("n-body", steps)); math.Abs(got-want) > 1e-9 {
			t.Errorf("after %d steps the bodies have the energy %.9f, want %.9f", steps, got, want)
		}
	}
	if _, _, err := s.compute(kernel{"none", 1}); err == nil {
		t.Error("a kernel that is none was computed")
	}
}

// splitMix are the random numbers of the kernels.
type splitMix uint64

func (s *splitMix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
