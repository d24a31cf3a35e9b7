// Package embedded keeps the pairs of functions in one file of the node, with go.etcd.io/bbolt.
//
// The file has a bucket for each function, named as [keyvalue.Function.String] gives it, and in that:
//
//	bytes           what the pairs cost together (keyvalue.Cost), 8 bytes, big-endian
//	pairs/NAME      a bucket for each bucket of the function that has pairs: key → version, 8 bytes, and value
//
// The version of a pair is the number of the transaction that wrote it. Those only grow, and what reads a version sees
// whole transactions, so two values of a key with one version are never both seen.
//
// All changes go through one goroutine, which makes one transaction, and one sync of the disk, of all that wait (commit.go).
// An operation that returns without an error is on disk. The file is locked by the process and never shrinks: pages that are
// free are used again.
//
// A file that can't be opened costs operations an error that says what is wrong with it. If the system refuses it (rights, a lock, memory, room),
// later operations try again. One that is damaged is not opened again, since what replaces it may not be what was acknowledged: that takes a restart.
package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/weft-run/weft/internal/disk"
	"github.com/weft-run/weft/services/keyvalue"
)

// Store is a [keyvalue.Backend] in a file.
type Store struct {
	path  string
	quota int64

	db       atomic.Pointer[bbolt.DB] // nil until the file is open
	opening  chan struct{}            // has an element while somebody opens or closes it
	failed   error                    // why it could not be opened last; guarded by opening, as are the next two
	failedAt time.Time
	damaged  bool // it is not opened again

	writes          chan *write
	closing, closed chan struct{}
}

var _ keyvalue.Backend = (*Store)(nil)

var (
	bytesKey = []byte("bytes")
	pairsKey = []byte("pairs")
)

// versionSize is what stands before a value.
const versionSize = 8

// Open opens the file, which is made if it is not there, with its directory. If that fails, the next operation tries again. Each function may
// store quota bytes. The store must be closed.
func Open(path string, quota int64) *Store {
	s := &Store{path: path, quota: quota, opening: make(chan struct{}, 1), writes: make(chan *write, maxTogether),
		closing: make(chan struct{}), closed: make(chan struct{})}
	_, _ = s.file(context.Background()) // whoever needs it is told
	go s.run()
	return s
}

// file gives the open file.
func (s *Store) file(ctx context.Context) (*bbolt.DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if db := s.db.Load(); db != nil {
		return db, nil
	}
	came := time.Now()
	select {
	case s.opening <- struct{}{}:
		defer func() { <-s.opening }()
	case <-s.closing:
		return nil, unavailable(errClosed)
	case <-ctx.Done():
		return nil, unavailable(fmt.Errorf("opening %s: %w", s.path, ctx.Err()))
	}
	if db := s.db.Load(); db != nil { // by somebody else, meanwhile
		return db, nil
	}
	if s.damaged || s.failedAt.After(came) { // an attempt takes up to a second: who has waited for one does not wait for another
		return nil, unavailable(s.failed)
	}
	db, err := s.open()
	if err != nil {
		s.failed, s.failedAt = err, time.Now()
		return nil, unavailable(err)
	}
	s.db.Store(db)
	return db, nil
}

// open opens the file. It is called by whoever has put an element into opening.
func (s *Store) open() (db *bbolt.DB, err error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, err
	}
	before, err := os.Lstat(s.path) // of a link that leads nowhere it is not known what is there at other times
	blank := errors.Is(err, fs.ErrNotExist) || err == nil && before.Mode().IsRegular() && before.Size() == 0
	err = disk.Mapped(func() (err error) {
		db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another process", s.path)
	case system(err) && blank:
		return nil, errors.Join(fmt.Errorf("%s can not be made: %w", s.path, err), s.discard())
	case system(err):
		return nil, fmt.Errorf("%s must be a file that this process can read, write, lock and map: %w", s.path, err)
	}
	s.damaged = true
	return nil, fmt.Errorf("%s can not be opened: %w; put a copy in its place, or move it away to go on without its data, and start the node again", s.path, err)
}

// discard removes what was written of a new file, as much as there was room for: that is nobody's data.
func (s *Store) discard() error {
	if now, err := os.Lstat(s.path); err == nil && now.Mode().IsRegular() {
		return os.Remove(s.path)
	}
	return nil
}

// system tells whether it is the system that did not let a file be opened, and not bbolt, which says so of what is in it.
func system(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, number := errors.AsType[syscall.Errno](err) // of flock, fdatasync and mmap
	return path || number
}

// Close lets changes that have begun end and closes the file. It must be called once.
func (s *Store) Close() error {
	close(s.closing)
	<-s.closed
	s.opening <- struct{}{} // nobody opens it any more
	if db := s.db.Load(); db != nil {
		return db.Close()
	}
	return nil
}

func unavailable(err error) error { return &keyvalue.UnavailableError{Backend: "embedded", Err: err} }

