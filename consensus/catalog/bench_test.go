package catalog

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func typical(i int) *catalogv1.Command {
	pkg := fmt.Sprintf("demo.f%d.v1", i)
	cmd := put(deploy{name: fmt.Sprintf("function-%d", i), services: []string{pkg + ".Orders"}, contracts: []*weftv1.Contract{schema(pkg, 1)}})
	cmd.RequestId = fmt.Sprintf("3f2504e0-4f89-11d3-9a0c-%012d", i)
	cmd.GetPutRevision().GetRevision().Environment = map[string]string{"REGION": "eu", "LOG_LEVEL": "info"}
	return cmd
}

func many(n int) *Catalog {
	c := New()
	for i := 1; i <= n; i++ {
		c.Apply(uint64(i), typical(i))
	}
	return c
}

// TestMemory holds a function with one revision and a small contract to a few KiB.
func TestMemory(t *testing.T) {
	const functions = 10_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c := many(functions)
	each := (heap() - before) / functions
	t.Logf("%d bytes per function, its request ID included", each)
	if each > 4<<10 {
		t.Errorf("%d bytes per function", each)
	}
	if c.View().Len() != functions {
		t.Fatal("not all are there")
	}
}

func BenchmarkApplyUpdate(b *testing.B) {
	c := many(10_000)
	cmd := typical(1)
	cmd.GetPutRevision().Contracts = nil
	b.ReportAllocs()
	i := c.Index()
	for b.Loop() {
		i++
		cmd.RequestId = fmt.Sprintf("3f2504e0-4f89-11d3-9a0c-%012d", i)
		cmd.GetPutRevision().Name = fmt.Sprintf("function-%d", 1+i%10_000)
		if r := c.Apply(i, cmd); r.GetRefusal() != nil {
			b.Fatal(r)
		}
	}
}

func BenchmarkSnapshot10k(b *testing.B) {
	c := many(10_000)
	for b.Loop() {
		if err := c.Snapshot(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRestore10k(b *testing.B) {
	var snapshot bytes.Buffer
	if err := many(10_000).Snapshot(&snapshot); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(snapshot.Len()))
	for b.Loop() {
		if err := New().Restore(bytes.NewReader(snapshot.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForget10k(b *testing.B) {
	c := many(10_000)
	cmd := forget("demo.f1.v1")
	cmd.RequestId = "x"
	for i := c.Index(); b.Loop(); i++ {
		c.Apply(i+1, cmd)
	}
}

func BenchmarkOwner(b *testing.B) {
	v := many(10_000).View()
	for b.Loop() {
		if v.Owner(ns, "demo.f5000.v1.Orders") == "" {
			b.Fatal("no owner")
		}
	}
}
