package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	raftTimeout    = time.Second // of heartbeats and elections, where there are peers
	leaseTimeout   = 500 * time.Millisecond
	rpcTimeout     = 10 * time.Second
	maxInFlight    = 2        // append requests to one follower
	segmentSize    = 16 << 20 // bytes that the log reserves on disk at a time
	snapshotEvery  = 4096     // entries; two snapshots are kept
	snapshotCheck  = 30 * time.Second
	trailingLogs   = 10240 // entries kept after a snapshot: enough to start from the one before
	snapshotsKept  = 2
	connectionPool = 3
)

// session is raft running over the log, from opening the log until the disk fails or the node is closed. Starting a
// new one is like restarting the process, and that is the point: there is one way to recover.
type session struct {
	node  *Node
	raft  *raft.Raft
	guard *guard
	fsm   *fsm
	store logStore

	notify  chan bool     // raft's news of leadership
	halted  chan error    // the state machine can't go on
	done    chan struct{} // closed when the session stops
	cause   error         // why it stops; set before done is closed
	workers sync.WaitGroup

	mu   sync.Mutex
	term uint64 // guarded by mu; the term in which this node leads and has applied all before it; 0 if it does not lead
}

// start opens the log and runs raft over it.
func (n *Node) start() (_ *session, err error) {
	dir := filepath.Join(n.config.Dir, "raft")
	logs := filepath.Join(dir, "log")
	if !n.identity.Started { // whatever an earlier try has left was never acknowledged
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, err
	}
	s := &session{node: n, notify: make(chan bool, 16), halted: make(chan error, 1), done: make(chan struct{})}
	if s.store, err = n.config.openLog(logs, n.raftLog); err != nil {
		return nil, fmt.Errorf("open the log in %s: %w", logs, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	s.guard = newGuard(s.store, n.config.stall, n.config.retry, n.setFault)
	if err := removeUnfinished(filepath.Join(dir, "snapshots")); err != nil {
		return nil, err
	}
	snapshots, err := openSnapshots(dir, n.raftLog)
	if err != nil {
		return nil, err
	}
	stream := newStream(n.port, n.advertise)
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: stream, MaxPool: connectionPool, MaxRPCsInFlight: maxInFlight, Timeout: rpcTimeout, Logger: n.raftLog.calm("transport"),
	})
	if err := s.run(snapshots, transport); err != nil {
		return nil, errors.Join(err, transport.Close())
	}
	return s, nil
}

// removeUnfinished removes what snapshots that did not come to their end have left, which raft never does.
func removeUnfinished(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}

func (s *session) run(snapshots raft.SnapshotStore, transport *raft.NetworkTransport) error {
	n := s.node
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(n.identity.ID)
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = raftTimeout, raftTimeout, leaseTimeout
	config.SnapshotThreshold, config.SnapshotInterval, config.TrailingLogs = n.config.snapshotEvery, n.config.snapshotCheck, trailingLogs
	config.ShutdownOnRemove = false
	config.NoLegacyTelemetry = true
	config.NotifyCh = s.notify
	config.Logger = n.raftLog

	if err := s.bootstrap(config, snapshots, transport); err != nil {
		return err
	}
	n.catalog.Replay()
	s.fsm = &fsm{catalog: n.catalog, copy: n.copy, applied: new(mark), halt: func(err error) { s.halted <- err }}
	var err error
	if s.raft, err = newRaft(config, s.fsm, s.guard, snapshots, transport); err != nil {
		return err
	}
	s.workers.Go(s.follow)
	s.workers.Go(func() { s.hurry(transport) })
	return nil
}

// bootstrap makes a new log hold a cluster of this node alone, and holds a log that should exist to it.
func (s *session) bootstrap(config *raft.Config, snapshots raft.SnapshotStore, transport raft.Transport) error {
	n := s.node
	if n.identity.Started {
		exists, err := raft.HasExistingState(s.store, s.store, snapshots)
		if err == nil && !exists {
			err = fmt.Errorf("%w: it is missing in %s; restore the directory from a backup", ErrDamaged, n.config.Dir)
		}
		return err
	}
	alone := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: config.LocalID, Address: transport.LocalAddr()}}}
	if err := raft.BootstrapCluster(config, s.store, s.store, snapshots, transport, alone); err != nil {
		return err
	}
	started := n.identity
	started.Started = true
	if err := started.save(n.config.Dir); err != nil {
		return err
	}
	n.identity = started
	return nil
}

