package router

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/directory"
)

// The tiers of candidates, the best first.
const (
	sameZone = iota
	sameRegion
	anywhere
	stopping
	lost
	tierCount
)

const (
	// crowded is how many calls for each of its cores make a node crowded.
	crowded = 4
	// staleAfter is how long after the last word of a leader a lost node may be back.
	staleAfter = 5 * time.Second
	// awayTime is how long a node does not count that said that a revision is not ready there.
	awayTime = time.Second
	// maxGroups bounds the revisions whose candidates are kept.
	maxGroups = 1 << 16
)

// candidate is a node on which a revision is ready.
type candidate struct {
	id     string
	cores  int
	remote *remote
	// away is until when it does not count, Unix nanoseconds: the node has said that the revision is not ready there, and
	// the directory will say so soon.
	away *atomic.Int64
}

// usable tells whether a call may be sent there.
func (c candidate) usable(now time.Time) bool {
	return now.UnixNano() >= c.away.Load() && !c.remote.isEjected(now)
}

// goneAway is called when the node has said that the revision is not ready there.
func (c candidate) goneAway() { c.away.Store(time.Now().Add(awayTime).UnixNano()) }

// group is the candidates of one revision.
type group struct {
	ready []string // as the directory gave it
	tiers [tierCount][]candidate
}

// nodes knows the candidates of each revision. Groups are worked out when they are asked for, and kept as long as neither
// the topology nor the revision's readiness changes.
type nodes struct {
	id           string
	zone, region string
	directory    Directory

	mu      sync.Mutex
	kept    *groups            // guarded by mu
	remotes map[string]*remote // guarded by mu
}

// groups are those of one topology.
type groups struct {
	topology uint64
	all      sync.Map // executor.Key → *group
	mu       sync.Mutex
	size     int // guarded by mu
}

func newNodes(c Config) *nodes {
	return &nodes{
		id: c.ID, zone: c.Labels[directory.LabelZone], region: c.Labels[directory.LabelRegion], directory: c.Directory,
		kept: new(groups), remotes: map[string]*remote{},
	}
}

// of gives the candidates of a revision.
func (n *nodes) of(k executor.Key) *group {
	view := n.directory.View()
	ready := view.Ready(k)
	if len(ready) == 0 || len(ready) == 1 && ready[0] == n.id {
		return nil
	}
	kept := n.current(view)
	if found, ok := kept.all.Load(k); ok {
		if g := found.(*group); &g.ready[0] == &ready[0] && len(g.ready) == len(ready) { //nolint:forcetypeassert // nothing else is put in
			return g
		}
	}
	g := n.group(view, ready)
	if _, replaced := kept.all.Swap(k, g); !replaced {
		kept.grow()
	}
	return g
}

func (g *groups) grow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.size++; g.size >= maxGroups {
		g.all.Clear()
		g.size = 0
	}
}

// current gives the groups of the topology of a view. When that has changed, what is known of nodes that are gone or have
// started anew is dropped.
func (n *nodes) current(view *directory.View) *groups {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept.topology != view.Topology() {
		n.kept = &groups{topology: view.Topology()}
		for id, r := range n.remotes {
			if node := view.Node(id); node == nil || node.Address.Incarnation != r.incarnation {
				delete(n.remotes, id)
			}
		}
	}
	return n.kept
}

func (n *nodes) group(view *directory.View, ready []string) *group {
	g := &group{ready: ready}
	for _, id := range ready {
		node := view.Node(id)
		if id == n.id || node == nil {
			continue
		}
		tier := n.tier(node)
		g.tiers[tier] = append(g.tiers[tier], candidate{id, max(int(node.Cores), 1), n.remote(node), new(atomic.Int64)})
	}
	return g
}

func (n *nodes) tier(node *directory.Node) int {
	switch {
	case !node.Alive:
		return lost
	case node.Stopping:
		return stopping
	case n.zone != "" && node.Zone() == n.zone && node.Region() == n.region:
		return sameZone
	case n.region != "" && node.Region() == n.region:
		return sameRegion
	default:
		return anywhere
	}
}

