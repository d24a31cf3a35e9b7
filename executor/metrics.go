package executor

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/internal/tally"
)

// metrics are what the executor tells Prometheus. The labels namespace and function are those of functions in memory; their
// series go with the last revision of the function, so that one that nobody calls costs nothing here either. What changes with every
// call is counted by the lanes of the workers.
type metrics struct {
	calls, instances                tally.Vector[*tally.Counter]
	duration, queued                tally.Vector[*tally.Histogram]
	fills                           prometheus.Histogram
	bulk, bulkCalls                 *prometheus.CounterVec
	compiles                        *prometheus.HistogramVec
	cacheHits, cacheMisses, dropped prometheus.Counter
	codeTaken                       prometheus.Counter
	loads                           *prometheus.HistogramVec
	unloads                         *prometheus.CounterVec

	mu    sync.Mutex
	users map[functionName]int // guarded by mu: revisions in memory
}

type functionName struct{ namespace, function string }

// Why revisions were loaded and unloaded, as metrics say it.
const (
	loadedFirst   = "placed" // to see that it starts here
	loadedForCall = "call"   // it was dormant

	unloadedIdle   = "idle"
	unloadedMemory = "memory"
	unloadedGone   = "gone" // it is not placed here any more
)

// buckets are for times of calls, in seconds: from 50 µs to 30 s.
var buckets = []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// newMetrics makes the metrics and registers them, if anybody wants them.
func newMetrics(r prometheus.Registerer, x *Executor) (*metrics, error) {
	function := []string{"namespace", "function"}
	m := &metrics{
		users: make(map[functionName]int),
		loads: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "weft_revision_load_seconds",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
			Help:    "Time to load a revision into memory, by why: placed or call."}, []string{"why"}),
		unloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weft_revision_unloads_total",
			Help: "Revisions that left memory, by why: idle, memory or gone."}, []string{"why"}),
		calls: tally.NewCounters(prometheus.CounterOpts{Name: "weft_call_results_total",
			Help: "Calls by result: ok, function_error, or the reason of the error."}, append(function, "result")),
		bulk: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weft_transcoders_total",
			Help: "Loaded revisions that were given a transcoder, by result: ok or error."}, []string{"result"}),
		bulkCalls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weft_transcoded_calls_total",
			Help: "Calls through transcoders, by result: answered, or refused to the plain path."}, []string{"result"}),
		instances: tally.NewCounters(prometheus.CounterOpts{Name: "weft_instances_total", Help: "Instances that calls were " +
			"given, by where they came from: fresh, made for the call; ready, made in advance; restored, put back after another call to what " +
			"it was when it was new; reused, after other calls."}, append(function, "from")),
		fills: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "weft_instance_fill_seconds", Buckets: buckets,
			Help: "Time to make an instance in advance."}),
		duration: tally.NewHistograms(prometheus.HistogramOpts{Name: "weft_call_run_seconds", Buckets: buckets,
			Help: "Time from a call's turn to its answer."}, function),
		queued: tally.NewHistograms(prometheus.HistogramOpts{Name: "weft_call_queue_seconds", Buckets: buckets,
			Help: "Time that a call waited for its turn."}, function),
		compiles: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "weft_compile_seconds",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
			Help:    "Time to compile a component, by result: ok or error."}, []string{"result"}),
		cacheHits: prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_code_cache_hits_total",
			Help: "Compiled code that was found on disk."}),
		cacheMisses: prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_code_cache_misses_total",
			Help: "Compiled code that was not found on disk."}),
		codeTaken: prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_code_taken_total",
			Help: "Compiled code that came from other nodes."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_log_lines_dropped_total",
			Help: "Log lines of functions that were over the limit."}),
	}
	if r == nil {
		return m, nil
	}
	all := []prometheus.Collector{m.calls, m.instances, m.fills, m.bulk, m.bulkCalls, m.duration, m.queued, m.compiles, m.cacheHits, m.cacheMisses, m.codeTaken, m.dropped,
		m.loads, m.unloads}
	all = append(all, x.gauges()...)
	all = append(all, slotTimes{x, prometheus.NewDesc("weft_slot_seconds_total",
		"Time for which the calls of a function had slots: what their turns are shared by.", function, nil)})
	var err error
	for _, c := range all {
		err = errors.Join(err, r.Register(c))
	}
	return m, err
}

