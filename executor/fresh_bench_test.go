package executor

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	decode "github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

// BenchmarkFresh makes instances of components that toolchains built, and drops them. cpu-ns/op is what a figure in a document
// should be, as others use the machine, too. Components that are not in build/components (`make test` builds them) are left out.
func BenchmarkFresh(b *testing.B) {
	for _, name := range []string{"polyglot-c", "checksum", "bench", "conformance", "conformance-go", "polyglot-js", "polyglot-python"} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join("..", "build", "components", name+".wasm")
			wasm, err := os.ReadFile(path)
			if err != nil {
				b.Skip(err)
			}
			world, err := decode.Decode(wasm)
			if err != nil {
				b.Fatal(err)
			}
			built, err := contract.Build(contract.Input{Function: "fresh", World: world})
			if err != nil {
				b.Fatal(err)
			}
			g := newExecutor(b, Config{})
			rev := Revision{Key: Key{Namespace: "default", Function: "fresh", Revision: 1}, Digest: sha256.Sum256(wasm), Path: path,
				World: world, Services: built.Services}
			if err := g.Load(b.Context(), rev); err != nil {
				b.Fatal(err)
			}
			loaded := g.here(rev.Key, time.Now())
			defer loaded.release()
			began := cpuTime(b)
			for b.Loop() {
				if err := g.try(context.Background(), loaded); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is what the process has used, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
