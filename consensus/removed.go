package consensus

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
)

// removedMark is a file in the directory of a node that has learned that it was removed, so that it knows at its next
// start.
func removedMark(dir string) string { return filepath.Join(dir, "removed") }

// checkRemoved returns ErrRemoved for the directory of a node that was removed.
func (id identity) checkRemoved(dir string) error {
	if _, err := os.Stat(removedMark(dir)); err == nil {
		return removedError(id, dir)
	}
	return nil
}

func removedError(id identity, dir string) error {
	return fmt.Errorf("%w: node %s, cluster %s; delete %s to let it join anew", ErrRemoved, id.ID, id.Cluster, dir)
}

// Removed returns a channel that is closed when this node learns that it was taken out of the cluster. It gets nothing
// from the others any more; it is to be closed, and will not open again.
func (n *Node) Removed() <-chan struct{} { return n.removed }

// SetRemoved tells the node that it was taken out of the cluster, as another node has said.
func (n *Node) SetRemoved() {
	n.leave.Do(func() {
		n.log.Error("this node was removed from the cluster; it will not start again with this directory",
			"node", n.identity.ID, "cluster", n.identity.Cluster, "directory", n.config.Dir)
		if err := writeFile(removedMark(n.config.Dir), func(io.Writer) error { return nil }); err != nil {
			n.log.Warn("the removal can't be noted in the directory", "error", err)
		}
		close(n.removed)
	})
}

// isRemoved tells whether the catalog says that a node was taken out.
func (n *Node) isRemoved(node string) bool { return n.catalog.View().Removed(node) }

// isBarred tells whether a node gets nothing on the cluster port. A removed node gets what raft says for as long as it is in
// raft's configuration: it may hold one of the votes that are needed to take it out, or lead and have to hand over.
func (n *Node) isBarred(node, protocol string) bool {
	return n.isRemoved(node) && (protocol != raftProtocol || !n.inRaft(node))
}

// inRaft tells whether a node is in raft's configuration.
func (n *Node) inRaft(node string) bool {
	n.mu.Lock()
	s := n.session
	n.mu.Unlock()
	if s == nil {
		return false
	}
	for _, server := range s.raft.GetConfiguration().Configuration().Servers {
		if server.ID == raft.ServerID(node) {
			return true
		}
	}
	return false
}

const (
	removalPause = 100 * time.Millisecond // between two looks at who was removed: the catalog may change all the time
	removalLook  = time.Second            // raft's configuration changes without a word
	removalGrace = 10 * time.Second       // how long a removed node waits for raft to let go of it
)

// watchRemovals cuts off whoever is removed, until the node is closed.
func (n *Node) watchRemovals() {
	tick := time.NewTicker(removalLook)
	defer tick.Stop()
	var since time.Time // this node has known that it is removed
	for {
		changed := n.catalog.View().Changed()
		n.port.expel()
		n.book.expel()
		if n.isRemoved(n.identity.ID) {
			if since.IsZero() {
				since = time.Now()
			}
			if !n.inRaft(n.identity.ID) || time.Since(since) > removalGrace {
				n.SetRemoved()
			}
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-n.closing:
			return
		}
		select {
		case <-time.After(removalPause):
		case <-n.closing:
			return
		}
	}
}
