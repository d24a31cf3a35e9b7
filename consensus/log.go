//go:build !weft_faults

package consensus

import (
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// openLog opens raft's log in a directory.
func openLog(dir string, log *raftLogger) (logStore, error) {
	store, err := openSound(func() (*wal.WAL, error) {
		return wal.Open(dir, wal.WithSegmentSize(segmentSize), wal.WithLogger(log.ResetNamed("log")))
	})
	if err != nil {
		return nil, err
	}
	return checked{store}, nil
}

// openSnapshots opens raft's snapshots below a directory.
func openSnapshots(dir string, log *raftLogger) (raft.SnapshotStore, error) {
	return openSealedSnapshots(dir, log)
}
