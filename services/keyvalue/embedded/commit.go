package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/weft-run/weft/internal/disk"
	"github.com/weft-run/weft/services/keyvalue"
)

// maxTogether is how many changes one transaction has at most, and how many more may wait for the next.
const maxTogether = 256

var errClosed = errors.New("the node is shutting down")

// write is a change that waits for its transaction.
type write struct {
	ctx   context.Context //nolint:containedctx // a change whose caller has left before its turn is not made
	apply func(*bbolt.Tx) error
	done  chan error // has room for the outcome
}

// diskError is what ends a whole transaction.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }

// submit has a change made and waits until it is on disk. If apply returns an error it must have changed nothing, but for
// a *diskError. It may be called though submit has returned because ctx ended; so may what it uses.
func (s *Store) submit(ctx context.Context, apply func(*bbolt.Tx) error) error {
	if _, err := s.file(ctx); err != nil {
		return err
	}
	w := &write{ctx: ctx, apply: apply, done: make(chan error, 1)}
	select {
	case s.writes <- w:
	case <-s.closing:
		return unavailable(errClosed)
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-s.closed:
		select {
		case err := <-w.done:
			return err
		default:
			return unavailable(errClosed)
		}
	}
}

// run makes transactions of what waits, until the store closes.
func (s *Store) run() {
	defer close(s.closed)
	for {
		select {
		case <-s.closing:
			return
		case first := <-s.writes:
			s.commit(s.gather(first))
		}
	}
}

// gather takes what waits besides the first, without waiting for more: while the disk is busy with one transaction, the
// changes for the next come together by themselves.
func (s *Store) gather(first *write) []*write {
	together := []*write{first}
	for len(together) < maxTogether {
		select {
		case w := <-s.writes:
			together = append(together, w)
		default:
			return together
		}
	}
	return together
}

// commit makes the changes in one transaction and tells each how it ended.
func (s *Store) commit(together []*write) {
	outcomes := make([]error, len(together))
	err := disk.Mapped(func() error {
		return s.db.Load().Update(func(tx *bbolt.Tx) error {
			for i, w := range together {
				if err := w.ctx.Err(); err != nil {
					outcomes[i] = unavailable(err)
					continue
				}
				outcomes[i] = w.apply(tx)
				if failed, ok := errors.AsType[*diskError](outcomes[i]); ok {
					return failed.err
				}
			}
			return nil
		})
	})
	for i, w := range together {
		if err != nil {
			outcomes[i] = unavailable(fmt.Errorf("writing %s: %w", s.path, err))
		}
		w.done <- outcomes[i]
	}
}

// change is a change to one bucket, within a transaction.
type change struct {
	tx    *bbolt.Tx
	b     keyvalue.Bucket
	quota int64
	pairs *bbolt.Bucket // nil: there are none yet
}

// change has a bucket changed. What apply checks it must check before it changes anything.
func (s *Store) change(ctx context.Context, b keyvalue.Bucket, apply func(*change) error) error {
	return s.submit(ctx, func(tx *bbolt.Tx) error {
		return apply(&change{tx: tx, b: b, quota: s.quota, pairs: pairsOf(tx, b)})
	})
}

// set stores pairs, if the quota allows. It stores all or none.
func (c *change) set(pairs []keyvalue.Pair) error {
	var more int64
	for _, p := range pairs {
		more += keyvalue.Cost(c.b, p.Key, len(p.Value)) - c.cost(p.Key)
	}
	name := []byte(c.b.Function.String())
	var used int64
	if root := c.tx.Bucket(name); root != nil {
		used = usage(root)
	}
	if more > 0 && used+more > c.quota {
		return &keyvalue.QuotaError{Function: c.b.Function, Quota: c.quota}
	}
	root, err := c.tx.CreateBucketIfNotExists(name)
	if err != nil {
		return &diskError{err}
	}
	buckets, err := root.CreateBucketIfNotExists(pairsKey)
	if err != nil {
		return &diskError{err}
	}
	if c.pairs, err = buckets.CreateBucketIfNotExists([]byte(c.b.Name)); err != nil {
		return &diskError{err}
	}
	for _, p := range pairs {
		stored := make([]byte, versionSize, versionSize+len(p.Value))
		binary.BigEndian.PutUint64(stored, uint64(c.tx.ID()))
		if err := c.pairs.Put([]byte(p.Key), append(stored, p.Value...)); err != nil {
			return &diskError{err}
		}
	}
	return c.count(root, used+more)
}

// delete removes keys, and the bucket with its last one.
func (c *change) delete(keys []string) error {
	if c.pairs == nil {
		return nil
	}
	var less int64
	for _, key := range keys {
		cost := c.cost(key)
		if cost == 0 {
			continue
		}
		less += cost
		if err := c.pairs.Delete([]byte(key)); err != nil {
			return &diskError{err}
		}
	}
	root := c.tx.Bucket([]byte(c.b.Function.String()))
	if first, _ := c.pairs.Cursor().First(); first == nil {
		if err := root.Bucket(pairsKey).DeleteBucket([]byte(c.b.Name)); err != nil {
			return &diskError{err}
		}
	}
	return c.count(root, usage(root)-less)
}

// cost is what a key counts now: nothing if it is not there.
func (c *change) cost(key string) int64 {
	e := lookup(c.pairs, key)
	if !e.Exists() {
		return 0
	}
	return keyvalue.Cost(c.b, key, len(e.Value))
}

func (c *change) count(root *bbolt.Bucket, used int64) error {
	if err := root.Put(bytesKey, binary.BigEndian.AppendUint64(nil, uint64(used))); err != nil {
		return &diskError{err}
	}
	return nil
}

// Drop implements [keyvalue.Backend].
func (s *Store) Drop(ctx context.Context, f keyvalue.Function) error {
	return s.submit(ctx, func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(f.String())) == nil {
			return nil
		}
		if err := tx.DeleteBucket([]byte(f.String())); err != nil {
			return &diskError{err}
		}
		return nil
	})
}
