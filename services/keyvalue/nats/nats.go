// Package nats keeps the pairs of functions in NATS JetStream, by github.com/nats-io/nats.go.
//
// A function has one key-value bucket of JetStream, PREFIX_NAMESPACE_NAME_CREATED, made when it is used first, and in that a
// key BUCKET.KEY for each pair, both parts in base64 (URL alphabet, no padding), as NATS allows few characters in keys. The
// revision of a pair is its version. `nats kv ls` shows the buckets; changes made with that tool are respected.
//
// # What differs from other backends
//
// JetStream has no transactions over several keys. So a batch is many operations, of which some may be made and others
// not, as wasi:keyvalue allows. Increment reads, adds, and stores if nobody else has since; it tries again while others do.
//
// The quota is the limit of the bucket's stream on its bytes, which the server enforces whatever the number of writers. It
// counts what it writes to its file: the key in base64 with the bucket's name, the value, and 30 to 120 bytes. So a function
// stores at most the quota in keys and values, and less with small ones. Close to the quota a value can be replaced by a
// larger one only if there is room for both. A server whose account has a limit on storage sets the whole quota aside for
// each function. Servers before 2.11 are refused: full, they remove what is old (checkVersion).
//
// A delete purges the key, so nothing is left of it.
//
// An answer means that the server has written the change to its file; when that is synced is up to its configuration
// ("sync_interval"; "replicas=3" in the URL has a majority of three servers write it. The tests have one server). Reads of replicated buckets may be
// answered by a follower, with a value that is a moment old; what changes something compares versions and is exact.
package nats

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weft-run/weft/services/keyvalue"
)

// Store is a [keyvalue.Backend] in NATS JetStream.
type Store struct {
	conn     *nats.Conn
	js       jetstream.JetStream
	prefix   string
	replicas int
	quota    int64

	functions functions
	turns     turns
}

var _ keyvalue.Backend = (*Store)(nil)

var errURL = errors.New("keyvalue: the URL is none of NATS: write it as nats://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…][?prefix=NAME&replicas=N]")

// Open connects to servers: nats://[USER:PASSWORD@]HOST:PORT,HOST:PORT, or tls:// for TLS; a user without a password is a
// token. The query "prefix=NAME" sets what the names of buckets begin with ("weft"), "replicas=N" how many servers keep them
// (1). The servers need not be up; a connection is tried, and tried again after it broke, until the store is closed. Each
// function may store quota bytes. The store must be closed. Errors have nothing of the URL in them.
func Open(address *url.URL, quota int64, logger *slog.Logger) (*Store, error) {
	s := &Store{prefix: "weft", replicas: 1, quota: quota}
	for name, values := range address.Query() {
		switch n, err := strconv.Atoi(values[0]); {
		case name == "prefix" && validPrefix(values[0]):
			s.prefix = values[0]
		case name == "replicas" && err == nil && n >= 1 && n <= 5:
			s.replicas = n
		default:
			return nil, errURL
		}
	}
	var servers []string
	for host := range strings.SplitSeq(address.Host, ",") {
		servers = append(servers, (&url.URL{Scheme: address.Scheme, User: address.User, Host: host}).String())
	}
	conn, err := nats.Connect(strings.Join(servers, ","),
		nats.Name("weft"), nats.Timeout(2*time.Second), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(250*time.Millisecond), nats.PingInterval(5*time.Second), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // what can not be sent now fails now
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			logger.Warn("NATS, for key-value storage", "error", err)
		}))
	if err != nil {
		return nil, errURL
	}
	s.conn, s.turns = conn, newTurns()
	if s.js, err = jetstream.New(conn, jetstream.WithDefaultTimeout(keyvalue.OperationTime)); err != nil {
		conn.Close()
		return nil, fmt.Errorf("keyvalue: NATS: %w", err)
	}
	return s, nil
}

// validPrefix tells whether a bucket's name may begin so; an underscore ends it.
func validPrefix(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// Close closes the connection.
func (s *Store) Close() error {
	s.conn.Close()
	return nil
}

// failed makes an error of this package's interface of one of the client.
func (s *Store) failed(f keyvalue.Function, err error) error {
	if err == nil {
		return nil
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		if strings.Contains(api.Description, "maximum bytes exceeded") {
			return &keyvalue.QuotaError{Function: f, Quota: s.quota}
		}
	}
	// The bucket may be gone: it is looked for, and made, by the next operation.
	s.functions.forget(f)
	return unavailable(err)
}

func unavailable(err error) error { return &keyvalue.UnavailableError{Backend: "nats", Err: err} }

var encoding = base64.RawURLEncoding

// name is a pair's key in JetStream.
func name(b keyvalue.Bucket, key string) string {
	return encoding.EncodeToString([]byte(b.Name)) + "." + encoding.EncodeToString([]byte(key))
}

// Get implements [keyvalue.Backend].
func (s *Store) Get(ctx context.Context, b keyvalue.Bucket, keys []string, limit int) ([]keyvalue.Entry, error) {
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return nil, err
	}
	entries := make([]keyvalue.Entry, len(keys))
	size := newBudget(limit)
	err = each(ctx, len(keys), func(ctx context.Context, i int) error {
		e, err := s.get(ctx, f, b, keys[i])
		if err != nil {
			return err
		}
		entries[i] = e
		return size.take(len(e.Value))
	})
	return entries, err
}

