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
	rpcTimeout     = 5 * time.Second // the watchdog takes a disk away from raft before that
	maxInFlight    = 2               // append requests to one follower
	segmentSize    = 16 << 20        // bytes that the log reserves on disk at a time
	snapshotEvery  = 4096            // entries; two snapshots are kept
	snapshotCheck  = 30 * time.Second
	trailingLogs   = 10240 // entries kept after a snapshot: enough to start from the one before
	snapshotsKept  = 2
	connectionPool = 3
)

// session is raft running over the log, from opening the log until the disk fails or the node is closed. Starting a
// new one is like restarting the process, and that is the point: there is one way to recover.
type session struct {
	node     *Node
	raft     *raft.Raft
	guard    *guard
	fsm      *fsm
	store    logStore
	contacts *contacts

	notify  chan bool             // raft's news of leadership here
	leaders chan raft.Observation // and of others'
	halted  chan error            // the state machine can't go on
	done    chan struct{}         // closed when the session stops
	cause   error                 // why it stops; set before done is closed
	workers sync.WaitGroup

	mu       sync.Mutex
	governor *governor // guarded by mu; nil unless this node leads
	term     uint64    // guarded by mu; the term in which this node leads and has applied all before it; 0 if it does not lead
}

// start opens the log and runs raft over it.
func (n *Node) start() (_ *session, err error) {
	dir := filepath.Join(n.config.Dir, "raft")
	logs := filepath.Join(dir, "log")
	if !n.started { // whatever an earlier try has left was never acknowledged
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, err
	}
	s := &session{
		node: n, notify: make(chan bool, 16), leaders: make(chan raft.Observation, 1), halted: make(chan error, 1), done: make(chan struct{}),
	}
	if s.store, err = n.config.openLog(logs, n.raftLog); errors.Is(err, ErrDamaged) {
		return nil, n.beyondRepair(err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the log in %s: %w", logs, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	s.guard = newGuard(s.store, n.config.stall, n.config.retry, n.setFault)
	s.guard.began = n.began
	if err := removeUnfinished(filepath.Join(dir, "snapshots")); err != nil {
		return nil, err
	}
	snapshots, err := openSnapshots(dir, n.raftLog)
	if err != nil {
		return nil, err
	}
	stream := newStream(n)
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: stream, ServerAddressProvider: stream, MaxPool: connectionPool, MaxRPCsInFlight: maxInFlight, Timeout: rpcTimeout, Logger: n.raftLog.calm("transport"),
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
	s.contacts = newContacts(transport)
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(n.identity.ID)
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = n.config.heartbeat, n.config.election, n.config.heartbeat
	config.SnapshotThreshold, config.SnapshotInterval, config.TrailingLogs = n.config.snapshotEvery, n.config.snapshotCheck, n.config.trailing
	config.ShutdownOnRemove = false
	config.NoLegacyTelemetry = true
	config.NotifyCh = s.notify
	config.Logger = n.raftLog

	if err := s.bootstrap(config, snapshots, transport); err != nil {
		return err
	}
	n.catalog.Replay()
	s.fsm = n.newFSM(s.halt)
	var err error
	if s.raft, err = newRaft(config, s.fsm, s.guard, snapshots, s.contacts); errors.Is(err, ErrDamaged) {
		return n.beyondRepair(err)
	}
	if err != nil {
		return err
	}
	s.raft.RegisterObserver(raft.NewObserver(s.leaders, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	}))
	s.workers.Go(s.follow)
	s.workers.Go(func() { s.hurry(transport) })
	return nil
}

// bootstrap makes the log of a cluster's first node hold a cluster of that node alone, and holds a log that should exist
// to it. The log of a node that joined is filled by the leader.
func (s *session) bootstrap(config *raft.Config, snapshots raft.SnapshotStore, transport raft.Transport) error {
	n := s.node
	if n.started {
		missing, err := isEmpty(s.store, snapshots)
		if err == nil && missing {
			err = n.beyondRepair(fmt.Errorf("%w: it is missing", ErrDamaged))
		}
		return err
	}
	if n.identity.Joined {
		return nil
	}
	alone := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: config.LocalID, Address: transport.LocalAddr()}}}
	if err := raft.BootstrapCluster(config, s.store, s.store, snapshots, transport, alone); err != nil {
		return err
	}
	return n.began()
}

