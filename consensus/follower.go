package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

const (
	followPause    = 100 * time.Millisecond // between two rounds through the schedulers, at first
	followPauseMax = 2 * time.Second
)

var (
	errSilent = errors.New("consensus: the scheduler has gone silent")
	errStale  = errors.New("consensus: the scheduler has not heard of a leader for long")
)

// newFSM returns what applies entries to the catalog of this node, whoever brings them.
func (n *Node) newFSM(halt func(error)) *fsm {
	return &fsm{catalog: n.catalog, copy: n.copy, applied: new(mark), trail: &n.trail, tail: &n.tail, halt: halt}
}

// follow keeps the catalog up to date by a watch of a scheduler's, until the node is closed or meets an entry that it
// can't apply.
func (n *Node) follow() {
	defer close(n.ended)
	ctx, cancel := n.untilClosed()
	defer cancel()
	f := &follower{node: n, fsm: n.newFSM(func(err error) {
		n.setDamage(err)
		n.log.Error("the log can't be applied further; serving what is known", "error", err)
		cancel()
	})}
	f.fsm.tail = nil
	for wait := followPause; ctx.Err() == nil; {
		if f.round(ctx) {
			wait = followPause
		}
		if pause(ctx, wait+rand.N(wait)) != nil { //nolint:gosec // no secret
			return
		}
		wait = min(2*wait, followPauseMax)
	}
}

// follower takes what a watch brings.
type follower struct {
	node *Node
	fsm  *fsm

	wrong bool // the catalog here is not what it should be: it needs a snapshot

	mu    sync.Mutex
	began time.Time // guarded by mu; of the watch
	beat  time.Time // guarded by mu; the last that the scheduler has sent
	heard bool      // guarded by mu; it has sent a heartbeat
}

var _ Sink = (*follower)(nil)

// round watches the schedulers in turn, each until it fails. It reports whether any was of use.
func (f *follower) round(ctx context.Context) bool {
	n := f.node
	n.mu.Lock()
	peers, changed := n.peers, n.changed
	n.mu.Unlock()
	if peers == nil {
		select {
		case <-changed:
		case <-ctx.Done():
		}
		return true
	}
	schedulers, useful := n.schedulers(), false
	rand.Shuffle(len(schedulers), func(i, j int) { schedulers[i], schedulers[j] = schedulers[j], schedulers[i] }) //nolint:gosec // no secret
	for _, node := range schedulers {
		err := f.watch(ctx, peers, node)
		if ctx.Err() != nil {
			return true
		}
		n.log.Debug("the watch of a scheduler has ended", "node", node, "error", err)
		n.hear("")
		f.mu.Lock()
		useful = useful || f.heard
		f.mu.Unlock()
	}
	return useful
}

// watch follows one scheduler until that fails, or is silent or behind for too long.
func (f *follower) watch(ctx context.Context, peers Peers, node string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f.mu.Lock()
	f.began, f.beat, f.heard = time.Now(), time.Now(), false
	f.mu.Unlock()
	var guard sync.WaitGroup
	defer guard.Wait()
	defer cancel(nil)
	guard.Go(func() { f.guard(ctx, cancel) })
	from := Position{}
	from.Index, from.Hash = f.node.catalog.Position()
	if f.wrong || from.Index == 0 {
		from.Hash = nil
	}
	return errors.Join(peers.Watch(ctx, node, from, f), context.Cause(ctx))
}

// guard ends a watch that brings nothing for too long.
func (f *follower) guard(ctx context.Context, cancel context.CancelCauseFunc) {
	limit := f.node.config.stale
	for {
		f.mu.Lock()
		silence := time.Since(f.beat)
		f.mu.Unlock()
		if silence >= limit {
			cancel(errSilent)
			return
		}
		if pause(ctx, limit-silence) != nil {
			return
		}
	}
}

func (f *follower) live() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.beat = time.Now()
}

// Snapshot implements Sink. The snapshot is tried out before the catalog has it. Readers keep the present view if it is an
// older one, until entries have made up for that.
func (f *follower) Snapshot(r io.Reader) error {
	var b bytes.Buffer
	if _, err := io.Copy(&b, &liveReader{r, f}); err != nil {
		return err
	}
	if err := catalog.New().Restore(bytes.NewReader(b.Bytes())); err != nil {
		return err
	}
	f.node.catalog.Replay()
	if err := f.fsm.Restore(io.NopCloser(&b)); err != nil {
		return err
	}
	f.wrong = false
	return nil
}

// liveReader notes that the scheduler is there while a snapshot comes.
type liveReader struct {
	io.Reader
	follower *follower
}

func (r *liveReader) Read(p []byte) (int, error) {
	r.follower.live()
	return r.Reader.Read(p)
}

// Entries implements Sink.
func (f *follower) Entries(entries []Entry) error {
	f.live()
	logs := make([]*raft.Log, 0, len(entries))
	for _, e := range entries {
		if e.Index > f.fsm.catalog.Index() {
			logs = append(logs, &raft.Log{Type: raft.LogCommand, Index: e.Index, Data: e.Data})
		}
	}
	if len(logs) > 0 {
		f.fsm.ApplyBatch(logs)
	}
	return f.fsm.halted
}

// Heartbeat implements Sink. It compares the catalog with that of the scheduler.
func (f *follower) Heartbeat(h Heartbeat) error {
	f.mu.Lock()
	f.beat, f.heard = time.Now(), true
	lasted := f.beat.Sub(f.began)
	f.mu.Unlock()
	n := f.node
	index, hash := n.catalog.Position()
	if index == h.Index && !bytes.Equal(hash, h.Hash) {
		f.wrong = true
		err := fmt.Errorf("consensus: at index %d the catalog here has state %x, and that of a scheduler %x", index, hash, h.Hash)
		n.update(func() { n.fork = err })
		n.log.Error("the catalog differs from that of a scheduler; it is fetched anew", "error", err)
		return err
	}
	n.hear(h.Leader)
	if index == h.Index {
		n.setFresh(f.beatTime().Add(-time.Duration(h.StaleNanos)))
	}
	if time.Duration(h.StaleNanos) > n.config.stale && lasted > n.config.stale {
		return errStale
	}
	return nil
}

func (f *follower) beatTime() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.beat
}

// A follower remembers when its catalog was last up to date as the time of change of an empty file.
func freshPath(dir string) string { return filepath.Join(dir, "catalog", "fresh") }

// lastFresh returns when the catalog in a directory was last up to date; a given time if that is not known.
func lastFresh(dir string, otherwise time.Time) time.Time {
	info, err := os.Stat(freshPath(dir))
	if err != nil || info.ModTime().After(otherwise) {
		return otherwise
	}
	return info.ModTime()
}

func (n *Node) setFresh(at time.Time) {
	n.mu.Lock()
	newer := at.After(n.fresh)
	if newer {
		n.fresh = at
	}
	n.mu.Unlock()
	if !newer {
		return
	}
	path := freshPath(n.config.Dir)
	if err := os.Chtimes(path, at, at); errors.Is(err, os.ErrNotExist) { // best effort: it only says how old the catalog is
		_ = os.WriteFile(path, nil, 0o600)
		_ = os.Chtimes(path, at, at)
	}
}

func (n *Node) freshness() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fresh.IsZero() {
		return n.opened
	}
	return n.fresh
}
