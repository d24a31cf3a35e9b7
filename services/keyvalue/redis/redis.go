// Package redis keeps the pairs of functions in a Redis server, by github.com/redis/go-redis.
//
// A function has these keys; FUNCTION is what [keyvalue.Function.String] gives, and the braces keep the keys of a function
// together:
//
//	PREFIX:{FUNCTION}            hash: "bytes", what the pairs cost together (keyvalue.Cost), and "changes", how many there were
//	PREFIX:{FUNCTION}:buckets    set of the names of buckets that have pairs
//	PREFIX:{FUNCTION}:v:BUCKET   hash: the values as they are
//	PREFIX:{FUNCTION}:k:BUCKET   sorted set: the keys, each with the number of its last change
//
// The number of a key's last change is its version and its place in listings. Every change is one script (scripts/), which
// runs alone in the server: it checks the quota, changes, and counts. What an answer is worth when the server or its machine
// crashes is up to the server's configuration ("appendonly", "appendfsync"); it must not evict keys ("maxmemory-policy
// noeviction"), as Redis does not by default.
//
// Nothing is tried again here: of a change whose answer did not come it is not known whether it was made.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/weft-run/weft/services/keyvalue"
)

// Store is a [keyvalue.Backend] in a Redis server.
type Store struct {
	client *redis.Client
	prefix string
	quota  int64
}

var _ keyvalue.Backend = (*Store)(nil)

// Open prepares the use of a server: redis://[USER:PASSWORD@]HOST:PORT/DATABASE, or rediss:// for TLS. The query "prefix=NAME"
// sets what all keys begin with; without it that is "weft". Connections are made as they are needed: the server need not be
// up. Each function may store quota bytes. The store must be closed. Errors have nothing of the URL in them.
func Open(address *url.URL, quota int64) (*Store, error) {
	u := *address
	query := u.Query()
	prefix := query.Get("prefix")
	if prefix == "" {
		prefix = "weft"
	}
	query.Del("prefix")
	u.RawQuery = query.Encode()
	options, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, errors.New("keyvalue: the URL is none of Redis: write it as redis://[USER:PASSWORD@]HOST:PORT[/DATABASE][?prefix=NAME]")
	}
	quiet()
	options.DialTimeout = 2 * time.Second
	options.DialerRetries = 1
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // a change must not be made twice
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Store{client: redis.NewClient(options), prefix: prefix, quota: quota}, nil
}

// quiet ends what the client writes to stderr by itself: errors say the same.
var quiet = sync.OnceFunc(logging.Disable)

// Close closes the connections.
func (s *Store) Close() error { return s.client.Close() }

// unavailable is nil for nil.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return &keyvalue.UnavailableError{Backend: "redis", Err: err}
}

func (s *Store) factsKey(f keyvalue.Function) string { return s.prefix + ":{" + f.String() + "}" }

func (s *Store) valuesKey(b keyvalue.Bucket) string { return s.factsKey(b.Function) + ":v:" + b.Name }

func (s *Store) keysKey(b keyvalue.Bucket) string { return s.factsKey(b.Function) + ":k:" + b.Name }

func (s *Store) bucketsKey(f keyvalue.Function) string { return s.factsKey(f) + ":buckets" }

// Get implements [keyvalue.Backend].
func (s *Store) Get(ctx context.Context, b keyvalue.Bucket, keys []string, limit int) ([]keyvalue.Entry, error) {
	answer, err := s.run(ctx, getScript, b, prepend(keys, limit)...)
	if err != nil {
		return nil, err
	}
	if len(answer) != 2*len(keys) {
		return nil, unavailable(fmt.Errorf("%d items answer a question for %d keys", len(answer), len(keys)))
	}
	entries := make([]keyvalue.Entry, len(keys))
	for i := range entries {
		value, exists := answer[2*i].(string)
		version, versioned := answer[2*i+1].(string)
		if exists != versioned {
			return nil, unavailable(errors.New("a key has a value without a version: somebody else writes to these keys"))
		}
		if exists {
			entries[i] = keyvalue.Entry{Value: []byte(value), Version: keyvalue.Version(version)}
		}
	}
	return entries, nil
}

