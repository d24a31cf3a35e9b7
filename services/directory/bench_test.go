package directory

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/placement"
)

// large makes a leader's collector of some nodes with three of some revisions each.
func large(b *testing.B, nodes, revisions int) *collector {
	b.Helper()
	d := &Directory{config: Config{ID: "n0", Grace: time.Hour, Interval: time.Hour, Logger: slog.New(slog.DiscardHandler)}}
	d.view.Store(newView())
	c := d.newCollector()
	for n := range nodes {
		id := fmt.Sprint("n", n)
		all := &clusterv1.RevisionChanges{Whole: true, Sequence: 1}
		for i := range 3 * revisions / nodes {
			all.Changed = append(all.Changed, messageOf(Revision{Key: keyNumber((n + i*nodes) % revisions), State: placement.StateReady, CodeBytes: 1 << 20}))
		}
		report := &clusterv1.Report{Number: 1, Name: id, Level: 2, Address: &clusterv1.Address{Node: id, Cluster: "10.0.0.1:7072"}}
		if err := c.report(id, &clusterv1.ExchangeRequest{Report: report, Revisions: all}); err != nil {
			b.Fatal(err)
		}
	}
	c.send(false)
	return c
}

// BenchmarkFanOut has one of 1,000 nodes report that one of 10,000 revisions is ready; the leader tells 1,000 readers,
// but for what gRPC does to send bytes.
func BenchmarkFanOut(b *testing.B) {
	c := large(b, 1000, 10_000)
	var readers []*reader
	for range 1000 {
		r, _ := c.join(c.directory.View().known())
		readers = append(readers, r)
	}
	bytes := 0
	for number := uint64(2); b.Loop(); number++ {
		report := &clusterv1.Report{Number: number, Name: "n7", Level: 2, Address: &clusterv1.Address{Node: "n7", Cluster: "10.0.0.1:7072"}}
		change := delta(number-1, []int{int(number % 10_000)}, nil)
		if err := c.report("n7", &clusterv1.ExchangeRequest{Report: report, Revisions: change}); err != nil {
			b.Fatal(err)
		}
		c.send(false)
		for i, r := range readers {
			if batch := <-r.batches; i == 0 {
				encoded, err := proto.Marshal(batch.news)
				if err != nil {
					b.Fatal(err)
				}
				bytes = len(encoded)
			}
		}
	}
	b.ReportMetric(float64(bytes), "B/reader")
}

// BenchmarkHeartbeats is a second of a leader of 1,000 nodes in which nothing changes.
func BenchmarkHeartbeats(b *testing.B) {
	c := large(b, 1000, 10_000)
	for number := uint64(2); b.Loop(); number++ {
		for n := range 1000 {
			id := fmt.Sprint("n", n)
			report := &clusterv1.Report{Number: number, Name: id, Level: 2, AppliedIndex: number, Address: &clusterv1.Address{Node: id, Cluster: "10.0.0.1:7072"}}
			if err := c.report(id, &clusterv1.ExchangeRequest{Report: report}); err != nil {
				b.Fatal(err)
			}
		}
		c.send(true)
	}
}

// BenchmarkMerge is what a reader of 1,000 nodes does when a revision becomes ready.
func BenchmarkMerge(b *testing.B) {
	c := large(b, 1000, 10_000)
	view := c.directory.View()
	for number := uint64(1); b.Loop(); number++ {
		m, err := view.merge(&clusterv1.ExchangeResponse{Nodes: []*clusterv1.NodeState{
			view.Node("n7").with(delta(number, []int{int(number % 10_000)}, nil)),
		}})
		if err != nil {
			b.Fatal(err)
		}
		view = m.View
	}
}

// BenchmarkReport is a node with 10,000 revisions of which one has changed.
func BenchmarkReport(b *testing.B) {
	states := &snapshot{}
	for i := range 10_000 {
		states.set(i, placement.StateReady)
	}
	r := newReports(Config{Self: func() *clusterv1.Report { return &clusterv1.Report{} }, Placements: states})
	for number := 0; b.Loop(); number++ {
		states.set(number%10_000, placement.StateReady)
		if r.next(false, false).GetRevisions() == nil {
			b.Fatal("no change was found")
		}
	}
}
