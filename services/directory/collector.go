package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/clock"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// refresh is how many nodes are told of in each interval for what routing does not need.
const refresh = 32

// errStranger says that a node that reports is none of the cluster's.
var errStranger = errors.New("directory: the catalog has no such node")

// collector gathers what nodes report while this node leads.
type collector struct {
	directory *Directory
	dirty     chan struct{} // has an element when there is something to send

	mu       sync.Mutex
	nodes    map[string]*tracked    // guarded by mu; those that were heard of, or called lost, since this node leads
	readers  map[*reader]struct{}   // guarded by mu
	gone     map[string]struct{}    // guarded by mu: to be told
	unplaced *clusterv1.UnplacedSet // guarded by mu: to be told
	planned  bool                   // guarded by mu: unplaced was set since this node leads
	settles  time.Time              // guarded by mu: nobody is called lost before
	checked  time.Time              // guarded by mu: when silence was looked for last
	turn     []string               // guarded by mu: nodes that are still to be refreshed
	ended    bool                   // guarded by mu: this node no longer leads
}

// tracked is a node that reports.
type tracked struct {
	report   *clusterv1.Report
	heard    time.Time
	offset   time.Duration
	alive    bool
	diverged bool
	role     string

	sequence uint64   // of the changes that have come
	pending  *pending // changes that were not sent on; nil if there are none
	urgent   bool     // to be sent on at once
	stale    bool     // to be sent on in turn
}

// pending gathers changes of revisions of a node.
type pending struct {
	whole  bool
	base   uint64
	states map[executor.Key]*clusterv1.RevisionState // nil for what is gone
}

func (d *Directory) newCollector() *collector {
	now := clock.Now()
	return &collector{
		directory: d, dirty: make(chan struct{}, 1),
		nodes: map[string]*tracked{}, readers: map[*reader]struct{}{}, gone: map[string]struct{}{},
		settles: now.Add(d.config.Grace), checked: now,
	}
}

// lead collects until ctx is done.
func (d *Directory) lead(ctx context.Context, r *reports) {
	c := d.newCollector()
	d.setCollector(c)
	var own sync.WaitGroup
	own.Go(func() { c.reportOwn(ctx, r) })
	c.run(ctx)
	own.Wait()
	d.setCollector(nil)
	c.end()
}

func (d *Directory) setCollector(c *collector) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.collector = c
}

// collecting gives the collector; nil while another node leads.
func (d *Directory) collecting() *collector {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.collector
}

// reportOwn gives the collector the reports of its own node.
func (c *collector) reportOwn(ctx context.Context, r *reports) {
	d := c.directory
	pace := d.newPace()
	defer pace.stop()
	for whole := true; ; {
		err := c.report(d.config.ID, r.next(whole, d.isStopping()))
		if whole = err != nil; whole {
			d.config.Logger.Error("the leader's own report is refused", "error", err)
		}
		if !pace.wait(ctx.Done()) {
			return
		}
	}
}

// run sends on what has come until ctx is done.
func (c *collector) run(ctx context.Context) {
	look := time.NewTicker(c.directory.config.Grace / 6)
	defer look.Stop()
	beat := time.NewTicker(c.directory.config.Interval)
	defer beat.Stop()
	for {
		heartbeat := false
		select {
		case <-c.dirty:
			select {
			case <-time.After(gather):
			case <-ctx.Done():
			}
		case now := <-look.C:
			c.look(now)
		case <-beat.C:
			c.prune()
			heartbeat = true
		case <-ctx.Done():
			return
		}
		c.send(heartbeat)
	}
}

