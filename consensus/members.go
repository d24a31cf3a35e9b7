package consensus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

const (
	maxVoters = 5 // further schedulers stand by
	minVoters = 3 // as long as there are that many, a dead one keeps its vote

	trailing   = 1024                  // entries that a server may be behind and still count as caught up
	governRest = 50 * time.Millisecond // between two looks at the catalog, which may change all the time
)

// member is a server in raft's configuration as the leader judges it.
type member struct {
	id     raft.ServerID
	voter  bool
	wanted bool // the catalog has it as a scheduler, or does not know it yet
	alive  bool // it answers
	unsure bool // it may answer yet: the leader is new
	stable bool // it has been alive and caught up for a while
	dead   bool // it has not answered for long
	last   uint64
}

// step is one change that brings raft's configuration closer to the catalog.
type step struct {
	action action
	id     raft.ServerID
}

type action string

const (
	nothing  action = ""
	add      action = "add"      // as a non-voter
	promote  action = "promote"  // to a voter
	demote   action = "demote"   // to a non-voter
	remove   action = "remove"   // from the configuration
	transfer action = "transfer" // of the leadership, to a voter
)

// plan returns the next change of raft's configuration. Self is the leader; members are the servers that raft has, self
// included; fresh are the schedulers of the catalog that raft does not have yet. The rules are those of raft-autopilot:
//
//   - Who left the catalog leaves raft. A leader hands over first and is removed by the next.
//   - A new scheduler comes as a non-voter, and gets a vote once it is stable and while there are fewer than five.
//   - A dead voter loses its vote if three others have one. It gets it back when it is stable again.
//   - No vote is taken unless a majority of the remaining voters answers.
func plan(self raft.ServerID, members []member, fresh []raft.ServerID) step {
	var voters []member
	for _, m := range members {
		if m.voter {
			voters = append(voters, m)
		}
	}
	for _, m := range members {
		if m.wanted || m.id == self || m.voter && !majorityWithout(voters, m.id) {
			continue
		}
		return step{remove, m.id}
	}
	for _, m := range members {
		if to := successor(voters, self); m.id == self && !m.wanted && to != "" {
			return step{transfer, to}
		}
	}
	if len(fresh) > 0 {
		return step{add, fresh[0]}
	}
	for _, m := range members {
		if !m.voter && m.wanted && m.stable && len(voters) < maxVoters {
			return step{promote, m.id}
		}
	}
	for _, m := range voters {
		if m.dead && len(voters) > minVoters && majorityWithout(voters, m.id) {
			return step{demote, m.id}
		}
	}
	return step{}
}

// majorityWithout reports whether most voters but one answer.
func majorityWithout(members []member, id raft.ServerID) bool {
	rest, alive := 0, 0
	for _, v := range members {
		if v.id == id || !v.voter {
			continue
		}
		rest++
		if v.alive {
			alive++
		}
	}
	return alive > rest/2
}

// successor returns the voter that leadership is best handed to; "" if there is none.
func successor(members []member, self raft.ServerID) raft.ServerID {
	var best member
	for _, v := range members {
		if v.id != self && v.voter && v.wanted && v.alive && (best.id == "" || v.last > best.last) {
			best = v
		}
	}
	return best.id
}

// governor makes raft's configuration follow the catalog for as long as this node leads in a term.
type governor struct {
	session *session
	began   time.Time // of the term

	mu     sync.Mutex
	sound  map[raft.ServerID]time.Time // guarded by mu; since when a server has been alive and caught up
	silent map[raft.ServerID]bool      // guarded by mu; servers that do not answer, as was told
}

