package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

// ErrNotEmpty says that a directory that is to be made has something in it already.
var ErrNotEmpty = errors.New("consensus: the directory is not empty")

// Restore makes a directory, which must be missing or empty, that of the first node of a new cluster whose catalog is
// an image, and returns the IDs of the cluster and the node. Open goes on from there: the node leads itself, and others
// join it. When Restore returns without an error all of it is on disk; with one, what is in the directory is of no use.
//
// The image becomes a snapshot of raft, at the index that it has, with an empty log behind it: the one way in which a
// state enters raft that no log leads to. The cluster is a new one, with an authority of its own, so that nodes of the
// one that the image is from can't take it for theirs: their logs may hold what the image does not.
func Restore(dir string, image *catalog.Image) (cluster, node string, err error) {
	if image.Level() > catalog.Level {
		return "", "", fmt.Errorf("consensus: restore: the catalog is of level %d, and this weft knows %d: use a newer one", image.Level(), catalog.Level)
	}
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return "", "", fmt.Errorf("%w: %s", ErrNotEmpty, dir)
	}
	id := identity{Format: identityFormat, Cluster: randomID(), ID: randomID()}
	if err := restore(dir, image, id); err != nil {
		return "", "", fmt.Errorf("consensus: restore: %w", err)
	}
	return id.Cluster, id.ID, nil
}

func restore(dir string, image *catalog.Image, id identity) error {
	logs := filepath.Join(dir, "raft", "log")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return err
	}
	log := newRaftLogger(slog.New(slog.DiscardHandler), "restore")
	if err := beginLog(logs, log); err != nil {
		return err
	}
	if err := storeSnapshot(filepath.Join(dir, "raft"), log, image, raft.ServerID(id.ID)); err != nil {
		return err
	}
	if _, err := openKeys(pkiPath(dir), id, 0, time.Now); err != nil {
		return err
	}
	// Only this makes the directory a node's. It has its log, which must not be begun anew.
	id.Started = true
	return id.save(dir)
}

// restoredTerm is the term of a restored snapshot; the first election is for the one after it.
const restoredTerm = 1

// beginLog makes an empty log whose term is that of the snapshot.
func beginLog(dir string, log *raftLogger) error {
	store, err := openLog(dir, log)
	if err != nil {
		return err
	}
	return errors.Join(store.SetUint64([]byte("CurrentTerm"), restoredTerm), store.Close())
}

// storeSnapshot writes the image as raft's snapshot of a cluster of one node. Its address is a stand-in: nobody else
// knows the node, and it tells where it is when it leads.
func storeSnapshot(dir string, log *raftLogger, image *catalog.Image, node raft.ServerID) error {
	snapshots, err := openSnapshots(dir, log)
	if err != nil {
		return err
	}
	index := max(image.Index(), 1) // of an empty catalog it is 0, which no log has
	alone := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: node, Address: "127.0.0.1:0"}}}
	_, transport := raft.NewInmemTransport("") // encodes the address, and nothing else
	sink, err := snapshots.Create(1, index, restoredTerm, alone, index, transport)
	if err != nil {
		return err
	}
	return (&snapshot{image: image}).Persist(sink)
}
