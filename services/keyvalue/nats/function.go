package nats

import (
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weft-run/weft/services/keyvalue"
)

// function is the bucket of one function.
type function struct {
	pairs  jetstream.KeyValue
	stream jetstream.Stream // of the bucket
}

// subject is where JetStream keeps a key.
func (f *function) subject(key string) string { return "$KV." + f.pairs.Bucket() + "." + key }

// bucket names the function's bucket. Names of functions have no underscores, so no two have one bucket.
func (s *Store) bucket(f keyvalue.Function) string {
	return fmt.Sprintf("%s_%s_%s_%d", s.prefix, f.Namespace, f.Name, f.Created)
}

// stream names the stream of the function's bucket.
func (s *Store) stream(f keyvalue.Function) string { return "KV_" + s.bucket(f) }

// maxFunctions is how many functions are kept ready for use.
const maxFunctions = 4096

// functions are those that are ready for use: their buckets were there, with the quota of this server.
type functions struct {
	mu    sync.Mutex
	ready map[keyvalue.Function]*function // guarded by mu
}

func (r *functions) get(f keyvalue.Function) *function {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready[f]
}

func (r *functions) put(f keyvalue.Function, ready *function) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready == nil || len(r.ready) >= maxFunctions {
		r.ready = map[keyvalue.Function]*function{}
	}
	r.ready[f] = ready
}

func (r *functions) forget(f keyvalue.Function) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ready, f)
}

// open gives the bucket of a function. It makes it, or has it take the quota of now, when it is asked for first.
func (s *Store) open(ctx context.Context, f keyvalue.Function) (*function, error) {
	if !s.conn.IsConnected() {
		return nil, unavailable(s.disconnected())
	}
	if ready := s.functions.get(f); ready != nil {
		return ready, nil
	}
	if err := checkVersion(s.conn.ConnectedServerVersion()); err != nil {
		return nil, unavailable(err)
	}
	pairs, err := s.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: s.bucket(f), Description: fmt.Sprintf("weft function %s/%s", f.Namespace, f.Name),
		MaxBytes: s.quota, Storage: jetstream.FileStorage, Replicas: s.replicas,
	})
	if err != nil {
		return nil, unavailable(fmt.Errorf("making bucket %s: %w", s.bucket(f), err))
	}
	stream, err := s.js.Stream(ctx, s.stream(f))
	if err != nil {
		return nil, unavailable(fmt.Errorf("looking for stream %s: %w", s.stream(f), err))
	}
	ready := &function{pairs: pairs, stream: stream}
	s.functions.put(f, ready)
	return ready, nil
}

// disconnected says why there is no connection.
func (s *Store) disconnected() error {
	if err := s.conn.LastError(); err != nil {
		return fmt.Errorf("not connected: %w", err)
	}
	return nats.ErrDisconnected
}

// checkVersion refuses servers that remove old values when a bucket is full, instead of refusing new ones: those before 2.11
// (2.9.10 does; filestore.go compares without the overhead of a message).
func checkVersion(version string) error {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("the NATS server has the version %.40q, which is none", version)
	}
	if major < 2 || major == 2 && minor < 11 {
		return fmt.Errorf("the NATS server has the version %s, and 2.11 or later is needed", version)
	}
	return nil
}
