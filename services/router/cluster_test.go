package router_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weft-run/weft/consensus/catalog"

	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/link"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/peer/peertest"
	"github.com/weft-run/weft/services/placement"
	"github.com/weft-run/weft/services/router"
)

const orders = "demo.orders.v1.Orders"

// cluster is nodes in one process, as they are wired in a real one, but that the catalog, the executors and the leader are
// the test's.
type cluster struct {
	t       *testing.T
	network *peertest.Network
	catalog *catalog.Catalog
	index   uint64
	nodes   map[string]*node

	mu      sync.Mutex
	leader  string        // guarded by mu
	changed chan struct{} // guarded by mu
}

// node is one of them. It is its executor and its placements.
type node struct {
	cluster     *cluster
	id, zone    string
	path        string
	incarnation uint64

	port      *peertest.Port
	peers     *peer.Peers
	directory *directory.Directory
	link      *link.Link
	metrics   *prometheus.Registry // of the link
	router    *router.Router

	mu      sync.Mutex
	ready   map[executor.Key]bool // guarded by mu
	news    []placement.State     // guarded by mu
	changed chan struct{}         // guarded by mu
	hold    chan struct{}         // guarded by mu: calls wait until it is closed; nil if they do not
	running atomic.Int64
}

func start(t *testing.T, ids ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, index: 1, network: peertest.NewNetwork(t), catalog: catalog.New(), nodes: map[string]*node{}, leader: ids[0], changed: make(chan struct{})}
	c.catalog.Apply(c.index, &catalogv1.Command{
		RequestId: "level", Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: 2}},
	})
	for _, id := range ids {
		n := &node{
			cluster: c, id: id, zone: "z", path: filepath.Join(t.TempDir(), "directory"), port: c.network.Port(id),
			ready: map[executor.Key]bool{}, changed: make(chan struct{}),
		}
		c.nodes[id] = n
		n.start()
	}
	return c
}

func (n *node) start() {
	t := n.cluster.t
	t.Helper()
	n.incarnation++
	n.peers = peer.New(peer.Config{Port: n.port})
	var err error
	if n.directory, err = directory.New(directory.Config{
		ID: n.id, Leadership: n.cluster, Peers: n.peers, Placements: n, Path: n.path,
		Logger: slog.New(slog.DiscardHandler), Interval: 100 * time.Millisecond, Grace: time.Second,
		Self: func() *clusterv1.Report {
			return &clusterv1.Report{
				Name: "name-" + n.id, Cores: 1, Labels: map[string]string{"zone": n.zone},
				Address: &clusterv1.Address{Node: n.id, Incarnation: n.incarnation},
			}
		},
	}); err != nil {
		t.Fatal(err)
	}
	n.directory.Register(n.peers)
	n.metrics = prometheus.NewRegistry()
	n.link = link.New(link.Config{
		Port: n.port, Logger: slog.New(slog.DiscardHandler), Registerer: n.metrics,
		Handler: func(ctx context.Context, peer string, r link.Request) (link.Response, error) {
			return n.router.Serve(ctx, peer, r)
		},
	})
	n.router = router.New(router.Config{
		ID: n.id, Name: "name-" + n.id, Labels: map[string]string{"zone": n.zone},
		Catalog: n.cluster.catalog, Placements: n, Executor: n, Directory: n.directory, Link: n.link,
		Logger: slog.New(slog.DiscardHandler),
	})
	n.port.SetDown(false)
	n.peers.Start()
	n.link.Start()
	n.directory.Start()
	stop := n.stop()
	t.Cleanup(func() { stop(t.Context()) })
}

// stop gives what stops the present process of the node.
func (n *node) stop() func(context.Context) {
	d, l, p := n.directory, n.link, n.peers
	return func(ctx context.Context) {
		_ = l.Close(ctx) // its error is that calls were cut off
		d.Close()
		p.Close()
	}
}

// kill ends a node without a word.
func (n *node) kill() {
	n.port.SetDown(true)
	n.port.Cut()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n.stop()(ctx)
}

// connections is how many connections carry calls.
func (n *node) connections(t *testing.T) (count float64) {
	t.Helper()
	families, err := n.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "weft_link_connections" {
			count = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return count
}

// Leader implements directory.Leadership.
func (c *cluster) Leader() (string, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader, c.changed
}

func (c *cluster) lead(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader = id
	close(c.changed)
	c.changed = make(chan struct{})
}

// Call implements router.Executor: it answers with the node's ID.
func (n *node) Call(ctx context.Context, r executor.Request) (executor.Response, error) {
	if !n.Ready(r.Key) {
		return executor.Response{}, &executor.Error{Reason: executor.NotLoaded, Message: "not loaded"}
	}
	n.running.Add(1)
	defer n.running.Add(-1)
	n.mu.Lock()
	hold := n.hold
	n.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return executor.Response{Timings: executor.Timings{Run: 1}}, &executor.Error{Reason: executor.Canceled, Message: "canceled", Err: ctx.Err()}
		}
	}
	return executor.Response{Message: []byte(n.id), Timings: executor.Timings{Run: 1}}, nil
}

