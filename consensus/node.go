package consensus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/internal/clock"
	"github.com/weft-run/weft/internal/disk"
)

// Config says how to run a node.
type Config struct {
	// Dir holds all that the node keeps. It is made if it is missing.
	Dir string
	// Name is what people call the node. Default: the start of its ID.
	Name string
	// Listen is the address of the cluster port, HOST:PORT; port 0 takes a free one. Default 127.0.0.1:0.
	Listen string
	// Advertise is where peers reach the cluster port: HOST, or HOST:PORT. Default: the address it listens on.
	Advertise string
	// GRPC is HOST:PORT of the port for users, to tell other nodes. SetGRPC changes it.
	GRPC string
	// Prepare is called once the directory and the cluster port are the node's, and before it joins a cluster or founds one: a
	// process that lacks something else should do neither. Nil: nothing is to be done.
	Prepare func() error
	// Follower keeps the node out of raft: it has no log and no vote, and follows the catalog of a scheduler by a watch.
	Follower bool
	// Executor says that the node runs components.
	Executor bool
	// Labels are what people say about the node, such as its zone.
	Labels map[string]string
	// Join asks a cluster to take this node in. It is called for an empty directory only. Nil: an empty directory becomes
	// a new cluster.
	Join func(context.Context, Application) (*Admission, error)
	// Authority is the SHA-256 of the certificate of the authority of the cluster that the node is to be in: a directory of
	// another cluster is refused. Nil: whichever the directory is of.
	Authority *[sha256.Size]byte
	// CertificateLife is how long the certificates are good that this node gives, to others and itself. Default: 1 year.
	CertificateLife time.Duration
	// Logger gets what is worth telling. Default: nothing is logged.
	Logger *slog.Logger
	// OnStuck is called when the disk has held a write for so long that the process had better end, for its peers'
	// sake. It may return. Default: log and exit with status 1.
	OnStuck func(error)

	// For tests.
	openLog       func(dir string, log *raftLogger) (logStore, error)
	stall         time.Duration // how long a write to the log may take
	stuck         time.Duration // how long the end of a session may take
	retry         time.Duration // between two tries on a bad disk
	patience      time.Duration // how long callers wait for a leader
	snapshotEvery uint64
	trailing      uint64 // entries kept after a snapshot
	snapshotCheck time.Duration
	journal       int64                   // bytes of journal before the local copy is written anew
	crash         func(file string) error // before a step of a join
	quiet         bool                    // the node puts nothing into the catalog by itself
	heartbeat     time.Duration           // of silence, and a follower takes the leader for dead; also the leader's lease
	election      time.Duration           // that an election may take
	governEvery   time.Duration           // between two looks at raft's configuration
	contact       time.Duration           // of silence, and the leader takes a server for out of order
	stable        time.Duration           // that a server must be in order before it gets a vote
	dead          time.Duration           // of silence, and a voter may lose its vote
	stale         time.Duration           // without news of the leader, and a follower of the catalog asks another scheduler
}

