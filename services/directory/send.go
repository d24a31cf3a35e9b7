package directory

import (
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// backlog is how many batches a reader may be behind. One that is further behind is cut off, and starts over from what it
// knows.
const backlog = 256

// reader is a node that is told of changes.
type reader struct {
	batches chan *batch // closed when it is cut off or this node leads no more
}

// batch is news for all readers, encoded once.
type batch struct {
	news    *clusterv1.ExchangeResponse
	once    sync.Once
	encoded grpc.PreparedMsg
	err     error
}

func (b *batch) send(stream grpc.ServerStream) error {
	b.once.Do(func() { b.err = b.encoded.Encode(stream, b.news) })
	if b.err != nil {
		return b.err
	}
	return stream.SendMsg(&b.encoded)
}

// send takes in what has come since the last time and sends it to all readers. A heartbeat is sent even if it is empty.
func (c *collector) send(heartbeat bool) {
	d := c.directory
	c.mu.Lock()
	news := c.news(heartbeat)
	empty := len(news.GetNodes()) == 0 && len(news.GetGone()) == 0 && news.GetUnplaced() == nil
	if empty && !heartbeat {
		c.mu.Unlock()
		return
	}
	own := &clusterv1.ExchangeResponse{Nodes: news.GetNodes(), Gone: news.GetGone(), Unplaced: news.GetUnplaced()}
	if heartbeat { // The leader's own view has all that is new.
		own.Nodes = append(slices.Clip(own.GetNodes()), c.rest()...)
	}
	m, err := d.View().merge(own)
	if err != nil {
		// What follows on what was checked when it came; only a fault of this package gets here. All start over.
		c.nodes = map[string]*tracked{}
		c.cut()
		c.mu.Unlock()
		d.config.Logger.Error("the directory lost its thread; it collects anew", "error", err)
		return
	}
	d.lives()
	d.show(m.View)
	b := &batch{news: news}
	for r := range c.readers {
		select {
		case r.batches <- b:
		default:
			close(r.batches)
			delete(c.readers, r)
		}
	}
	c.mu.Unlock()
	d.learned(m)
}

// news gathers what is to be sent. The caller holds mu.
func (c *collector) news(heartbeat bool) *clusterv1.ExchangeResponse {
	news := &clusterv1.ExchangeResponse{Gone: slices.Collect(maps.Keys(c.gone)), Unplaced: c.unplaced}
	clear(c.gone)
	c.unplaced = nil
	turn := map[string]bool{}
	if heartbeat {
		turn = c.takeTurn()
	}
	for id, n := range c.nodes {
		if n.urgent || n.stale && turn[id] {
			news.Nodes = append(news.Nodes, n.state(id))
			n.pending, n.urgent, n.stale = nil, false, false
		}
	}
	return news
}

// rest gives what was not sent. The caller holds mu.
func (c *collector) rest() []*clusterv1.NodeState {
	var all []*clusterv1.NodeState
	for id, n := range c.nodes {
		if n.stale {
			all = append(all, n.state(id))
		}
	}
	return all
}

// takeTurn gives the nodes that are next to be refreshed. The caller holds mu.
func (c *collector) takeTurn() map[string]bool {
	if len(c.turn) == 0 {
		c.turn = slices.Collect(maps.Keys(c.nodes))
	}
	n := min(refresh, len(c.turn))
	turn := make(map[string]bool, n)
	for _, id := range c.turn[:n] {
		turn[id] = true
	}
	c.turn = c.turn[n:]
	return turn
}

// state gives what is to be sent of a node.
func (n *tracked) state(id string) *clusterv1.NodeState {
	s := &clusterv1.NodeState{
		Id: id, Report: n.report, Alive: n.alive, HeardUnixNanos: n.heard.UnixNano(), ClockOffsetNanos: int64(n.offset),
		Raft: n.role, Diverged: n.diverged,
	}
	if p := n.pending; p != nil {
		s.Revisions = &clusterv1.RevisionChanges{Base: p.base, Sequence: n.sequence, Whole: p.whole}
		for k, r := range p.states {
			switch {
			case r != nil:
				s.Revisions.Changed = append(s.Revisions.Changed, r)
			case !p.whole:
				s.Revisions.Gone = append(s.Revisions.Gone, messageOf(Revision{Key: k}))
			}
		}
	}
	return s
}

// join adds a reader and gives the news that it needs to know what this node knows.
func (c *collector) join(known []*clusterv1.Known) (*reader, []*clusterv1.ExchangeResponse) {
	members := c.directory.members()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &reader{batches: make(chan *batch, backlog)}
	if c.ended {
		close(r.batches)
		return r, nil
	}
	c.readers[r] = struct{}{}
	return r, c.missing(known, members)
}

// revisionsPerMessage bounds the messages that a new reader gets, to a megabyte or so.
const revisionsPerMessage = 10_000

// missing gives what somebody lacks who knows some already. Of a node that this leader has not heard of itself yet it
// tells only what is newer: the reader may know better. The caller holds mu.
func (c *collector) missing(known []*clusterv1.Known, members []string) []*clusterv1.ExchangeResponse {
	view := c.directory.View()
	has := make(map[string]*clusterv1.Known, len(known))
	next := &clusterv1.ExchangeResponse{}
	for _, k := range known {
		has[k.GetId()] = k
		if view.Node(k.GetId()) == nil && members != nil && !slices.Contains(members, k.GetId()) {
			next.Gone = append(next.Gone, k.GetId())
		}
	}
	if c.planned {
		next.Unplaced = view.unplacedSet()
	}
	all := []*clusterv1.ExchangeResponse{next}
	count := 0
	for id, n := range view.nodes {
		k := has[id]
		newer := k == nil || n.incarnation() > k.GetIncarnation() ||
			n.incarnation() == k.GetIncarnation() && n.sequence > k.GetSequence()
		switch {
		case newer:
			next.Nodes = append(next.Nodes, n.whole())
			count += n.revisions.size
		case c.nodes[id] != nil:
			next.Nodes = append(next.Nodes, n.with(nil))
		}
		if count++; count >= revisionsPerMessage {
			next, count = &clusterv1.ExchangeResponse{}, 0
			all = append(all, next)
		}
	}
	return all
}

// leave removes a reader.
func (c *collector) leave(r *reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.readers[r]; ok {
		delete(c.readers, r)
		close(r.batches)
	}
}

// cut ends all readers. The caller holds mu.
func (c *collector) cut() {
	for r := range c.readers {
		close(r.batches)
	}
	clear(c.readers)
}

// end ends all readers for good.
func (c *collector) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.cut()
}
