// Package artifacts keeps components on disk, each named by the SHA-256 of its bytes.
//
// A file that is there is whole: it is written beside its place, synced, and renamed. It is read again once per
// process before anybody is given its path, for a disk may have changed it since; a file that is not what its name says
// is set aside and never served.
//
//	DIR/ab/cdef…   the component with digest abcdef…, 62 hexadecimal digits
//	DIR/tmp/       what is being written; emptied when the store is opened
//	DIR/corrupt/   what was set aside, for whoever wants to know what the disk did
package artifacts

import (
	"context"
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

	"github.com/weft-run/weft/internal/disk"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound: there is no artifact of this digest.
	ErrNotFound = errors.New("artifacts: not found")
	// ErrCorrupt: the file did not have its digest. It is set aside, so that ErrNotFound follows until it is put again.
	ErrCorrupt = errors.New("artifacts: corrupt")
	// ErrTooLarge: more bytes came than Put allowed.
	ErrTooLarge = errors.New("artifacts: too large")
	// ErrStorage: the disk did not take the artifact; it may be full.
	ErrStorage = errors.New("artifacts: the disk takes no writes")
)

// Digest is the SHA-256 of an artifact.
type Digest = [sha256.Size]byte

// Store is a directory of artifacts. Its methods may be called at the same time. One process at a time may have it
// open.
type Store struct {
	dir    string
	create func(dir string) (file, error) // of temporary files; tests make disks full

	mu       sync.Mutex
	verified map[Digest]struct{} // guarded by mu; read to the end and found good, by this process
	busy     map[Digest]*check   // guarded by mu; being read
}

// file is a temporary file.
type file interface {
	io.Writer
	Sync() error
	Close() error
	Name() string
}

// check is one reading of a file, which all who ask meanwhile wait for.
type check struct {
	done chan struct{}
	err  error // set before done is closed
}

const (
	tmpDir     = "tmp"
	corruptDir = "corrupt"
)

// Open opens the store in a directory, making it if needed, and removes what interrupted Puts have left.
func Open(dir string) (*Store, error) {
	s := &Store{
		dir: dir, create: createTemp,
		verified: make(map[Digest]struct{}), busy: make(map[Digest]*check),
	}
	if err := os.RemoveAll(filepath.Join(dir, tmpDir)); err != nil {
		return nil, fmt.Errorf("artifacts: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, tmpDir), filepath.Join(dir, corruptDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("artifacts: %w", err)
		}
	}
	return s, nil
}

func createTemp(dir string) (file, error) { return disk.CreateTemp(dir, "put-*") } // 0600

func (s *Store) path(d Digest) string {
	name := hex.EncodeToString(d[:])
	return filepath.Join(s.dir, name[:2], name[2:])
}

// Put stores what r gives until io.EOF, at most limit bytes, and returns its digest and size. When it returns without
// an error the artifact is on disk and outlives a crash. Errors are those of r and of ctx, ErrTooLarge and ErrStorage;
// then nothing is kept.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (d Digest, size int64, err error) {
	f, err := s.create(filepath.Join(s.dir, tmpDir))
	if err != nil {
		return d, 0, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	defer func() {
		if err != nil { // what can't be removed is swept at the next Open
			_ = f.Close()
			_ = os.Remove(f.Name())
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
	if err := s.place(f.Name(), d); err != nil {
		return Digest{}, 0, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return d, size, nil
}

// receive copies from r to the file and the hash, telling errors of the disk from those of r.
func receive(ctx context.Context, f io.Writer, sum hash.Hash, r io.Reader, limit int64) (size int64, err error) {
	buffer := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return size, err
		}
		n, readErr := r.Read(buffer)
		if size += int64(n); size > limit {
			return size, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		}
		sum.Write(buffer[:n])
		if _, err := f.Write(buffer[:n]); err != nil {
			return size, fmt.Errorf("%w: %w", ErrStorage, err)
		}
		if readErr == io.EOF {
			return size, nil
		}
		if readErr != nil {
			return size, readErr
		}
	}
}

// place renames a synced file to its name, in place of one that is there: that may be a damaged one.
func (s *Store) place(tmp string, d Digest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.path(d)
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := disk.Rename(tmp, path); err != nil {
		return err
	}
	// Both levels: nobody knows whether whoever made the directory lived to sync it.
	if err := errors.Join(disk.SyncDir(dir), disk.SyncDir(s.dir)); err != nil {
		return err
	}
	delete(s.verified, d)
	return nil
}

