package wasmtime

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkLanguages measures, in processor time of its thread, what an instance, its first call and its drop take for the
// function that test/components/receipt has in each language, and counts page faults. make bench-polyglot builds the
// components.
func BenchmarkLanguages(b *testing.B) {
	files, err := filepath.Glob("../../build/components/receipt-*.wasm")
	if err != nil {
		b.Fatal(err)
	}
	if len(files) == 0 {
		b.Skip("there is no build/components/receipt-*.wasm")
	}
	for _, file := range files {
		b.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "receipt-"), ".wasm"), func(b *testing.B) {
			wasm, err := os.ReadFile(file)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkReceipt(b, wasm)
		})
	}
}

func benchmarkReceipt(b *testing.B, wasm []byte) {
	b.Helper()
	_, tmpl, fields := prepareTill(b, wasm)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var sum [3]spent
	for range 20 { // so that a slot has the component's memory
		if _, err := receipt(tmpl, fields); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		steps, err := receipt(tmpl, fields)
		if err != nil {
			b.Fatal(err)
		}
		for i, s := range steps {
			sum[i].nanos += s.nanos
			sum[i].faults += s.faults
		}
	}
	n := float64(b.N)
	for i, step := range []string{"new", "call", "drop"} {
		b.ReportMetric(float64(sum[i].nanos)/n/1e3, "µs-"+step)
	}
	b.ReportMetric(float64(sum[0].faults+sum[1].faults+sum[2].faults)/n, "faults")
	b.ReportMetric(0, "ns/op")
}

// spent is what a thread has used.
type spent struct{ nanos, faults int64 }

func spentNow() (spent, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		return spent{}, err
	}
	var usage unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_THREAD, &usage)
	return spent{now.Nano(), usage.Minflt}, err
}

// receipt makes an instance, calls it and drops it, and returns what each took.
func receipt(tmpl *Template, fields *Names) (steps [3]spent, err error) {
	a := NewArena()
	defer a.Free()
	args := a.Args(2)
	lines := a.SetList(args.At(0), 5)
	for i := range lines.Len() {
		line := a.SetRecord(lines.At(i), fields)
		if err := a.SetText(line.At(0), fmt.Sprintf("book-%d", i)); err != nil {
			return steps, err
		}
		a.SetU32(line.At(1), 1999)
		a.SetU32(line.At(2), uint32(i))
	}
	a.SetU32(args.At(1), 19)

	var marks [4]spent
	var unmarked error
	mark := func(i int) {
		if unmarked == nil {
			marks[i], unmarked = spentNow()
		}
	}
	mark(0)
	instance, err := tmpl.NewInstance(InstanceConfig{})
	if err != nil {
		return steps, err
	}
	mark(1)
	r, err := instance.Call(0, a)
	if err != nil {
		instance.Close()
		return steps, err
	}
	r.Close()
	mark(2)
	instance.Close()
	mark(3)
	for i := range steps {
		steps[i] = spent{marks[i+1].nanos - marks[i].nanos, marks[i+1].faults - marks[i].faults}
	}
	return steps, unmarked
}