// report takes in one report. The error says what is wrong with it; the stream that it came by must end then.
func (c *collector) report(id string, request *clusterv1.ExchangeRequest) error {
	r := request.GetReport()
	if named := r.GetAddress().GetNode(); named != "" && named != id {
		return fmt.Errorf("directory: node %s reports as %s", id, named)
	}
	now := clock.Now()
	differs, compared := c.compare(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[id]
	changes := request.GetRevisions()
	switch {
	case n == nil || r.GetAddress().GetIncarnation() > n.report.GetAddress().GetIncarnation():
		if !changes.GetWhole() {
			return fmt.Errorf("%w: the first report of node %s has not all revisions", errGap, id)
		}
		if members := c.directory.members(); members != nil && !slices.Contains(members, id) {
			return fmt.Errorf("%w: %s", errStranger, id)
		}
		n = c.track(id, r, n)
	case r.GetAddress().GetIncarnation() < n.report.GetAddress().GetIncarnation():
		return fmt.Errorf("directory: node %s has started anew since this process of it", id)
	case r.GetNumber() <= n.report.GetNumber():
		return fmt.Errorf("directory: report %d of node %s came after report %d", r.GetNumber(), id, n.report.GetNumber())
	}
	if err := n.change(id, changes); err != nil {
		return err
	}
	if !n.alive {
		n.alive, n.urgent = true, true
		c.directory.config.Logger.Info("a node is alive", "node", r.GetName(), "id", id)
	}
	if compared && n.diverged != differs {
		n.diverged, n.urgent = differs, true
		if differs {
			c.directory.config.Logger.Error("the catalog of a node differs from the leader's: stop it, move its data directory "+
				"away and let it join anew", "node", r.GetName(), "id", id, "index", r.GetAppliedIndex())
		}
	}
	n.urgent = n.urgent || differ(n.report, r)
	n.observe(r, now)
	n.report, n.heard, n.stale = r, now, true
	if n.urgent {
		c.wake()
	}
	return nil
}

// compare compares the state hash of a report with this node's own at the same index.
func (c *collector) compare(r *clusterv1.Report) (differs, compared bool) {
	if c.directory.config.HashAt == nil || len(r.GetStateHash()) == 0 {
		return false, false
	}
	hash, ok := c.directory.config.HashAt(r.GetAppliedIndex())
	return !bytes.Equal(hash, r.GetStateHash()), ok
}

// track begins to keep track of a node, or of its new process. What the directory knows of its revisions need not come
// again. The caller holds mu.
func (c *collector) track(id string, r *clusterv1.Report, before *tracked) *tracked {
	n := &tracked{report: r, urgent: true}
	if before != nil {
		n.alive = before.alive
	}
	if v := c.directory.View().Node(id); v != nil && v.incarnation() == r.GetAddress().GetIncarnation() {
		n.sequence = v.sequence
		if before == nil {
			n.alive = v.Alive
		}
	}
	c.nodes[id] = n
	delete(c.gone, id)
	return n
}

// change takes in changes of revisions.
func (n *tracked) change(id string, changes *clusterv1.RevisionChanges) error {
	switch {
	case changes == nil, changes.GetWhole() && changes.GetSequence() == n.sequence:
		return nil
	case changes.GetWhole():
		n.pending = &pending{whole: true, states: map[executor.Key]*clusterv1.RevisionState{}}
	case changes.GetBase() != n.sequence:
		return fmt.Errorf("%w: of node %s the changes after %d came, those up to %d are known", errGap, id, changes.GetBase(), n.sequence)
	case n.pending == nil:
		n.pending = &pending{base: n.sequence, states: map[executor.Key]*clusterv1.RevisionState{}}
	}
	for _, s := range changes.GetChanged() {
		n.pending.states[keyOf(s)] = s
	}
	for _, s := range changes.GetGone() {
		n.pending.states[keyOf(s)] = nil
	}
	n.sequence, n.urgent = changes.GetSequence(), true
	return nil
}

// observe estimates how far the node's clock is ahead. The way of a report only makes it seem less, so high samples count
// more.
func (n *tracked) observe(r *clusterv1.Report, now time.Time) {
	sample := time.Unix(0, r.GetClockUnixNanos()).Sub(now)
	if n.heard.IsZero() || sample > n.offset {
		n.offset = sample
	} else {
		n.offset -= (n.offset - sample) / 16
	}
}

// differ tells whether a report has news that must not wait for its turn.
func differ(before, now *clusterv1.Report) bool {
	return before.GetStopping() != now.GetStopping() || before.GetFault() != now.GetFault() ||
		before.GetName() != now.GetName() || before.GetVersion() != now.GetVersion() || before.GetEngine() != now.GetEngine() ||
		before.GetLevel() != now.GetLevel() || before.GetCores() != now.GetCores() ||
		before.GetAddress().GetIncarnation() != now.GetAddress().GetIncarnation() ||
		before.GetAddress().GetCluster() != now.GetAddress().GetCluster() ||
		before.GetAddress().GetGrpc() != now.GetAddress().GetGrpc() || !maps.Equal(before.GetLabels(), now.GetLabels()) ||
		!slices.Equal(before.GetSecretKeys(), now.GetSecretKeys())
}

func (c *collector) wake() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// look calls those lost that have been silent for too long.
func (c *collector) look(now time.Time) {
	config := &c.directory.config
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.checked) > config.Grace/2 { // This process was asleep: reports may be waiting to be read.
		c.settles = now.Add(config.Grace)
	}
	c.checked = now
	if now.Before(c.settles) {
		return
	}
	for id, v := range c.directory.View().nodes {
		if c.nodes[id] == nil {
			c.nodes[id] = &tracked{
				report: v.state.GetReport(), heard: v.Heard, offset: v.ClockOffset, alive: v.Alive, diverged: v.Diverged,
				sequence: v.sequence,
			}
		}
	}
	for id, n := range c.nodes {
		if id == config.ID {
			continue // it lives, as it looks; only its report is late
		}
		if n.alive && now.Sub(n.heard) > config.Grace {
			n.alive, n.urgent = false, true
			config.Logger.Warn("a node is lost", "node", n.report.GetName(), "id", id, "silent", now.Sub(n.heard).Round(time.Millisecond))
		}
	}
}

