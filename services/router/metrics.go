package router

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/internal/tally"
)

// metrics are those of calls on their way to a node. The label node is the name of a node of the cluster.
type metrics struct {
	calls                            *prometheus.CounterVec
	local                            *tally.Counter
	served, retries, ejections, lost prometheus.Counter

	byNode sync.Map // name → prometheus.Counter
}

func newMetrics(to prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weft_forwarded_calls_total", Help: "Calls that were sent to another node, every try of them.",
		}, []string{"node"}),
		local: tally.NewCounter(prometheus.CounterOpts{
			Name: "weft_local_calls_total", Help: "Calls of clients of this node that ran here.",
		}),
		served:    counter("weft_served_calls_total", "Calls that other nodes sent and that ran here."),
		retries:   counter("weft_retried_calls_total", "Further tries of calls on another node."),
		ejections: counter("weft_node_ejections_total", "How often a node was left out because calls to it failed."),
		lost:      counter("weft_lost_calls_total", "Calls whose node was lost before its answer came."),
	}
	if to != nil {
		to.MustRegister(m.calls, m.local, m.served, m.retries, m.ejections, m.lost)
	}
	return m
}

// forwarded gives the counter of a node.
func (m *metrics) forwarded(node string) prometheus.Counter {
	if c, ok := m.byNode.Load(node); ok {
		return c.(prometheus.Counter) //nolint:forcetypeassert // nothing else is put in
	}
	c := m.calls.WithLabelValues(node)
	m.byNode.Store(node, c)
	return c
}

// forget drops the series of a node.
func (m *metrics) forget(node string) {
	m.byNode.Delete(node)
	m.calls.DeleteLabelValues(node)
}
