package link

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the link tells Prometheus.
type metrics struct {
	registerer prometheus.Registerer
	all        []prometheus.Collector

	ok, failed, notStarted, lost, canceled prometheus.Counter
	refused, sent, received                prometheus.Counter
}

// newMetrics makes the metrics and registers them, if anybody wants them. Two links of one process can't share a registry;
// the second then goes without.
func newMetrics(r prometheus.Registerer, l *Link) *metrics {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weft_link_calls_total",
		Help: "Calls to other nodes by result: ok, error, not_started, lost or canceled."}, []string{"result"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weft_link_bytes_total",
		Help: "Bytes of calls between nodes, sent or received, without what TLS adds."}, []string{"direction"})
	m := &metrics{
		registerer: r,
		ok:         results.WithLabelValues("ok"), failed: results.WithLabelValues("error"),
		notStarted: results.WithLabelValues("not_started"), lost: results.WithLabelValues("lost"),
		canceled: results.WithLabelValues("canceled"),
		sent:     bytes.WithLabelValues("sent"), received: bytes.WithLabelValues("received"),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_link_refused_total",
			Help: "Calls of other nodes that were not started for lack of room, or because the node stops."}),
	}
	gauge := func(name, help string, labels prometheus.Labels, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value)
	}
	m.all = []prometheus.Collector{results, bytes, m.refused,
		gauge("weft_link_handling", "Calls of other nodes that run here, or are coming.", nil,
			func() float64 { return float64(l.handling.Load()) }),
		gauge("weft_link_connections", "Connections that carry calls, in both directions.", nil,
			func() float64 { return float64(len(l.snapshot())) }),
	}
	for what, held := range map[string]*memory{"requests": &l.requests, "responses": &l.responses, "sending": &l.sending} {
		m.all = append(m.all, gauge("weft_link_memory_bytes", "Bytes of large messages that are held.",
			prometheus.Labels{"messages": what}, func() float64 { return float64(held.inUse()) }))
	}
	if r != nil {
		for i, c := range m.all {
			if err := r.Register(c); err != nil {
				l.log.Error("link: no metrics", "error", err)
				m.all = m.all[:i]
				break
			}
		}
	}
	return m
}

func (m *metrics) unregister() {
	if m.registerer != nil {
		for _, c := range m.all {
			m.registerer.Unregister(c)
		}
	}
}

// called counts a call to another node.
func (m *metrics) called(err error) {
	switch {
	case err == nil:
		m.ok.Inc()
	case errors.As(err, new(*NotStartedError)):
		m.notStarted.Inc()
	case errors.As(err, new(*LostError)):
		m.lost.Inc()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		m.canceled.Inc()
	default:
		m.failed.Inc()
	}
}
