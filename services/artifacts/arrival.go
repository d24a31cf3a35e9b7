package artifacts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// arrival is an artifact that comes from another node, in pieces and perhaps in several tries. There is one of a digest
// at a time. It is used by one goroutine, which must close it.
type arrival struct {
	store  *Store
	digest Digest
	path   string
	file   file
	sum    hash.Hash
	have   int64 // bytes that are in the file
	drop   bool  // what is in the file is of no use
}

// errIncomplete says that less came than was announced. What came is kept.
var errIncomplete = fmt.Errorf("artifacts: cut off: %w", io.ErrUnexpectedEOF)

// arrive begins the arrival of an artifact, or goes on with one that broke off. It waits for an arrival of the same
// digest to end. It gives nil if the artifact is there, verified. The errors are those of ctx, ErrStorage, and those of
// reading what broke off.
func (s *Store) arrive(ctx context.Context, d Digest) (*arrival, error) {
	if err := s.enter(ctx, d); err != nil {
		return nil, err
	}
	_, err := s.Path(d)
	if err == nil {
		s.leave(d)
		return nil, nil //nolint:nilnil // there is nothing to do, and that is no error
	}
	a := &arrival{store: s, digest: d, path: s.partPath(d), sum: sha256.New()}
	if err := a.resume(); err != nil {
		s.leave(d)
		return nil, err
	}
	return a, nil
}

// enter makes this goroutine the one that writes an artifact.
func (s *Store) enter(ctx context.Context, d Digest) error {
	for {
		s.mu.Lock()
		other := s.arriving[d]
		if other == nil {
			s.arriving[d] = make(chan struct{})
		}
		s.mu.Unlock()
		if other == nil {
			return nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) leave(d Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.arriving[d])
	delete(s.arriving, d)
}

func (s *Store) isArriving(d Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arriving[d] != nil
}

func (s *Store) partPath(d Digest) string {
	return filepath.Join(s.dir, tmpDir, partPrefix+hex.EncodeToString(d[:]))
}

// partial is how many bytes have come of an artifact that is not whole; 0 if there is no such file.
func (s *Store) partial(d Digest) int64 {
	info, err := os.Stat(s.partPath(d))
	if err != nil {
		return 0
	}
	return info.Size()
}

// resume opens the file and hashes what is in it.
func (a *arrival) resume() error {
	a.sum.Reset()
	a.have = 0
	if before, err := os.Open(a.path); err == nil {
		a.have, err = io.Copy(a.sum, before)
		if err := errors.Join(err, before.Close()); err != nil {
			return fmt.Errorf("artifacts: %w", err)
		}
	}
	f, err := a.store.open(a.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	a.file = f
	return nil
}

// restart forgets what came beyond an offset.
func (a *arrival) restart(offset int64) error {
	if offset == a.have {
		return nil
	}
	if offset > a.have {
		return fmt.Errorf("artifacts: %d bytes are there, not %d", a.have, offset)
	}
	err := errors.Join(a.file.Close(), os.Truncate(a.path, offset))
	if err != nil {
		a.drop = true
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return a.resume()
}

// take reads the rest of an artifact of size bytes. What came stays for another try if r fails or ends too soon. Errors
// are those of ctx and r, errIncomplete, ErrTooLarge and ErrStorage.
func (a *arrival) take(ctx context.Context, r io.Reader, size int64) error {
	n, err := receive(ctx, a.file, a.sum, r, size-a.have)
	a.have += n
	switch {
	case errors.Is(err, ErrStorage), errors.Is(err, ErrTooLarge):
		a.drop = true // the one gives room back, the other is not what was announced
		return err
	case err != nil:
		return err
	case a.have < size:
		return fmt.Errorf("%w: %d of %d bytes", errIncomplete, a.have, size)
	}
	return nil
}

// commit puts the artifact in its place, where the grace period protects it. The error is ErrCorrupt if it is not what its
// digest says, after which nothing of it is kept, or ErrStorage.
func (a *arrival) commit() error {
	a.drop = true // unless it is renamed, it is of no use
	if Digest(a.sum.Sum(nil)) != a.digest {
		return fmt.Errorf("%w: %d bytes came that are not %x", ErrCorrupt, a.have, a.digest)
	}
	if err := a.file.Sync(); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if err := a.store.place(a.path, a.digest, (*note).keep); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return nil
}

// close ends the arrival.
func (a *arrival) close() {
	_ = a.file.Close() // it is synced where it counts
	if a.drop {
		_ = os.Remove(a.path) // gone if it was committed; else swept later
	}
	a.store.leave(a.digest)
}

// again forgets all that came, to take the artifact from its beginning.
func (a *arrival) again() error {
	a.drop = false
	return a.restart(0)
}
