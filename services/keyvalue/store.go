package keyvalue

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// Store is what functions use: a backend, with bounds, time limits and metrics. Its methods are safe for concurrent use, and
// return the errors of [Backend].
type Store struct {
	backend Backend
	logger  *slog.Logger
	metrics *metrics
	down    atomic.Bool // the last answer was that the backend is unavailable

	measuring sync.WaitGroup
	stop      context.CancelFunc
}

// New makes a store of a backend, which it closes when it is closed itself. Metrics are registered unless to is nil.
func New(backend Backend, logger *slog.Logger, to prometheus.Registerer) *Store {
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{backend: backend, logger: logger, metrics: newMetrics(to), stop: stop}
	s.measuring.Go(func() { s.measure(ctx) })
	return s
}

// Close closes the backend.
func (s *Store) Close() error {
	s.stop()
	s.measuring.Wait()
	return s.backend.Close()
}

// do runs an operation within its time, and counts it.
func (s *Store) do(ctx context.Context, f Function, operation string, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, OperationTime)
	defer cancel()
	err := run(ctx)
	s.metrics.count(f, operation, err)
	s.notice(ctx, err)
	return err
}

// notice logs when the backend goes away, and when it is back.
func (s *Store) notice(ctx context.Context, err error) {
	down := isUnavailable(err)
	if down && errors.Is(ctx.Err(), context.Canceled) {
		return // the caller left
	}
	if s.down.Load() == down || !s.down.CompareAndSwap(!down, down) {
		return
	}
	if down {
		s.logger.Warn("functions get errors from key-value storage", "error", err)
	} else {
		s.logger.Info("key-value storage answers again")
	}
}

// Get gives the entry of a key.
func (s *Store) Get(ctx context.Context, b Bucket, key string) (e Entry, err error) {
	if err := checkKey(key); err != nil {
		return Entry{}, err
	}
	err = s.do(ctx, b.Function, "get", func(ctx context.Context) error {
		entries, err := s.backend.Get(ctx, b, []string{key}, MaxValue)
		if err == nil {
			e = entries[0]
		}
		return err
	})
	return e, err
}

// Exists tells whether a key is there.
func (s *Store) Exists(ctx context.Context, b Bucket, key string) (found bool, err error) {
	if err := checkKey(key); err != nil {
		return false, err
	}
	err = s.do(ctx, b.Function, "exists", func(ctx context.Context) (err error) {
		found, err = s.backend.Exists(ctx, b, key)
		return err
	})
	return found, err
}

// Set gives a key a value.
func (s *Store) Set(ctx context.Context, b Bucket, key string, value []byte) error {
	return s.set(ctx, "set", b, []Pair{{key, value}})
}

// Delete removes a key, if it is there.
func (s *Store) Delete(ctx context.Context, b Bucket, key string) error {
	return s.delete(ctx, "delete", b, []string{key})
}

// List gives a page of keys: the first with an empty cursor.
func (s *Store) List(ctx context.Context, b Bucket, cursor string) (page Page, err error) {
	err = s.do(ctx, b.Function, "list-keys", func(ctx context.Context) (err error) {
		page, err = s.backend.List(ctx, b, cursor, PageSize)
		// No function has stored a key that is not UTF-8, nor could it read one.
		page.Keys = slices.DeleteFunc(page.Keys, func(key string) bool { return !utf8.ValidString(key) })
		return err
	})
	return page, err
}

// Increment adds to a number and gives the sum.
func (s *Store) Increment(ctx context.Context, b Bucket, key string, delta int64) (sum int64, err error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	err = s.do(ctx, b.Function, "increment", func(ctx context.Context) (err error) {
		sum, err = s.backend.Increment(ctx, b, key, delta)
		return err
	})
	return sum, err
}

// Swap gives the key a value if it still has the version, and returns ErrChanged otherwise.
func (s *Store) Swap(ctx context.Context, b Bucket, key string, version Version, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := checkValue(key, len(value)); err != nil {
		return err
	}
	return s.do(ctx, b.Function, "swap", func(ctx context.Context) error {
		return s.backend.Swap(ctx, b, key, version, value)
	})
}

// Usage is what counts against a function's quota, in bytes.
func (s *Store) Usage(ctx context.Context, f Function) (used int64, err error) {
	err = s.do(ctx, f, "usage", func(ctx context.Context) (err error) {
		used, err = s.backend.Usage(ctx, f)
		return err
	})
	return used, err
}

// lister is a backend that nobody else uses, so that it can tell whose data it has.
type lister interface {
	// Functions gives the functions that have data.
	Functions(ctx context.Context) ([]Function, error)
}

// Left gives the functions that have data though they are not wanted. It knows of none where the backend is shared with
// others.
func (s *Store) Left(ctx context.Context, wanted func(Function) bool) ([]Function, error) {
	own, ok := s.backend.(lister)
	if !ok {
		return nil, nil
	}
	all, err := own.Functions(ctx)
	s.notice(ctx, err)
	return slices.DeleteFunc(all, wanted), err
}

// Drop removes all that there is of a function, and its metrics.
func (s *Store) Drop(ctx context.Context, f Function) error {
	err := s.do(ctx, f, "drop", func(ctx context.Context) error { return s.backend.Drop(ctx, f) })
	s.metrics.forget(f)
	return err
}
