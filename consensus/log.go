//go:build !weft_faults

package consensus

import (
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// openLog opens raft's log in a directory.
func openLog(dir string, log *raftLogger) (logStore, error) {
	return wal.Open(dir, wal.WithSegmentSize(segmentSize), wal.WithLogger(log.ResetNamed("log")))
}

// openSnapshots opens raft's snapshots below a directory.
func openSnapshots(dir string, log *raftLogger) (raft.SnapshotStore, error) {
	return raft.NewFileSnapshotStoreWithLogger(dir, snapshotsKept, log.ResetNamed("snapshot"))
}