func (s *Store) get(ctx context.Context, f *function, b keyvalue.Bucket, key string) (keyvalue.Entry, error) {
	stored, err := f.pairs.Get(ctx, name(b, key))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return keyvalue.Entry{}, nil
	}
	if err != nil {
		return keyvalue.Entry{}, s.failed(b.Function, err)
	}
	value := stored.Value()
	if value == nil {
		value = []byte{}
	}
	return keyvalue.Entry{Value: value, Version: keyvalue.Version(strconv.FormatUint(stored.Revision(), 10))}, nil
}

// Exists implements [keyvalue.Backend].
func (s *Store) Exists(ctx context.Context, b keyvalue.Bucket, key string) (bool, error) {
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return false, err
	}
	e, err := s.get(ctx, f, b, key)
	return e.Exists(), err
}

// Set implements [keyvalue.Backend].
func (s *Store) Set(ctx context.Context, b keyvalue.Bucket, pairs []keyvalue.Pair) error {
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return err
	}
	return each(ctx, len(pairs), func(ctx context.Context, i int) error {
		_, err := f.pairs.Put(ctx, name(b, pairs[i].Key), pairs[i].Value)
		return s.failed(b.Function, err)
	})
}

// Delete implements [keyvalue.Backend].
func (s *Store) Delete(ctx context.Context, b keyvalue.Bucket, keys []string) error {
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return err
	}
	return each(ctx, len(keys), func(ctx context.Context, i int) error {
		return s.failed(b.Function, f.stream.Purge(ctx, jetstream.WithPurgeSubject(f.subject(name(b, keys[i])))))
	})
}

// Swap implements [keyvalue.Backend].
func (s *Store) Swap(ctx context.Context, b keyvalue.Bucket, key string, version keyvalue.Version, value []byte) error {
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return err
	}
	return s.swap(ctx, f, b, key, version, value)
}

func (s *Store) swap(ctx context.Context, f *function, b keyvalue.Bucket, key string, version keyvalue.Version, value []byte) error {
	var err error
	if version == "" {
		_, err = f.pairs.Create(ctx, name(b, key), value)
	} else {
		revision, wrong := strconv.ParseUint(string(version), 10, 64)
		if wrong != nil || revision == 0 {
			return keyvalue.ErrChanged
		}
		_, err = f.pairs.Update(ctx, name(b, key), value, revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return keyvalue.ErrChanged
	}
	return s.failed(b.Function, err)
}

// Increment implements [keyvalue.Backend]. Those of one key take turns in this process, so only other nodes are in the way.
func (s *Store) Increment(ctx context.Context, b keyvalue.Bucket, key string, delta int64) (int64, error) {
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return 0, err
	}
	done, err := s.turns.take(ctx, f.subject(name(b, key)))
	if err != nil {
		return 0, unavailable(err)
	}
	defer done()
	for {
		e, err := s.get(ctx, f, b, key)
		if err != nil {
			return 0, err
		}
		sum, err := keyvalue.Add(key, e, delta)
		if err != nil {
			return 0, err
		}
		err = s.swap(ctx, f, b, key, e.Version, strconv.AppendInt(nil, sum, 10))
		if !errors.Is(err, keyvalue.ErrChanged) {
			return sum, err
		}
		if err := ctx.Err(); err != nil {
			return 0, unavailable(fmt.Errorf("others changed the number each time: %w", err))
		}
	}
}

// Usage implements [keyvalue.Backend].
func (s *Store) Usage(ctx context.Context, f keyvalue.Function) (int64, error) {
	found, err := s.js.Stream(ctx, s.stream(f))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, s.failed(f, err)
	}
	return int64(found.CachedInfo().State.Bytes), nil
}

// Drop implements [keyvalue.Backend].
func (s *Store) Drop(ctx context.Context, f keyvalue.Function) error {
	s.functions.forget(f)
	err := s.js.DeleteKeyValue(ctx, s.bucket(f))
	if errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return s.failed(f, err)
}
