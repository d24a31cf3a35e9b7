package consensus

import "sync"

const (
	trailLength = 4096    // indexes whose state hash is known
	tailEntries = 4096    // entries that watchers get from memory
	tailBytes   = 4 << 20 // and bytes of them
)

// trail holds the state hashes of the last indexes, so that nodes that are not equally far can be compared.
type trail struct {
	mu     sync.Mutex
	states []passed // guarded by mu; a ring once it is full
	next   int      // guarded by mu; where the next one goes
	last   uint64   // guarded by mu; index of the newest
}

type passed struct {
	index uint64
	hash  [32]byte
}

// note adds a state. One that is not newer than the newest was noted before: the log is replayed.
func (t *trail) note(index uint64, hash []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if index <= t.last {
		return
	}
	t.add(index, hash)
}

// restart forgets all and notes a state that did not come about entry by entry.
func (t *trail) restart(index uint64, hash []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.states, t.next = t.states[:0], 0
	t.add(index, hash)
}

// add adds a state. The caller holds mu.
func (t *trail) add(index uint64, hash []byte) {
	s := passed{index: index, hash: [32]byte(hash)}
	if len(t.states) < trailLength {
		t.states = append(t.states, s)
	} else {
		t.states[t.next] = s
	}
	t.next = (t.next + 1) % trailLength
	t.last = index
}

func (t *trail) at(index uint64) ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.states {
		if s.index == index {
			return s.hash[:], true
		}
	}
	return nil, false
}

// tail holds the last entries that were applied. All watchers that keep up read the same ones from it.
type tail struct {
	mu      sync.Mutex
	entries []Entry // guarded by mu; elements are never changed, so that slices of it can be handed out
	bytes   int     // guarded by mu; in entries
	base    uint64  // guarded by mu; the index after which nothing is missing
}

// add appends an entry. One that is there already is left out: the log is replayed.
func (t *tail) add(e Entry) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Index <= t.last() {
		return
	}
	t.entries = append(t.entries, e)
	t.bytes += len(e.Data)
	for len(t.entries) > tailEntries || t.bytes > tailBytes {
		t.base, t.bytes = t.entries[0].Index, t.bytes-len(t.entries[0].Data)
		t.entries = t.entries[1:]
	}
}

// last returns the index of the last entry. The caller holds mu.
func (t *tail) last() uint64 {
	if len(t.entries) == 0 {
		return t.base
	}
	return t.entries[len(t.entries)-1].Index
}

// restart forgets all: what comes next follows an index.
func (t *tail) restart(index uint64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries, t.bytes, t.base = nil, 0, index
}

// after returns entries that follow an index, up to a limit of bytes and some; false if older ones are missing.
func (t *tail) after(index uint64, limit int) ([]Entry, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if index < t.base {
		return nil, false
	}
	from := search(t.entries, index+1)
	to := from
	for size := 0; to < len(t.entries) && size < limit; to++ {
		size += len(t.entries[to].Data)
	}
	return t.entries[from:to:to], true
}

// search returns the place of the first entry that is not before an index.
func search(entries []Entry, index uint64) int {
	low, high := 0, len(entries)
	for low < high {
		if middle := (low + high) / 2; entries[middle].Index < index {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
