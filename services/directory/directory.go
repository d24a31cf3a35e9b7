package directory

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// Leadership tells who leads.
type Leadership interface {
	// Leader gives the ID of the node that leads, empty if none is known, and a channel that is closed when that may have
	// changed.
	Leader() (id string, changed <-chan struct{})
}

// Placements tells how revisions do on this node; *placement.Table does.
type Placements interface {
	// Snapshot lists every revision that is ready, loading or failed here.
	Snapshot() []Revision
	// News lists those that may have changed since it was called last; what is none of that any more is placement.StateIdle.
	News() []Revision
	// Changed gives a channel that is closed when that changes.
	Changed() <-chan struct{}
}

// Peers reaches other nodes; *peer.Peers does.
type Peers interface {
	Conn(node string) (grpc.ClientConnInterface, error)
}

// Config configures a Directory. Its functions must be safe for concurrent use. They must not block, nor call the directory.
type Config struct {
	// ID is this node's.
	ID         string
	Leadership Leadership
	Peers      Peers
	// Placements may be nil on a node that runs nothing.
	Placements Placements
	// Self gives what this node reports of itself; the incarnation of its address must grow with each start. The directory adds the clock, whether the node stops, and its
	// revisions. The message belongs to the directory.
	Self func() *clusterv1.Report

	// Members gives the IDs of all nodes of the catalog; nil where the catalog does not know yet. The leader tells everybody
	// of nodes that left. It may be nil.
	Members func() []string
	// Roles gives each scheduler's part in raft by ID, "leader", "voter" or "standby", on the node that leads. It may be nil.
	Roles func() map[string]string
	// HashAt gives this node's state hash at a log index, if it still knows: reports are compared with it. It may be nil.
	HashAt func(index uint64) (hash []byte, ok bool)
	// Learn is told where nodes are now. It may be nil.
	Learn func([]consensus.Address)
	// Gone is told the ID of a node that left the cluster: drop connections to it. It may be nil.
	Gone func(node string)

	// Path is the file that keeps the directory across restarts. Empty: nothing is kept.
	Path string
	// Logger is told of nodes that are lost, come back or diverge. Nil: slog.Default.
	Logger *slog.Logger
	// Grace is how long a node may be silent before it counts as lost, and how long a new leader listens before it calls
	// anybody lost. Default: 3 s.
	Grace time.Duration
	// Interval is how often a node reports when nothing changes. Default: 1 s.
	Interval time.Duration
}

func (c Config) withDefaults() (Config, error) {
	if c.ID == "" || c.Leadership == nil || c.Peers == nil || c.Self == nil {
		return c, errors.New("directory: Config needs an ID, Leadership, Peers and Self")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Grace <= 0 {
		c.Grace = 3 * time.Second
	}
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	if c.Placements == nil {
		c.Placements = nothing{}
	}
	return c, nil
}

// nothing is placed on a node that runs nothing.
type nothing struct{}

func (nothing) Snapshot() []Revision     { return nil }
func (nothing) News() []Revision         { return nil }
func (nothing) Changed() <-chan struct{} { return nil }

// How changes are gathered and kept.
const (
	gather   = 10 * time.Millisecond // changes are sent together with those that follow so soon
	savePace = 3 * time.Second       // the file is written no more often than this
)

// Directory is what a node knows of all nodes. Its methods are safe for concurrent use.
type Directory struct {
	clusterv1.UnimplementedDirectoryServiceServer

	config Config
	ctx    context.Context //nolint:containedctx // done when the directory closes
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	view  atomic.Pointer[View]
	heard atomic.Int64 // when news last came from the leader, Unix nanoseconds

	stopping chan struct{} // closed by Stopping
	stopped  sync.Once
	unsaved  chan struct{} // has an element when there is something to keep

	mu        sync.Mutex
	collector *collector // guarded by mu; not nil while this node leads
	closed    bool       // guarded by mu
}

// New makes a directory of what the file of an earlier process says. It serves and follows after Start, and must be
// closed.
func New(config Config) (*Directory, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &Directory{
		config: config, ctx: ctx, cancel: cancel, stopping: make(chan struct{}), unsaved: make(chan struct{}, 1),
	}
	v, err := load(config.Path)
	if err != nil {
		config.Logger.Warn("what was known of other nodes is lost; it will be learned again", "error", err)
	}
	d.view.Store(v)
	return d, nil
}

// Register adds the directory's service to those that peers may call.
func (d *Directory) Register(r grpc.ServiceRegistrar) { clusterv1.RegisterDirectoryServiceServer(r, d) }

// Start begins to report, to follow and, while the node leads, to collect. It is called once, after Register.
func (d *Directory) Start() {
	d.learned(&merged{addresses: d.addresses()})
	d.tasks.Go(d.run)
	d.tasks.Go(d.keep)
}

// Close ends everything and writes the file. A stream to a node that is gone without a word may keep it until Peers notice
// that, or are closed.
func (d *Directory) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.tasks.Wait()
	d.save()
}

