package executor

import (
	"math"
	"sync"
	"time"
)

// limit is a timer that abandons a call when its time is over. One that did not fire serves another call, as most do not.
type limit struct {
	timer *time.Timer
	call  *begun
}

var limits sync.Pool // of *limit

// newLimit gives a limit that is not set.
func newLimit(s *begun) *limit {
	l, ok := limits.Get().(*limit)
	if !ok {
		l = &limit{}
		l.timer = time.AfterFunc(math.MaxInt64, func() { l.call.abandon(causeDeadline) })
	}
	l.call = s
	return l
}

// within sets the limit, unless the call has ended.
func (s *begun) within(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit != nil {
		s.limit.timer.Reset(d)
	}
}

// unlimited ends the limit.
func (s *begun) unlimited() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit.timer.Stop() {
		s.limit.call = nil
		limits.Put(s.limit)
	}
	s.limit = nil
}
