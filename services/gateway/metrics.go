package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/internal/tally"
)

// metrics are those of the gRPC port. The labels of a series come from the catalog, never from a caller: a call that
// nobody answers has empty ones. So there are as many series as functions that were called, and Forget drops those of a
// function: when it was deleted, or when nobody has called it for so long that it left memory.
type metrics struct {
	calls   tally.Vector[*tally.Counter]
	seconds tally.Vector[*tally.Histogram]
	bytes   tally.Vector[*tally.Counter]
	own     *prometheus.CounterVec

	refusedConnections prometheus.Counter
	gauges             []prometheus.Collector

	mu        sync.Mutex // held to make series and to drop them, so that none are made while they are dropped
	functions sync.Map   // functionName → *series
	unrouted  *series
}

type functionName struct{ namespace, name string }

// buckets reach from a bare call to the longest timeout that makes sense, in steps that fit percentiles of both.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30}

func newMetrics(g *Gateway) *metrics {
	labels := []string{"namespace", "function"}
	m := &metrics{
		calls: tally.NewCounters(prometheus.CounterOpts{
			Name: "weft_calls_total", Help: "Calls of functions that have ended, by gRPC code.",
		}, append(labels, "code")),
		seconds: tally.NewHistograms(prometheus.HistogramOpts{
			Name: "weft_call_seconds", Help: "Time of a call on this node, from its headers to its status.", Buckets: buckets,
		}, labels),
		bytes: tally.NewCounters(prometheus.CounterOpts{
			Name: "weft_message_bytes_total", Help: "Bytes of the messages of functions, uncompressed.",
		}, append(labels, "direction")),
		own: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weft_api_calls_total", Help: "Calls of weft's own services that have ended, by gRPC code.",
		}, []string{"method", "code"}),
		refusedConnections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weft_connections_refused_total", Help: "Connections closed at once because too many were open.",
		}),
	}
	gauge := func(name, help string, value func() float64) {
		m.gauges = append(m.gauges, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("weft_calls_in_flight", "Calls of functions that run or wait.", func() float64 { return float64(g.calls.Load()) })
	gauge("weft_connections", "Open connections on the gRPC port.", func() float64 { return float64(g.connections.Load()) })
	gauge("weft_message_memory_bytes", "Bytes held for messages over 4 KiB.", func() float64 { return float64(g.memory.inUse()) })
	m.unrouted = m.series(functionName{})
	return m
}

// Describe and Collect make metrics a prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(to)
	}
}

// Collect gives all series.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(to)
	}
}

func (m *metrics) all() []prometheus.Collector {
	return append([]prometheus.Collector{m.calls, m.seconds, m.bytes, m.own, m.refusedConnections}, m.gauges...)
}

// series are those of one function.
type series struct {
	metrics  *metrics
	function functionName
	seconds  *tally.Histogram
	received *tally.Counter
	sent     *tally.Counter
	last     atomic.Pointer[answered] // of the last call
	// forgotten is set when they were dropped: whoever still has them is to ask for others.
	forgotten atomic.Bool
	codes     [codeCount]atomic.Pointer[tally.Counter]
}

// codeCount is how many codes gRPC has.
const codeCount = 17

func (m *metrics) series(f functionName) *series {
	return &series{
		metrics:  m,
		function: f,
		seconds:  m.seconds.With(f.namespace, f.name),
		received: m.bytes.With(f.namespace, f.name, "received"),
		sent:     m.bytes.With(f.namespace, f.name, "sent"),
	}
}

// of gives the series of a function.
func (m *metrics) of(namespace, name string) *series {
	key := functionName{namespace, name}
	if s, ok := m.functions.Load(key); ok {
		return s.(*series) //nolint:forcetypeassert // nothing else is put in
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.functions.Load(key); ok {
		return s.(*series) //nolint:forcetypeassert // nothing else is put in
	}
	s := m.series(key)
	m.functions.Store(key, s)
	return s
}

// forget drops the series of a function. A call that is just ending may bring them back once.
func (m *metrics) forget(namespace, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.functions.LoadAndDelete(functionName{namespace, name}); ok {
		s.(*series).forgotten.Store(true) //nolint:forcetypeassert // nothing else is put in
	}
	for code := range codes.Code(codeCount) { // a partial match would look at the series of all functions
		m.calls.DeleteLabelValues(namespace, name, code.String())
	}
	m.seconds.DeleteLabelValues(namespace, name)
	for _, direction := range []string{"received", "sent"} {
		m.bytes.DeleteLabelValues(namespace, name, direction)
	}
}

// observe takes note of a call that a worker of a lane has run, or that none has.
func (s *series) observe(lane int, code codes.Code, took time.Duration, received, sent int) {
	s.ended(code).Add(lane, 1)
	s.seconds.Observe(lane, took.Seconds())
	s.received.Add(lane, uint64(received))
	s.sent.Add(lane, uint64(sent))
}

// ended gives the counter of calls that ended with a code.
func (s *series) ended(code codes.Code) *tally.Counter {
	if int(code) >= len(s.codes) {
		code = codes.Unknown
	}
	if c := s.codes[code].Load(); c != nil {
		return c
	}
	c := s.metrics.calls.With(s.function.namespace, s.function.name, code.String())
	s.codes[code].Store(c)
	return c
}
