package tally_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weft-run/weft/internal/tally"
)

var (
	counterOpts   = prometheus.CounterOpts{Name: "calls_total", Help: "Calls."}
	loneOpts      = prometheus.CounterOpts{Name: "local_total", Help: "Calls that ran here."}
	histogramOpts = prometheus.HistogramOpts{Name: "call_seconds", Help: "Time of a call.", Buckets: []float64{.25, .5, 1}}
	labels        = []string{"namespace", "function"}
)

// TestAsPrometheus expects what is told to be what the metrics of package prometheus tell, to the letter.
func TestAsPrometheus(t *testing.T) {
	counters, histograms, lone := tally.NewCounters(counterOpts, labels), tally.NewHistograms(histogramOpts, labels), tally.NewCounter(loneOpts)
	wantCounters, wantHistograms, wantLone := prometheus.NewCounterVec(counterOpts, labels), prometheus.NewHistogramVec(histogramOpts, labels), prometheus.NewCounter(loneOpts)
	lone.Add(1, 3)
	wantLone.Add(3)
	for lane, function := range []string{"orders", "shop", "orders", "idle", "gone"} {
		counter, histogram := counters.With("default", function), histograms.With("default", function)
		wantCounter, wantHistogram := wantCounters.WithLabelValues("default", function), wantHistograms.WithLabelValues("default", function)
		if function == "idle" {
			continue
		}
		for i, value := range []float64{0, .25, .375, .5, .75, 1, 2, 1 << 20} {
			counter.Add(lane, uint64(i))
			wantCounter.Add(float64(i))
			histogram.Observe(lane+i, value)
			wantHistogram.Observe(value)
		}
	}
	if !counters.DeleteLabelValues("default", "gone") || !histograms.DeleteLabelValues("default", "gone") {
		t.Error("nothing was there to delete")
	}
	wantCounters.DeleteLabelValues("default", "gone")
	wantHistograms.DeleteLabelValues("default", "gone")
	if got, want := scrape(counters, histograms, lone), scrape(wantCounters, wantHistograms, wantLone); got != want {
		t.Errorf("scraped:\n%swant:\n%s", got, want)
	}
}

func scrape(all ...prometheus.Collector) string {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(all...)
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return recorder.Body.String()
}

// TestTogether has many count at once, some in the lane of another, while somebody asks: sum and count are always of the same
// observations, and in the end nothing is missing.
func TestTogether(t *testing.T) {
	const workers, each = 6, 5000
	counters, histograms := tally.NewCounters(counterOpts, labels), tally.NewHistograms(histogramOpts, labels)
	counter, histogram := counters.With("default", "orders"), histograms.With("default", "orders")
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(counters, histograms)
	check := func() (counted float64, observed uint64) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		h := families[0].GetMetric()[0].GetHistogram()
		if h.GetSampleSum() != 2*float64(h.GetSampleCount()) || h.GetBucket()[2].GetCumulativeCount() != 0 {
			t.Errorf("%d observations of 2 are %v", h.GetSampleCount(), h)
		}
		return families[1].GetMetric()[0].GetCounter().GetValue(), h.GetSampleCount()
	}
	var all sync.WaitGroup
	var done atomic.Bool
	for worker := range workers {
		all.Go(func() {
			for range each {
				counter.Add(worker/2, 3)
				histogram.Observe(worker/2, 2)
			}
		})
	}
	var asker sync.WaitGroup
	asker.Go(func() {
		for !done.Load() {
			check()
		}
	})
	all.Wait()
	done.Store(true)
	asker.Wait()
	if counted, observed := check(); counted != 3*workers*each || observed != workers*each {
		t.Errorf("counted %v, observed %d", counted, observed)
	}
}

// TestWithout expects a vector to refuse a metric with values that are no labels' values.
func TestWithout(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it gave one")
		}
	}()
	tally.NewCounters(counterOpts, labels).With("default")
}

// BenchmarkCount compares the metrics with those of package prometheus. Run it with -cpu 1,2: of these the latter is about cores.
func BenchmarkCount(b *testing.B) {
	plainCounter, plainHistogram := prometheus.NewCounter(loneOpts), prometheus.NewHistogram(histogramOpts)
	counter, histogram := tally.NewCounter(loneOpts), tally.NewHistograms(histogramOpts, nil).With()
	for _, c := range []struct {
		name string
		does func(lane int)
	}{
		{"prometheus/counter", func(int) { plainCounter.Inc() }},
		{"prometheus/histogram", func(int) { plainHistogram.Observe(.3) }},
		{"tally/counter", func(lane int) { counter.Add(lane, 1) }},
		{"tally/histogram", func(lane int) { histogram.Observe(lane, .3) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var workers atomic.Int64
			b.RunParallel(func(more *testing.PB) {
				lane := int(workers.Add(1)) % runtime.NumCPU()
				for more.Next() {
					c.does(lane)
				}
			})
		})
	}
}