// prune forgets nodes that left the cluster, and looks up the parts that nodes have in raft.
func (c *collector) prune() {
	config := &c.directory.config
	members := c.directory.members()
	var roles map[string]string
	if config.Roles != nil {
		roles = config.Roles()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, n := range c.nodes {
		if n.role != roles[id] {
			n.role, n.urgent = roles[id], true
		}
	}
	if members == nil {
		return
	}
	for id := range c.directory.View().nodes {
		if !slices.Contains(members, id) {
			c.gone[id] = struct{}{}
			delete(c.nodes, id) // Its next report is not its first, so it has to begin again, and is refused.
		}
	}
}

// members gives the IDs of all members; nil if they are not known.
func (d *Directory) members() []string {
	if d.config.Members == nil {
		return nil
	}
	return d.config.Members()
}

// SetUnplaced tells everybody why revisions run on fewer executors than they should. It replaces what was said before. It
// does nothing on a node that does not lead.
func (d *Directory) SetUnplaced(all []Unplaced) {
	c := d.collecting()
	if c == nil {
		return
	}
	v := View{unplaced: make(map[executor.Key]Unplaced, len(all))}
	for _, u := range all {
		v.unplaced[u.Key] = u
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.planned && maps.Equal(v.unplaced, d.View().unplaced) && c.unplaced == nil {
		return
	}
	c.unplaced, c.planned = v.unplacedSet(), true
	c.wake()
}

// Settled tells whether this node leads and has done so for long enough to know who is lost.
func (d *Directory) Settled() bool {
	c := d.collecting()
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !clock.Now().Before(c.settles)
}

// Level gives the lowest format level of all members. It is not ok on a node that does not lead, and until every member
// has reported to it.
func (d *Directory) Level() (lowest uint32, ok bool) {
	c := d.collecting()
	if c == nil {
		return 0, false
	}
	members := d.members()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, id := range members {
		n := c.nodes[id]
		if n == nil || !n.alive {
			return 0, false
		}
		if i == 0 || n.report.GetLevel() < lowest {
			lowest = n.report.GetLevel()
		}
	}
	return lowest, len(members) > 0
}
