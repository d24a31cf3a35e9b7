package router

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
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
		Catalog: n.catalog, Placements: n.fixture, Executor: n, Directory: n, Link: wire{n}, Linearize: n.linearize,
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
