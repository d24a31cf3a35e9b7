package scheduler

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
)

// world stands in for consensus and the directory of a node that leads.
type world struct {
	catalog *catalog.Catalog

	mu       sync.Mutex
	index    uint64
	commands []*catalogv1.Command // SetPlacements that were proposed
	fail     error                // what proposals give
	term     uint64
	led      chan struct{} // closed when term changes
	nodes    map[string]*clusterv1.NodeState
	news     chan struct{} // closed when nodes change
	unplaced []directory.Unplaced
	said     int
}

// emptyWorld has an empty catalog.
func emptyWorld() *world {
	return &world{
		catalog: catalog.New(), led: make(chan struct{}), news: make(chan struct{}), nodes: map[string]*clusterv1.NodeState{}, term: 1,
	}
}

// newWorld has one at the level of placements.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := emptyWorld()
	w.do(t, &catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}})
	return w
}

// do applies a command, which must succeed.
func (w *world) do(t *testing.T, cmd *catalogv1.Command) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.index++
	cmd.RequestId = fmt.Sprintf("test-%d", w.index)
	if cmd.GetRaiseLevel() == nil {
		cmd.Level = level
	}
	if result := w.catalog.Apply(w.index, cmd); result.GetRefusal() != nil {
		t.Fatal(result)
	}
}

// member adds an executor to the catalog.
func (w *world) member(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		w.do(t, &catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
			Node: &catalogv1.Node{Id: nodeID(id), Name: id, Executor: true, Scheduler: true},
		}}})
	}
}

func nodeID(name string) string { return fmt.Sprintf("%020x", name) }

func (w *world) deploy(t *testing.T, name string, s *catalogv1.Scheduling) {
	t.Helper()
	digest := sha256.Sum256([]byte(name))
	w.do(t, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: digest[:], SizeBytes: 1 << 20, Scheduling: s},
	}}})
}

// hear tells the directory how nodes are: alive, with the revisions "f/1=ready". A node that starts with - is silent.
func (w *world) hear(t *testing.T, nodes map[string]string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, revisions := range nodes {
		name := strings.TrimPrefix(id, "-")
		changes := &clusterv1.RevisionChanges{Whole: true, Sequence: 1}
		for text := range strings.FieldsSeq(revisions) {
			r := &clusterv1.RevisionState{Namespace: "default"}
			key, state, _ := strings.Cut(text, "=")
			r.Name, _, _ = strings.Cut(key, "/")
			if _, err := fmt.Sscanf(key, r.GetName()+"/%d", &r.Revision); err != nil {
				t.Fatal(err)
			}
			r.State, r.CodeBytes = state, 2<<20
			changes.Changed = append(changes.Changed, r)
		}
		w.nodes[name] = &clusterv1.NodeState{
			Id: nodeID(name), Alive: name == id, Revisions: changes,
			Report: &clusterv1.Report{Name: name, Engine: "e", MemoryBytes: 1 << 30, CodeBytes: 1 << 30},
		}
	}
	close(w.news)
	w.news = make(chan struct{})
}

func (w *world) lead(term uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.term = term
	close(w.led)
	w.led = make(chan struct{})
}

func (w *world) failWith(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

// Leads implements Consensus.
func (w *world) Leads() (uint64, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.term, w.led
}

// Catalog implements Consensus.
func (w *world) Catalog() *catalog.Catalog { return w.catalog }

// Apply implements Consensus.
func (w *world) Apply(_ context.Context, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commands = append(w.commands, cmd)
	if w.fail != nil {
		return nil, w.fail
	}
	w.index++
	return w.catalog.Apply(w.index, cmd), nil
}

// Changed implements Directory.
func (w *world) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news
}

// View implements Directory.
func (w *world) View() *directory.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, err := directory.ViewOf(&clusterv1.ExchangeResponse{Nodes: slices.Collect(maps.Values(w.nodes))})
	if err != nil {
		panic(err)
	}
	return v
}

// SetUnplaced implements Directory.
func (w *world) SetUnplaced(all []directory.Unplaced) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unplaced = all
	w.said++
}

// proposals counts the commands that were proposed.
func (w *world) proposals() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.commands)
}

// why joins the reasons that the directory was told.
func (w *world) why() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, u := range w.unplaced {
		all = append(all, u.Reason)
	}
	return strings.Join(all, "; ")
}

// placed writes down where a function is: "1: a b, 2: c".
func (w *world) placed(name string) string {
	view := w.catalog.View()
	var parts []string
	for number, ids := range view.Placements("default", name) {
		var names []string
		for _, id := range ids {
			names = append(names, view.Node(id).GetName())
		}
		slices.Sort(names)
		parts = append(parts, fmt.Sprintf("%d: %s", number, strings.Join(names, " ")))
	}
	return strings.Join(parts, ", ")
}