// newRaft starts raft, and makes an error of its panics about a log that it can't read.
func newRaft(config *raft.Config, f raft.FSM, g *guard, snapshots raft.SnapshotStore, transport raft.Transport) (r *raft.Raft, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return raft.NewRaft(config, f, g, g, snapshots, transport)
}

// follow keeps track of leadership until the session stops.
func (s *session) follow() {
	for {
		select {
		case leads := <-s.notify:
			s.setTerm(0)
			if leads {
				s.win()
			}
		case <-s.done:
			return
		}
	}
}

// hurry begins an election at once where this node is the only voter: there is nobody whose leadership the usual
// second of silence would protect. If it fails, that second passes.
func (s *session) hurry(transport *raft.NetworkTransport) {
	self := raft.ServerID(s.node.identity.ID)
	for _, server := range s.raft.GetConfiguration().Configuration().Servers {
		if server.Suffrage == raft.Voter && server.ID != self {
			return
		}
	}
	request := &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}}
	address := raft.ServerAddress(dialable(s.node.port.listener.Addr()))
	if err := transport.TimeoutNow(self, address, request, &raft.TimeoutNowResponse{}); err != nil {
		s.node.log.Debug("could not hurry the election", "error", err)
	}
}

// win makes this node the leader for its callers, once all entries before its term are applied.
func (s *session) win() {
	term := s.raft.CurrentTerm()
	var index uint64
	err := s.await(context.Background(), func() error {
		barrier := s.raft.Barrier(0)
		err := barrier.Error()
		if i, ok := barrier.(interface{ Index() uint64 }); ok && err == nil {
			index = i.Index()
		}
		return err
	})
	if err != nil || s.raft.CurrentTerm() != term {
		return // lost again; raft has told, or will
	}
	// From here on the state machine sees every entry of the term: there are no more barriers.
	s.fsm.applied.advance(index)
	s.setTerm(term)
	s.readdress()
}

// readdress tells the configuration where this node is now.
func (s *session) readdress() {
	self := raft.ServerID(s.node.identity.ID)
	address := raft.ServerAddress(s.node.advertise)
	for _, server := range s.raft.GetConfiguration().Configuration().Servers {
		if server.ID == self && server.Suffrage == raft.Voter && server.Address != address {
			err := s.await(context.Background(), func() error { return s.raft.AddVoter(self, address, 0, rpcTimeout).Error() })
			if err != nil {
				s.node.log.Warn("the new address is not in raft's configuration yet", "address", address, "error", err)
			}
		}
	}
}

func (s *session) setTerm(term uint64) {
	s.mu.Lock()
	s.term = term
	s.mu.Unlock()
	s.node.announce()
}

// leads returns the term in which this node leads; 0 if it does not.
func (s *session) leads() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term
}

// forget notes that this node turned out not to lead in a term. Raft tells of each term that it does lead in.
func (s *session) forget(term uint64) {
	s.mu.Lock()
	if s.term == term {
		s.term = 0
	}
	s.mu.Unlock()
}

// await runs something that blocks in raft, and gives up on it when ctx is done or the session stops. What it runs
// ends when raft answers, which a raft that is shut down may fail to do for entries that were committed just then.
func (s *session) await(ctx context.Context, do func() error) error {
	result := make(chan error, 1)
	go func() { result <- do() }()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return s.cause
	}
}

// stop ends raft and closes the log; cause is what callers are told. It returns false if they did not end in time: then
// a write hangs in the disk.
func (s *session) stop(cause error, limit time.Duration) bool {
	s.cause = cause
	close(s.done)
	s.setTerm(0)
	s.guard.close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.raft.Shutdown().Error(); err != nil {
			s.node.log.Warn("raft did not shut down well", "error", err)
		}
		s.workers.Wait()
		s.guard.wait()
		if err := s.store.Close(); err != nil {
			s.node.log.Warn("the log did not close well", "error", err)
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
		return false
	}
}
