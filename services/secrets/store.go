package secrets

import (
	"iter"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// Store gives functions the secrets that the catalog has for them. It is safe for concurrent use.
type Store struct {
	keys  *Keyring
	view  func() *catalog.View
	reads *prometheus.CounterVec // by what the answer was
}

// NewStore makes a store. Keys may be nil. It is a prometheus.Collector.
func NewStore(keys *Keyring, view func() *catalog.View) *Store {
	return &Store{keys: keys, view: view, reads: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weft_config_reads_total", Help: "Values that functions of this node asked wasi:config for, by where they came from.",
	}, []string{"from"})}
}

// Get decrypts the secret that a function sees under a key, as the catalog is now. It reports whether there is one; the
// error is that of Keyring.Open.
func (s *Store) Get(namespace, function, key string) (v Value, ok bool, err error) {
	view := s.view()
	row := view.Secret(namespace, function, key)
	if row == nil {
		row = view.Secret(namespace, "", key)
	}
	if row == nil {
		return Value{}, false, nil
	}
	v, err = s.keys.Open(row)
	return v, err == nil, err
}

// All decrypts all secrets that a function sees, ordered by key. The error is that of Keyring.Open for the first that does
// not decrypt.
func (s *Store) All(namespace, function string) (all []Pair, err error) {
	for _, row := range Visible(s.view(), namespace, function) {
		v, err := s.keys.Open(row)
		if err != nil {
			return nil, err
		}
		all = append(all, Pair{Key: row.GetKey(), Value: v})
	}
	return all, nil
}

// Pair is a secret with its key.
type Pair struct {
	Key   string
	Value Value
}

// Visible lists the secrets that a function sees, ordered by key: its own, and those of its namespace whose key it has no
// secret of its own for.
func Visible(view *catalog.View, namespace, function string) []*catalogv1.Secret {
	own := slices.Collect(view.SecretsOf(namespace, function))
	shared := slices.Collect(view.SecretsOf(namespace, ""))
	all := make([]*catalogv1.Secret, 0, len(own)+len(shared))
	for len(own) > 0 || len(shared) > 0 {
		switch {
		case len(shared) == 0 || len(own) > 0 && own[0].GetKey() < shared[0].GetKey():
			all, own = append(all, own[0]), own[1:]
		case len(own) == 0 || own[0].GetKey() > shared[0].GetKey():
			all, shared = append(all, shared[0]), shared[1:]
		default:
			all, own, shared = append(all, own[0]), own[1:], shared[1:]
		}
	}
	return all
}

// Missing lists the IDs of the keys that some secrets are encrypted with and that a node with some keys lacks, ordered.
func Missing(secrets iter.Seq[*catalogv1.Secret], keys []string) (missing []string) {
	for row := range secrets {
		if id := row.GetKeyId(); !slices.Contains(keys, id) && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	return missing
}
