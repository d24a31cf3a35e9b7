package placement

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/artifacts"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/peer/peertest"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	os.Exit(m.Run())
}

// member is a node with everything that loads revisions, real.
type member struct {
	id       string
	port     *peertest.Port
	store    *artifacts.Store
	executor *executor.Executor
	registry *prometheus.Registry
	peers    *peer.Peers
	moves    artifacts.Config
}

// join adds a node to a network. Its catalog is everybody's.
func join(t testing.TB, network *peertest.Network, c *catalog.Catalog, id string) *member {
	t.Helper()
	m := &member{id: id, port: network.Port(id), registry: prometheus.NewRegistry()}
	var err error
	if m.store, err = artifacts.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if m.executor, err = executor.New(executor.Config{Dir: t.TempDir(), Registerer: m.registry}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.executor.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	m.peers = peer.New(peer.Config{Port: m.port, Logger: slog.New(slog.DiscardHandler)})
	artifacts.NewServer(m.store, m.executor).Register(m.peers)
	m.peers.Start()
	t.Cleanup(m.peers.Close)
	m.moves = artifacts.Config{Node: id, Store: m.store, Peers: m.peers, Logger: slog.New(slog.DiscardHandler),
		Cluster: &artifacts.Locator{Node: id, Engine: m.executor.Fingerprint(), View: c.View}}
	return m
}

// table starts the placements of a member.
func (m *member) table(t testing.TB, c *catalog.Catalog) *Table {
	t.Helper()
	table := New(Config{
		Node: m.id, Catalog: c, Artifacts: artifacts.NewFetcher(m.moves), Code: artifacts.NewCodeFetcher(m.moves, m.executor),
		Executor: m.executor, Logger: slog.New(slog.DiscardHandler),
	})
	table.Start()
	t.Cleanup(table.Close)
	return table
}

// counter gives the value of a counter, or how often a histogram was told something.
func (m *member) counter(t testing.TB, name string) (n float64) {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, metric := range f.GetMetric() {
				n += metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return n
}

// cluster makes a catalog in which a component is deployed and placed on two nodes.
func cluster(t testing.TB, data []byte) (*catalog.Catalog, executor.Key) {
	t.Helper()
	world, err := component.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	built, err := contract.Build(contract.Input{Function: "calc", World: world})
	if err != nil {
		t.Fatal(err)
	}
	c, index := catalog.New(), uint64(0)
	apply := func(level uint32, command *catalogv1.Command) {
		t.Helper()
		index++
		command.RequestId, command.Level = fmt.Sprint("request-", index), level
		if r := c.Apply(index, command); r.GetRefusal() != nil {
			t.Fatalf("refused: %v", r.GetRefusal())
		}
	}
	apply(1, &catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: 2}}})
	for id, name := range map[string]string{node: "one", elsewhere: "other"} {
		apply(2, &catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
			Node: &catalogv1.Node{Id: id, Name: name, Scheduler: true, Executor: true},
		}}})
	}
	row := &catalogv1.Revision{Digest: digestOf(data), MemoryBytes: 64 << 20, TimeoutNanos: int64(time.Minute),
		Concurrency: 4, Queue: 4, MessageBytes: 1 << 20}
	for _, s := range built.Services {
		row.Services = append(row.Services, s.Name)
	}
	for _, p := range built.Contracts {
		row.Packages = append(row.Packages, p.GetPackage())
	}
	apply(2, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: "calc", Contracts: built.Changed, BaseVersions: built.Base, Revision: row,
	}}})
	k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
	apply(2, &catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{
		Placements: []*catalogv1.Placement{{Namespace: k.Namespace, Name: k.Function, Revision: 1, Nodes: []string{node, elsewhere}}},
	}}})
	return c, k
}

func digestOf(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

// ready waits until a revision is ready, and fails when a load failed.
func ready(t testing.TB, table *Table, k executor.Key) {
	t.Helper()
	for {
		changed := table.Changed()
		switch state, reason := table.State(k); state {
		case StateReady:
			return
		case StateFailed:
			t.Fatalf("%s: %s", k, reason)
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("%s never became ready", k)
		}
	}
}

// TestSecondNodeCompilesNothing: the component and its compiled code come from the node that has both, and a restart needs
// nobody.
func TestSecondNodeCompilesNothing(t *testing.T) {
	data := wat.Guest{}.Bytes(t)
	c, k := cluster(t, data)
	network := peertest.NewNetwork(t)
	first, second := join(t, network, c, node), join(t, network, c, elsewhere)
	if _, _, err := first.store.Put(t.Context(), bytes.NewReader(data), 1<<20); err != nil {
		t.Fatal(err)
	}
	ready(t, first.table(t, c), k)
	ready(t, second.table(t, c), k)
	for m, want := range map[*member][2]float64{first: {1, 0}, second: {0, 1}} {
		if compiled, took := m.counter(t, "weft_compile_seconds"), m.counter(t, "weft_code_taken_total"); compiled != want[0] || took != want[1] {
			t.Errorf("node %s compiled %v times and took code %v times", m.id, compiled, took)
		}
	}
	first.port.SetDown(true)
	first.port.Cut()
	second.executor.Unload(k)
	ready(t, second.table(t, c), k)
}

// BenchmarkFirstLoad is how long it takes until a revision of a component of 18 MB is ready on an executor that has nothing
// of it: with compiled code from another node, and without. The component is the Python example, which `make examples`
// builds.
func BenchmarkFirstLoad(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("..", "..", "build", "components", "stats.wasm"))
	if err != nil {
		b.Skipf("no component; run make examples: %v", err)
	}
	c, k := cluster(b, data)
	network := peertest.NewNetwork(b)
	first := join(b, network, c, node)
	if _, _, err := first.store.Put(b.Context(), bytes.NewReader(data), 1<<30); err != nil {
		b.Fatal(err)
	}
	load := func(b *testing.B) {
		b.Helper()
		for range b.N {
			b.StopTimer()
			m := join(b, network, c, elsewhere)
			b.StartTimer()
			ready(b, m.table(b, c), k)
		}
	}
	b.Run("compiled", load)
	ready(b, first.table(b, c), k)
	b.Run("taken", load)
}
