package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// run runs a scheduler until the test ends, which waits for it.
func (w *world) run(t *testing.T) {
	t.Helper()
	w.runWith(t, Config{})
}

func (w *world) runWith(t *testing.T, c Config) {
	t.Helper()
	c.Consensus, c.Directory, c.Logger, c.Registerer = w, w, slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// wait lets some time pass in a bubble of synctest.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) expect(t *testing.T, name, want string) {
	t.Helper()
	if got := w.placed(name); got != want {
		t.Errorf("%s is placed on %q, want %q", name, got, want)
	}
}

// started is a world in which two executors are heard of, with a scheduler that has settled.
func started(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.member(t, "a", "b")
	w.hear(t, map[string]string{"a": "", "b": ""})
	w.run(t)
	wait(5 * time.Second)
	return w
}

func TestDeployIsPlacedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.deploy(t, "f", all())
		synctest.Wait() // no time passes
		w.expect(t, "f", "1: a b")
		wait(time.Minute)
		if n := w.proposals(); n != 1 {
			t.Errorf("%d proposals for one deploy", n)
		}
	})
}

// A burst of deploys makes few plans.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		for i := range 1000 {
			w.deploy(t, fmt.Sprintf("f%d", i), nil)
			time.Sleep(time.Millisecond)
		}
		wait(time.Second)
		for i := range 1000 {
			if w.placed(fmt.Sprintf("f%d", i)) == "" {
				t.Fatalf("f%d is not placed", i)
			}
		}
		if n := w.proposals(); n > 12 {
			t.Errorf("%d proposals for deploys within a second", n)
		}
	})
}

func TestGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.deploy(t, "f", replicas(2))
		synctest.Wait()
		w.member(t, "c")
		w.hear(t, map[string]string{"a": "f/1=ready", "b": "f/1=ready", "c": ""})
		wait(time.Second)
		w.hear(t, map[string]string{"-b": "f/1=ready"})
		wait(9 * time.Second)
		w.expect(t, "f", "1: a b")
		w.hear(t, map[string]string{"b": "f/1=ready"})
		wait(time.Second)
		w.hear(t, map[string]string{"-b": "f/1=ready"})
		wait(9 * time.Second)
		w.expect(t, "f", "1: a b")
		wait(2 * time.Second)
		w.expect(t, "f", "1: a c")
	})
}

// A new leader does not take for lost what it has not heard of yet, and does not fill the few nodes that it has.
func TestSettle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.member(t, "a", "b", "c")
		w.deploy(t, "old", replicas(2))
		w.hear(t, map[string]string{"a": ""})
		w.run(t)
		wait(time.Second)
		w.expect(t, "old", "")
		w.deploy(t, "new", nil)
		synctest.Wait()
		w.expect(t, "new", "1: a")
		w.hear(t, map[string]string{"b": ""})
		wait(time.Second)
		w.expect(t, "old", "")
		w.hear(t, map[string]string{"c": ""})
		synctest.Wait()
		w.expect(t, "old", "1: b c")
	})
}

// However short the grace period is, a new leader waits for nodes to be heard of.
func TestSettleBeforeGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.member(t, "a", "b", "c")
		w.deploy(t, "f", nil)
		w.do(t, &catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{
			Placements: []*catalogv1.Placement{{Namespace: "default", Name: "f", Revision: 1, Nodes: []string{nodeID("b")}}},
		}}})
		w.hear(t, map[string]string{"a": "", "c": ""})
		w.runWith(t, Config{Grace: time.Second, Settle: 3 * time.Second})
		wait(2900 * time.Millisecond)
		w.deploy(t, "f", nil) // what is deployed is not held, and still nobody is lost
		synctest.Wait()
		if got := w.placed("f"); got != "1: b, 2: a" && got != "1: b, 2: c" {
			t.Errorf("f is placed on %q", got)
		}
		wait(time.Second)
		if got := w.placed("f"); got[:4] == "1: b" {
			t.Errorf("f is placed on %q, and b is lost", got)
		}
	})
}

func TestSettleEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.member(t, "a", "b")
		w.deploy(t, "f", nil)
		w.hear(t, map[string]string{"a": ""})
		w.run(t)
		wait(2 * time.Second)
		w.expect(t, "f", "")
		wait(2 * time.Second)
		w.expect(t, "f", "1: a")
	})
}

