package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

// peer is a second member, put together from the parts of a node: its own port, certificate and state machine.
type peer struct {
	id      raft.ServerID
	raft    *raft.Raft
	catalog *catalog.Catalog
	address raft.ServerAddress
}

// join starts a peer with a certificate of the node's authority and makes it a voter.
func join(t *testing.T, n *Node, id string) *peer {
	t.Helper()
	own := n.port.keys
	k := &keys{dir: t.TempDir(), identity: identity{Cluster: n.identity.Cluster, ID: id}, now: time.Now,
		authority: own.authority, authorityKey: own.authorityKey, pool: own.pool}
	if err := k.renew(); err != nil {
		t.Fatal(err)
	}
	port, err := listen("127.0.0.1:0", k, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{id: raft.ServerID(id), catalog: catalog.New(), address: raft.ServerAddress(port.listener.Addr().String())}
	local, err := openCopy(filepath.Join(t.TempDir(), "catalog"), p.catalog, testLog(t), time.Millisecond, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = p.id, newRaftLogger(testLog(t), id)
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: newStream(port, string(p.address)), MaxPool: connectionPool, Timeout: rpcTimeout, Logger: newRaftLogger(testLog(t), id).calm(id),
	})
	store := raft.NewInmemStore()
	state := &fsm{catalog: p.catalog, copy: local, applied: new(mark), halt: func(err error) { t.Error(err) }}
	if p.raft, err = raft.NewRaft(config, state, store, store, raft.NewInmemSnapshotStore(), transport); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.raft.Shutdown().Error(), port.close(), local.close()); err != nil {
			t.Error(err)
		}
	})
	if err := n.session.raft.AddVoter(p.id, p.address, 0, 10*time.Second).Error(); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPeers replicates to a second voter over the cluster port, snapshot included, loses it, and gets it back out.
func TestPeers(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir(), patience: 1500 * time.Millisecond})
	for i := range 20 {
		apply(t, n, deploy(fmt.Sprint("before-", i), fmt.Sprint("f", i)))
	}
	if err := n.session.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	second := join(t, n, "second")
	for i := range 20 {
		apply(t, n, deploy(fmt.Sprint("after-", i), fmt.Sprint("f", i)))
	}
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := n.Status()
	eventually(t, "the second has the catalog", func() bool {
		view := second.catalog.View()
		return view.Index() == want.Applied && bytes.Equal(view.Hash(), want.Hash)
	})

	// It leads: this node knows, says so, and does not write.
	if err := n.session.raft.LeadershipTransferToServer(second.id, second.address).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second leads", func() bool { return n.Leader() == "second" && !n.Status().Leads })
	if _, err := n.Apply(t.Context(), deploy("there", "there")); !errors.Is(err, ErrNoLeader) {
		t.Fatalf("apply on a follower: %v", err)
	}
	if err := n.Linearize(t.Context()); !errors.Is(err, ErrNoLeader) {
		t.Fatalf("linearize on a follower: %v", err)
	}
	if err := second.raft.LeadershipTransfer().Error(); err != nil {
		t.Fatal(err)
	}
	apply(t, n, deploy("back", "back"))

	// It is gone: without a majority nothing is written, and what is known is served.
	if err := second.raft.Shutdown().Error(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Apply(t.Context(), deploy("lost", "lost")); !errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("apply that loses the majority: %v", err)
	}
	if _, err := n.Apply(t.Context(), deploy("none", "none")); !errors.Is(err, ErrNoLeader) || errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("apply without a majority: %v", err)
	}
	if err := n.Linearize(t.Context()); !errors.Is(err, ErrNoLeader) {
		t.Fatalf("linearize without a majority: %v", err)
	}
	if n.Catalog().View().Function("default", "back") == nil || n.Leader() != "" {
		t.Fatalf("status %+v", n.Status())
	}
}
