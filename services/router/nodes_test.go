package router

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/link"
)

func TestNearNodesFirst(t *testing.T) {
	zone := func(s *clusterv1.NodeState, zone, region string) {
		s.Report.Labels = map[string]string{"zone": zone, "region": region}
	}
	n := startAmong(t, func(c *Config) { c.Wait = time.Millisecond })
	k := n.deploy("f", orders)
	nodes := map[string]*clusterv1.NodeState{}
	for _, id := range []string{"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"} {
		nodes[id] = n.node(id, k)
	}
	zone(nodes["n1"], "z1", "r1")
	zone(nodes["n2"], "z1", "r1")
	zone(nodes["n3"], "z2", "r1")
	zone(nodes["n4"], "z2", "r1")
	zone(nodes["n5"], "z1", "r2") // a zone of the same name elsewhere
	nodes["n7"].Report.Stopping = true
	nodes["n8"].Alive = false
	n.age = time.Minute // no leader: who is lost may be back
	for _, want := range [][]string{{"n1", "n2"}, {"n3", "n4"}, {"n5", "n6"}, {"n7"}, {"n8"}} {
		n.show()
		for range 50 {
			if _, err := n.call(k); err != nil {
				t.Fatal(err)
			}
		}
		got := n.called()
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("called %v; want %v", got, want)
		}
		n.next.Nodes = slices.DeleteFunc(n.next.Nodes, func(s *clusterv1.NodeState) bool { return slices.Contains(want, s.GetId()) })
	}
	n.next.Nodes = []*clusterv1.NodeState{nodes["n8"]}
	n.age = time.Second
	n.show()
	_, err := n.call(k)
	is(t, err, string(executor.NotLoaded), "not ready on any node")
}

// TestALoneNearNodeIsNotOverrun has one node in the zone and one elsewhere: the near one gets what it can take.
func TestALoneNearNodeIsNotOverrun(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k).Report.Labels = map[string]string{"zone": "z1", "region": "r1"}
	n.node("n2", k)
	n.show()
	release := make(chan struct{})
	hold := func(context.Context, link.Request) (link.Response, error) {
		<-release
		return link.Response{}, nil
	}
	n.answer("n1", hold)
	n.answer("n2", hold)
	var calls sync.WaitGroup
	for i := range 20 {
		calls.Go(func() { _, _ = n.call(k) })
		eventually(t, func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.calls) == i+1 })
	}
	got := n.called()
	near := len(slices.DeleteFunc(slices.Clone(got), func(id string) bool { return id != "n1" }))
	if !slices.Equal(got[:5], []string{"n1", "n1", "n1", "n1", "n1"}) || near < 10 || near > 15 {
		t.Errorf("calls went to %v", got)
	}
	close(release)
	calls.Wait()
}

// eventually waits for what other goroutines do.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

func TestTheLessLoadedOfTwo(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.node("n2", k).Report.Cores = 8
	n.show()
	n.answer("n1", func(context.Context, link.Request) (link.Response, error) {
		return link.Response{Load: link.Load{InFlight: 10}}, nil
	})
	n.answer("n2", func(context.Context, link.Request) (link.Response, error) {
		return link.Response{Load: link.Load{InFlight: 10}}, nil // on eight cores
	})
	for range 100 {
		if _, err := n.call(k); err != nil {
			t.Fatal(err)
		}
	}
	calls := n.called()
	if few := len(slices.DeleteFunc(calls, func(id string) bool { return id != "n1" })); few > 1 {
		t.Errorf("%d of 100 calls went to the node that is busy", few)
	}
}

func TestNodesThatFailAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		n := startAmong(t, func(c *Config) { c.Registerer = registry })
		k := n.deploy("f", orders)
		for _, id := range []string{"n1", "n2", "n3"} {
			n.node(id, k)
		}
		n.show()
		n.fails("n1", errUnreachable)
		probes := func() (count int) {
			n.called()
			for range 50 {
				if r, err := n.call(k); err != nil || r.Node == "name-n1" {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			for _, id := range n.called() {
				if id == "n1" {
					count++
				}
			}
			return count
		}
		if got := probes(); got != failuresToEject {
			t.Fatalf("n1 failed %d calls before it was left out", got)
		}
		for pause := minEjection; pause < 8*minEjection; pause *= 2 {
			time.Sleep(pause - time.Millisecond)
			if got := probes(); got != 0 {
				t.Errorf("n1 got %d calls before %v were over", got, pause)
			}
			time.Sleep(time.Millisecond)
			if got := probes(); got != 1 {
				t.Errorf("n1 was probed %d times after %v", got, pause)
			}
		}
		n.answer("n1", nil)
		time.Sleep(8 * minEjection)
		n.called()
		for range 50 {
			if _, err := n.call(k); err != nil {
				t.Fatal(err)
			}
		}
		if calls := n.called(); !slices.Contains(calls, "n1") || len(calls) != 50 {
			t.Errorf("calls when all are well: %v", calls)
		}
		if ejections := series(t, registry, "weft_node_ejections_total")[""]; ejections != 4 {
			t.Errorf("%v ejections are counted", ejections)
		}
		if calls, retries := series(t, registry, "weft_forwarded_calls_total"), series(t, registry, "weft_retried_calls_total"); calls["name-n3"] == 0 || retries[""] == 0 {
			t.Errorf("counted: calls %v, retries %v", calls, retries)
		}
		n.Forget("n3")
		if got := series(t, registry, "weft_forwarded_calls_total"); len(got) != 2 {
			t.Errorf("n3 is gone, but the nodes counted are %v", got)
		}
	})
}

func TestNoMoreThanHalfAreLeftOut(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	for _, id := range []string{"n1", "n2", "n3"} {
		n.node(id, k)
		n.fails(id, errUnreachable)
	}
	n.show()
	for range 30 {
		_, err := n.call(k)
		is(t, err, string(failure.NodeUnreachable))
	}
	out := 0
	for _, r := range n.nodes.remotes {
		if r.isEjected(time.Now()) {
			out++
		}
	}
	if out != 1 {
		t.Errorf("%d of 3 are left out", out)
	}
}

// series gives the values of a counter by the label node.
func series(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			node := ""
			for _, l := range m.GetLabel() {
				node = l.GetValue()
			}
			found[node] = m.GetCounter().GetValue()
		}
	}
	return found
}

func TestTheOnlyNodeIsNeverLeftOut(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.show()
	n.fails("n1", errUnreachable)
	for range 10 {
		_, err := n.call(k)
		is(t, err, string(failure.NodeUnreachable))
	}
	n.answer("n1", nil)
	if _, err := n.call(k); err != nil {
		t.Error(err)
	}
}

// BenchmarkCall is what the router adds to a call: here, and on one of three other nodes.
func BenchmarkCall(b *testing.B) {
	n := startAmong(b, func(c *Config) { c.Link = quick{} })
	local, remote := n.deploy("local", orders), n.deploy("remote", orders)
	for _, id := range []string{"n1", "n2", "n3"} {
		n.node(id, local, remote)
	}
	n.show()
	n.set("ready", local)
	for name, k := range map[string]executor.Key{"local": local, "remote": remote} {
		target := Target{Namespace: "default", Service: orders, Function: k.Function}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				d, err := n.Route(b.Context(), target)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := n.Router.Call(b.Context(), executor.Request{Key: d.Key}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// quick answers at once.
type quick struct{}

func (quick) Call(context.Context, string, link.Request) (link.Response, error) {
	return link.Response{}, nil
}
