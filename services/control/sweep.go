package control

import (
	"context"
	"errors"
	"sync"
	"time"
)

// sweeper removes artifacts that nobody names any more, when it was asked to and no deploy is under way: a deploy has
// an artifact before there is a revision that names it.
type sweeper struct {
	work func(context.Context) error

	mu      sync.Mutex // held while work runs, so that no deploy begins then
	deploys int        // guarded by mu
	wanted  bool       // guarded by mu

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// sweepRetry is the pause after a sweep that failed, as it does while the cluster has no leader.
const sweepRetry = 10 * time.Second

func newSweeper(work func(context.Context) error) *sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sweeper{work: work, wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go s.run(ctx)
	return s
}

// ask asks for a sweep and does not wait for it.
func (s *sweeper) ask() {
	s.mu.Lock()
	s.wanted = true
	s.mu.Unlock()
	s.signal()
}

// begin keeps sweeps away until end is called. Orphaned says whether the deploy may have left an artifact behind.
func (s *sweeper) begin() (end func(orphaned bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deploys++
	return func(orphaned bool) {
		s.mu.Lock()
		s.deploys--
		s.wanted = s.wanted || orphaned
		s.mu.Unlock()
		s.signal()
	}
}

func (s *sweeper) close() {
	s.cancel()
	<-s.done
}

func (s *sweeper) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *sweeper) run(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		if s.sweep(ctx) {
			continue
		}
		select {
		case <-time.After(sweepRetry):
			s.signal()
		case <-ctx.Done():
			return
		}
	}
}

// sweep does what is wanted, if it can be done now. It tells whether it went well.
func (s *sweeper) sweep(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wanted || s.deploys > 0 {
		return true
	}
	if err := s.work(ctx); err != nil {
		return false
	}
	s.wanted = false
	return true
}

// sweep removes the artifacts, and their compiled code, that no revision names.
func (s *Server) sweep(ctx context.Context) error {
	// After a restart the catalog may be behind what was acknowledged, until it has caught up with the log.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.config.Consensus.Linearize(ctx); err != nil {
		return err
	}
	named := map[[32]byte]bool{}
	for f := range s.view().All() {
		for _, r := range f.GetRevisions() {
			if len(r.GetDigest()) == 32 {
				named[[32]byte(r.GetDigest())] = true
			}
		}
	}
	keep := func(digest [32]byte) bool { return named[digest] }
	err := errors.Join(s.config.Executor.Sweep(keep), s.config.Artifacts.Sweep(keep))
	if err != nil {
		s.config.Logger.Warn("sweep artifacts", "error", err)
	}
	return err
}