func (n *nodes) remote(node *directory.Node) *remote {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.remotes[node.ID]
	if r == nil {
		r = &remote{name: node.Name, incarnation: node.Address.Incarnation}
		n.remotes[node.ID] = r
	}
	return r
}

// forget drops what is known of a node that left the cluster.
func (n *nodes) forget(id string, m *metrics) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.remotes[id]; r != nil {
		m.forget(r.name)
		delete(n.remotes, id)
	}
}

// failed notes a failure of a node, and tells whether it is left out from now on.
func (n *nodes) failed(r *remote) (ejected bool) {
	if !r.failed() {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	out := 1
	for _, other := range n.remotes {
		if other != r && other.isEjected(now) {
			out++
		}
	}
	if out > len(n.remotes)/2 {
		return false
	}
	r.eject(now)
	return true
}

// reachable tells whether there is a node to send a call to.
func (n *nodes) reachable(k executor.Key) bool {
	g := n.of(k)
	return g != nil && slices.ContainsFunc(n.open(g), func(tier []candidate) bool { return len(tier) > 0 })
}

// open gives the tiers that may be used.
func (n *nodes) open(g *group) [][]candidate {
	if len(g.tiers[lost]) > 0 && n.directory.Age() > staleAfter {
		return g.tiers[:]
	}
	return g.tiers[:lost]
}

// choose picks a node for a call, none of those that were tried; ok is false if there is none.
func (n *nodes) choose(k executor.Key, tried []string) (c candidate, ok bool) {
	g := n.of(k)
	if g == nil {
		return candidate{}, false
	}
	now := time.Now()
	tiers := n.open(g)
	usable := func(c candidate) bool { return !slices.Contains(tried, c.id) && c.usable(now) }
	for i, tier := range tiers {
		best, ok := better(tier, now, usable)
		if !ok {
			continue
		}
		if i < anywhere && best.perCore() > crowded {
			if further, ok := spare(tiers[i+1:anywhere+1], now, usable, best.perCore()/2); ok {
				best = further
			}
		}
		best.remote.claim(now)
		return best, true
	}
	for _, tier := range tiers { // All are left out, which is no better than all of them being in.
		if c, ok := better(tier, now, func(c candidate) bool { return !slices.Contains(tried, c.id) }); ok {
			return c, true
		}
	}
	return candidate{}, false
}

// spare gives a candidate of the first tier that has one with less load than some limit.
func spare(tiers [][]candidate, now time.Time, usable func(candidate) bool, limit float64) (candidate, bool) {
	for _, tier := range tiers {
		if c, ok := better(tier, now, usable); ok && c.perCore() < limit {
			return c, true
		}
	}
	return candidate{}, false
}

func (c candidate) perCore() float64 { return float64(c.remote.load()) / float64(c.cores) }

// better gives the cheaper of two random candidates.
func better(tier []candidate, now time.Time, usable func(candidate) bool) (candidate, bool) {
	first, ok := random(tier, usable)
	if !ok || len(tier) == 1 {
		return first, ok
	}
	second, ok := random(tier, func(c candidate) bool { return c.id != first.id && usable(c) })
	if ok && second.remote.cost(now, second.cores) < first.remote.cost(now, first.cores) {
		return second, true
	}
	return first, true
}

// random gives a random candidate that is usable.
func random(tier []candidate, usable func(candidate) bool) (candidate, bool) {
	for range 4 {
		if len(tier) == 0 {
			break
		}
		if c := tier[rand.IntN(len(tier))]; usable(c) { //nolint:gosec // nobody gains by guessing it
			return c, true
		}
	}
	// Most are not usable: look at all of them, from a random place on.
	start := 0
	if len(tier) > 1 {
		start = rand.IntN(len(tier)) //nolint:gosec // as above
	}
	for i := range tier {
		if c := tier[(start+i)%len(tier)]; usable(c) {
			return c, true
		}
	}
	return candidate{}, false
}