// Stopping tells everybody that this node will end and takes no more calls. It does not wait.
func (d *Directory) Stopping() { d.stopped.Do(func() { close(d.stopping) }) }

// View gives what is known now. It never blocks.
func (d *Directory) View() *View { return d.view.Load() }

// Changed returns a channel that is closed when there is a newer view. Take the channel first and the view after it, or
// use View.Changed, to miss nothing.
func (d *Directory) Changed() <-chan struct{} { return d.View().Changed() }

// Age is how long ago the leader last said something, this node being the leader or not. Who was alive then need not be
// now. It is large on a node that has not heard of any leader since it started.
func (d *Directory) Age() time.Duration { return time.Since(time.Unix(0, d.heard.Load())) }

// WaitReady returns once a revision is ready on a node that calls may be sent to. The error is that of ctx.
func (d *Directory) WaitReady(ctx context.Context, k executor.Key) error {
	for {
		v := d.View()
		if v.ReadyAnywhere(k) {
			return nil
		}
		select {
		case <-v.Changed():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// addresses lists where all known nodes are.
func (d *Directory) addresses() []consensus.Address {
	var all []consensus.Address
	for n := range d.View().Nodes() {
		all = append(all, n.Address)
	}
	return all
}

// take merges news into the view. Only the goroutine that follows calls it, and none collects then.
func (d *Directory) take(news *clusterv1.ExchangeResponse) error {
	d.lives()
	if len(news.GetNodes()) == 0 && len(news.GetGone()) == 0 && news.GetUnplaced() == nil {
		return nil
	}
	m, err := d.View().merge(news)
	if err != nil {
		return err
	}
	d.show(m.View)
	d.learned(m)
	return nil
}

// lives notes that the leader lives.
func (d *Directory) lives() { d.heard.Store(time.Now().UnixNano()) }

func (d *Directory) show(v *View) {
	close(d.view.Swap(v).changed)
}

// learned tells others of what a merge has found.
func (d *Directory) learned(m *merged) {
	if len(m.addresses) > 0 && d.config.Learn != nil {
		d.config.Learn(m.addresses)
	}
	if d.config.Gone != nil {
		for _, id := range m.gone {
			d.config.Gone(id)
		}
	}
	if m.lasting {
		select {
		case d.unsaved <- struct{}{}:
		default:
		}
	}
}

// run collects while this node leads, and follows whoever else does.
func (d *Directory) run() {
	reports := newReports(d.config)
	pause := retry{}
	for d.ctx.Err() == nil {
		leader, changed := d.config.Leadership.Leader()
		ctx, cancel := context.WithCancel(d.ctx)
		watching := make(chan struct{})
		go func() { // ends with ctx
			defer close(watching)
			defer cancel()
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}()
		var err error
		switch leader {
		case "":
			<-ctx.Done()
		case d.config.ID:
			d.lead(ctx, reports)
		default:
			err = d.follow(ctx, leader, reports, pause.reset)
		}
		if err != nil && ctx.Err() == nil {
			d.config.Logger.Debug("the directory's stream from the leader ended", "leader", leader, "error", err)
			pause.wait(ctx)
		}
		cancel()
		<-watching
	}
}

// retry makes pauses that grow from 50 ms to a second.
type retry struct{ last time.Duration }

func (r *retry) reset() { r.last = 0 }

func (r *retry) wait(ctx context.Context) {
	r.last = min(max(2*r.last, 50*time.Millisecond), time.Second)
	select {
	case <-time.After(r.last):
	case <-ctx.Done():
	}
}
