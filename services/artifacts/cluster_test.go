package artifacts

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/peer/peertest"
)

// nodes are some nodes that reach each other. The first is the one under test.
type nodes struct {
	t       *testing.T
	network *peertest.Network
	all     []*testNode
}

// testNode is one node.
type testNode struct {
	id    string
	store *Store
	port  *peertest.Port
	peers *peer.Peers
	code  *codeCache
	fake  *fake
}

// newNodes starts nodes, called a, b, c and so on.
func newNodes(t *testing.T, n int) *nodes {
	t.Helper()
	ns := &nodes{t: t, network: peertest.NewNetwork(t)}
	for i := range n {
		id := string(rune('a' + i))
		node := &testNode{id: id, store: open(t), port: ns.network.Port(id), code: newCodeCache(t)}
		node.fake = &fake{Server: NewServer(node.store, node.code)}
		node.peers = peer.New(peer.Config{Port: node.port, Logger: slog.New(slog.DiscardHandler)})
		clusterv1.RegisterArtifactServiceServer(node.peers, node.fake)
		node.peers.Start()
		t.Cleanup(node.peers.Close)
		ns.all = append(ns.all, node)
	}
	return ns
}

func (ns *nodes) first() *testNode { return ns.all[0] }

func (ns *nodes) others() []string {
	var all []string
	for _, n := range ns.all[1:] {
		all = append(all, n.id)
	}
	return all
}

// Schedulers implements Cluster: all nodes are.
func (ns *nodes) Schedulers() []string { return append([]string{ns.first().id}, ns.others()...) }

// Holders implements Cluster: in order, so that tests know who is asked first.
func (ns *nodes) Holders(Digest) []string { return ns.others() }

// Engines implements Cluster.
func (ns *nodes) Engines(Digest) []string { return ns.others() }

// Name implements Cluster.
func (ns *nodes) Name(node string) string { return "node-" + node }

// config is that of the first node.
func (ns *nodes) config() Config {
	return Config{
		Node: ns.first().id, Store: ns.first().store, Peers: ns.first().peers, Cluster: ns,
		Logger: slog.New(slog.DiscardHandler), Patience: 300 * time.Millisecond,
	}
}

// client asks a node as another one does.
func (ns *nodes) client(from, to *testNode) clusterv1.ArtifactServiceClient {
	ns.t.Helper()
	conn, err := from.peers.Conn(to.id)
	if err != nil {
		ns.t.Fatal(err)
	}
	return clusterv1.NewArtifactServiceClient(conn)
}

// has tells whether a node has an artifact, whole.
func (n *testNode) has(d Digest) bool {
	_, err := n.store.Path(d)
	return err == nil
}

// fake is a server that a test may put itself in front of.
type fake struct {
	*Server

	mu    sync.Mutex
	fetch func(*clusterv1.FetchRequest, grpc.ServerStreamingServer[clusterv1.FetchResponse]) error // guarded by mu
	code  func(*clusterv1.FetchCodeRequest, grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error
	asked []uint64 // guarded by mu: the offsets of all Fetches
	sent  int64    // guarded by mu: bytes that Store was given
}

func (f *fake) set(fetch func(*clusterv1.FetchRequest, grpc.ServerStreamingServer[clusterv1.FetchResponse]) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetch = fetch
}

func (f *fake) offsets() []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fake) received() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

func (f *fake) Fetch(r *clusterv1.FetchRequest, out grpc.ServerStreamingServer[clusterv1.FetchResponse]) error {
	f.mu.Lock()
	f.asked = append(f.asked, r.GetOffset())
	instead := f.fetch
	f.mu.Unlock()
	if instead != nil {
		return instead(r, out)
	}
	return f.Server.Fetch(r, out)
}

func (f *fake) FetchCode(r *clusterv1.FetchCodeRequest, out grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error {
	f.mu.Lock()
	instead := f.code
	f.mu.Unlock()
	if instead != nil {
		return instead(r, out)
	}
	return f.Server.FetchCode(r, out)
}

func (f *fake) Store(in grpc.ClientStreamingServer[clusterv1.StoreRequest, clusterv1.StoreResponse]) error {
	return f.Server.Store(&countedStream{in, f})
}

type countedStream struct {
	grpc.ClientStreamingServer[clusterv1.StoreRequest, clusterv1.StoreResponse]
	fake *fake
}

func (c *countedStream) Recv() (*clusterv1.StoreRequest, error) {
	m, err := c.ClientStreamingServer.Recv()
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	c.fake.sent += int64(len(m.GetChunk()))
	return m, err
}

// codeCache is an executor's cache that compiles nothing.
type codeCache struct {
	dir string

	mu     sync.Mutex
	engine string
	sums   map[Digest][32]byte // guarded by mu; what each announces of its code
	took   int                 // guarded by mu
}

func newCodeCache(t *testing.T) *codeCache {
	t.Helper()
	return &codeCache{dir: t.TempDir(), engine: "engine-1", sums: map[Digest][32]byte{}}
}

func (c *codeCache) path(d Digest) string { return c.dir + "/" + digestText(d) }

func (c *codeCache) Fingerprint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engine
}

func (c *codeCache) Code(d [32]byte) (path string, size int64, sum [32]byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.path(d))
	if err != nil {
		return "", 0, sum, false
	}
	return c.path(d), info.Size(), c.sums[d], true
}

func (c *codeCache) has(d Digest) bool {
	_, err := os.Stat(c.path(d))
	return err == nil
}

func (c *codeCache) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("it never came to: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// store puts an artifact into a node's store and lets go of it.
func (n *testNode) put(t *testing.T, data []byte) Digest {
	t.Helper()
	d := put(t, n.store, data)
	n.store.Release(d, true)
	return d
}

// damage overwrites the file of an artifact.
func (n *testNode) damage(t *testing.T, d Digest, data []byte) {
	t.Helper()
	if err := os.WriteFile(n.store.path(d), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, n *testNode, d Digest, data []byte) {
	t.Helper()
	path, err := n.store.Path(d)
	if err != nil {
		t.Fatalf("node %s: %v", n.id, err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("node %s has something else: %v", n.id, err)
	}
}

// parts are the digests of which a node has a part.
func (n *testNode) parts() map[Digest]int64 {
	all := map[Digest]int64{}
	entries, _ := os.ReadDir(n.store.dir + "/" + tmpDir)
	for _, e := range entries {
		if d, ok := partDigest(e.Name()); ok {
			all[d] = n.store.partial(d)
		}
	}
	return maps.Clone(all)
}

var errTest = errors.New("test")