// view runs a read-only transaction on a bucket; pairs is nil where there are none.
func (s *Store) view(ctx context.Context, b keyvalue.Bucket, read func(pairs *bbolt.Bucket) error) error {
	var refused error
	err := s.read(ctx, func(tx *bbolt.Tx) error {
		refused = read(pairsOf(tx, b))
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

// read runs a read-only transaction.
func (s *Store) read(ctx context.Context, read func(tx *bbolt.Tx) error) error {
	db, err := s.file(ctx)
	if err != nil {
		return err
	}
	if err := disk.Mapped(func() error { return db.View(read) }); err != nil {
		return unavailable(fmt.Errorf("reading %s: %w", s.path, err))
	}
	return nil
}

// pairsOf gives the pairs of a bucket, nil if it has none.
func pairsOf(tx *bbolt.Tx, b keyvalue.Bucket) *bbolt.Bucket {
	f := tx.Bucket([]byte(b.Function.String()))
	if f == nil {
		return nil
	}
	return f.Bucket(pairsKey).Bucket([]byte(b.Name))
}

// lookup gives the entry of a key. Its value is valid as long as the transaction.
func lookup(pairs *bbolt.Bucket, key string) keyvalue.Entry {
	if pairs == nil {
		return keyvalue.Entry{}
	}
	stored := pairs.Get([]byte(key))
	if stored == nil {
		return keyvalue.Entry{}
	}
	return keyvalue.Entry{Version: keyvalue.Version(stored[:versionSize]), Value: stored[versionSize:]}
}

// Get implements [keyvalue.Backend].
func (s *Store) Get(ctx context.Context, b keyvalue.Bucket, keys []string, limit int) ([]keyvalue.Entry, error) {
	entries, size := make([]keyvalue.Entry, len(keys)), 0
	err := s.view(ctx, b, func(pairs *bbolt.Bucket) error {
		for i, key := range keys {
			e := lookup(pairs, key)
			if size += len(e.Value); size > limit {
				return keyvalue.TooMuch(limit)
			}
			e.Value = bytes.Clone(e.Value)
			entries[i] = e
		}
		return nil
	})
	return entries, err
}

// Exists implements [keyvalue.Backend].
func (s *Store) Exists(ctx context.Context, b keyvalue.Bucket, key string) (found bool, err error) {
	err = s.view(ctx, b, func(pairs *bbolt.Bucket) error {
		found = lookup(pairs, key).Exists()
		return nil
	})
	return found, err
}

// List implements [keyvalue.Backend]. Keys are ordered, and the cursor is the last one.
func (s *Store) List(ctx context.Context, b keyvalue.Bucket, cursor string, limit int) (page keyvalue.Page, err error) {
	err = s.view(ctx, b, func(pairs *bbolt.Bucket) error {
		if pairs == nil {
			return nil
		}
		c := pairs.Cursor()
		k, _ := c.Seek([]byte(cursor))
		if cursor != "" && string(k) == cursor {
			k, _ = c.Next()
		}
		for ; k != nil; k, _ = c.Next() {
			if len(page.Keys) == limit {
				page.Next = page.Keys[limit-1]
				return nil
			}
			page.Keys = append(page.Keys, string(k))
		}
		return nil
	})
	return page, err
}

// Usage implements [keyvalue.Backend].
func (s *Store) Usage(ctx context.Context, f keyvalue.Function) (used int64, err error) {
	err = s.read(ctx, func(tx *bbolt.Tx) error {
		if root := tx.Bucket([]byte(f.String())); root != nil {
			used = usage(root)
		}
		return nil
	})
	return used, err
}

func usage(root *bbolt.Bucket) int64 {
	stored := root.Get(bytesKey)
	if stored == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(stored))
}

// Functions gives the functions that have data.
func (s *Store) Functions(ctx context.Context) (all []keyvalue.Function, err error) {
	err = s.read(ctx, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if f, ok := keyvalue.ParseFunction(string(name)); ok {
				all = append(all, f)
			}
			return nil
		})
	})
	return all, err
}

// Set implements [keyvalue.Backend]. A batch is stored whole or not at all.
func (s *Store) Set(ctx context.Context, b keyvalue.Bucket, pairs []keyvalue.Pair) error {
	return s.change(ctx, b, func(c *change) error { return c.set(pairs) })
}

// Delete implements [keyvalue.Backend]. The keys of a batch go together.
func (s *Store) Delete(ctx context.Context, b keyvalue.Bucket, keys []string) error {
	return s.change(ctx, b, func(c *change) error { return c.delete(keys) })
}

// Increment implements [keyvalue.Backend].
func (s *Store) Increment(ctx context.Context, b keyvalue.Bucket, key string, delta int64) (int64, error) {
	var sum int64 // may be written after an error: the transaction can still be under way
	err := s.change(ctx, b, func(c *change) (err error) {
		if sum, err = keyvalue.Add(key, lookup(c.pairs, key), delta); err != nil {
			return err
		}
		return c.set([]keyvalue.Pair{{Key: key, Value: strconv.AppendInt(nil, sum, 10)}})
	})
	if err != nil {
		return 0, err
	}
	return sum, nil
}

// Swap implements [keyvalue.Backend].
func (s *Store) Swap(ctx context.Context, b keyvalue.Bucket, key string, version keyvalue.Version, value []byte) error {
	return s.change(ctx, b, func(c *change) error {
		if lookup(c.pairs, key).Version != version {
			return keyvalue.ErrChanged
		}
		return c.set([]keyvalue.Pair{{Key: key, Value: value}})
	})
}
