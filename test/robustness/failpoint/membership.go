package failpoint

import (
	"fmt"

	"github.com/weft-run/weft/test/cluster"
)

var memberships = []Failpoint{
	{Name: "join", Inject: func(t *Target) {
		for range 2 {
			t.join()
		}
	}},
	{Name: "remove-follower", Nodes: 3, Inject: func(t *Target) { t.remove(t.follower()) }},
	{Name: "remove-leader", Nodes: 3, Inject: func(t *Target) { t.remove(t.leader()) }},
	{Name: "replace", Nodes: 3, Inject: func(t *Target) { // a node dies for good, and another one takes its place
		n := t.pick(t.Members())
		n.Kill()
		t.join()
		t.retire(n)
	}},
	{Name: "drain", Nodes: 2, Inject: func(t *Target) {
		n := t.pick(t.Members())
		n.Must("drain", n.Name)
		t.hold()
		n.Must("drain", n.Name, "--undo")
	}},
}

func (t *Target) join() {
	t.Cluster.Join(cluster.Spec{Name: fmt.Sprintf("n%d", len(t.Cluster.Nodes())+1)})
	t.hold()
}

// remove takes a node out of the cluster while it runs.
func (t *Target) remove(n *cluster.Node) {
	t.retire(n)
	t.hold()
	n.Kill()
}

func (t *Target) retire(n *cluster.Node) {
	t.removed[n] = true
	t.pick(t.Members()).Must("remove", n.Name)
}
