package artifacts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Path returns the file of an artifact, after reading all of it once in the life of the process. The file must not be
// changed; it stays until Sweep removes it. Errors are ErrNotFound, ErrCorrupt and ErrUnreadable.
func (s *Store) Path(d Digest) (string, error) {
	path := s.path(d)
	for {
		s.mu.Lock()
		if _, ok := s.verified[d]; ok {
			s.mu.Unlock()
			return path, nil
		}
		c, reading := s.busy[d]
		if !reading {
			c = &check{done: make(chan struct{})}
			s.busy[d] = c
		}
		s.mu.Unlock()
		if reading {
			<-c.done
		} else {
			s.verify(d, c)
		}
		if c.err != nil {
			return "", c.err
		}
	}
}

// verify reads a file for all who wait for the check. A file that is replaced or removed meanwhile is looked at anew.
func (s *Store) verify(d Digest, c *check) {
	before, err := os.Stat(s.path(d))
	if err == nil {
		err = s.read(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(c.done)
	delete(s.busy, d)
	same := func() bool {
		after, err := os.Stat(s.path(d))
		return err == nil && os.SameFile(before, after)
	}
	switch {
	case err == nil:
		if same() {
			s.verified[d] = struct{}{}
		}
	case errors.Is(err, fs.ErrNotExist):
		c.err = fmt.Errorf("%w: %x", ErrNotFound, d)
	case errors.Is(err, ErrCorrupt):
		if same() {
			c.err = s.quarantine(d)
		}
	default:
		c.err = fmt.Errorf("%w: %x: %w", ErrUnreadable, d, err)
	}
}

// read returns ErrCorrupt if the file is not what its name says.
func (s *Store) read(d Digest) error {
	f, err := os.Open(s.path(d))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if Digest(sum.Sum(nil)) != d {
		return ErrCorrupt
	}
	return nil
}

// Contains tells whether there is a file of this digest. It does not read it.
func (s *Store) Contains(d Digest) bool {
	_, err := os.Stat(s.path(d))
	return err == nil
}

// quarantine sets a damaged file aside. The caller holds mu.
func (s *Store) quarantine(d Digest) error {
	aside := filepath.Join(s.dir, corruptDir, hex.EncodeToString(d[:]))
	if err := os.Rename(s.path(d), aside); err != nil {
		return fmt.Errorf("%w: %x, and it can't be set aside: %w", ErrCorrupt, d, err)
	}
	return fmt.Errorf("%w: %x; the file is now %s", ErrCorrupt, d, aside)
}

// all ranges over the artifacts on disk, and adds what could not be read to errs. Files that are none are passed over.
func (s *Store) all(errs *error) func(yield func(Digest, string) bool) {
	return func(yield func(Digest, string) bool) {
		dirs, err := os.ReadDir(s.dir)
		*errs = errors.Join(*errs, err)
		for _, dir := range dirs {
			if len(dir.Name()) != 2 || !dir.IsDir() {
				continue
			}
			files, err := os.ReadDir(filepath.Join(s.dir, dir.Name()))
			*errs = errors.Join(*errs, err)
			for _, file := range files {
				var d Digest
				name, err := hex.DecodeString(dir.Name() + file.Name())
				if err != nil || copy(d[:], name) != len(d) || len(name) != len(d) {
					continue
				}
				if !yield(d, filepath.Join(s.dir, dir.Name(), file.Name())) {
					return
				}
			}
		}
	}
}
