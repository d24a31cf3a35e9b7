package membership

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/failure"
)

// put applies a command to a member's catalog.
func (m *member) put(t *testing.T, command *catalogv1.Command) {
	t.Helper()
	if err := m.service.apply(t.Context(), "", command); err != nil {
		t.Fatal(err)
	}
}

// id is the ID of a node of a test that does not run.
func id(n int) string { return fmt.Sprintf("%020x", n) }

func (m *member) putNode(t *testing.T, n *catalogv1.Node) {
	t.Helper()
	m.put(t, &catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: n}}})
}

func (m *member) deploy(t *testing.T, name string, require map[string]string, nodes ...string) {
	t.Helper()
	m.put(t, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: make([]byte, 32), Scheduling: &catalogv1.Scheduling{Replicas: 1, Require: require}},
	}}})
	m.place(t, name, nodes...)
}

func (m *member) place(t *testing.T, name string, nodes ...string) {
	t.Helper()
	m.put(t, &catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{
		Placements: []*catalogv1.Placement{{Namespace: "default", Name: name, Revision: 1, Nodes: nodes}},
	}}})
}

// TestList has nodes in every state.
func TestList(t *testing.T) {
	first := start(t, options{name: "one"})
	first.ready(t)
	now := time.Now()
	leader := &directory.Node{ID: first.ID(), Alive: true, Raft: "leader", Version: "v2", Engine: "e", Level: 2, Hash: []byte{1}, Applied: 9, Heard: now}
	alive := func(n int, change func(*directory.Node)) *directory.Node {
		k := *leader
		k.ID, k.Raft, k.Hash = id(n), "", nil
		k.Address = consensus.Address{Cluster: "10.0.0.1:1", GRPC: "10.0.0.1:2"}
		change(&k)
		return &k
	}
	first.know(leader,
		alive(1, func(*directory.Node) {}),
		alive(2, func(n *directory.Node) { n.Alive, n.Raft = false, "voter" }),
		alive(3, func(n *directory.Node) { n.Version, n.Engine, n.Level = "v1", "f", 3 }),
		alive(4, func(n *directory.Node) { n.ClockOffset = time.Hour + 3*time.Microsecond }),
		alive(5, func(n *directory.Node) { n.ClockOffset, n.Diverged = -time.Hour, true }),
		alive(6, func(n *directory.Node) { n.Fault, n.ClockOffset = "its disk takes no writes", 400*time.Millisecond }),
	)
	for i := range 9 {
		first.putNode(t, &catalogv1.Node{Id: id(i + 1), Name: fmt.Sprint("x", i+1), Scheduler: i == 1, Executor: true, Labels: map[string]string{"zone": "a"}})
	}
	first.deploy(t, "f", nil, id(4), id(7))
	for _, n := range []int{7, 6} {
		first.put(t, &catalogv1.Command{Action: &catalogv1.Command_SetDrain{SetDrain: &catalogv1.SetDrain{Node: id(n), Draining: true}}})
	}
	first.know(alive(7, func(*directory.Node) {}))
	list := first.service.List(first.Catalog().View())
	if list.GetLeader() != "one" || list.GetLevel() != catalog.Level {
		t.Errorf("leader %q, level %d", list.GetLeader(), list.GetLevel())
	}
	want := map[string]struct {
		state    string
		placed   uint32
		warnings []string
	}{
		"one": {"alive", 0, nil},
		"x1":  {"alive", 0, nil},
		"x2":  {"lost", 0, nil},
		"x3": {"alive", 0, []string{
			"it runs weft v1, the leader v2", "it knows format level 3, the leader 2: the cluster stays at the lower one",
			"its engine is f, the leader's e: it can't take code that others have compiled",
		}},
		"x4": {"alive", 1, []string{"its clock is 1h0m0s ahead of the leader's"}},
		"x5": {"alive", 0, []string{
			"its catalog at index 9 is not the leader's: stop it, remove it, and let it join again with an empty data directory",
			"its clock is 1h0m0s behind the leader's",
		}},
		"x6": {"drained", 0, []string{"its disk takes no writes"}},
		"x7": {"draining", 1, nil},
		"x8": {"joining", 0, nil}, // nobody has heard of it
		"x9": {"joining", 0, nil},
	}
	for _, n := range list.GetNodes() {
		w := want[n.GetName()]
		if n.GetState() != w.state || n.GetPlaced() != w.placed || !reflect.DeepEqual(n.GetWarnings(), w.warnings) {
			t.Errorf("%s: %s, %d placed, %q, want %+v", n.GetName(), n.GetState(), n.GetPlaced(), n.GetWarnings(), w)
		}
		delete(want, n.GetName())
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	x3 := list.GetNodes()[3]
	if x3.GetGrpcAddress() != "10.0.0.1:2" || x3.GetLabels()["zone"] != "a" || !reflect.DeepEqual(x3.GetRoles(), []string{"executor"}) || x3.GetAppliedIndex() != 9 {
		t.Errorf("x3 is %v", x3)
	}
}

// TestListBeforeTheFirstEntry asks a node that is not in the catalog yet.
func TestListBeforeTheFirstEntry(t *testing.T) {
	first := start(t, options{name: "one"})
	first.know(&directory.Node{ID: first.ID(), Alive: true, Scheduler: true, Executor: true})
	list := first.service.List(catalog.New().View())
	if n := list.GetNodes(); len(n) != 1 || n[0].GetName() != "one" || n[0].GetState() != "joining" || len(n[0].GetRoles()) != 2 {
		t.Errorf("nodes %v", n)
	}
}

// TestSchedulerJoins: it is of no help before raft has it.
func TestSchedulerJoins(t *testing.T) {
	row := &catalogv1.Node{Scheduler: true}
	for raft, want := range map[string]string{"": "joining", "standby": "alive", "voter": "alive", "leader": "alive"} {
		if got := state(row, &directory.Node{Alive: true}, &weftv1.Node{Raft: raft}, false); got != want {
			t.Errorf("raft %q: %s, want %s", raft, got, want)
		}
	}
}

func TestDrain(t *testing.T) {
	first := start(t, options{name: "one"})
	first.ready(t)
	first.putNode(t, &catalogv1.Node{Id: id(1), Name: "a", Executor: true, Labels: map[string]string{"region": "eu"}})
	first.putNode(t, &catalogv1.Node{Id: id(2), Name: "b", Executor: true})
	first.deploy(t, "anywhere", nil, id(1))
	first.deploy(t, "europe", map[string]string{"region": "eu"}, id(1))
	drain := func(r *weftv1.DrainRequest) *weftv1.DrainResponse {
		t.Helper()
		response, err := first.service.Drain(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	r := drain(&weftv1.DrainRequest{Node: "a"})
	if r.GetLeft() != 2 || len(r.GetWarnings()) != 1 || !strings.HasSuffix(r.GetWarnings()[0], "require: default/europe") {
		t.Errorf("drain without a wait: %v", r)
	}
	if !first.row(id(1)).GetDraining() {
		t.Error("it does not drain")
	}
	if r := drain(&weftv1.DrainRequest{Node: "a", Wait: duration(50 * time.Millisecond)}); r.GetLeft() != 2 {
		t.Errorf("drain with a short wait: %v", r)
	}
	done := make(chan *weftv1.DrainResponse, 1)
	go func() {
		response, err := first.service.Drain(t.Context(), &weftv1.DrainRequest{Node: id(1), Wait: duration(time.Minute)})
		if err != nil {
			t.Error(err)
		}
		done <- response
	}()
	first.place(t, "anywhere", id(2))
	first.place(t, "europe")
	if r := <-done; r.GetLeft() != 0 {
		t.Errorf("drain with a wait: %v", r)
	}
	drain(&weftv1.DrainRequest{Node: first.ID()})
	if r := drain(&weftv1.DrainRequest{Node: "b"}); len(r.GetWarnings()) != 1 || !strings.Contains(r.GetWarnings()[0], "no executor is left that takes what ran on b") {
		t.Errorf("drain of the last executor: %v", r)
	}
	drain(&weftv1.DrainRequest{Node: "a", Undo: true})
	if first.row(id(1)).GetDraining() {
		t.Error("it still drains")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := first.service.Drain(t.Context(), &weftv1.DrainRequest{Node: "ones"}); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), "no node ones in the cluster; did you mean one?") {
		t.Errorf("a typing error: %v", err)
	}
	if _, err := first.service.Drain(t.Context(), &weftv1.DrainRequest{}); failure.ReasonOf(err) != failure.InvalidRequest {
		t.Errorf("no name: %v", err)
	}
	if _, err := first.service.Drain(t.Context(), &weftv1.DrainRequest{Node: "a", Wait: duration(-time.Second)}); failure.ReasonOf(err) != failure.InvalidRequest {
		t.Errorf("a negative wait: %v", err)
	}
	if _, err := first.service.Drain(ctx, &weftv1.DrainRequest{Node: "a"}); err == nil {
		t.Error("a request that was given up is answered")
	}
}

// TestDrainOfTooFew: what is to run on more nodes than are left stays, and the answer says why.
func TestDrainOfTooFew(t *testing.T) {
	first := start(t, options{name: "one"})
	first.ready(t)
	first.putNode(t, &catalogv1.Node{Id: id(1), Name: "a", Executor: true})
	first.putNode(t, &catalogv1.Node{Id: id(2), Name: "b", Executor: true})
	for name, where := range map[string]*catalogv1.Scheduling{"two": {Replicas: 2}, "three": {Replicas: 3}, "four": {Replicas: 4}, "all": {All: true}} {
		first.put(t, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
			Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: make([]byte, 32), Scheduling: where},
		}}})
		if name != "four" {
			first.place(t, name, id(1), id(2))
		}
	}
	got := stranded(first.Catalog().View(), first.row(id(1)), first.lookup)
	if len(got) != 1 || !strings.Contains(got[0], "so they stay on a until") || !strings.HasSuffix(got[0], "--replicas: default/three (3 replicas, 2 left)") {
		t.Errorf("warnings %q", got)
	}
}

