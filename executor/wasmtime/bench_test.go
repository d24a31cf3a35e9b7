package wasmtime

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/wit/merge"
)

// till is the interface of test/components/receipt that the components in all languages export.
var till = Export{Interface: "bench:receipt/till@1.0.0", Function: "ring-up"}

// tillCall makes an instance, calls it and drops it, as a server does for every call. It buys one line, whose fields have those names.
func tillCall(tmpl *Template, line *Names) error {
	a := NewArena()
	defer a.Free()
	args := a.Args(2)
	fields := a.SetRecord(a.SetList(args.At(0), 1).At(0), line)
	if err := a.SetText(fields.At(0), "book-loom"); err != nil {
		return err
	}
	a.SetU32(fields.At(1), 1999)
	a.SetU32(fields.At(2), 2)
	a.SetU32(args.At(1), 19)
	it := NewInterrupt()
	defer it.Close()
	i, err := tmpl.NewInstance(InstanceConfig{Interrupt: it})
	if err != nil {
		return err
	}
	var r *Result
	defer func() { i.CloseWith(r) }()
	if r, err = i.Call(0, a); err != nil {
		return err
	}
	if v, _ := r.Value(); v.Fields().At(0).U64() != 4758 {
		return fmt.Errorf("the total is %d", v.Fields().At(0).U64())
	}
	return nil
}

// breakAfter is after how many calls a goroutine lets others run: some milliseconds, as workers of the executor do. See longestSpell there.
const breakAfter = 512

// tillLoop makes n calls on each of some goroutines and returns what one takes its goroutine.
func tillLoop(b *testing.B, tmpl *Template, line *Names, threads, n int) float64 {
	b.Helper()
	var wg sync.WaitGroup
	start := time.Now()
	for range threads {
		wg.Go(func() {
			for i := range n {
				if i%breakAfter == breakAfter-1 {
					runtime.Gosched()
				}
				if err := tillCall(tmpl, line); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// buildBaseline builds testdata/baseline over the same library and returns its path.
func buildBaseline(b testing.TB) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "baseline")
	cc := compiler(b)
	flags, file := engineLink(b)
	args := append(cc[1:], "-std=gnu11", "-O2", "-I", ".", "-o", path, "testdata/baseline/main.c", "engine.c", file)
	args = append(append(args, flags...), "-lm", "-ldl", "-pthread")
	if out, err := exec.Command(cc[0], args...).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// TestBaseline builds what BenchmarkFresh compares with.
func TestBaseline(t *testing.T) {
	if info, err := os.Stat(buildBaseline(t)); err != nil || info.Size() == 0 {
		t.Error(info, err)
	}
}

// BenchmarkFresh measures a fresh instance, a call and dropping both, of a component in Rust and of one in C, on one thread and on
// all, next to the same sequence in C with the same engine and settings. Go has the component as nodes compile it, with merged modules,
// and C has it as it was built, then as Go has it: x-C and x-C-merged are how many times as long Go takes.
func BenchmarkFresh(b *testing.B) {
	for _, language := range []string{"rust", "c"} {
		b.Run("component="+language, func(b *testing.B) { benchmarkFresh(b, components.Path(b, "receipt-"+language)) })
	}
}

// prepareTill makes a component that exports till ready for instances, with the names of a line's fields. All of it is there until the
// benchmark ends.
func prepareTill(b *testing.B, wasm []byte) (*Component, *Template, *Names) {
	b.Helper()
	e := testEngine()
	c, err := e.Compile(wasm)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	l := e.NewLinker()
	defer l.Close()
	if err := l.AddWASI(); err != nil {
		b.Fatal(err)
	}
	tmpl, err := l.Prepare(c, []Export{till})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(tmpl.Close)
	line, err := NewNames([]string{"sku", "cents", "count"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(line.Close)
	return c, tmpl, line
}

// writeCode writes the compiled code of a component to a file.
func writeCode(b *testing.B, c *Component) string {
	b.Helper()
	code, err := c.Serialize()
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}

func benchmarkFresh(b *testing.B, component string) {
	b.Helper()
	wasm, err := os.ReadFile(component)
	if err != nil {
		b.Fatal(err)
	}
	built, err := testEngine().Compile(wasm)
	if err != nil {
		b.Fatal(err)
	}
	defer built.Close()
	if wasm, err = merge.Component(wasm); err != nil {
		b.Fatal(err)
	}
	c, tmpl, line := prepareTill(b, wasm)
	baseline := buildBaseline(b)
	asBuilt, merged := writeCode(b, built), writeCode(b, c)
	config, err := Config{}.resolve()
	if err != nil {
		b.Fatal(err)
	}
	settings := hex.EncodeToString(unsafe.Slice((*byte)(unsafe.Pointer(&config)), unsafe.Sizeof(config)))

	for _, threads := range slices.Compact([]int{1, runtime.NumCPU()}) {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			const rounds, n = 7, 100_000 // so many that it hardly counts how soon threads that begin come to have a core each
			var inGo, inC, same []float64
			run := func(code string) float64 {
				out, err := exec.Command(baseline, settings, code, strconv.Itoa(threads), strconv.Itoa(n)).Output()
				if err != nil {
					b.Fatalf("baseline: %v", err)
				}
				ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
				if err != nil {
					b.Fatal(err)
				}
				return ns
			}
			for b.Loop() {
				inGo, inC, same = nil, nil, nil
				tillLoop(b, tmpl, line, threads, n/10)
				for range rounds {
					inC = append(inC, run(asBuilt))
					inGo = append(inGo, tillLoop(b, tmpl, line, threads, n))
					same = append(same, run(merged))
				}
			}
			for _, all := range [][]float64{inGo, inC, same} {
				slices.Sort(all)
			}
			b.ReportMetric(inGo[rounds/2], "ns/call")
			b.ReportMetric(inC[rounds/2], "ns/call-in-C")
			b.ReportMetric(inGo[rounds/2]/inC[rounds/2], "x-C")
			b.ReportMetric(same[rounds/2], "ns/call-in-C-merged")
			b.ReportMetric(inGo[rounds/2]/same[rounds/2], "x-C-merged")
			b.ReportMetric(0, "ns/op")
		})
	}
}
