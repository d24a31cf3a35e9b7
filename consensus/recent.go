package consensus

import (
	"sync"

	"github.com/hashicorp/raft"
)

const (
	recentEntries = 1024
	recentBytes   = 4 << 20
)

// recent holds the entries that were written to the log last. raft reads each one again from its store, once for every
// follower, and as a follower to apply it; raft-wal would read the file each time. raft's own LogCache has no bound in bytes.
type recent struct {
	mu      sync.RWMutex
	entries []*raft.Log // guarded by mu; in order, without gaps; elements are never changed
	bytes   int         // guarded by mu
}

// add notes entries that are in the log now. They follow the last one, or take the place of all.
func (r *recent) add(entries []*raft.Log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, entry := range entries {
		if n := len(r.entries); n > 0 && r.entries[n-1].Index+1 != entry.Index {
			r.entries, r.bytes = nil, 0
		}
		kept := *entry // raft goes on working with its own
		r.entries = append(r.entries, &kept)
		r.bytes += len(entry.Data)
	}
	for len(r.entries) > recentEntries || r.bytes > recentBytes {
		r.bytes -= len(r.entries[0].Data)
		r.entries = r.entries[1:]
	}
}

// get copies an entry, if it is there. The data is shared.
func (r *recent) get(index uint64, entry *raft.Log) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.entries) == 0 || index < r.entries[0].Index || index-r.entries[0].Index >= uint64(len(r.entries)) {
		return false
	}
	*entry = *r.entries[index-r.entries[0].Index]
	return true
}

// forget drops all.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries, r.bytes = nil, 0
}
