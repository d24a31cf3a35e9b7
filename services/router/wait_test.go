package router

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/placement"
)

// startCluster is startAmong with a catalog that knows nodes, this one and n1 and n2.
func startCluster(t testing.TB, configure ...func(*Config)) *neighbours {
	t.Helper()
	n := startAmong(t, append(configure, func(c *Config) { c.ID = nodeID(self) })...)
	n.apply(&catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: 2}}})
	for _, id := range []string{self, "n1", "n2"} {
		n.apply(&catalogv1.Command{Level: 2, Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
			Node: &catalogv1.Node{Id: nodeID(id), Name: "name-" + id, Executor: true},
		}}})
	}
	return n
}

// heard adds a node of the catalog to the next view.
func (n *neighbours) heard(id string) *clusterv1.NodeState {
	s := n.node(nodeID(id))
	s.Report.Name = "name-" + id
	return s
}

func TestRouteKnowsWhatIsReadyElsewhere(t *testing.T) {
	n := startCluster(t)
	one, two := n.deploy("f", orders), n.deploy("f", orders)
	n.place(two, "n1")
	s := n.heard("n1")
	setState(s, one, placement.StateReady, "")
	setState(s, two, placement.StateLoading, "")
	n.show()
	n.want(Target{Service: orders}, one)
	setState(s, two, placement.StateReady, "")
	n.show()
	n.want(Target{Service: orders}, two)
	if ready, err := n.Router.Ready(Target{Namespace: "default", Service: orders}); !ready || err != nil {
		t.Errorf("ready: %t, %v", ready, err)
	}
	s.Alive = false
	n.show()
	if ready, err := n.Router.Ready(Target{Namespace: "default", Service: orders}); ready || err != nil {
		t.Errorf("on a node that is lost: %t, %v", ready, err)
	}
	if len(n.wasAsked()) != 0 {
		t.Errorf("what is placed elsewhere was loaded here: %v", n.wasAsked())
	}
}

func (n *neighbours) wasAsked() []executor.Key {
	n.fixture.mu.Lock()
	defer n.fixture.mu.Unlock()
	return n.fixture.asked
}

// TestWhyNothingIsReady waits in vain, and is told why.
func TestWhyNothingIsReady(t *testing.T) {
	for name, test := range map[string]struct {
		set    func(n *neighbours, k executor.Key)
		waited time.Duration
		words  string
	}{
		"placed nowhere": {func(*neighbours, executor.Key) {}, 5 * time.Second, "default/f@1 is placed nowhere yet; try again"},
		"unplaced": {func(n *neighbours, k executor.Key) {
			n.next.Unplaced.Revisions = []*clusterv1.Unplaced{{Namespace: k.Namespace, Name: k.Function, Revision: k.Revision, Missing: 1, Reason: "of 3 executors: 3 lack region=eu"}}
		}, 5 * time.Second, "default/f@1 is placed nowhere: of 3 executors: 3 lack region=eu"},
		"loading": {func(n *neighbours, k executor.Key) {
			n.place(k, "n1", "n2")
			setState(n.heard("n1"), k, placement.StateLoading, "")
		}, 5 * time.Second, "default/f@1 is not ready yet: node name-n1 loads it; node name-n2 has not been heard of; try again"},
		"lost": {func(n *neighbours, k executor.Key) {
			n.place(k, "n1")
			n.heard("n1").Alive = false
		}, 5 * time.Second, "node name-n1 is lost"},
		"failed": {func(n *neighbours, k executor.Key) {
			n.place(k, "n1", "n2")
			setState(n.heard("n1"), k, placement.StateFailed, "no memory")
			setState(n.heard("n2"), k, placement.StateFailed, "no disk")
		}, 0, "default/f@1 is not ready: on node name-n1: no memory; on node name-n2: no disk"},
		"failed here and there": {func(n *neighbours, k executor.Key) {
			n.place(k, self, "n1")
			n.set("no memory", k)
			setState(n.heard("n1"), k, placement.StateFailed, "no disk")
		}, 0, "default/f@1 is not ready: no memory; on node name-n1: no disk"},
		"failed here, loading there": {func(n *neighbours, k executor.Key) {
			n.place(k, self, "n1")
			n.set("no memory", k)
			setState(n.heard("n1"), k, placement.StateLoading, "")
		}, 5 * time.Second, "node name-n1 loads it"},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := startCluster(t)
			k := n.deploy("f", orders)
			test.set(n, k)
			n.show()
			began := time.Now()
			n.refused(Target{Service: orders}, codes.Unavailable, failure.NotReady, test.words)
			if waited := time.Since(began); waited != test.waited {
				t.Errorf("%s: waited for %v", name, waited)
			}
		})
	}
}

func TestCallsWaitForOtherNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startCluster(t)
		k := n.deploy("f", orders)
		time.AfterFunc(time.Second, func() {
			setState(n.heard("n1"), k, placement.StateReady, "")
			n.show()
			n.place(k, "n1") // which wakes those that wait
		})
		began := time.Now()
		n.want(Target{Service: orders}, k)
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited for %v", waited)
		}
	})
}

func TestOlderRevisionsAreLoadedElsewhereByNodesThatRunNothing(t *testing.T) {
	n := startCluster(t, func(c *Config) { c.Executor = nil })
	one, two := n.deploy("f", orders), n.deploy("f", orders)
	setState(n.heard("n1"), two, placement.StateReady, "")
	n.show()
	n.want(Target{Service: orders, Revision: 1}, one)
	if r, err := n.call(one); err != nil || r.Node != "name-n1" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestADeployOfAnotherNode asks for what this node has not heard of yet.
func TestADeployOfAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startAmong(t)
		n.catches = func() {
			if n.catalog.View().Len() == 0 {
				n.set("ready", n.deploy("f", orders))
			}
		}
		n.want(Target{Service: orders}, executor.Key{Namespace: "default", Function: "f", Revision: 1})
		n.want(Target{Service: orders}, executor.Key{Namespace: "default", Function: "f", Revision: 1})
		if n.asked != 1 {
			t.Errorf("the leader was asked %d times", n.asked)
		}
		began := time.Now()
		n.refused(Target{Service: "demo.none.v1.None"}, codes.Unimplemented, failure.UnknownService, "no service demo.none.v1.None")
		if waited := time.Since(began); n.asked != 2 || waited != catchUpPause {
			t.Errorf("the leader was asked %d times, the second time after %v", n.asked, waited)
		}
	})
}

func TestQuestionsToTheLeaderAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startAmong(t, func(c *Config) { c.Waiting = 1000 })
		n.catches = func() { time.Sleep(10 * time.Millisecond) }
		stop := time.Now().Add(time.Second)
		for range 100 {
			go func() {
				for time.Now().Before(stop) {
					n.refused(Target{Service: orders}, codes.Unimplemented, failure.UnknownService, "no service")
				}
			}()
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n.asked < 8 || n.asked > 12 {
			t.Errorf("the leader was asked %d times in a second", n.asked)
		}
	})
}

func TestWithoutALeaderNobodyWaitsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, slow := 0, 0
		n := startAmong(t, func(c *Config) {
			c.Linearize = func(ctx context.Context) error {
				asked++
				<-ctx.Done()
				return ctx.Err()
			}
		})
		for range 150 {
			began := time.Now()
			n.refused(Target{Service: orders}, codes.Unimplemented, failure.UnknownService, "no service")
			if time.Since(began) > 0 {
				slow++
			}
			time.Sleep(10 * time.Millisecond)
		}
		if slow != 2 || asked != 2 {
			t.Errorf("%d of 150 calls waited, and the leader was asked %d times", slow, asked)
		}
	})
}
