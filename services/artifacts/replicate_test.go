package artifacts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// count is how many nodes have an artifact.
func (ns *nodes) count(d Digest) (n int) {
	for _, node := range ns.all {
		if node.has(d) {
			n++
		}
	}
	return n
}

func TestReplicate(t *testing.T) {
	for _, size := range []int{0, 1, 3<<20 + 7} {
		for n := 1; n <= 5; n++ {
			ns := newNodes(t, n)
			d := ns.first().put(t, random(size))
			if err := NewReplicator(ns.config()).Replicate(t.Context(), d); err != nil {
				t.Fatalf("%d nodes: %v", n, err)
			}
			if got := ns.count(d); got < n/2+1 {
				t.Errorf("%d nodes: %d have it", n, got)
			}
		}
	}
}

// voters is a cluster whose schedulers are not all nodes.
type voters struct {
	*nodes
	ids []string
}

func (v voters) Schedulers() []string { return v.ids }

// TestReplicateFromAnExecutor: a node that is no scheduler does not count.
func TestReplicateFromAnExecutor(t *testing.T) {
	ns := newNodes(t, 4)
	d := ns.first().put(t, random(100))
	c := ns.config()
	c.Cluster = voters{ns, []string{"b", "c", "d"}}
	if err := NewReplicator(c).Replicate(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if got := ns.count(d); got < 3 {
		t.Errorf("%d nodes have it, one of them no scheduler", got)
	}
	c.Cluster = voters{ns, nil}
	if err := NewReplicator(c).Replicate(t.Context(), d); err == nil || !strings.Contains(err.Error(), "no schedulers") {
		t.Errorf("no schedulers: %v", err)
	}
}

func TestReplicateSendsNothingTwice(t *testing.T) {
	ns := newNodes(t, 2)
	b := ns.all[1]
	data := random(5 * chunkSize)
	d := ns.first().put(t, data)
	r := NewReplicator(ns.config())
	for range 3 {
		if err := r.Replicate(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.fake.received(); got != int64(len(data)) {
		t.Errorf("%d bytes came, of an artifact of %d", got, len(data))
	}
	// A damaged one does not count as there.
	b.store, _ = Open(b.store.dir)
	b.fake.Server = NewServer(b.store, b.code)
	b.damage(t, d, data[1:])
	if err := r.Replicate(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, b, d, data)
}

// TestReplicateGoesOn: what came in an earlier try is not sent again, and if it is of no use, all is.
func TestReplicateGoesOn(t *testing.T) {
	data := random(5 * chunkSize)
	for name, tt := range map[string]struct {
		part []byte
		want int64
	}{
		"a good part":  {data[:3*chunkSize], 2 * chunkSize},
		"all of it":    {data, 0},
		"a wrong part": {random(2 * chunkSize)[1:], int64(len(data)) + int64(len(data)) - (2*chunkSize - 1)},
		"too much":     {append(slices.Clip(data), 1, 2, 3), int64(len(data))},
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNodes(t, 2)
			b := ns.all[1]
			d := ns.first().put(t, data)
			if tt.want > int64(len(data)) {
				tt.part[0] ^= 1
			}
			f, err := openAppend(b.store.partPath(d))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(tt.part); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if err := NewReplicator(ns.config()).Replicate(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			holds(t, b, d, data)
			if got := b.fake.received(); got != tt.want {
				t.Errorf("%d bytes were sent; want %d", got, tt.want)
			}
			if len(b.parts()) != 0 {
				t.Error("a part is left")
			}
		})
	}
}

func TestReplicateWithoutAMajority(t *testing.T) {
	ns := newNodes(t, 5)
	d := ns.first().put(t, random(100))
	for _, n := range ns.all[2:] {
		n.port.SetDown(true)
	}
	r := NewReplicator(ns.config())
	err := r.Replicate(t.Context(), d)
	var e *ReplicationError
	if !errors.As(err, &e) || e.Have != 2 || e.Need != 3 || e.Schedulers != 5 {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"2 of 5", "node-c: ", "node-d: ", "node-e: ", "down"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	ns.all[2].port.SetDown(false)
	eventually(t, "a third one", func() bool { return r.Replicate(t.Context(), d) == nil })
	if got := ns.count(d); got != 3 {
		t.Errorf("%d have it", got)
	}
}

// TestReplicateWaitsForANode: one that comes back within the patience is enough.
func TestReplicateWaitsForANode(t *testing.T) {
	ns := newNodes(t, 2)
	ns.all[1].port.SetDown(true)
	d := ns.first().put(t, random(100))
	c := ns.config()
	c.Patience = time.Minute
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := NewReplicator(c).Replicate(t.Context(), d); err != nil {
			t.Error(err)
		}
	})
	time.AfterFunc(300*time.Millisecond, func() { ns.all[1].port.SetDown(false) })
	wait.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ns.all[1].port.SetDown(true)
	ns.all[1].port.Cut()
	if err := NewReplicator(c).Replicate(ctx, ns.first().put(t, random(101))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's time is over: %v", err)
	}
}

func TestReplicateOfWhatIsNotHere(t *testing.T) {
	ns := newNodes(t, 2)
	if err := NewReplicator(ns.config()).Replicate(t.Context(), Digest{1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
	d := ns.first().put(t, random(100))
	ns.first().damage(t, d, random(99))
	if err := NewReplicator(ns.config()).Replicate(t.Context(), d); !errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func TestReplicateOntoAFullDisk(t *testing.T) {
	ns := newNodes(t, 2)
	b := ns.all[1].store
	b.open = func(path string) (file, error) {
		f, err := openAppend(path)
		return &full{file: f, left: chunkSize}, err
	}
	d := ns.first().put(t, random(5*chunkSize))
	err := NewReplicator(ns.config()).Replicate(t.Context(), d)
	if err == nil || !strings.Contains(err.Error(), "node-b") || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
	if len(files(t, b)) != 0 {
		t.Errorf("the disk is left with %v", files(t, b))
	}
}

// TestReplicatedIsKept: whoever was counted keeps the artifact, although it lay there unnamed for long.
func TestReplicatedIsKept(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(100)
	d := ns.first().put(t, data)
	if got := ns.all[1].put(t, data); got != d {
		t.Fatal("another digest")
	}
	for _, n := range ns.all {
		n.age(t, d, 2*time.Hour)
	}
	if err := NewReplicator(ns.config()).Replicate(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, n := range ns.all {
		if err := n.store.Sweep(Policy{Wanted: func(Digest) bool { return false }, Grace: time.Hour}); err != nil {
			t.Fatal(err)
		}
		holds(t, n, d, data)
	}
	if from := ns.all[1].store.origin(d); from != "a" {
		t.Errorf("b has it from %q", from)
	}
}

// TestTwoPushAtOnce: two nodes deploy one component; it is stored once.
func TestTwoPushAtOnce(t *testing.T) {
	ns := newNodes(t, 3)
	data := random(9 * chunkSize)
	d := ns.first().put(t, data)
	ns.all[1].put(t, data)
	var wait sync.WaitGroup
	for _, from := range ns.all[:2] {
		wait.Go(func() {
			c := ns.config()
			c.Node, c.Store, c.Peers, c.Cluster = from.id, from.store, from.peers, voters{ns, []string{"c"}}
			if err := NewReplicator(c).Replicate(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	holds(t, ns.all[2], d, data)
}

var _ clusterv1.ArtifactServiceServer = (*fake)(nil)
