package consensus

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// sealedSnapshots are raft's snapshots with a checksum for meta.json, which holds the cluster's configuration and has
// none: the file meta.sum beside it, the CRC-32C in hexadecimal digits. A snapshot without that file is taken as it is:
// it is from before there were checksums, or from just before a crash.
type sealedSnapshots struct {
	raft.SnapshotStore
	dir string // of the snapshots
}

func openSealedSnapshots(dir string, log *raftLogger) (raft.SnapshotStore, error) {
	store, err := raft.NewFileSnapshotStoreWithLogger(dir, snapshotsKept, log.ResetNamed("snapshot"))
	if err != nil {
		return nil, err
	}
	return sealedSnapshots{SnapshotStore: store, dir: filepath.Join(dir, "snapshots")}, nil
}

func (s sealedSnapshots) metaPath(id string) string { return filepath.Join(s.dir, id, "meta.json") }
func (s sealedSnapshots) sumPath(id string) string  { return filepath.Join(s.dir, id, "meta.sum") }

// Create implements raft.SnapshotStore.
func (s sealedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, transport raft.Transport,
) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, configuration, configurationIndex, transport)
	if err != nil {
		return nil, err
	}
	return sealingSink{SnapshotSink: sink, store: s}, nil
}

// Open implements raft.SnapshotStore. With an error raft goes on to the snapshot before, or refuses to start if it is the
// only one.
func (s sealedSnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	want, err := os.ReadFile(s.sumPath(id))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.SnapshotStore.Open(id)
	case err != nil:
		return nil, nil, err
	}
	got, err := s.sum(id)
	if err != nil {
		return nil, nil, err
	}
	if got != string(want) {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrDamaged, s.metaPath(id), errChecksum)
	}
	return s.SnapshotStore.Open(id)
}

func (s sealedSnapshots) sum(id string) (string, error) {
	meta, err := os.ReadFile(s.metaPath(id))
	return fmt.Sprintf("%08x", crc32.Checksum(meta, castagnoli)), err
}

// sealingSink seals the snapshot when it is complete.
type sealingSink struct {
	raft.SnapshotSink
	store sealedSnapshots
}

// Close implements raft.SnapshotSink.
func (s sealingSink) Close() error {
	if err := s.SnapshotSink.Close(); err != nil {
		return err
	}
	sum, err := s.store.sum(s.ID())
	if err != nil {
		return err
	}
	return writeFile(s.store.sumPath(s.ID()), func(w io.Writer) error {
		_, err := io.WriteString(w, sum)
		return err
	})
}
