package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/link"
	"github.com/weft-run/weft/services/placement"
)

// The node of a test is n0; others are n1, n2 and so on, with names of their own.
const self = "n0"

// neighbours is a fixture with other nodes: it is their directory and the link to them.
type neighbours struct {
	*fixture
	view atomic.Pointer[directory.View] // set by show
	age  time.Duration
	next *clusterv1.ExchangeResponse // what show makes the view of

	mu      sync.Mutex
	answers map[string]func(context.Context, link.Request) (link.Response, error) // guarded by mu; by node ID
	calls   []string                                                              // guarded by mu: node IDs
	local   func() (executor.Response, error)                                     // guarded by mu; nil answers
	failing error                                                                 // of Linearize
	asked   int                                                                   // guarded by mu: how often Linearize was called
	catches func()                                                                // what Linearize brings
}

func startAmong(t testing.TB, configure ...func(*Config)) *neighbours {
	t.Helper()
	n := &neighbours{fixture: start(t), answers: map[string]func(context.Context, link.Request) (link.Response, error){}}
	n.next = &clusterv1.ExchangeResponse{Unplaced: &clusterv1.UnplacedSet{}}
	n.show()
	config := Config{
		ID: self, Name: "name-" + self, Labels: map[string]string{"zone": "z1", "region": "r1"},
		Catalog: n.fixture.catalog, Placements: n.fixture, Executor: n, Directory: n, Link: wire{n}, Linearize: n.linearize,
		Wait: 5 * time.Second, Waiting: 3, Cores: 2, Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range configure {
		c(&config)
	}
	n.Router = New(config)
	return n
}

func (n *neighbours) View() *directory.View { return n.view.Load() }
func (n *neighbours) Age() time.Duration    { return n.age }

// Call implements Executor.
func (n *neighbours) Call(context.Context, executor.Request) (executor.Response, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.local != nil {
		return n.local()
	}
	return executor.Response{Message: []byte(self)}, nil
}

func (n *neighbours) linearize(context.Context) error {
	n.mu.Lock()
	n.asked++
	n.mu.Unlock()
	if n.catches != nil {
		n.catches()
	}
	return nil
}

// wire is the link of neighbours.
type wire struct{ *neighbours }

// Call implements Link: it answers with the node's ID, or as the test says.
func (l wire) Call(ctx context.Context, node string, r link.Request) (link.Response, error) {
	l.mu.Lock()
	l.calls = append(l.calls, node)
	answer := l.answers[node]
	l.mu.Unlock()
	if r.Hops != 1 {
		l.t.Errorf("a call goes out with %d hops", r.Hops)
	}
	if answer != nil {
		return answer(ctx, r)
	}
	return link.Response{Response: executor.Response{Message: []byte(node)}}, nil
}

// node adds a node to the next view, on which some revisions are ready.
func (n *neighbours) node(id string, ready ...executor.Key) *clusterv1.NodeState {
	s := &clusterv1.NodeState{
		Id: id, Alive: true, Revisions: &clusterv1.RevisionChanges{Whole: true, Sequence: 1},
		Report: &clusterv1.Report{
			Name: "name-" + id, Cores: 1, Labels: map[string]string{"zone": "z9", "region": "r9"},
			Address: &clusterv1.Address{Node: id, Incarnation: 1},
		},
	}
	for _, k := range ready {
		setState(s, k, placement.StateReady, "")
	}
	n.next.Nodes = append(n.next.Nodes, s)
	return s
}

func setState(s *clusterv1.NodeState, k executor.Key, state, reason string) {
	s.Revisions.Changed = append(s.Revisions.Changed, &clusterv1.RevisionState{
		Namespace: k.Namespace, Name: k.Function, Revision: k.Revision, State: state, Reason: reason,
	})
}

// show makes the next view the present one.
func (n *neighbours) show() {
	n.t.Helper()
	view, err := directory.ViewOf(n.next)
	if err != nil {
		n.t.Fatal(err)
	}
	n.view.Store(view)
}

func (n *neighbours) answer(node string, f func(context.Context, link.Request) (link.Response, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[node] = f
}

// fails makes a node fail.
func (n *neighbours) fails(node string, err error) {
	n.answer(node, func(context.Context, link.Request) (link.Response, error) { return link.Response{}, err })
}

// called gives the nodes that were called since the last time.
func (n *neighbours) called() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.calls
	n.calls = nil
	return calls
}

func (n *neighbours) call(k executor.Key, metadata ...string) (Response, error) {
	md := map[string][]string{}
	for i := 0; i < len(metadata); i += 2 {
		md[metadata[i]] = []string{metadata[i+1]}
	}
	return n.Router.Call(n.t.Context(), executor.Request{Key: k, Metadata: md})
}

// is checks the reason of an error.
func is(t testing.TB, err error, reason string, words ...string) {
	t.Helper()
	fault, ok := errors.AsType[*executor.Error](err)
	if !ok || string(fault.Reason) != reason {
		t.Errorf("%v; want %s", err, reason)
		return
	}
	for _, w := range words {
		if !strings.Contains(fault.Message, w) {
			t.Errorf("%q lacks %q", fault.Message, w)
		}
	}
}

var (
	errUnreachable = &link.NotStartedError{Err: errors.New("connection refused")}
	errLost        = &link.LostError{Err: errors.New("connection reset")}
	errFull        = link.NotStarted(&executor.Error{Reason: executor.QueueFull, Message: "full"})
)

func TestCallsRunHereIfTheyCan(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.show()
	n.set("ready", k)
	if r, err := n.call(k); err != nil || r.Node != "name-n0" || string(r.Message) != self {
		t.Errorf("%+v, %v", r, err)
	}
	for _, reason := range []executor.Reason{executor.QueueFull, executor.Closing, executor.NotLoaded} {
		n.local = func() (executor.Response, error) { return executor.Response{}, &executor.Error{Reason: reason} }
		if r, err := n.call(k); err != nil || r.Node != "name-n1" || string(r.Message) != "n1" {
			t.Errorf("%s: %+v, %v", reason, r, err)
		}
	}
	n.called()
	for _, reason := range []executor.Reason{executor.Trap, executor.Deadline, executor.MemoryLimit} {
		n.local = func() (executor.Response, error) { return executor.Response{}, &executor.Error{Reason: reason} }
		r, err := n.call(k)
		is(t, err, string(reason))
		if r.Node != "name-n0" {
			t.Errorf("%s on %q", reason, r.Node)
		}
	}
	n.local = func() (executor.Response, error) {
		return executor.Response{Timings: executor.Timings{Run: time.Second}}, &executor.Error{Reason: executor.Closing, Message: "interrupted"}
	}
	_, err := n.call(k)
	is(t, err, string(executor.Closing), "interrupted")
	if calls := n.called(); len(calls) != 0 {
		t.Errorf("calls that had started went to %v", calls)
	}
	n.next.Nodes = nil
	n.show()
	n.local = func() (executor.Response, error) {
		return executor.Response{}, &executor.Error{Reason: executor.QueueFull, Message: "full"}
	}
	_, err = n.call(k)
	is(t, err, string(executor.QueueFull), "full")
}

func TestWhatSurelyDidNotStartIsTriedElsewhere(t *testing.T) {
	for name, test := range map[string]struct {
		fails      map[string]error
		idempotent string
		reason     string // empty: answered
		tries      int    // at most; at least one
		words      []string
	}{
		"one is unreachable":                {map[string]error{"n1": errUnreachable}, "", "", 2, nil},
		"one is full":                       {map[string]error{"n1": errFull}, "", "", 2, nil},
		"all are full":                      {map[string]error{"n1": errFull, "n2": errFull, "n3": errFull, "n4": errFull}, "", "QUEUE_FULL", 3, []string{"full"}},
		"none is reachable":                 {map[string]error{"n1": errUnreachable, "n2": errUnreachable, "n3": errUnreachable, "n4": errUnreachable}, "", "NODE_UNREACHABLE", 3, []string{"name-n", "default/f@1", "connection refused"}},
		"all are lost":                      {map[string]error{"n1": errLost, "n2": errLost, "n3": errLost, "n4": errLost}, "", "NODE_LOST", 1, []string{"name-n", "default/f@1", "weft-idempotent: true"}},
		"all are lost, and it is no matter": {map[string]error{"n1": errLost, "n2": errLost, "n3": errLost, "n4": errLost}, "true", "NODE_LOST", 3, []string{"name-n", "no other to try"}},
		"one is lost, and it is no matter":  {map[string]error{"n1": errLost}, "true", "", 2, nil},
		"one that says no, not true":        {map[string]error{"n1": errLost, "n2": errLost, "n3": errLost, "n4": errLost}, "yes", "NODE_LOST", 1, nil},
		"traps":                             {map[string]error{"n1": trap, "n2": trap, "n3": trap, "n4": trap}, "true", "TRAP", 1, nil},
	} {
		n := startAmong(t)
		k := n.deploy("f", orders)
		for _, id := range []string{"n1", "n2", "n3", "n4"} {
			n.node(id, k)
		}
		n.show()
		for id, err := range test.fails {
			n.fails(id, err)
		}
		for range 3 { // fewer than make the budget matter, or a node be ejected
			r, err := n.call(k, "weft-idempotent", test.idempotent)
			calls := n.called()
			if len(calls) > test.tries || test.reason != "" && len(calls) != test.tries {
				t.Errorf("%s: tried %v; want %d", name, calls, test.tries)
			}
			if slices.Sort(calls); len(slices.Compact(slices.Clone(calls))) != len(calls) {
				t.Errorf("%s: tried %v", name, calls)
			}
			if test.reason != "" {
				is(t, err, test.reason, test.words...)
			} else if err != nil || "name-"+string(r.Message) != r.Node {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
	}
}

var trap = &executor.Error{Reason: executor.Trap, Message: "unreachable"}

func TestErrorsOfFunctionsComeBackAsTheyAre(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.show()
	n.fails("n1", &executor.FunctionError{Case: "not-found", Message: "no such order"})
	r, err := n.call(k)
	if own, ok := errors.AsType[*executor.FunctionError](err); !ok || own.Case != "not-found" || r.Node != "name-n1" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTriesHaveABudget(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	for i := range 4 {
		n.node(fmt.Sprint("n", i+1), k)
		n.fails(fmt.Sprint("n", i+1), errFull)
	}
	n.show()
	const calls = 200
	for range calls {
		_, err := n.call(k)
		is(t, err, string(executor.QueueFull))
	}
	if got, most := len(n.called()), calls+calls/5+10; got > most || got < most-5 {
		t.Errorf("%d calls made %d tries; want %d", calls, got, most)
	}
}

func TestTheDeadlineEndsTheTries(t *testing.T) {
	n := startAmong(t)
	k := n.deploy("f", orders)
	n.node("n1", k)
	n.node("n2", k)
	n.show()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, id := range []string{"n1", "n2"} {
		n.answer(id, func(got context.Context, r link.Request) (link.Response, error) {
			cancel()
			<-got.Done()
			if r.CallID != "mark" || r.Metadata["traceparent"][0] != "00-1" {
				t.Errorf("the call came as %+v", r)
			}
			return link.Response{}, &link.NotStartedError{Err: got.Err()}
		})
	}
	_, err := n.Router.Call(ctx, executor.Request{Key: k, CallID: "mark", Metadata: map[string][]string{"traceparent": {"00-1"}}})
	if !errors.Is(err, context.Canceled) || len(n.called()) != 1 {
		t.Errorf("%v", err)
	}
}

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
				n.budget.saved.Store(maxSaved)
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
		n.budget.saved.Store(maxSaved)
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

func TestServe(t *testing.T) {
	n := startCluster(t)
	old, elsewhere, here := n.deploy("f", orders), n.deploy("f", orders), n.deploy("here", orders)
	n.place(elsewhere, "n1")
	n.place(here, self)
	n.node("n1", elsewhere, here, old)
	n.show()
	serve := func(k executor.Key, hops int) error {
		_, err := n.Serve(t.Context(), "n1", link.Request{Request: executor.Request{Key: k}, Hops: hops})
		return err
	}
	refused := func(what string, err error, reason executor.Reason, words string) {
		t.Helper()
		refusal, ok := errors.AsType[*link.NotStartedError](err)
		if !ok {
			t.Errorf("%s: %v", what, err)
			return
		}
		is(t, refusal.Err, string(reason), words)
	}
	refused("what is placed elsewhere", serve(elsewhere, 1), executor.NotLoaded, "default/f@2 is not ready on node name-n0: it is not placed there")
	n.fixture.set("broken", here)
	refused("what can't be loaded", serve(here, 1), executor.NotLoaded, "default/here@1 is not ready on node name-n0: broken")
	n.fixture.set("ready", here, old)
	if err := serve(here, 1); err != nil {
		t.Error(err)
	}
	refused("a call that has been around", serve(here, 2), executor.Internal, "2 hops")
	n.fixture.set("loading", old)
	loading := make(chan error, 1)
	go func() { loading <- serve(old, 1) }()
	eventually(t, func() bool {
		n.fixture.mu.Lock()
		defer n.fixture.mu.Unlock()
		return slices.Contains(n.fixture.asked, old)
	})
	n.fixture.set("ready", old)
	if err := <-loading; err != nil {
		t.Errorf("an older revision: %v", err)
	}
	n.local = func() (executor.Response, error) {
		return executor.Response{}, &executor.Error{Reason: executor.QueueFull}
	}
	refused("a full line", serve(here, 1), executor.QueueFull, "")
	if calls := n.called(); len(calls) != 0 {
		t.Errorf("what others sent went on to %v", calls)
	}
}

// nodeID gives an ID as the catalog wants it.
func nodeID(id string) string { return strings.Repeat("0", 19) + id[1:] }

// place places a revision on nodes.
func (f *fixture) place(k executor.Key, ids ...string) {
	f.t.Helper()
	p := &catalogv1.Placement{Namespace: k.Namespace, Name: k.Function, Revision: k.Revision}
	for _, id := range ids {
		p.Nodes = append(p.Nodes, nodeID(id))
	}
	f.apply(&catalogv1.Command{Level: 2, Action: &catalogv1.Command_SetPlacements{
		SetPlacements: &catalogv1.SetPlacements{Placements: []*catalogv1.Placement{p}},
	}})
}
