package failpoint

import (
	"time"

	"github.com/weft-run/weft/test/cluster"
)

var networks = []Failpoint{
	{Name: "partition-leader", Nodes: 3, Inject: func(t *Target) {
		n := t.leader()
		t.under(func(w *cluster.Network) { w.Partition(one(n), t.others(n)) })
	}},
	{Name: "partition-follower", Nodes: 3, Inject: func(t *Target) {
		n := t.follower()
		t.under(func(w *cluster.Network) { w.Partition(one(n), t.others(n)) })
	}},
	{Name: "partition-halves", Nodes: 3, Inject: func(t *Target) {
		all := t.shuffled()
		t.under(func(w *cluster.Network) { w.Partition(all[:len(all)/2], all[len(all)/2:]) })
	}},
	{Name: "partition-bridge", Nodes: 3, Inject: func(t *Target) { // one node reaches both halves, which do not reach each other
		all := t.shuffled()
		middle := len(all) / 2
		t.under(func(w *cluster.Network) { w.Partition(all[:middle], all[middle+1:]) })
	}},
	{Name: "partition-all", Nodes: 2, Inject: func(t *Target) {
		t.under(func(w *cluster.Network) { w.Partition(t.Members(), t.Members()) })
	}},
	{Name: "deaf-leader", Nodes: 3, Inject: func(t *Target) {
		n := t.leader()
		t.under(func(w *cluster.Network) { w.OneWay(t.others(n), one(n)) })
	}},
	{Name: "mute-leader", Nodes: 3, Inject: func(t *Target) {
		n := t.leader()
		t.under(func(w *cluster.Network) { w.OneWay(one(n), t.others(n)) })
	}},
	{Name: "cut-leader", Nodes: 3, Inject: func(t *Target) {
		n := t.leader()
		t.under(func(w *cluster.Network) { w.Cut(one(n), t.others(n)) })
	}},
	{Name: "flapping", Nodes: 3, Inject: func(t *Target) {
		for range 6 {
			all := t.shuffled()
			t.Cluster.Network.Cut(all[:1], all[1:])
			t.wait(200*time.Millisecond, 1200*time.Millisecond)
			t.Cluster.Network.Heal()
			t.wait(100*time.Millisecond, 500*time.Millisecond)
		}
	}},
	{Name: "slow-network", Nodes: 2, Inject: func(t *Target) {
		t.under(func(w *cluster.Network) { w.Delay(80 * time.Millisecond) })
	}},
}

// under holds a state of the network for a while.
func (t *Target) under(change func(*cluster.Network)) {
	change(t.Cluster.Network)
	t.wait(3*time.Second, 7*time.Second)
	t.Cluster.Network.Heal()
}