func TestRollout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.deploy(t, "f", all())
		w.hear(t, map[string]string{"a": "f/1=ready", "b": "f/1=ready"})
		wait(time.Second)
		w.deploy(t, "f", all())
		wait(time.Second)
		w.expect(t, "f", "1: a b, 2: a b")
		w.hear(t, map[string]string{"a": "f/1=ready f/2=ready", "b": "f/1=ready f/2=loading"})
		wait(time.Minute)
		w.expect(t, "f", "1: a b, 2: a b")
		w.hear(t, map[string]string{"b": "f/1=ready f/2=ready"})
		wait(time.Second)
		w.expect(t, "f", "2: a b")
	})
}

// A revision that fails on a node is tried on another one after a while, and one that is ready ends that.
func TestFailing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.deploy(t, "f", nil)
		synctest.Wait()
		first := w.placed("f")
		node, other := "a", "b"
		if first == "1: b" {
			node, other = other, node
		}
		w.hear(t, map[string]string{node: "f/1=failed"})
		wait(9 * time.Second)
		w.expect(t, "f", first)
		wait(2 * time.Second)
		w.expect(t, "f", "1: a b")
		w.hear(t, map[string]string{other: "f/1=ready"})
		wait(time.Second)
		w.expect(t, "f", "1: "+other)
	})
}

func TestUnplacedIsSaidOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.deploy(t, "f", replicas(3))
		wait(time.Second)
		if got := w.why(); got != "of 2 executors: 2 have it" {
			t.Errorf("unplaced because %q", got)
		}
		said := w.said
		for range 10 {
			w.hear(t, map[string]string{"a": ""})
			wait(time.Second)
		}
		if w.said != said {
			t.Errorf("said %d times more", w.said-said)
		}
		w.member(t, "c")
		w.hear(t, map[string]string{"c": ""})
		wait(time.Second)
		if got := w.why(); got != "" {
			t.Errorf("unplaced because %q", got)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.failWith(errors.New("no leader"))
		w.deploy(t, "f", nil)
		wait(time.Minute)
		if n := w.proposals(); n < 10 || n > 25 {
			t.Errorf("%d proposals in a minute of failures", n)
		}
		seen := map[string]bool{}
		for _, cmd := range w.commands {
			if seen[cmd.GetRequestId()] {
				t.Error("a request ID was used twice")
			}
			seen[cmd.GetRequestId()] = true
		}
		w.failWith(nil)
		wait(6 * time.Second)
		if w.placed("f") == "" {
			t.Error("f is not placed")
		}
	})
}

func TestOnlyTheLeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t)
		w.lead(0)
		synctest.Wait()
		w.deploy(t, "f", nil)
		wait(time.Minute)
		w.expect(t, "f", "")
		w.lead(2)
		wait(time.Second)
		if w.placed("f") == "" {
			t.Error("f is not placed")
		}
		w.lead(3) // lost and won again
		wait(time.Second)
		w.deploy(t, "g", nil)
		wait(time.Second)
		if w.placed("g") == "" {
			t.Error("g is not placed")
		}
	})
}

// Before the cluster is raised to the level that has placements, nothing is proposed.
func TestLevel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := emptyWorld()
		w.run(t)
		wait(time.Minute)
		if n := w.proposals(); n != 0 || w.said != 0 {
			t.Errorf("%d proposals, unplaced said %d times", n, w.said)
		}
	})
}

func TestChunks(t *testing.T) {
	t.Parallel()
	var placements []*catalogv1.Placement
	for i := range 1000 {
		placements = append(placements, &catalogv1.Placement{Namespace: "default", Name: fmt.Sprintf("f%d", i), Revision: 1, Nodes: make([]string, i%50)})
	}
	count, parts := 0, 0
	for part := range chunks(placements, 2000) {
		if size := proto.Size(&catalogv1.SetPlacements{Placements: part}); size > 2000 {
			t.Errorf("a part has %d bytes", size)
		}
		for _, p := range part {
			if p != placements[count] {
				t.Fatalf("placement %d is missing", count)
			}
			count++
		}
		parts++
	}
	if count != len(placements) || parts < 20 || parts > 60 {
		t.Errorf("%d placements in %d parts", count, parts)
	}
	for part := range chunks(placements, 1) {
		if len(part) != 1 {
			t.Fatalf("%d placements where not even one fits", len(part))
		}
	}
}
