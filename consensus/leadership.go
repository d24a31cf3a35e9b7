package consensus

import "github.com/hashicorp/raft"

// LeaderID returns the ID of the node to ask for what only a leader does, "" if none is known, and a channel that is closed
// when that may have changed. On a node without a log it may be a guess, which is another one each time.
func (n *Node) LeaderID() (id string, changed <-chan struct{}) {
	n.mu.Lock()
	s, changed := n.session, n.changed
	n.mu.Unlock()
	if s != nil {
		if _, id := s.raft.LeaderWithID(); id == raft.ServerID(n.identity.ID) {
			if s.leads() == 0 {
				return "", changed
			}
			return n.identity.ID, changed
		}
	}
	id, _ = n.leader(s)
	return id, changed
}

// Leads returns the term in which this node leads, and has all that was committed before it; 0 if it does not lead. The
// channel is closed when that may have changed.
func (n *Node) Leads() (term uint64, changed <-chan struct{}) {
	n.mu.Lock()
	s, changed := n.session, n.changed
	n.mu.Unlock()
	if s == nil {
		return 0, changed
	}
	return s.leads(), changed
}
