package consensus

import (
	"errors"
	"time"

	"github.com/hashicorp/raft"
)

// Roles of nodes: what they do for the catalog.
const (
	Leads    = "leader"
	Votes    = "voter"
	StandsBy = "standby"  // has the log and no vote
	Follows  = "follower" // has no log
)

// Leader returns the name of the node that leads, or its ID if it is another one; "" if there is no leader, or none is
// known.
func (n *Node) Leader() string {
	id := n.knownLeader()
	if id == n.identity.ID {
		return n.Name()
	}
	return id
}

// knownLeader returns the ID of the node that leads; "" if none is known.
func (n *Node) knownLeader() string {
	if _, leads := n.leading(); leads {
		return n.identity.ID
	}
	n.mu.Lock()
	s := n.session
	n.mu.Unlock()
	if id, known := n.leader(s); known {
		return id
	}
	return ""
}

// Status tells about a node.
type Status struct {
	Cluster string        // ID of the cluster
	ID      string        // of the node
	Role    string        // "" for a scheduler that raft does not have yet, or while its disk fails
	Leader  string        // as Leader gives it
	Leads   bool          // this node leads
	Term    uint64        // of raft; 0 while it does not run
	Applied uint64        // log index of the catalog that is shown
	Hash    []byte        // its state hash
	Stale   time.Duration // as Stale gives it
	Fault   error         // ErrStorage or ErrDamaged; nil if all is well
	Fork    error         // not nil if the catalog turned out to differ from the log, or from that of another node, since the last start
}

// Status returns the state of the node now.
func (n *Node) Status() Status {
	view := n.catalog.View()
	status := Status{
		Cluster: n.identity.Cluster, ID: n.identity.ID, Leader: n.Leader(), Stale: n.Stale(),
		Applied: view.Index(), Hash: view.Hash(), Role: n.Roles()[n.identity.ID],
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	status.Fault = errors.Join(n.damage, n.fault)
	status.Fork = errors.Join(n.catalog.Fork(), n.fork)
	if n.session != nil {
		status.Term = n.session.raft.CurrentTerm()
		status.Leads = n.session.leads() != 0
	}
	if n.config.Follower {
		status.Role = Follows
	}
	return status
}

// Roles returns the roles of the schedulers by their IDs, as raft's configuration here has them. It is empty on a node
// that has no log.
func (n *Node) Roles() map[string]string {
	n.mu.Lock()
	s := n.session
	n.mu.Unlock()
	if s == nil {
		return nil
	}
	_, leader := s.raft.LeaderWithID()
	roles := map[string]string{}
	for _, server := range s.raft.GetConfiguration().Configuration().Servers {
		switch {
		case server.ID == leader:
			roles[string(server.ID)] = Leads
		case server.Suffrage == raft.Voter:
			roles[string(server.ID)] = Votes
		default:
			roles[string(server.ID)] = StandsBy
		}
	}
	return roles
}

// HashAt returns the state hash that the catalog had here at a log index; false if the node did not pass the index lately.
func (n *Node) HashAt(index uint64) (hash []byte, ok bool) { return n.trail.at(index) }

// Stale returns how long ago this node was last known to be up to date with the leader; 0 on the leader. Without ever
// having heard of one it is the time since the node was opened. A follower counts on from before its last restart.
func (n *Node) Stale() time.Duration {
	n.mu.Lock()
	s := n.session
	n.mu.Unlock()
	if s != nil && s.leads() != 0 {
		return 0
	}
	heard := n.freshness()
	if s != nil && s.raft.LastContact().After(heard) {
		heard = s.raft.LastContact()
	}
	return time.Since(heard)
}
