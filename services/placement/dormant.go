package placement

import (
	"context"

	"github.com/weft-run/weft/executor"
)

// The executor drops revisions from memory that nobody calls, and loads them again by itself. They stay ready all the while, and
// their entries are all that they cost here. The methods below are the executor's side of that.

// admit makes an entry ready that an earlier process has loaded, without loading it. It is called with mu held.
func (t *Table) admit(e *entry) {
	if digest := e.row.GetDigest(); len(digest) == 32 && t.config.Executor.Admit(e.key, [32]byte(digest)) {
		t.becomeReady(e)
	}
}

// Describe gives a ready revision that the executor is about to load again. The error is ErrUnknown if it is gone, that of ctx, or
// says what is wrong with the artifact.
func (t *Table) Describe(ctx context.Context, k executor.Key) (executor.Revision, error) {
	t.mu.Lock()
	e := t.entries[k]
	t.mu.Unlock()
	if e == nil {
		return executor.Revision{}, ErrUnknown
	}
	return t.build(ctx, e)
}

// Dormant notes that a revision has left memory.
func (t *Table) Dormant(k executor.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[k]; e != nil {
		e.revision = nil
	}
}

// Transcoded notes that the executor has made the transcoder of a revision, or why it could not. That holds while the revision is dormant, too.
func (t *Table) Transcoded(k executor.Key, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[k]
	if e == nil {
		return
	}
	plain := ""
	if err != nil {
		plain = err.Error()
	}
	if e.plain != plain {
		e.plain = plain
		t.announce(e)
	}
}

// Failed notes that the executor could not load a revision again, and has forgotten it. It is tried again like one that did not
// load in the first place.
func (t *Table) Failed(k executor.Key, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[k]
	if e == nil || e.state != StateReady {
		return
	}
	t.ready.Delete(k)
	e.revision = nil
	t.ended(e, err)
}