func TestStrandedNamesFew(t *testing.T) {
	first := start(t, options{name: "one"})
	first.ready(t)
	first.putNode(t, &catalogv1.Node{Id: id(1), Name: "a", Executor: true, Labels: map[string]string{"gpu": "1"}})
	for i := range 9 {
		first.deploy(t, fmt.Sprint("f", i), map[string]string{"gpu": "1"}, id(1))
	}
	got := stranded(first.Catalog().View(), first.row(id(1)), first.lookup)
	if len(got) != 1 || !strings.HasSuffix(got[0], "default/f0, default/f1, default/f2, default/f3, default/f4 and 4 more") {
		t.Errorf("warnings %q", got)
	}
	// A node that is lost takes nothing.
	first.know(&directory.Node{ID: first.ID(), Alive: false})
	if got := stranded(first.Catalog().View(), first.row(id(1)), first.lookup); len(got) != 1 || !strings.Contains(got[0], "no executor is left") {
		t.Errorf("warnings %q", got)
	}
}

func TestRemove(t *testing.T) {
	first := start(t, options{name: "one"})
	first.ready(t)
	remove := func(node string) error {
		_, err := first.service.Remove(t.Context(), &weftv1.RemoveRequest{Node: node})
		return err
	}
	if err := remove("one"); failure.ReasonOf(err) != lastScheduler || !strings.Contains(err.Error(), "let another one join first") {
		t.Errorf("the last scheduler: %v", err)
	}
	first.putNode(t, &catalogv1.Node{Id: id(1), Name: "a", Executor: true})
	first.putNode(t, &catalogv1.Node{Id: id(2), Name: "b", Executor: true})
	if err := remove("a"); err != nil {
		t.Error(err)
	}
	if err := remove("a"); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), "no node a in the cluster") {
		t.Errorf("removed twice: %v", err)
	}
	if err := remove(id(1)); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("removed twice, by ID: %v", err)
	}
	if err := remove(id(2)); err != nil {
		t.Error(err)
	}
	// A scheduler that has joined and never came up is no reason to lose the only voter.
	first.putNode(t, &catalogv1.Node{Id: id(3), Name: "c", Scheduler: true})
	if err := remove("one"); failure.ReasonOf(err) != quorum || !strings.Contains(err.Error(), "one") {
		t.Errorf("the only voter: %v", err)
	}
}