// Exists implements [keyvalue.Backend].
func (s *Store) Exists(ctx context.Context, b keyvalue.Bucket, key string) (bool, error) {
	found, err := s.client.HExists(ctx, s.valuesKey(b), key).Result()
	return found, unavailable(err)
}

// Set implements [keyvalue.Backend]. A batch is stored whole or not at all.
func (s *Store) Set(ctx context.Context, b keyvalue.Bucket, pairs []keyvalue.Pair) error {
	args := make([]any, 0, 2*len(pairs))
	for _, p := range pairs {
		args = append(args, p.Key, p.Value)
	}
	_, err := s.run(ctx, setScript, b, s.accounting(b, args...)...)
	return err
}

// Delete implements [keyvalue.Backend]. The keys of a batch go together.
func (s *Store) Delete(ctx context.Context, b keyvalue.Bucket, keys []string) error {
	_, err := s.run(ctx, deleteScript, b, s.accounting(b, prepend(keys)...)...)
	return err
}

// Increment implements [keyvalue.Backend].
func (s *Store) Increment(ctx context.Context, b keyvalue.Bucket, key string, delta int64) (int64, error) {
	answer, err := s.run(ctx, incrementScript, b, s.accounting(b, key, strconv.FormatInt(delta, 10))...)
	if err != nil {
		return 0, err
	}
	if len(answer) != 1 {
		return 0, unavailable(fmt.Errorf("%d items answer an increment", len(answer)))
	}
	sum, err := strconv.ParseInt(fmt.Sprint(answer[0]), 10, 64)
	return sum, unavailable(err)
}

// Swap implements [keyvalue.Backend].
func (s *Store) Swap(ctx context.Context, b keyvalue.Bucket, key string, version keyvalue.Version, value []byte) error {
	_, err := s.run(ctx, swapScript, b, s.accounting(b, key, string(version), value)...)
	return err
}

// List implements [keyvalue.Backend]. Keys are in the order of their last change, and the cursor is the number of that: a key
// that is changed meanwhile comes again later.
func (s *Store) List(ctx context.Context, b keyvalue.Bucket, cursor string, limit int) (page keyvalue.Page, err error) {
	after := "-inf"
	if cursor != "" {
		n, err := strconv.ParseUint(cursor, 10, 53)
		if err != nil {
			return page, keyvalue.Refused("%.40q is no cursor of a listing", cursor)
		}
		after = fmt.Sprintf("(%d", n)
	}
	found, err := s.client.ZRangeByScoreWithScores(ctx, s.keysKey(b), &redis.ZRangeBy{Min: after, Max: "+inf", Count: int64(limit) + 1}).Result()
	if err != nil {
		return page, unavailable(err)
	}
	if len(found) > limit {
		found = found[:limit]
		page.Next = strconv.FormatUint(uint64(found[limit-1].Score), 10)
	}
	for _, z := range found {
		page.Keys = append(page.Keys, fmt.Sprint(z.Member))
	}
	return page, nil
}

// Usage implements [keyvalue.Backend].
func (s *Store) Usage(ctx context.Context, f keyvalue.Function) (int64, error) {
	used, err := s.client.HGet(ctx, s.factsKey(f), "bytes").Int64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return used, unavailable(err)
}

// Drop implements [keyvalue.Backend]. It removes bucket after bucket; after an error it can be tried again.
func (s *Store) Drop(ctx context.Context, f keyvalue.Function) error {
	buckets, err := s.client.SMembers(ctx, s.bucketsKey(f)).Result()
	if err != nil {
		return unavailable(err)
	}
	for _, name := range buckets {
		b := keyvalue.Bucket{Function: f, Name: name}
		if err := s.client.Unlink(ctx, s.valuesKey(b), s.keysKey(b)).Err(); err != nil {
			return unavailable(err)
		}
	}
	return unavailable(s.client.Unlink(ctx, s.factsKey(f), s.bucketsKey(f)).Err())
}
