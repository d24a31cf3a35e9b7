package artifacts

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// note is what this process knows of why an artifact is there.
type note struct {
	// holds counts the Puts and Holds that were not released.
	holds int
	// since is when the artifact was last asked to be kept by another node, or by a deploy here whose outcome is not known,
	// with the monotonic clock; zero if it never was.
	since time.Time
	// named says that a revision has named the artifact after that.
	named bool
	// ours says that a Put here brought the artifact, or that since is set.
	ours bool
	// idle says that all deploys of the artifact here have come to a known end: no revision is about to name it.
	idle bool
	// from is the node that pushed it here, and so has compiled it.
	from string
}

// note gives the note of an artifact. The caller holds mu.
func (s *Store) note(d Digest) *note {
	n := s.notes[d]
	if n == nil {
		n = &note{}
		s.notes[d] = n
	}
	return n
}

// hold notes a Put or a Hold. What was there before, for a reason that this process does not know, may have been kept then.
func (n *note) hold(before time.Time) {
	if n.holds++; n.since.IsZero() && !n.ours {
		n.since = before
	}
	n.ours, n.idle = true, false
}

// keep notes that a revision is about to name the artifact.
func (n *note) keep(time.Time) { n.since, n.named, n.idle = time.Now(), false, false }

// Hold keeps an artifact from being swept until it is released, whatever revisions name. It is false if the artifact is not
// there.
func (s *Store) Hold(d Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path(d))
	if err != nil {
		return false
	}
	s.note(d).hold(info.ModTime())
	return true
}

// touch protects an artifact that a Put holds from the next process's Sweep for the grace period, counted from now, as a
// revision is about to name it. It is false if the artifact is not there.
func (s *Store) touch(d Digest) bool {
	now := time.Now()
	return os.Chtimes(s.path(d), now, now) == nil
}

// keep protects an artifact for the grace period on behalf of another node, on which a revision is about to name it. It is
// false if the artifact is not there.
func (s *Store) keep(d Digest, from string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.touch(d) {
		return false
	}
	n := s.note(d)
	n.keep(time.Time{})
	n.from = from
	return true
}

// name notes that a revision names an artifact.
func (s *Store) name(d Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.notes[d]; n != nil {
		n.named = true
	}
}

// origin is the node that pushed an artifact here; "" if none did, in the life of the process.
func (s *Store) origin(d Digest) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.notes[d]; n != nil {
		return n.from
	}
	return ""
}

// Release ends one hold, of a Put or a Hold. Settled says that the revision it was for is there, or will never be; otherwise the
// artifact stays for the grace period. With the last hold, the next Sweep may remove what no revision names.
func (s *Store) Release(d Digest, settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.notes[d]
	if n == nil || n.holds == 0 {
		return
	}
	if !settled {
		n.keep(time.Time{})
	}
	if n.holds--; n.holds == 0 && n.since.IsZero() {
		n.idle = true
		select {
		case s.released <- struct{}{}:
		default:
		}
	}
}

// Policy says which artifacts Sweep removes.
type Policy struct {
	// Wanted are never removed.
	Wanted func(Digest) bool
	// Cached are kept while all of them together have at most CacheBytes; beyond that the ones that came first go. Nil:
	// none.
	Cached     func(Digest) bool
	CacheBytes int64
	// Grace is how long an artifact stays that is neither, counted from when it came or was last kept; Named the same for
	// one that a revision has named since.
	Grace, Named time.Duration
}

// Sweep removes the artifacts that the policy does not want, unless they are held or were asked to be kept within the
// grace period; then what was set aside; and what came of artifacts whose rest did not follow. The policy may be asked
// while the lock is not held, so what it tells must stay true for artifacts that nobody holds or keeps.
func (s *Store) Sweep(p Policy) error {
	var errs error
	type cached struct {
		digest Digest
		came   time.Time
		size   int64
	}
	var cache []cached
	var room int64
	for d, path := range s.all(&errs) {
		switch {
		case p.Wanted(d):
			s.name(d)
		case p.Cached != nil && p.Cached(d):
			if info, err := os.Stat(path); err == nil {
				cache = append(cache, cached{d, info.ModTime(), info.Size()})
				room += info.Size()
			}
		default:
			errs = errors.Join(errs, s.remove(d, p))
		}
	}
	slices.SortFunc(cache, func(a, b cached) int { return a.came.Compare(b.came) })
	for _, c := range cache {
		if room <= p.CacheBytes {
			break
		}
		room -= c.size
		errs = errors.Join(errs, s.remove(c.digest, p))
	}
	errs = errors.Join(errs, s.sweepCorrupt(), s.sweepTmp(false))
	s.forgetGone()
	if errs != nil {
		return fmt.Errorf("artifacts: sweep: %w", errs)
	}
	return nil
}

// remove removes an artifact that is not wanted, unless something protects it.
func (s *Store) remove(d Digest, p Policy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path(d))
	if err != nil {
		return ignoreNotExist(err)
	}
	grace := p.Grace
	if n := s.notes[d]; n != nil {
		switch {
		case n.idle:
			grace = 0
		case n.named:
			grace = p.Named
		}
		if n.holds > 0 || time.Since(n.since) < grace {
			return nil
		}
	}
	if grace > 0 && time.Since(info.ModTime()) < grace {
		return nil
	}
	delete(s.verified, d)
	return ignoreNotExist(os.Remove(s.path(d)))
}

// forgetGone drops the notes of artifacts that are not there.
func (s *Store) forgetGone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.notes, func(d Digest, n *note) bool { return n.holds == 0 && !s.Contains(d) })
}

func (s *Store) sweepCorrupt() error {
	dir := filepath.Join(s.dir, corruptDir)
	aside, errs := os.ReadDir(dir)
	for _, e := range aside {
		errs = errors.Join(errs, ignoreNotExist(os.Remove(filepath.Join(dir, e.Name()))))
	}
	return errs
}

const (
	putPrefix  = "put-"
	partPrefix = "part-"
)

// sweepTmp removes what has come of artifacts a while ago, and at the start all that Puts have left.
func (s *Store) sweepTmp(start bool) error {
	dir := filepath.Join(s.dir, tmpDir)
	entries, errs := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		d, isPart := partDigest(e.Name())
		if !isPart {
			if start {
				errs = errors.Join(errs, os.RemoveAll(path))
			}
			continue
		}
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()).Abs() > partialAge && !s.isArriving(d) {
			err = os.Remove(path)
		}
		errs = errors.Join(errs, ignoreNotExist(err))
	}
	return errs
}

// partDigest tells of which artifact a file is a part.
func partDigest(name string) (d Digest, ok bool) {
	digits, ok := strings.CutPrefix(name, partPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(digits))
	return d, err == nil
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
