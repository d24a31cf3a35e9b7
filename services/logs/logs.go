// Package logs keeps the last lines that each function wrote, on this node and in memory.
//
// Writers never wait. A follower holds no queue of its own: it has a place in the function's ring and reads from
// there; when the ring has gone past its place, it is told how many lines it missed.
package logs

import (
	"sync"
	"time"

	"github.com/weft-run/weft/executor"
)

// The default bounds of one function's log.
const (
	DefaultLines = 10_000
	DefaultBytes = 1 << 20
)

// Config bounds what is kept of each function.
type Config struct {
	// Lines and Bytes bound one log; the older lines give way. Zero means the default. The last line is always kept.
	Lines, Bytes int
}

// Store holds the logs. All its methods are safe for concurrent use.
type Store struct {
	config Config

	mu   sync.RWMutex
	logs map[name]*ring // guarded by mu; each ring has a lock of its own
}

type name struct{ namespace, function string }

// New makes an empty store.
func New(c Config) *Store {
	if c.Lines <= 0 {
		c.Lines = DefaultLines
	}
	if c.Bytes <= 0 {
		c.Bytes = DefaultBytes
	}
	return &Store{config: c, logs: map[name]*ring{}}
}

// Append adds a line to the log of its function. It is what executor.Config.Log wants.
func (s *Store) Append(line executor.Line) {
	s.ring(line.Key.Namespace, line.Key.Function).append(line)
}

// Drop forgets the log of a function. Its followers come to their end.
func (s *Store) Drop(namespace, function string) {
	n := name{namespace, function}
	s.mu.Lock()
	r := s.logs[n]
	delete(s.logs, n)
	s.mu.Unlock()
	if r != nil {
		r.close()
	}
}

func (s *Store) ring(namespace, function string) *ring {
	n := name{namespace, function}
	s.mu.RLock()
	r := s.logs[n]
	s.mu.RUnlock()
	if r != nil {
		return r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.logs[n]; r == nil {
		r = &ring{config: s.config}
		s.logs[n] = r
	}
	return r
}

// ring is the log of one function. Lines are numbered from 0; it holds those from first on.
type ring struct {
	config Config

	mu     sync.Mutex
	lines  []executor.Line // guarded by mu: a circle that starts at head
	head   int             // guarded by mu
	count  int             // guarded by mu
	first  uint64          // guarded by mu: number of the line at head
	bytes  int             // guarded by mu
	closed bool            // guarded by mu
	// more is closed when a line comes or the ring closes. It is made by whoever waits; nil if nobody does.
	more chan struct{} // guarded by mu
}

// lineCost is what a line takes besides its text.
const lineCost = 128

func cost(l executor.Line) int {
	return lineCost + len(l.Message) + len(l.Context) + len(l.CallID)
}

func (r *ring) append(l executor.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	for r.count > 0 && (r.count >= r.config.Lines || r.bytes+cost(l) > r.config.Bytes) {
		r.bytes -= cost(r.lines[r.head])
		r.lines[r.head] = executor.Line{}
		r.head = (r.head + 1) % len(r.lines)
		r.count--
		r.first++
	}
	if r.count == len(r.lines) {
		r.grow()
	}
	r.lines[(r.head+r.count)%len(r.lines)] = l
	r.count++
	r.bytes += cost(l)
	r.wake()
}

func (r *ring) grow() {
	bigger := make([]executor.Line, min(max(16, 2*r.count), r.config.Lines))
	n := copy(bigger, r.lines[r.head:])
	copy(bigger[n:], r.lines[:r.head])
	r.lines, r.head = bigger, 0
}

func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.wake()
}

// wake is called with mu held.
func (r *ring) wake() {
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// begin returns the number of the line at which a reader of the last tail lines starts; all lines if tail is 0.
func (r *ring) begin(tail int) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if tail > 0 && tail < r.count {
		return r.first + uint64(r.count-tail)
	}
	return r.first
}

// read returns up to limit lines from number next on, and how many lines before them are gone. Without a line it
// returns a channel that is closed when there may be one, or nil if the log has ended.
func (r *ring) read(next uint64, limit int) (lines []executor.Line, missed uint64, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if next < r.first {
		missed = r.first - next
		next = r.first
	}
	offset := int(next - r.first)
	n := min(r.count-offset, limit)
	if n == 0 && missed == 0 && !r.closed {
		if r.more == nil {
			r.more = make(chan struct{})
		}
		return nil, 0, r.more
	}
	for i := range n {
		lines = append(lines, r.lines[(r.head+offset+i)%len(r.lines)])
	}
	return lines, missed, nil
}

// missedLine is what a follower gets in place of lines that it was too slow for.
func missedLine(namespace, function, message string) executor.Line {
	return executor.Line{
		Key:     executor.Key{Namespace: namespace, Function: function},
		Time:    time.Now(),
		Stream:  executor.StreamWeft,
		Level:   "warn",
		Message: message,
	}
}