// govern runs until ctx is done. It looks again whenever the catalog changes, and once in a while.
func (s *session) govern(ctx context.Context) {
	g := &governor{session: s, began: time.Now(), sound: map[raft.ServerID]time.Time{}, silent: map[raft.ServerID]bool{}}
	s.setGovernor(nil, g)
	defer s.setGovernor(g, nil)
	tick := time.NewTicker(s.node.config.governEvery)
	defer tick.Stop()
	for {
		view := s.node.catalog.View()
		if g.round(ctx, view) {
			continue
		}
		if pause(ctx, governRest) != nil {
			return
		}
		select {
		case <-view.Changed():
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// round does one thing that is to be done; it returns false if there was none, or it failed.
func (g *governor) round(ctx context.Context, view *catalog.View) bool {
	s := g.session
	future := s.raft.GetConfiguration()
	members, fresh := g.members(future.Configuration(), view, time.Now())
	next := plan(raft.ServerID(s.node.identity.ID), members, fresh)
	if next.action == nothing {
		return s.raise(ctx, view)
	}
	err := s.await(ctx, func() error { return g.carryOut(next, future.Index()) })
	if err != nil {
		if ctx.Err() == nil {
			s.node.log.Warn("raft's configuration could not be changed; trying again", "change", string(next.action), "node", string(next.id), "error", err)
		}
		return false
	}
	s.node.log.Info("raft's configuration changed", "change", string(next.action), "node", string(next.id))
	return next.action != transfer // the next leader goes on
}

// carryOut makes one change to the configuration at an index, if that is still the newest.
func (g *governor) carryOut(next step, index uint64) error {
	r, address := g.session.raft, raft.ServerAddress(next.id)
	switch next.action {
	case add:
		return r.AddNonvoter(next.id, address, index, rpcTimeout).Error()
	case promote:
		return r.AddVoter(next.id, address, index, rpcTimeout).Error()
	case demote:
		return r.DemoteVoter(next.id, index, rpcTimeout).Error()
	case remove:
		return r.RemoveServer(next.id, index, rpcTimeout).Error()
	case transfer:
		return r.LeadershipTransferToServer(next.id, address).Error()
	case nothing:
	}
	return fmt.Errorf("consensus: no such change: %q", next.action)
}

// members judges the servers that raft has, and lists the schedulers that it does not have yet.
func (g *governor) members(configuration raft.Configuration, view *catalog.View, now time.Time) (members []member, fresh []raft.ServerID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := map[raft.ServerID]bool{}
	for _, server := range configuration.Servers {
		known[server.ID] = true
		members = append(members, g.judge(server, view, now))
	}
	for node := range view.Nodes() {
		if id := raft.ServerID(node.GetId()); node.GetScheduler() && !known[id] {
			fresh = append(fresh, id)
		}
	}
	return members, fresh
}

// judge says how a server does. The caller holds mu.
func (g *governor) judge(server raft.Server, view *catalog.View, now time.Time) member {
	s, config := g.session, &g.session.node.config
	node := view.Node(string(server.ID))
	m := member{
		id: server.ID, voter: server.Suffrage == raft.Voter,
		wanted: node.GetScheduler() || node == nil && !view.Removed(string(server.ID)),
	}
	if string(server.ID) == s.node.identity.ID {
		m.alive, m.stable, m.last = true, true, s.raft.LastIndex()
		return m
	}
	heard := s.contacts.of(server.ID)
	silence := now.Sub(heard.at)
	if heard.at.Before(g.began) { // not heard of in this term yet
		silence = now.Sub(g.began)
	}
	m.alive = heard.at.After(g.began) && silence < config.contact
	m.unsure = !m.alive && silence < config.contact
	g.tell(m)
	m.dead = silence > config.dead
	m.last = heard.last
	if !m.alive || heard.last+trailing < s.raft.LastIndex() {
		delete(g.sound, server.ID)
		return m
	}
	since, ok := g.sound[server.ID]
	if !ok {
		since = now
		g.sound[server.ID] = now
	}
	m.stable = now.Sub(since) >= config.stable
	return m
}

// tell logs when a server stops to answer, and when it does again. The caller holds mu.
func (g *governor) tell(m member) {
	log, silent := g.session.node.log, !m.alive && !m.unsure
	switch {
	case silent && !g.silent[m.id]:
		log.Warn("a scheduler does not answer", "node", string(m.id), "votes", m.voter)
	case m.alive && g.silent[m.id]:
		log.Info("a scheduler answers again", "node", string(m.id))
	}
	g.silent[m.id] = silent
}
