package consensus

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

var _ raft.WithPreVote = (*contacts)(nil)

// contacts is raft's transport, listening in on what followers answer. raft itself tells nobody how far they are. A leader
// sends a heartbeat to each of them ten times in a heartbeat timeout, apart from the entries, and the answer has the index of
// the last entry in the follower's log.
type contacts struct {
	*raft.NetworkTransport

	mu    sync.Mutex
	peers map[raft.ServerID]contact // guarded by mu
}

// contact is the last that was heard of a server.
type contact struct {
	at   time.Time
	last uint64 // index of the last entry in its log
}

func newContacts(transport *raft.NetworkTransport) *contacts {
	return &contacts{NetworkTransport: transport, peers: map[raft.ServerID]contact{}}
}

// AppendEntries implements raft.Transport.
func (c *contacts) AppendEntries(
	id raft.ServerID, target raft.ServerAddress, request *raft.AppendEntriesRequest, response *raft.AppendEntriesResponse,
) error {
	err := c.NetworkTransport.AppendEntries(id, target, request, response)
	if err == nil {
		c.mu.Lock()
		c.peers[id] = contact{at: time.Now(), last: response.LastLog}
		c.mu.Unlock()
	}
	return err
}

// of returns the last contact with a server; the zero one if there was none.
func (c *contacts) of(id raft.ServerID) contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peers[id]
}