// pause lets the calls of the node wait until the channel is closed.
func (n *node) pause() chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold = make(chan struct{})
	return n.hold
}

// Ready implements router.Placements.
func (n *node) Ready(k executor.Key) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ready[k]
}

// Ensure implements router.Placements. Nothing loads by itself here.
func (n *node) Ensure(ctx context.Context, _ executor.Key) error {
	<-ctx.Done()
	return ctx.Err()
}

// Snapshot implements directory.Placements.
func (n *node) Snapshot() []placement.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []placement.State
	for k := range n.ready {
		all = append(all, placement.State{Key: k, State: placement.StateReady})
	}
	return all
}

// News implements directory.Placements.
func (n *node) News() []placement.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	news := n.news
	n.news = nil
	return news
}

// Changed implements directory.Placements.
func (n *node) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func (n *node) set(k executor.Key, ready bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	state := placement.StateReady
	if n.ready[k] = ready; !ready {
		delete(n.ready, k)
		state = placement.StateIdle
	}
	n.news = append(n.news, placement.State{Key: k, State: state})
	close(n.changed)
	n.changed = make(chan struct{})
}

// deploy puts a revision and makes it ready on some nodes, which all nodes know.
func (c *cluster) deploy(ids ...string) executor.Key {
	c.t.Helper()
	c.index++
	name := fmt.Sprint("f", c.index)
	digest := sha256.Sum256([]byte(name))
	result := c.catalog.Apply(c.index, &catalogv1.Command{
		RequestId: name, Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
			Namespace: "default", Name: name, Revision: &catalogv1.Revision{Digest: digest[:], Services: []string{orders}},
		}},
	})
	if refusal := result.GetRefusal(); refusal != nil {
		c.t.Fatal(refusal)
	}
	k := executor.Key{Namespace: "default", Function: name, Revision: 1}
	for _, id := range ids {
		c.nodes[id].set(k, true)
	}
	c.await(fmt.Sprintf("%s on %v", name, ids), func(v *directory.View) bool { return slices.Equal(v.Ready(k), ids) })
	return k
}

// await waits until all nodes that live see something.
func (c *cluster) await(what string, is func(*directory.View) bool) {
	c.t.Helper()
	for id, n := range c.nodes {
		for end := time.Now().Add(30 * time.Second); !is(n.directory.View()); {
			if time.Now().After(end) {
				c.t.Fatalf("node %s does not come to see %s", id, what)
			}
			select {
			case <-n.directory.Changed():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// call makes a call as the gateway does, and gives the ID of the node that ran it.
func (n *node) call(ctx context.Context, k executor.Key, metadata ...string) (string, error) {
	d, err := n.router.Route(ctx, router.Target{Namespace: k.Namespace, Service: orders, Function: k.Function})
	if err != nil {
		return "", err
	}
	md := map[string][]string{}
	for i := 0; i < len(metadata); i += 2 {
		md[metadata[i]] = []string{metadata[i+1]}
	}
	response, err := n.router.Call(ctx, executor.Request{Key: d.Key, Service: orders, Method: "Place", Message: []byte("x"), Metadata: md})
	if err != nil {
		return "", err
	}
	if response.Node != "name-"+string(response.Message) {
		n.cluster.t.Errorf("%s says that %s answered", response.Message, response.Node)
	}
	return string(response.Message), nil
}

// load makes calls from a node until the test says stop, which gives what failed.
func (n *node) load(k executor.Key, workers int, metadata ...string) (stop func() (calls int64, failed []error)) {
	ctx, cancel := context.WithCancel(n.cluster.t.Context())
	var all sync.WaitGroup
	var calls atomic.Int64
	var mu sync.Mutex
	var failed []error
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				calls.Add(1)
				limited, done := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
				if _, err := n.call(limited, k, metadata...); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
				done()
			}
		})
	}
	return func() (int64, []error) {
		cancel()
		all.Wait()
		return calls.Load(), failed
	}
}

func TestAnyNodeAnswers(t *testing.T) {
	c := start(t, "a", "b", "c")
	k := c.deploy("b")
	for id, n := range c.nodes {
		if got, err := n.call(t.Context(), k); err != nil || got != "b" {
			t.Errorf("called at %s: %q, %v", id, got, err)
		}
	}
	c.nodes["a"].set(k, true)
	c.await("a ready", func(v *directory.View) bool { return len(v.Ready(k)) == 2 })
	if got, err := c.nodes["a"].call(t.Context(), k); err != nil || got != "a" {
		t.Errorf("local first: %q, %v", got, err)
	}
}

