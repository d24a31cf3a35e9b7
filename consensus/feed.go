package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

const (
	heartbeatEvery = time.Second
	batchBytes     = 1 << 20
	batchSpan      = 4096                  // indexes that are read from the log on disk at a time
	batchRest      = 10 * time.Millisecond // between two batches to one watcher, so that they become larger under load
	maxImages      = 4                     // snapshots that are sent at a time
)

// Feed gives the catalog of this node, from a position on, to a watcher: entries, or a snapshot where the log does not reach
// back so far or the watcher is wrong, then entries as they are applied, and a heartbeat every second and once the
// watcher is up to date. It returns when ctx is done, the node is closed, the sink fails, or the log can't be read: ErrNoLog
// then. It holds one batch for the watcher and waits for it: one that is slow reads from the disk what it has missed.
func (n *Node) Feed(ctx context.Context, from Position, sink Sink) error {
	if n.config.Follower {
		return fmt.Errorf("%w: node %s is no scheduler", ErrNoLog, n.identity.ID)
	}
	f := &feed{node: n, sink: sink, at: from.Index, whole: n.mistrusts(from)}
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for beat := true; ; {
		view := n.catalog.View()
		err := f.advance(ctx, view)
		if err == nil && beat && f.at >= view.Index() {
			beat = false
			err = sink.Heartbeat(n.heartbeat(view))
		}
		if err == nil {
			err = pause(ctx, batchRest)
		}
		if err != nil {
			return err
		}
		select {
		case <-view.Changed():
		case <-tick.C:
			beat = true
		case <-n.closing:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (n *Node) heartbeat(view *catalog.View) Heartbeat {
	return Heartbeat{Position: Position{Index: view.Index(), Hash: view.Hash()}, StaleNanos: int64(n.Stale()), Leader: n.knownLeader()}
}

// mistrusts reports whether a watcher needs a snapshot because its catalog is not what it should be at its index.
func (n *Node) mistrusts(from Position) bool {
	if from.Index > 0 && len(from.Hash) == 0 {
		return true
	}
	hash, ok := n.HashAt(from.Index)
	if !ok || bytes.Equal(hash, from.Hash) {
		return false
	}
	n.log.Error("a node that follows has another catalog than this one; it gets a new one", "index", from.Index, "here", fmt.Sprintf("%x", hash), "there", fmt.Sprintf("%x", from.Hash))
	return true
}

// feed is what one watcher gets.
type feed struct {
	node  *Node
	sink  Sink
	at    uint64 // the index that the watcher has
	whole bool   // it needs a snapshot
}

// advance brings the watcher to where a view is. It does nothing while the node replays its log.
func (f *feed) advance(ctx context.Context, view *catalog.View) error {
	if f.node.catalog.Index() < view.Index() {
		return nil
	}
	for f.whole || f.at < view.Index() {
		if f.whole {
			if err := f.snapshot(ctx); err != nil {
				return err
			}
			continue
		}
		entries, ok := f.node.tail.after(f.at, batchBytes)
		if !ok {
			var err error
			if entries, err = f.read(view.Index()); err != nil {
				return err
			}
		}
		switch {
		case len(entries) > 0:
		case ok:
			return nil
		default: // read has passed entries that are no commands, or wants a snapshot to be sent
			continue
		}
		if err := f.sink.Entries(entries); err != nil {
			return err
		}
		f.at = max(f.at, entries[len(entries)-1].Index)
	}
	return nil
}

// read reads commands from the log on disk, not beyond an index: what is after it may never be committed.
func (f *feed) read(limit uint64) ([]Entry, error) {
	f.node.mu.Lock()
	s := f.node.session
	f.node.mu.Unlock()
	if s == nil {
		return nil, ErrNoLog
	}
	first, err := s.guard.FirstIndex()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoLog, err)
	}
	if first == 0 || first > f.at+1 {
		f.whole = true
		return nil, nil
	}
	var entries []Entry
	size, index := 0, f.at
	for end := min(limit, f.at+batchSpan); index < end && size < batchBytes; {
		index++
		var entry raft.Log
		err := s.guard.GetLog(index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) { // it was cut off just now
			f.whole = true
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoLog, err)
		}
		if entry.Type == raft.LogCommand {
			entries = append(entries, Entry{Index: index, Data: entry.Data})
			size += len(entry.Data)
		}
	}
	if len(entries) == 0 {
		f.at = index
	}
	return entries, nil
}

// snapshot sends the whole catalog.
func (f *feed) snapshot(ctx context.Context) error {
	select {
	case f.node.images <- struct{}{}:
		defer func() { <-f.node.images }()
	case <-f.node.closing:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	image := f.node.catalog.Image()
	if image.Index() < f.at {
		return fmt.Errorf("%w: it is behind the watcher", ErrNoLog)
	}
	r, w := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_ = w.CloseWithError(image.Write(w))
	}()
	err := f.sink.Snapshot(r)
	_ = r.Close()
	<-written
	if err != nil {
		return err
	}
	f.at, f.whole = image.Index(), false
	return nil
}
