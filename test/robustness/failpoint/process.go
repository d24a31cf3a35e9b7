package failpoint

import (
	"time"

	"github.com/weft-run/weft/test/cluster"
)

var processes = []Failpoint{
	{Name: "kill-leader", Inject: func(t *Target) { t.kill(one(t.leader())) }},
	{Name: "kill-follower", Nodes: 2, Inject: func(t *Target) { t.kill(one(t.follower())) }},
	{Name: "kill-majority", Nodes: 3, Inject: func(t *Target) { t.kill(t.shuffled()[:len(t.Members())/2+1]) }},
	{Name: "kill-all", Inject: func(t *Target) { t.kill(t.shuffled()) }},
	{Name: "kill-leaders", Nodes: 3, Inject: func(t *Target) {
		for range 3 {
			t.kill(one(t.leader()))
		}
	}},
	{Name: "stop-leader", Inject: func(t *Target) { // which hands its leadership over
		n := t.leader()
		n.Stop()
		t.hold()
		n.Restart()
	}},
	{Name: "move-all", Nodes: 2, Inject: func(t *Target) { // they come back elsewhere, all at once
		all := t.shuffled()
		for _, n := range all {
			n.Kill()
			n.Move()
		}
		all[0].Restart()
		for _, n := range all[1:] { // which can't know where the others are
			n.Restart(func(s *cluster.Spec) { s.Args = []string{"--join", all[0].PeerAddr()} })
		}
	}},
	{Name: "move-minority", Nodes: 3, Inject: func(t *Target) { // the others are where they were, and are told
		n := t.pick(t.Members())
		n.Kill()
		n.Move()
		n.Restart()
	}},
	{Name: "pause-leader", Inject: func(t *Target) { t.pause(t.leader()) }},
	{Name: "pause-follower", Nodes: 2, Inject: func(t *Target) { t.pause(t.follower()) }},
}

// kill kills nodes at once and starts them again, after a while or immediately.
func (t *Target) kill(nodes []*cluster.Node) {
	for _, n := range nodes {
		n.Kill()
	}
	if t.Random.IntN(2) == 0 {
		t.hold()
	}
	for _, n := range nodes {
		n.Restart()
	}
}

func (t *Target) pause(n *cluster.Node) {
	n.Pause()
	t.wait(3*time.Second, 6*time.Second)
	n.Resume()
}
