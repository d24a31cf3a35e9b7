package keyvalue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// measurePause is how long the bytes of a function may be out of date.
const measurePause = 5 * time.Second

// metrics count what functions do with their storage. The labels are of functions that were called; their series go with
// the function.
type metrics struct {
	operations *prometheus.CounterVec
	bytes      *prometheus.GaugeVec

	mu      sync.Mutex
	changed map[Function]bool // since they were measured; guarded by mu
}

func newMetrics(to prometheus.Registerer) *metrics {
	m := &metrics{
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weft_keyvalue_operations_total",
			Help: "Operations of functions on key-value storage, by result: ok, changed, quota, refused or unavailable."},
			[]string{"namespace", "function", "operation", "result"}),
		bytes: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "weft_keyvalue_bytes",
			Help: "What functions that were active here store, as their quota counts it; looked up every 5 seconds."},
			[]string{"namespace", "function"}),
		changed: map[Function]bool{},
	}
	if to != nil {
		to.MustRegister(m.operations, m.bytes)
	}
	return m
}

func (m *metrics) count(f Function, operation string, err error) {
	m.operations.WithLabelValues(f.Namespace, f.Name, operation, result(err)).Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed[f] = true
}

// result is the label for an error.
func result(err error) string {
	_, quota := errors.AsType[*QuotaError](err)
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrChanged):
		return "changed"
	case quota:
		return "quota"
	case isUnavailable(err):
		return "unavailable"
	default:
		return "refused"
	}
}

func isUnavailable(err error) bool {
	_, unavailable := errors.AsType[*UnavailableError](err)
	return unavailable
}

// active gives the functions that did something since the last time.
func (m *metrics) active() map[Function]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	active := m.changed
	m.changed = map[Function]bool{}
	return active
}

// forget removes the series of a function that is gone.
func (m *metrics) forget(f Function) {
	m.mu.Lock()
	delete(m.changed, f)
	m.mu.Unlock()
	labels := prometheus.Labels{"namespace": f.Namespace, "function": f.Name}
	m.operations.DeletePartialMatch(labels)
	m.bytes.DeletePartialMatch(labels)
}

// measure looks up what functions store, until ctx ends.
func (s *Store) measure(ctx context.Context) {
	tick := time.NewTicker(measurePause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for f := range s.metrics.active() {
			limited, cancel := context.WithTimeout(ctx, OperationTime)
			n, err := s.backend.Usage(limited, f)
			cancel()
			if err != nil {
				break // calls say so; the others are measured once they are active again
			}
			s.metrics.bytes.WithLabelValues(f.Namespace, f.Name).Set(float64(n))
		}
	}
}
