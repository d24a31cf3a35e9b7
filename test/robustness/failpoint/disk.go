package failpoint

import (
	"errors"
	"time"

	"github.com/weft-run/weft/test/cluster"
)

var disks = []Failpoint{
	{Name: "disk-stall-leader", Inject: func(t *Target) { t.stall(t.leader()) }},
	{Name: "disk-stall-follower", Nodes: 2, Inject: func(t *Target) { t.stall(t.follower()) }},
	{Name: "disk-full-leader", Inject: func(t *Target) { t.fill(one(t.leader())) }},
	{Name: "disk-full-follower", Nodes: 2, Inject: func(t *Target) { t.fill(one(t.follower())) }},
	{Name: "disk-full-all", Inject: func(t *Target) { t.fill(t.Members()) }},
	{Name: "lossy-kill-leader", Lossy: true, Inject: func(t *Target) { t.kill(one(t.leader())) }},
	{Name: "lossy-kill-all", Lossy: true, Inject: func(t *Target) { t.kill(t.shuffled()) }},
	{Name: "lossy-stalled-kill-all", Lossy: true, Inject: func(t *Target) {
		all := t.shuffled()
		for _, n := range all { // so that there is much that is not synced
			t.check(n.Disk.Stall())
		}
		t.wait(100*time.Millisecond, time.Second)
		for _, n := range all {
			n.Kill()
			t.check(n.Disk.Mend())
			t.check(n.Disk.Lose())
		}
		for _, n := range all {
			n.Restart()
		}
	}},
}

// stall holds a disk for long enough that the node gives it up.
func (t *Target) stall(n *cluster.Node) {
	t.check(n.Disk.Stall())
	t.wait(3*time.Second, 8*time.Second)
	t.check(n.Disk.Mend())
}

func (t *Target) fill(nodes []*cluster.Node) {
	for _, n := range nodes {
		t.check(n.Disk.Fill())
	}
	t.hold()
	for _, n := range nodes {
		t.check(n.Disk.Mend())
	}
}

var damages = []Failpoint{
	{Name: "flip-log", Nodes: 3, Inject: func(t *Target) { t.damage(cluster.Log, cluster.Flip) }},
	{Name: "cut-log", Nodes: 3, Inject: func(t *Target) { t.damage(cluster.Log, cluster.CutOff) }},
	{Name: "flip-snapshot", Nodes: 3, Inject: func(t *Target) { t.damage(cluster.Snapshot, cluster.Flip) }},
	{Name: "flip-copy", Nodes: 3, Inject: func(t *Target) { t.damage(cluster.Copy, cluster.Flip) }},
	{Name: "cut-journal", Nodes: 3, Inject: func(t *Target) { t.damage(cluster.Journal, cluster.CutOff) }},
	{Name: "flip-artifacts", Nodes: 3, Inject: func(t *Target) { t.damage(cluster.Artifact, cluster.Flip) }},
}

// damage changes the files of a kind at one node while it does not run. The node may refuse to start again, or start and
// say that it can't go on; then it is no member any more.
func (t *Target) damage(kind cluster.Kind, change func(string) error) {
	n := t.pick(t.Members())
	t.Cluster.Eventually("files of the kind "+string(kind), func() error {
		files, err := n.Files(kind)
		if err == nil && len(files) == 0 {
			err = errors.New("there are none")
		}
		return err
	})
	n.Kill()
	files, err := n.Files(kind)
	t.check(err)
	for _, path := range files {
		t.check(change(path))
	}
	err = n.TryRestart()
	if errors.Is(err, cluster.ErrNotReady) {
		t.TB.Fatalf("failpoint: %s with a damaged %s: %v", n.Name, kind, err)
	}
	if err != nil {
		t.refused[n] = true
		t.hold()
		return
	}
	t.hold()
	status, err := n.Status(t.TB.Context())
	if err != nil {
		t.TB.Fatalf("failpoint: %s with a damaged %s: %v", n.Name, kind, err)
	}
	t.refused[n] = status.GetFault() != ""
}
