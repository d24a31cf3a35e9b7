package membership

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/internal/testlog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/replication"
)

// member is a node with this package's service, over a real cluster port.
type member struct {
	*consensus.Node
	service *Service
	peers   *peer.Peers
	dir     string
	close   func()

	mu    sync.Mutex
	known map[string]*directory.Node // guarded by mu
}

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return testlog.New(t, slog.LevelDebug)
}

// options change how a member starts.
type options struct {
	dir      string
	name     string
	life     time.Duration
	executor bool // no scheduler
	token    string
	join     string
	config   func(*Config)
}

// start starts a member, which is closed when the test ends. With a token it joins.
func start(t *testing.T, o options) *member {
	t.Helper()
	m, err := try(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func try(t *testing.T, o options) (*member, error) {
	t.Helper()
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	m := &member{dir: o.dir, known: map[string]*directory.Node{}}
	c := consensus.Config{Dir: o.dir, Name: o.name, Follower: o.executor, Executor: true, Logger: testLog(t), CertificateLife: o.life}
	if o.token != "" {
		token, err := ParseToken(o.token)
		if err != nil {
			return nil, err
		}
		c.Authority = &token.Authority
		c.Join = func(ctx context.Context, a consensus.Application) (*consensus.Admission, error) {
			return Join(ctx, Request{
				Address: o.join, Token: token, Name: o.name, Scheduler: !o.executor, Executor: true, Version: "v1.2.3",
				Logger: testLog(t), Patience: 20 * time.Second,
			}, a)
		}
	}
	var err error
	if m.Node, err = consensus.Open(c); err != nil {
		return nil, err
	}
	m.peers = peer.New(peer.Config{Port: m.Node, Logger: testLog(t)})
	config := Config{
		Node: m.Node, Peers: m.peers, Known: m.lookup, Join: o.join, Logger: testLog(t),
		doubt: 300 * time.Millisecond, retry: backoff{first: 20 * time.Millisecond, last: 200 * time.Millisecond},
	}
	if o.config != nil {
		o.config(&config)
	}
	m.service = New(config)
	m.service.Register(m.peers)
	replication.NewServer(m.Node).Register(m.peers)
	m.peers.Start()
	m.service.Start()
	m.SetPeers(replication.New(m.peers))
	m.close = sync.OnceFunc(func() {
		m.service.Close()
		m.peers.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := m.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(m.close)
	return m, nil
}

// lookup is what a directory would know.
func (m *member) lookup(id string) *directory.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[id]
}

func (m *member) know(nodes ...*directory.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range nodes {
		m.known[n.ID] = n
	}
}

// token makes a join token.
func (m *member) token(t *testing.T, life time.Duration) string {
	t.Helper()
	m.ready(t)
	r, err := m.service.CreateToken(t.Context(), tokenRequest(life))
	if err != nil {
		t.Fatal(err)
	}
	return r.GetToken()
}

// ready waits until a founder takes nodes in.
func (m *member) ready(t *testing.T) {
	t.Helper()
	eventually(t, "level 2", func() bool { return m.Catalog().View().Level() >= nodeLevel && m.Catalog().View().Node(m.ID()) != nil })
}

func (m *member) row(id string) *catalogv1.Node { return m.Catalog().View().Node(id) }

func (m *member) addr() string { return m.Addr().String() }

func (m *member) at(id string) string {
	for _, a := range m.Addresses() {
		if a.Node == id {
			return a.Cluster
		}
	}
	return ""
}

// eventually waits for something that no channel tells.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func tokenRequest(life time.Duration) *weftv1.CreateTokenRequest {
	return &weftv1.CreateTokenRequest{Life: duration(life)}
}
