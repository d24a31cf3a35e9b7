package catalog

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
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
	var c *Catalog
	each := heapOf(func() *Catalog { c = many(functions); return c }) / functions
	t.Logf("%d bytes per function, its request ID included", each)
	if each > 4<<10 {
		t.Errorf("%d bytes per function", each)
	}
	if c.View().Len() != functions {
		t.Fatal("not all are there")
	}
}

// placed returns a catalog of nodes and of functions, each on three nodes.
func placed(nodes, functions int) *Catalog {
	c := many(functions)
	apply := func(cmd *catalogv1.Command) {
		cmd.RequestId = fmt.Sprint("placed-", c.Index())
		if got := c.Apply(c.Index()+1, cmd); got.GetRefusal() != nil {
			panic(got.GetRefusal().GetMessage())
		}
	}
	apply(raise(2))
	for n := range nodes {
		apply(member(n))
	}
	apply(plan(nodes, functions, 0))
	return c
}

// plan places functions on three nodes each, others for each shift.
func plan(nodes, functions, shift int) *catalogv1.Command {
	ps := make([]*catalogv1.Placement, functions)
	for i := range ps {
		at := []int{(i + shift) % nodes, (i + shift + 1) % nodes, (i + shift + 2) % nodes}
		slices.Sort(at)
		ps[i] = on(fmt.Sprint("function-", i+1), 1, at...)
	}
	return place(ps...)
}

// TestPlacementMemory holds a placement on three of 1,000 nodes to a few hundred bytes.
func TestPlacementMemory(t *testing.T) {
	const nodes, functions = 1000, 10_000
	bare := heapOf(func() *Catalog { return many(functions) })
	full := heapOf(func() *Catalog { return placed(nodes, functions) })
	each := int64(full-bare) / functions
	t.Logf("%d bytes per function for a placement on three nodes and a tenth of a node", each)
	if each > 2<<10 {
		t.Errorf("%d bytes per placement", each)
	}
	restored := heapOf(func() *Catalog { return reload(t, placed(nodes, functions)) })
	if grown := int64(restored-bare) / functions; grown > 2<<10 {
		t.Errorf("%d bytes per placement after a restore", grown)
	}
}

// heapOf returns the bytes that a catalog holds.
func heapOf(build func() *Catalog) uint64 {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c := build()
	after := heap()
	runtime.KeepAlive(c)
	return after - before
}

func BenchmarkPlan1000Nodes10kFunctions(b *testing.B) {
	c := placed(1000, 10_000)
	for shift := 1; b.Loop(); shift++ {
		b.StopTimer()
		cmd := plan(1000, 10_000, shift)
		cmd.RequestId = fmt.Sprint("plan-", shift)
		b.StartTimer()
		if got := c.Apply(c.Index()+1, cmd); got.GetRefusal() != nil {
			b.Fatal(got)
		}
	}
}

// BenchmarkReplanOneLoss moves what one node has, some thirty revisions, to another.
func BenchmarkReplanOneLoss(b *testing.B) {
	c := placed(1000, 10_000)
	for n := 0; b.Loop(); n++ {
		lost, spare := nodeID(n%1000), nodeID((n+500)%1000)
		var ps []*catalogv1.Placement
		for k := range c.View().Placed(lost) {
			nodes := []string{spare}
			for _, id := range c.View().Placement(k.Namespace, k.Function, k.Revision) {
				if id != lost && id != spare {
					nodes = append(nodes, id)
				}
			}
			slices.Sort(nodes)
			ps = append(ps, &catalogv1.Placement{Namespace: k.Namespace, Name: k.Function, Revision: k.Revision, Nodes: nodes})
		}
		cmd := place(ps...)
		cmd.RequestId = fmt.Sprint("plan-", n)
		if got := c.Apply(c.Index()+1, cmd); got.GetRefusal() != nil {
			b.Fatal(got)
		}
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