func (c Config) withDefaults() Config {
	c = c.tuned()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnStuck == nil {
		logger := c.Logger
		c.OnStuck = func(err error) {
			logger.Error("the disk is stuck; exiting", "error", err)
			os.Exit(1)
		}
	}
	if c.openLog == nil {
		c.openLog = openLog
	}
	setDefault(&c.CertificateLife, nodeLife)
	setDefault(&c.stall, 2*time.Second)
	setDefault(&c.stuck, 30*time.Second)
	setDefault(&c.retry, time.Second)
	setDefault(&c.patience, 10*time.Second)
	setDefault(&c.snapshotEvery, snapshotEvery)
	setDefault(&c.trailing, trailingLogs)
	setDefault(&c.snapshotCheck, snapshotCheck)
	setDefault(&c.journal, 16<<20)
	setDefault(&c.heartbeat, 500*time.Millisecond)
	setDefault(&c.election, time.Second)
	setDefault(&c.governEvery, time.Second)
	setDefault(&c.contact, 2*time.Second)
	setDefault(&c.stable, 2*time.Second)
	setDefault(&c.dead, time.Minute)
	setDefault(&c.stale, 5*time.Second)
	return c
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// Node is one member of the cluster. Its methods may be called at the same time.
type Node struct {
	config    Config
	log       *slog.Logger
	raftLog   *raftLogger
	lock      *flock.Flock
	identity  identity
	catalog   *catalog.Catalog
	copy      *localCopy
	trail     trail
	tail      tail
	images    chan struct{} // has an element for each snapshot that is being sent to a watcher
	port      *port
	book      *book
	advertise string
	opened    time.Time

	closing  chan struct{}
	ended    chan struct{} // closed when the supervisor has ended
	close    sync.Once
	release  sync.Once
	released error // set by release
	leave    sync.Once
	removed  chan struct{} // closed by leave: the node was taken out of the cluster
	watching sync.WaitGroup

	mu      sync.Mutex
	started bool          // guarded by mu; raft's log has an entry
	peers   Peers         // guarded by mu; nil until there are some
	levels  Levels        // guarded by mu; nil until there are other nodes
	fresh   time.Time     // guarded by mu; when the catalog was last up to date, where raft does not tell
	hint    string        // guarded by mu; who leads, where raft does not tell; "" if not known
	session *session      // guarded by mu; nil while there is none
	fault   error         // guarded by mu; why the disk takes no writes, ErrStorage; nil if it does
	damage  error         // guarded by mu; why the log can't be applied further, ErrDamaged
	fork    error         // guarded by mu; how the catalog differed from that of another node
	changed chan struct{} // guarded by mu; closed at the next change of leadership or of the above
}

// Open starts a node. When it returns, the catalog shows what this node last knew; there may be no leader yet.
//
// An empty directory becomes a cluster of one. ErrInUse means that another process has the directory; ErrDamaged that
// what is in it can't be trusted. A disk that takes no writes is no error: the node shows what it has, and starts to
// take part once it can.
func Open(config Config) (_ *Node, err error) {
	config = config.withDefaults()
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	n := &Node{
		config: config, log: config.Logger, raftLog: newRaftLogger(config.Logger, "raft"),
		catalog: catalog.New(), opened: time.Now(), closing: make(chan struct{}), ended: make(chan struct{}), changed: make(chan struct{}),
		removed: make(chan struct{}), images: make(chan struct{}, maxImages),
	}
	var undo []func() error
	defer func() {
		for i := len(undo) - 1; i >= 0 && err != nil; i-- {
			_ = undo[i]()
		}
	}()
	if n.lock, err = lockDir(config.Dir); err != nil {
		return nil, err
	}
	undo = append(undo, n.lock.Unlock)
	listener, err := bind(config.Listen)
	if err != nil {
		return nil, fmt.Errorf("consensus: cluster port: %w", err)
	}
	undo = append(undo, listener.Close)
	if config.Prepare != nil {
		if err := config.Prepare(); err != nil {
			return nil, err
		}
	}
	n.advertise = advertised(config.Advertise, listener.Addr())
	own := Address{Cluster: n.advertise, GRPC: config.GRPC}
	if n.identity, err = config.identify(own); err != nil {
		return nil, err
	}
	n.started = n.identity.Started
	k, err := openKeys(pkiPath(config.Dir), n.identity, config.CertificateLife, clock.Now)
	if err != nil {
		return nil, err
	}
	if n.copy, err = openCopy(filepath.Join(config.Dir, "catalog"), n.catalog, n.log, config.retry, config.journal); err != nil {
		return nil, err
	}
	undo = append(undo, n.copy.close)
	own.Node = n.identity.ID
	n.book = openBook(bookPath(config.Dir), own, func(node string) bool { return n.isBarred(node, raftProtocol) }, n.log)
	undo = append(undo, n.book.close)
	n.port = newPort(listener, k, n.isBarred, n.log)
	undo = append(undo, n.port.close)
	if err := n.begin(); err != nil {
		return nil, err
	}
	n.watching.Go(n.watchRemovals)
	if !config.quiet {
		n.watching.Go(n.introduce)
	}
	return n, nil
}

// begin starts what keeps the catalog up to date: raft, or the watch of a scheduler's.
func (n *Node) begin() error {
	if n.config.Follower {
		if !n.identity.Joined {
			return fmt.Errorf("consensus: %s founds a cluster, and a cluster needs a scheduler; start it as one, or let it join", n.config.Dir)
		}
		n.setFresh(lastFresh(n.config.Dir, n.opened))
		go n.follow()
		return nil
	}
	s, err := n.start()
	if errors.Is(err, ErrDamaged) {
		return err
	}
	if err != nil && !fromDisk(err) {
		return fmt.Errorf("consensus: %w", err)
	}
	if err != nil {
		n.setFault(fmt.Errorf("%w: %w", ErrStorage, err))
	}
	n.setSession(s)
	go n.supervise(s)
	return nil
}

// supervise runs sessions one after the other until the node is closed.
func (n *Node) supervise(s *session) {
	defer close(n.ended)
	for {
		if s == nil {
			if s = n.restart(); s == nil {
				return
			}
			n.setSession(s)
			n.setFault(nil)
		}
		var err error
		over := false // no other session follows
		select {
		case <-n.closing:
			err, over = ErrClosed, true
			n.abdicate(s)
		case <-s.guard.poisoned:
			err = s.guard.failure()
			n.setFault(err)
			n.log.Error("the disk takes no writes; serving what is known until it does", "error", err)
		case err = <-s.halted:
			over = true
			n.setDamage(err)
			n.log.Error("the log can't be applied further; serving what is known", "error", err)
		}
		n.setFresh(time.Now().Add(-n.Stale()))
		n.setSession(nil)
		if !s.stop(err, n.config.stuck) {
			n.config.OnStuck(fmt.Errorf("%w: raft did not stop within %v: %w", ErrStorage, n.config.stuck, err))
			return
		}
		if over {
			return
		}
		s = nil
	}
}

// restart tries to start a session until the disk lets it; nil if the node was closed first.
func (n *Node) restart() *session {
	for {
		select {
		case <-time.After(n.config.retry):
		case <-n.closing:
			return nil
		}
		err := n.probe()
		if err == nil {
			var s *session
			if s, err = n.start(); err == nil {
				n.log.Info("the disk takes writes again")
				return s
			}
		}
		n.setFault(fmt.Errorf("%w: %w", ErrStorage, err))
		n.log.Debug("the disk takes no writes yet", "error", err)
	}
}

// probe finds out whether the disk takes a write of some size and syncs it.
func (n *Node) probe() error {
	f, err := disk.CreateTemp(n.config.Dir, "probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 1<<20))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// Close stops the node. A leader hands over first, if there is a voter to hand over to. Commands that are on their way end with ErrOutcomeUnknown. It returns early if ctx is done.
func (n *Node) Close(ctx context.Context) error {
	n.close.Do(func() { close(n.closing) })
	select {
	case <-n.ended:
	case <-ctx.Done():
		return fmt.Errorf("consensus: close: %w", ctx.Err())
	}
	n.watching.Wait()
	n.release.Do(func() { n.released = errors.Join(n.port.close(), n.book.close(), n.copy.close(), n.lock.Unlock()) })
	return n.released
}

// Catalog returns the replicated state as far as this node knows it. It is the same for the life of the node.
func (n *Node) Catalog() *catalog.Catalog { return n.catalog }

// ID returns the ID of the node, which it keeps for good.
func (n *Node) ID() string { return n.identity.ID }

// SetPeers says how other nodes are reached. Until then the node is alone: it forwards nothing and follows nobody.
func (n *Node) SetPeers(peers Peers) { n.update(func() { n.peers = peers }) }

// SetGRPC says where users reach this node, HOST:PORT.
func (n *Node) SetGRPC(address string) { n.book.move(address) }

// Levels returns the lowest of the format levels that the other nodes of the cluster can apply; false while that is not known of all.
type Levels func() (lowest uint32, known bool)

// SetLevels says how a leader learns what the other nodes can apply. Until then the format level of a cluster of several
// nodes stays as it is.
func (n *Node) SetLevels(levels Levels) { n.update(func() { n.levels = levels }) }

// Addr returns the address of the cluster port.
func (n *Node) Addr() net.Addr { return n.port.listener.Addr() }

// Name returns what people call the node.
func (n *Node) Name() string {
	if n.config.Name != "" {
		return n.config.Name
	}
	return n.identity.ID[:8]
}

func (n *Node) setSession(s *session) { n.update(func() { n.session = s }) }
func (n *Node) setFault(err error)    { n.update(func() { n.fault = err }) }
func (n *Node) setDamage(err error)   { n.update(func() { n.damage = err }) }

// announce wakes whoever waits for leadership.
func (n *Node) announce() { n.update(func() {}) }

func (n *Node) update(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.changed)
	n.changed = make(chan struct{})
}

// advertised completes what peers should dial from where we listen.
func advertised(advertise string, bound net.Addr) string {
	_, port, err := net.SplitHostPort(bound.String())
	switch {
	case err != nil:
		return bound.String()
	case advertise == "":
		return dialable(bound)
	}
	if _, _, err := net.SplitHostPort(advertise); err == nil {
		return advertise
	}
	return net.JoinHostPort(advertise, port)
}

// dialable replaces an unspecified host by loopback.
func dialable(bound net.Addr) string {
	host, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return bound.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if ip.To4() != nil {
			return net.JoinHostPort("127.0.0.1", port)
		}
		return net.JoinHostPort("::1", port)
	}
	return bound.String()
}