// gauges show what is going on now.
func (x *Executor) gauges() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		gauge("weft_calls_waiting", "Calls that wait for their turn.", func() float64 {
			waiting, _, _ := x.queue.counts()
			return float64(waiting)
		}),
		gauge("weft_instances_running", "Instances that run, those included that are lost, parked or wait for calls of their own.", func() float64 {
			_, busy, _ := x.queue.counts()
			return float64(busy)
		}),
		gauge("weft_slots_lost", "Slots held by calls whose callers have left and that can't be interrupted.", func() float64 {
			_, _, lost := x.queue.counts()
			return float64(lost)
		}),
		gauge("weft_instances_waiting", "Instances whose guests wait for calls that they made.", func() float64 {
			return float64(x.queue.awayCount())
		}),
		gauge("weft_guests_sleeping", "Guests that sleep; they have no slot.", func() float64 { return float64(x.sleeping.Load()) }),
		gauge("weft_instances_ready", "Instances that wait for a call.", func() float64 {
			n, _ := x.pools.counts()
			return float64(n)
		}),
		gauge("weft_instances_ready_bytes", "Memory that instances that wait for a call may have, by their limits.", func() float64 {
			_, bytes := x.pools.counts()
			return float64(bytes)
		}),
		gauge("weft_instances_parked", "Instances whose guests have given way to calls of other functions.", func() float64 {
			return float64(x.queue.parkedCount())
		}),
		gauge("weft_functions_behind", "Functions that burn all that they get, and run on the cores that others leave.", func() float64 {
			return float64(x.queue.behindCount())
		}),
		gauge("weft_slots", "Calls that can run at once.", func() float64 { return float64(x.queue.slots) }),
		gauge("weft_revisions_loaded", "Revisions in memory.", func() float64 { return float64(x.residency.count()) }),
		gauge("weft_revisions_dormant", "Revisions that are ready for calls and not in memory.", func() float64 {
			_, dormant := x.counts()
			return float64(dormant)
		}),
		gauge("weft_code_bytes", "Compiled code in memory.", func() float64 { return float64(x.code.Load()) }),
	}
}

// slotTimes shows what functions have used of the slots. It is read from the accounts that the queue keeps, which go with the last
// revision of a function.
type slotTimes struct {
	x    *Executor
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (s slotTimes) Describe(out chan<- *prometheus.Desc) { out <- s.desc }

// Collect implements prometheus.Collector.
func (s slotTimes) Collect(out chan<- prometheus.Metric) {
	for f, spent := range s.x.queue.spent() {
		out <- prometheus.MustNewConstMetric(s.desc, prometheus.CounterValue, spent.Seconds(), f.namespace, f.name)
	}
}

func (m *metrics) compile(took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.compiles.WithLabelValues(result).Observe(took.Seconds())
}

// callMetrics are the metrics of one function, looked up once.
type callMetrics struct {
	all              *metrics
	key              Key
	ok, function     *tally.Counter
	fresh            *tally.Counter
	ready, restored  *tally.Counter
	reused           *tally.Counter
	duration, queued *tally.Histogram
}

// of gives the metrics for a revision that comes into memory, and forget is called when it leaves.
func (m *metrics) of(k Key) *callMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users[functionName{k.Namespace, k.Function}]++
	return &callMetrics{all: m, key: k,
		ok:       m.calls.With(k.Namespace, k.Function, "ok"),
		function: m.calls.With(k.Namespace, k.Function, "function_error"),
		fresh:    m.instances.With(k.Namespace, k.Function, "fresh"),
		ready:    m.instances.With(k.Namespace, k.Function, "ready"),
		restored: m.instances.With(k.Namespace, k.Function, "restored"),
		reused:   m.instances.With(k.Namespace, k.Function, "reused"),
		duration: m.duration.With(k.Namespace, k.Function),
		queued:   m.queued.With(k.Namespace, k.Function),
	}
}

// observe takes note of a call that a worker of a lane has run, or that none has.
func (c *callMetrics) observe(lane int, err error, t Timings) {
	failed, ours := errors.AsType[*Error](err)
	switch {
	case err == nil:
		c.ok.Add(lane, 1)
	case ours:
		c.all.calls.With(c.key.Namespace, c.key.Function, resultOf(failed.Reason)).Add(lane, 1)
	default:
		c.function.Add(lane, 1)
	}
	c.queued.Observe(lane, t.Queue.Seconds())
	if t.Run > 0 {
		c.duration.Observe(lane, t.Run.Seconds())
	}
}

// forget removes the series of a function when the last of its revisions has left memory, and tells whether this was it.
func (m *metrics) forget(k Key) (last bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := functionName{k.Namespace, k.Function}
	if m.users[name]--; m.users[name] > 0 {
		return false
	}
	delete(m.users, name)
	m.duration.DeleteLabelValues(k.Namespace, k.Function)
	m.queued.DeleteLabelValues(k.Namespace, k.Function)
	m.calls.DeleteLabelValues(k.Namespace, k.Function, "ok")
	m.calls.DeleteLabelValues(k.Namespace, k.Function, "function_error")
	for _, from := range []string{"fresh", "ready", "reused"} {
		m.instances.DeleteLabelValues(k.Namespace, k.Function, from)
	}
	for _, r := range reasons { // a partial match would look at the series of all functions
		m.calls.DeleteLabelValues(k.Namespace, k.Function, resultOf(r))
	}
	return true
}

// resultOf is how a reason is written in the label result.
func resultOf(r Reason) string { return strings.ToLower(string(r)) }
