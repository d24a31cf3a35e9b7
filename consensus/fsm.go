package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

var _ raft.BatchingFSM = (*fsm)(nil)

// fsm applies committed entries to the catalog: first into the journal of the local copy, then into the catalog,
// which shows them. So after a crash of the process the copy holds all that anybody was ever shown.
type fsm struct {
	catalog *catalog.Catalog
	copy    *localCopy
	applied *mark
	trail   *trail
	tail    *tail // nil where nobody is fed from it
	// halt is told once of an entry that can't be applied. Nothing after it is applied either.
	halt func(error)

	halted error // used by raft's FSM goroutine only
}

// Apply implements raft.FSM.
func (f *fsm) Apply(entry *raft.Log) any { return f.ApplyBatch([]*raft.Log{entry})[0] }

// ApplyBatch implements raft.BatchingFSM. A response is a *catalogv1.Result or an error.
func (f *fsm) ApplyBatch(entries []*raft.Log) []any {
	responses := make([]any, len(entries))
	commands, err := decodeEntries(entries)
	f.copy.mu.Lock()
	defer f.copy.mu.Unlock()
	if f.halted == nil {
		f.copy.append(entries[:len(commands)])
	}
	for i, entry := range entries {
		if i == len(commands) {
			f.stop(entry, err)
		}
		if f.halted != nil {
			responses[i] = f.halted
			continue
		}
		if commands[i] != nil {
			f.tail.add(Entry{Index: entry.Index, Data: entry.Data}) // before anybody can see that it is missing there
			responses[i] = f.catalog.Apply(entry.Index, commands[i])
			if err := f.catalog.Err(); err != nil {
				f.stop(entry, err)
				responses[i] = f.halted
				continue
			}
			f.trail.note(f.catalog.Position())
		}
		f.applied.advance(entry.Index)
	}
	f.copy.follow()
	return responses
}

// decodeEntries returns the commands of the entries before the first that is damaged; nil in place of what is no
// command.
func decodeEntries(entries []*raft.Log) ([]*catalogv1.Command, error) {
	commands := make([]*catalogv1.Command, 0, len(entries))
	for _, entry := range entries {
		var cmd *catalogv1.Command
		if entry.Type == raft.LogCommand {
			var err error
			if cmd, err = decodeEntry(entry.Data); err != nil {
				return commands, err
			}
		}
		commands = append(commands, cmd)
	}
	return commands, nil
}

// stop halts the state machine before an entry, unless err is nil.
func (f *fsm) stop(entry *raft.Log, err error) {
	if err != nil && f.halted == nil {
		f.halted = fmt.Errorf("%w: entry %d: %w", ErrDamaged, entry.Index, err)
		f.halt(f.halted)
	}
}

// Snapshot implements raft.FSM. A halted state must not become a snapshot: raft would take it for the state after all
// entries that it has passed on, and cut them off the log.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	if f.halted != nil {
		return nil, f.halted
	}
	return &snapshot{image: f.catalog.Image()}, nil
}

// Restore implements raft.FSM. All or nothing.
func (f *fsm) Restore(r io.ReadCloser) error {
	f.copy.mu.Lock()
	defer f.copy.mu.Unlock()
	if err := f.catalog.Restore(r); err != nil {
		return errors.Join(err, r.Close())
	}
	f.applied.advance(f.catalog.Index())
	f.trail.restart(f.catalog.Position())
	f.tail.restart(f.catalog.Index())
	f.copy.follow()
	return r.Close()
}

// snapshot is an image of the catalog on its way into raft's snapshot store, which syncs it and puts it in place.
type snapshot struct{ image *catalog.Image }

// Persist implements raft.FSMSnapshot.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	if err := s.image.Write(sink); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (s *snapshot) Release() {}

// mark is a log index that grows, and that can be waited for.
type mark struct {
	mu      sync.Mutex
	index   uint64
	changed chan struct{} // closed at the next advance; nil while nobody waits
}

func (m *mark) advance(index uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index <= m.index {
		return
	}
	m.index = index
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}

// wait returns once the mark has reached the index, or ctx is done, or stop is closed.
func (m *mark) wait(ctx context.Context, stop <-chan struct{}, index uint64) error {
	for {
		m.mu.Lock()
		if m.index >= index {
			m.mu.Unlock()
			return nil
		}
		if m.changed == nil {
			m.changed = make(chan struct{})
		}
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-stop:
			return ErrNoLeader // whoever waits looks for the next session
		}
	}
}
