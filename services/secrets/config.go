package secrets

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/wit/host"
)

// Where the answer to a function came from, for the metric.
const (
	fromSecret   = "secret"
	fromVariable = "variable"
	fromNowhere  = "none"
	fromFault    = "error"
)

// Interfaces are wasi:config/store, in the versions that toolchains have, and wasi:config/runtime, which it was called before.
// A key is that of a secret (Store.Get) or else of a variable of the revision's environment.
func (s *Store) Interfaces() []executor.HostInterface {
	types := host.Interfaces("wasi-config")
	functions := map[string]executor.HostFunc{"get": s.get, "get-all": s.getAll}
	return []executor.HostInterface{
		{Type: types["store"], Also: host.Also(types["store"]), Functions: functions},
		{Type: types["runtime"], Functions: functions},
	}
}

// get decrypts in the guest's slot, since that waits for nothing: `go test -bench Open ./services/secrets` says how long it takes.
func (s *Store) get(call *executor.HostCall) error {
	key, from := call.Arg(0).Text(), call.From()
	secret, ok, err := s.Get(from.Namespace, from.Function, key)
	variable, set := call.Environment()[key]
	switch result := call.Result(); {
	case err != nil:
		s.refuse(result, err)
	case ok:
		s.reads.WithLabelValues(fromSecret).Inc()
		result.OK().Some().Text(secret.Reveal())
	case set:
		s.reads.WithLabelValues(fromVariable).Inc()
		result.OK().Some().Text(variable)
	default:
		s.reads.WithLabelValues(fromNowhere).Inc()
		result.OK().None()
	}
	return nil
}

// getAll gives no more than the revision may be sent in one message.
func (s *Store) getAll(call *executor.HostCall) error {
	from := call.From()
	pairs, err := s.All(from.Namespace, from.Function)
	if err != nil {
		s.refuse(call.Result(), err)
		return nil
	}
	values, secret := maps.Clone(call.Environment()), map[string]bool{}
	if values == nil {
		values = map[string]string{}
	}
	for _, p := range pairs {
		values[p.Key], secret[p.Key] = p.Value.Reveal(), true
	}
	size := uint64(0)
	for key, value := range values {
		size += uint64(len(key) + len(value))
	}
	if limit := call.Limits().Message; size > limit {
		s.refuse(call.Result(), fmt.Errorf("all values have %d bytes together, and the function may be given %d at once (--max-message): get them one by one", size, limit))
		return nil
	}
	list := call.Result().OK().List(len(values))
	for i, key := range slices.Sorted(maps.Keys(values)) {
		pair := list.At(i).Tuple()
		pair.At(0).Text(key)
		pair.At(1).Text(values[key])
		if secret[key] {
			s.reads.WithLabelValues(fromSecret).Inc()
		} else {
			s.reads.WithLabelValues(fromVariable).Inc()
		}
	}
	return nil
}

func (s *Store) refuse(result executor.Out, err error) {
	s.reads.WithLabelValues(fromFault).Inc()
	result.Err().Case("upstream").Text(err.Error())
}