// isEmpty reports whether there is neither an entry nor a snapshot. Term and vote alone are no log.
func isEmpty(log raft.LogStore, snapshots raft.SnapshotStore) (bool, error) {
	last, err := log.LastIndex()
	if err != nil || last > 0 {
		return false, err
	}
	all, err := snapshots.List()
	return len(all) == 0, err
}

// beyondRepair says what to do about a log that raft can't go on with.
func (n *Node) beyondRepair(err error) error {
	return fmt.Errorf("%w: %s is damaged; restore it from a backup or, where there are other schedulers, "+
		"take this node out (weft remove), empty the directory and let it join again", err, n.config.Dir)
}

// began notes that the log has its first entry. From then on a directory without one is damaged: the node may have
// acknowledged what it holds no more. A node gets a vote only after its log has begun.
func (n *Node) began() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started {
		return nil
	}
	started := n.identity
	started.Started = true
	err := started.save(n.config.Dir)
	n.started = err == nil
	return err
}

// newRaft starts raft. What it can't read of the log and the snapshots, which may be a panic there, is ErrDamaged.
func newRaft(config *raft.Config, f raft.FSM, g *guard, snapshots raft.SnapshotStore, transport raft.Transport) (r *raft.Raft, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	if r, err = raft.NewRaft(config, f, g, g, snapshots, transport); err != nil && !fromDisk(err) && !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return r, err
}

// follow keeps track of leadership until the session stops, and governs while this node has it.
func (s *session) follow() {
	stop := func() {}
	defer func() { stop() }()
	for {
		select {
		case leads := <-s.notify:
			stop()
			s.setTerm(0)
			if leads && s.win() {
				stop = s.reign()
			}
		case <-s.leaders:
			s.node.announce()
		case <-s.done:
			return
		}
	}
}

// reign governs until the function that it returns is called.
func (s *session) reign() context.CancelFunc {
	ctx, cancel := context.WithCancel(context.Background())
	s.workers.Go(func() { s.govern(ctx) })
	return cancel
}

// hurry begins an election at once where this node is the only voter: there is nobody whose leadership the usual
// second of silence would protect. If it fails, that second passes.
func (s *session) hurry(transport *raft.NetworkTransport) {
	self := raft.ServerID(s.node.identity.ID)
	servers := s.raft.GetConfiguration().Configuration().Servers
	if len(voters(servers)) != 1 || voters(servers)[0] != self {
		return
	}
	request := &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}}
	if err := transport.TimeoutNow(self, raft.ServerAddress(self), request, &raft.TimeoutNowResponse{}); err != nil {
		s.node.log.Debug("could not hurry the election", "error", err)
	}
}

func voters(servers []raft.Server) (ids []raft.ServerID) {
	for _, server := range servers {
		if server.Suffrage == raft.Voter {
			ids = append(ids, server.ID)
		}
	}
	return ids
}

// win makes this node the leader for its callers, once all entries before its term are applied. It returns false if the
// leadership was lost again meanwhile; raft tells of that too.
func (s *session) win() bool {
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
		return false
	}
	if shown, has := s.node.catalog.View().Index(), s.node.catalog.Index(); shown > has {
		s.halt(fmt.Errorf("%w: it ends after command %d, and this node has shown command %d: its end is lost; `weft backup --stale` saves what "+
			"the node shows, and weft restore makes a new cluster of it", ErrDamaged, has, shown))
		return false
	}
	// From here on the state machine sees every entry of the term: there are no more barriers.
	s.fsm.applied.advance(index)
	if len(s.raft.GetConfiguration().Configuration().Servers) == 1 {
		for s.raise(context.Background(), s.node.catalog.View()) { // nobody else has to know the level
		}
	}
	s.setTerm(term)
	return true
}

// halt ends the session for good, because of the first error that it is told of.
func (s *session) halt(err error) {
	select {
	case s.halted <- err:
	default:
	}
}

func (s *session) setTerm(term uint64) {
	s.mu.Lock()
	s.term = term
	s.mu.Unlock()
	s.node.announce()
}

// setGovernor puts a governor in place of another, or of any.
func (s *session) setGovernor(of, to *governor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of == nil || s.governor == of {
		s.governor = to
	}
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