// TestANodeIsKilledUnderLoad: calls that were on the node when it died fail, and say so; no others.
func TestANodeIsKilledUnderLoad(t *testing.T) {
	c := start(t, "a", "b", "c")
	k := c.deploy("b", "c")
	b, other := c.nodes["b"], c.nodes["c"]
	release, never := other.pause(), b.pause() // calls that b has when it dies do not end
	defer close(never)
	// So few that the budget has a further try for each of them, should they all fail at once.
	const workers = 4
	plain, idempotent := c.nodes["a"].load(k, workers), c.nodes["a"].load(k, workers, "weft-idempotent", "true")
	eventually(t, "calls on both", func() bool { return b.running.Load()+other.running.Load() == 2*workers })
	close(release)
	b.kill()
	delete(c.nodes, "b")
	c.await("b lost", func(v *directory.View) bool { return !v.Node("b").Alive })
	calls, failed := plain()
	for _, err := range failed {
		if fault, ok := errors.AsType[*executor.Error](err); !ok || string(fault.Reason) != string(failure.NodeLost) || !strings.Contains(fault.Message, "name-b") {
			t.Errorf("a call fails: %v", err)
		}
	}
	if len(failed) > workers {
		t.Errorf("%d of %d calls failed; the node can't have had more than one of each of %d", len(failed), calls, workers)
	}
	if calls, failed := idempotent(); len(failed) > 0 {
		t.Errorf("%d of %d idempotent calls failed: %v", len(failed), calls, failed[0])
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("there are never " + what)
		}
	}
}

// TestANodeStopsUnderLoad: one that says so before loses no call.
func TestANodeStopsUnderLoad(t *testing.T) {
	c := start(t, "a", "b", "c")
	k := c.deploy("b", "c")
	stop := c.nodes["a"].load(k, 16)
	own := c.nodes["c"].load(k, 4)
	b := c.nodes["b"]
	b.directory.Stopping()
	c.await("b stopping", func(v *directory.View) bool { return v.Node("b").Stopping })
	b.stop()(t.Context())
	b.port.SetDown(true)
	delete(c.nodes, "b")
	c.await("b lost", func(v *directory.View) bool { return !v.Node("b").Alive })
	for _, stop := range []func() (int64, []error){stop, own} {
		if calls, failed := stop(); len(failed) > 0 || calls == 0 {
			t.Errorf("%d of %d calls failed: %v", len(failed), calls, failed[:min(len(failed), 3)])
		}
	}
}

// TestPlacementsMoveUnderLoad: a revision leaves one node when it is ready on another.
func TestPlacementsMoveUnderLoad(t *testing.T) {
	c := start(t, "a", "b", "c")
	k := c.deploy("b")
	stop := c.nodes["a"].load(k, 8)
	own := c.nodes["b"].load(k, 4)
	for i := range 6 {
		from, to := "b", "c"
		if i%2 == 1 {
			from, to = to, from
		}
		c.nodes[to].set(k, true)
		c.await("it on both", func(v *directory.View) bool { return len(v.Ready(k)) == 2 })
		c.nodes[from].set(k, false)
		c.await("it on one", func(v *directory.View) bool { return slices.Equal(v.Ready(k), []string{to}) })
	}
	for _, stop := range []func() (int64, []error){stop, own} {
		if calls, failed := stop(); len(failed) > 0 || calls == 0 {
			t.Errorf("%d of %d calls failed: %v", len(failed), calls, failed[:min(len(failed), 3)])
		}
	}
}

// TestSchedulersAreGone: without any leader calls go on, on a node that starts again too, and to one that was lost and is back.
func TestSchedulersAreGone(t *testing.T) {
	c := start(t, "a", "b", "c")
	k := c.deploy("c")
	c.lead("")
	c.nodes["a"].kill() // it led
	delete(c.nodes, "a")
	b := c.nodes["b"]
	if got, err := b.call(t.Context(), k); err != nil || got != "c" {
		t.Fatalf("%q, %v", got, err)
	}
	b.kill()
	b.start()
	if got, err := b.call(t.Context(), k); err != nil || got != "c" {
		t.Fatalf("after a restart: %q, %v", got, err)
	}
	c.nodes["c"].kill()
	eventually(t, "b to see it", func() bool { return b.connections(t) == 0 }) // what it had sent before may have run
	_, err := b.call(t.Context(), k)
	if fault, ok := errors.AsType[*executor.Error](err); !ok || string(fault.Reason) != string(failure.NodeUnreachable) {
		t.Errorf("c is gone: %v", err)
	}
	c.nodes["c"].start()
	eventually(t, "calls on c again", func() bool {
		got, err := b.call(t.Context(), k)
		return err == nil && got == "c"
	})
}

func TestCancellationReachesTheNode(t *testing.T) {
	c := start(t, "a", "b")
	k := c.deploy("b")
	b := c.nodes["b"]
	defer close(b.pause())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.nodes["a"].call(ctx, k)
		done <- err
	}()
	eventually(t, "calls on b", func() bool { return b.running.Load() == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	eventually(t, "ends of the call on b", func() bool { return b.running.Load() == 0 })
}

// TestAStaleDirectoryDoesNoHarm calls where the revision was a moment ago.
func TestAStaleDirectoryDoesNoHarm(t *testing.T) {
	c := start(t, "a", "b", "c")
	k := c.deploy("b", "c")
	c.lead("") // nobody hears of anything any more
	c.nodes["b"].set(k, false)
	seen := map[string]int{}
	for range 40 {
		got, err := c.nodes["a"].call(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		seen[got]++
	}
	if want := map[string]int{"c": 40}; !maps.Equal(seen, want) {
		t.Errorf("answered by %v", seen)
	}
}
