//go:build weft_faults

package consensus

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"github.com/weft-run/weft/internal/disk"
)

// openLog opens raft's log in a directory, on a disk that fails on demand.
func openLog(dir string, log *raftLogger) (logStore, error) {
	if err := disk.Write(dir); err != nil {
		return nil, err
	}
	if err := forgetUnsynced(dir); err != nil {
		return nil, err
	}
	store, err := openSound(func() (*wal.WAL, error) {
		return wal.Open(dir, wal.WithSegmentSize(segmentSize), wal.WithLogger(log.ResetNamed("log")),
			wal.WithSegmentFiler(segment.NewFiler(dir, faultyFiles{fs.New()})), wal.WithMetaStore(&faultyMeta{MetaStore: &metadb.BoltMetaDB{}}))
	})
	if err != nil {
		return nil, err
	}
	return checked{store}, nil
}

// openSnapshots opens raft's snapshots below a directory, on a disk that fails on demand.
func openSnapshots(dir string, log *raftLogger) (raft.SnapshotStore, error) {
	store, err := openSealedSnapshots(dir, log)
	return faultySnapshots{store}, err
}

// faultyFiles are the segments of the log.
type faultyFiles struct{ *fs.FS }

// unsynced ends the names of segments whose directory entry a crash would lose.
const unsynced = ".unsynced"

// forgetUnsynced removes the segments that were made and not synced before the process was killed.
func forgetUnsynced(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*"+unsynced))
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// Create implements types.VFS. The file has its name from its first sync on.
func (f faultyFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	path := filepath.Join(dir, name)
	if err := disk.Write(path); err != nil {
		return nil, err
	}
	made, err := f.FS.Create(dir, name+unsynced, size)
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	opened, err := disk.OpenFile(path+unsynced, os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &faultySegment{File: opened, path: path, rename: true}, nil
}

// Delete implements types.VFS.
func (f faultyFiles) Delete(dir, name string) error {
	disk.Wait()
	return f.FS.Delete(dir, name)
}

// OpenWriter implements types.VFS.
func (f faultyFiles) OpenWriter(dir, name string) (types.WritableFile, error) {
	path := filepath.Join(dir, name)
	opened, err := disk.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &faultySegment{File: opened, path: path}, nil
}

// faultySegment is one segment of the log that is written.
type faultySegment struct {
	*disk.File
	path string

	mu     sync.Mutex
	rename bool // guarded by mu; it does not have its name yet
}

// Sync implements types.WritableFile.
func (s *faultySegment) Sync() error {
	if err := s.File.Sync(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rename {
		return nil
	}
	if err := os.Rename(s.path+unsynced, s.path); err != nil {
		return err
	}
	s.rename = false
	return disk.SyncDir(filepath.Dir(s.path))
}

// faultyMeta is the log's list of segments, with term and vote.
type faultyMeta struct{ types.MetaStore }

// CommitState implements types.MetaStore.
func (m *faultyMeta) CommitState(state types.PersistentState) error {
	if err := disk.Write(metadb.FileName); err != nil {
		return err
	}
	return m.MetaStore.CommitState(state)
}

// SetStable implements types.MetaStore.
func (m *faultyMeta) SetStable(key, value []byte) error {
	if err := disk.Write(metadb.FileName); err != nil {
		return err
	}
	return m.MetaStore.SetStable(key, value)
}

// faultySnapshots are raft's snapshots.
type faultySnapshots struct{ raft.SnapshotStore }

// Create implements raft.SnapshotStore.
func (s faultySnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, transport raft.Transport,
) (raft.SnapshotSink, error) {
	if err := disk.Write("snapshot"); err != nil {
		return nil, err
	}
	sink, err := s.SnapshotStore.Create(version, index, term, configuration, configurationIndex, transport)
	return faultySink{sink}, err
}

// faultySink is a snapshot that is written.
type faultySink struct{ raft.SnapshotSink }

// Write implements raft.SnapshotSink.
func (s faultySink) Write(p []byte) (int, error) {
	if err := disk.Write("snapshot"); err != nil {
		return 0, err
	}
	return s.SnapshotSink.Write(p)
}
