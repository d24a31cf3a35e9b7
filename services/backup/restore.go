package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/internal/disk"
	"github.com/weft-run/weft/services/artifacts"
)

// ErrNotEmpty says that the data directory has something in it already.
var ErrNotEmpty = errors.New("backup: the data directory is not empty")

// Layout says how the parts of a data directory are called that a backup fills.
type Layout struct{ Consensus, Artifacts string }

// Restored tells what Restore has made.
type Restored struct {
	// Summary is that of the backup.
	Summary
	// Cluster and Node are the IDs of the new cluster and its first node.
	Cluster, Node string
}

// stage is where everything is made before it is put in place.
const stage = "restore.tmp"

// Restore makes the data directory of the first node of a new cluster from a backup. The directory must be missing or
// empty. All or nothing: with an error it is as it was before, unless the process ended in the middle; then it is not
// empty, and no node's. Errors are ErrNotEmpty, those of Read, those of ctx, and those of the disk.
func Restore(ctx context.Context, r io.Reader, dir string, layout Layout) (_ *Restored, err error) {
	made, err := claim(dir)
	if err != nil {
		return nil, err
	}
	tmp := filepath.Join(dir, stage)
	defer func() {
		err = errors.Join(err, os.RemoveAll(tmp))
		if err != nil && made {
			_ = os.Remove(dir) // only if it is empty
		}
	}()
	store, err := artifacts.Open(filepath.Join(tmp, layout.Artifacts))
	if err != nil {
		return nil, err
	}
	sink := &restoring{
		put:     func(r io.Reader, size int64) (Digest, int64, error) { return store.Put(ctx, r, size) },
		release: func(d Digest) { store.Release(d, true) },
	}
	header, err := Read(r, sink)
	if err != nil {
		return nil, err
	}
	restored := &Restored{Summary: summarize(header, sink.view)}
	restored.Cluster, restored.Node, err = consensus.Restore(filepath.Join(tmp, layout.Consensus), sink.view.Backup())
	if err != nil {
		return nil, err
	}
	return restored, settle(tmp, dir, layout)
}

// claim makes the directory, if it is not there, and the stage in it; nobody else may be restoring into it.
func claim(dir string) (made bool, err error) {
	entries, err := os.ReadDir(dir)
	if made = errors.Is(err, fs.ErrNotExist); made {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return false, fmt.Errorf("backup: %w", err)
	}
	for _, entry := range entries {
		switch entry.Name() {
		case "lost+found": // of a file system of its own
		case stage:
			return false, fmt.Errorf("%w: %s: another restore is going on, or was interrupted: then delete it and restore again", ErrNotEmpty, filepath.Join(dir, stage))
		default:
			return false, fmt.Errorf("%w: %s has %s in it; a backup is restored to a new one, never over what is there", ErrNotEmpty, dir, entry.Name())
		}
	}
	if err := os.Mkdir(filepath.Join(dir, stage), 0o700); err != nil {
		return false, fmt.Errorf("backup: %w", err)
	}
	return made, nil
}

// settle moves what is complete and on disk to its place: the artifacts first, since the rest makes the directory a
// node's.
func settle(tmp, dir string, layout Layout) (err error) {
	artifacts, node := filepath.Join(dir, layout.Artifacts), filepath.Join(dir, layout.Consensus)
	defer func() {
		if err != nil {
			err = fmt.Errorf("backup: %w", errors.Join(err, os.RemoveAll(node), os.RemoveAll(artifacts)))
		}
	}()
	if err := disk.SyncDir(filepath.Join(tmp, layout.Consensus)); err != nil {
		return err
	}
	if err := disk.Rename(filepath.Join(tmp, layout.Artifacts), artifacts); err != nil {
		return err
	}
	if err := disk.Rename(filepath.Join(tmp, layout.Consensus), node); err != nil {
		return err
	}
	return disk.SyncDir(dir)
}

// restoring puts artifacts into the store of the new node.
type restoring struct {
	viewing

	put     func(r io.Reader, limit int64) (Digest, int64, error)
	release func(Digest)
}

func (s *restoring) Artifact(_ Digest, size int64, r io.Reader) error {
	digest, _, err := s.put(r, size)
	if err == nil {
		s.release(digest)
	}
	return err
}
