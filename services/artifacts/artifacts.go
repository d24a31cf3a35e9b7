// Package artifacts keeps components, each named by the SHA-256 of its bytes: on this node's disk, on a majority of the
// schedulers before a deploy is acknowledged, and on every executor that runs one.
//
// [Store] is the disk. A file that is there is whole: it is written beside its place, synced, and renamed. It is read
// again once per process before anybody is given its path, for a disk may have changed it since; a file that is not what
// its name says is set aside and never served.
//
//	DIR/ab/cdef…   the component with digest abcdef…, 62 hexadecimal digits
//	DIR/tmp/       what is being written: put-… is removed when the store is opened; part-… is what has come of an
//	               artifact from other nodes and is gone on with within an hour
//	DIR/corrupt/   what was set aside, for whoever wants to know what the disk did
//
// Between nodes, [Server] answers for the store; [Replicator] pushes an artifact to a majority of the schedulers;
// [Fetcher] pulls one from whoever has it; [CodeFetcher] takes compiled code from nodes with an equal engine; and [Keeper]
// brings the store in line with the catalog, fetching what it lacks and removing what nobody names.
//
// # What keeps an artifact from being removed
//
// An artifact is there before the revision that names it, so "no revision names it" is not enough to remove it:
//
//   - Store.Put holds it until Store.Release: a deploy that is under way on this node. Afterwards it goes as soon as no
//     revision names it, unless the deploy's outcome is not known.
//   - A Store from a peer and a Has with keep protect it for the grace period from then on, an hour: a deploy on another
//     node. Replicator does one of these on every node that it counts, so whoever replicates and proposes the revision
//     within the grace period finds the artifact there, even where it lay unnamed for years. Once the catalog has named
//     it, a minute is enough: that deploy is over, and another of the same component begins the hour anew.
//     The period is measured by the node's own monotonic clock, and over restarts by the file's time; no two nodes' clocks
//     are compared.
//   - The catalog that names it. Keeper asks for a linearizable view first and removes nothing without a leader.
//
// Holds and protection are taken, and files removed, under one lock, and Keeper looks at the catalog before that lock: so a
// deploy that has its artifact protected before it proposes the revision can't lose it, whatever view Keeper had.
package artifacts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weft-run/weft/internal/disk"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound: there is no artifact of this digest.
	ErrNotFound = errors.New("artifacts: not found")
	// ErrCorrupt: the bytes do not have their digest. A file is set aside, so that ErrNotFound follows until it is put
	// again.
	ErrCorrupt = errors.New("artifacts: corrupt")
	// ErrUnreadable: there is a file, and reading it fails. It stays where it is: nobody knows what is in it.
	ErrUnreadable = errors.New("artifacts: unreadable")
	// ErrTooLarge: more bytes came than were allowed.
	ErrTooLarge = errors.New("artifacts: too large")
	// ErrStorage: the disk did not take the artifact; it may be full.
	ErrStorage = errors.New("artifacts: the disk takes no writes")
)

// MaxSize is the largest artifact that nodes give each other, in bytes.
const MaxSize = 256 << 20

// Digest is the SHA-256 of an artifact.
type Digest = [sha256.Size]byte

// Store is a directory of artifacts. Its methods may be called at the same time. One process at a time may have it
// open.
type Store struct {
	dir  string
	open func(path string) (file, error) // to append to; tests make disks full

	// released is signalled when the last hold of an artifact that nothing else protects has ended.
	released chan struct{}

	mu       sync.Mutex
	verified map[Digest]struct{}      // guarded by mu; read to the end and found good, by this process
	busy     map[Digest]*check        // guarded by mu; being read
	notes    map[Digest]*note         // guarded by mu; what protects artifacts, besides the time of their files
	arriving map[Digest]chan struct{} // guarded by mu; closed when the arrival ends
}

// file is a file that is being written.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// check is one reading of a file, which all who ask meanwhile wait for.
type check struct {
	done chan struct{}
	err  error // set before done is closed
}

const (
	tmpDir     = "tmp"
	corruptDir = "corrupt"
	// partialAge is how long what has come of an artifact is kept for the rest to follow.
	partialAge = time.Hour
)

// Open opens the store in a directory, making it if needed, and removes what interrupted Puts have left.
func Open(dir string) (*Store, error) {
	s := &Store{
		dir: dir, open: openAppend, released: make(chan struct{}, 1),
		verified: make(map[Digest]struct{}), busy: make(map[Digest]*check),
		notes: make(map[Digest]*note), arriving: make(map[Digest]chan struct{}),
	}
	for _, d := range []string{dir, filepath.Join(dir, tmpDir), filepath.Join(dir, corruptDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("artifacts: %w", err)
		}
	}
	if err := s.sweepTmp(true); err != nil {
		return nil, fmt.Errorf("artifacts: %w", err)
	}
	return s, nil
}

// openAppend opens a file to write behind what it holds.
func openAppend(path string) (file, error) {
	f, err := disk.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *Store) path(d Digest) string {
	name := hex.EncodeToString(d[:])
	return filepath.Join(s.dir, name[:2], name[2:])
}

// Put stores what r gives until io.EOF, at most limit bytes, and returns its digest and size. When it returns without
// an error the artifact is on disk and outlives a crash, and it is held: the caller must Release it once a revision names
// it or it turned out to be of no use. Errors are those of r and of ctx, ErrTooLarge and ErrStorage; then nothing is
// kept and nothing held.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (d Digest, size int64, err error) {
	tmp := filepath.Join(s.dir, tmpDir, putPrefix+rand.Text())
	f, err := s.open(tmp)
	if err != nil {
		return d, 0, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	defer func() {
		if err != nil { // what can't be removed is swept at the next Open
			_ = f.Close()
			_ = os.Remove(tmp)
		}
	}()
	sum := sha256.New()
	if size, err = receive(ctx, f, sum, r, limit); err != nil {
		return d, 0, err
	}
	sum.Sum(d[:0])
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return Digest{}, 0, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if err := s.place(tmp, d, (*note).hold); err != nil {
		return Digest{}, 0, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return d, size, nil
}

// receive copies from r to the file and the hash, telling errors of the disk from those of r.
func receive(ctx context.Context, f io.Writer, sum hash.Hash, r io.Reader, limit int64) (size int64, err error) {
	buffer := make([]byte, chunkSize)
	for {
		if err := ctx.Err(); err != nil {
			return size, err
		}
		n, readErr := r.Read(buffer)
		if int64(n) > limit-size {
			return size, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		}
		if written, err := f.Write(buffer[:n]); err != nil {
			sum.Write(buffer[:written])
			return size + int64(written), fmt.Errorf("%w: %w", ErrStorage, err)
		}
		size += int64(n)
		sum.Write(buffer[:n])
		if readErr == io.EOF {
			return size, nil
		}
		if readErr != nil {
			return size, readErr
		}
	}
}

// place renames a synced file to its name, in place of one that is there, which may be a damaged one, and notes why it is
// there. Before is the time of the file that was there, if there was one.
func (s *Store) place(tmp string, d Digest, why func(n *note, before time.Time)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.path(d)
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	var before time.Time
	if info, err := os.Stat(path); err == nil {
		before = info.ModTime()
	}
	if err := disk.Rename(tmp, path); err != nil {
		return err
	}
	// Both levels: nobody knows whether whoever made the directory lived to sync it.
	if err := errors.Join(disk.SyncDir(dir), disk.SyncDir(s.dir)); err != nil {
		return err
	}
	delete(s.verified, d)
	why(s.note(d), before)
	return nil
}
