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
)

// plainText is a component without imports that takes plain values: run: func(n: u32, s: string) -> string.
const plainText = `(component
  (core module $m
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      global.get $next
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (func (export "run") (param i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 1))
      (i32.store (i32.const 20) (local.get 2))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "n" u32) (param "s" string) (result string)
    (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))`

// wasiText is the same with imports of WASI, and memory like that of a component in Rust: 1.2 MiB, of which it touches
// 130 KiB.
var wasiText = strings.NewReplacer(
	"(component", "(component"+socketImports,
	`(memory (export "memory") 2)`, `(memory (export "memory") 20)`,
	"(i32.store (i32.const 16)", "(memory.fill (i32.const 131072) (i32.const 1) (i32.const 133120)) (i32.store (i32.const 16)",
).Replace(plainText)

// plainCall makes an instance, calls it and drops it, as a server does for every call.
func plainCall(tmpl *Template) error {
	a := NewArena()
	defer a.Free()
	args := a.Args(2)
	a.SetU32(args.At(0), 7)
	if err := a.SetString(args.At(1), []byte("hello, world")); err != nil {
		return err
	}
	it := NewInterrupt()
	defer it.Close()
	i, err := tmpl.NewInstance(InstanceConfig{Interrupt: it})
	if err != nil {
		return err
	}
	defer i.Close()
	r, err := i.Call(0, a)
	if err != nil {
		return err
	}
	defer r.Close()
	if v, _ := r.Value(); string(v.Bytes()) != "hello, world" {
		return fmt.Errorf("result is %q", v.Bytes())
	}
	return nil
}

// plainLoop makes n calls on each of some goroutines and returns what one takes its goroutine.
func plainLoop(b *testing.B, tmpl *Template, threads, n int) float64 {
	b.Helper()
	var wg sync.WaitGroup
	start := time.Now()
	for range threads {
		wg.Go(func() {
			for range n {
				if err := plainCall(tmpl); err != nil {
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
func buildBaseline(b *testing.B) string {
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

// BenchmarkFresh measures a fresh instance, a call and dropping both, of a component without imports and of one with
// imports of WASI, on one thread and on all, next to the same sequence in C with the same engine and settings. x-C is how
// many times as long Go takes; at most 2 is what is asked for.
func BenchmarkFresh(b *testing.B) {
	b.Run("imports=none", func(b *testing.B) { benchmarkFresh(b, plainText, false) })
	b.Run("imports=wasi", func(b *testing.B) { benchmarkFresh(b, wasiText, true) })
}

func benchmarkFresh(b *testing.B, text string, wasi bool) {
	b.Helper()
	e := testEngine()
	c := compile(b, e, text)
	l := e.NewLinker()
	defer l.Close()
	if wasi {
		if err := l.AddWASI(); err != nil {
			b.Fatal(err)
		}
	}
	tmpl, err := l.Prepare(c, []Export{{Function: "run"}})
	if err != nil {
		b.Fatal(err)
	}
	defer tmpl.Close()
	baseline := buildBaseline(b)
	code, err := c.Serialize()
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		b.Fatal(err)
	}
	config, err := Config{}.resolve()
	if err != nil {
		b.Fatal(err)
	}
	settings := hex.EncodeToString(unsafe.Slice((*byte)(unsafe.Pointer(&config)), unsafe.Sizeof(config)))

	for _, threads := range slices.Compact([]int{1, runtime.NumCPU()}) {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			const rounds, n = 7, 10_000
			var inGo, inC []float64
			for b.Loop() {
				inGo, inC = nil, nil
				plainLoop(b, tmpl, threads, n/10)
				for range rounds {
					out, err := exec.Command(baseline, settings, file, strconv.Itoa(threads), strconv.Itoa(n),
						strconv.FormatBool(wasi)).Output()
					if err != nil {
						b.Fatalf("baseline: %v", err)
					}
					ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
					if err != nil {
						b.Fatal(err)
					}
					inC = append(inC, ns)
					inGo = append(inGo, plainLoop(b, tmpl, threads, n))
				}
			}
			slices.Sort(inGo)
			slices.Sort(inC)
			b.ReportMetric(inGo[rounds/2], "ns/call")
			b.ReportMetric(inC[rounds/2], "ns/call-in-C")
			b.ReportMetric(inGo[rounds/2]/inC[rounds/2], "x-C")
			b.ReportMetric(0, "ns/op")
		})
	}
}
