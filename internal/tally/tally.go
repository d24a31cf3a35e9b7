// Package tally has metrics of what happens with every call. Cores that change the same number take its memory from each other, at
// several times the cost of the change. So there is a number for each lane of workers (executor/copies.go), in cache lines of its
// own, and whoever asks is told their sum. Else these are the counters and histograms of package prometheus.
//
// A lane is any number from 0 on. To count in the lane of another worker is right, too, and only slower. All methods are safe for
// concurrent use.
package tally

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	// mostLanes is how many lanes are counted apart at most. It bounds what a metric takes on a node with many cores.
	mostLanes = 8
	// apart is how many words are left free after those of a lane. Processors fetch cache lines in pairs, so these are two.
	apart = 16
)

// lanes is how many lanes are counted apart: a power of two, so that which one is meant is quick to tell.
func lanes() int {
	return 1 << bits.Len(uint(min(runtime.GOMAXPROCS(0), mostLanes)-1))
}

// metric is what counters and histograms have in common.
type metric struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	since  *timestamppb.Timestamp
}

func newMetric(desc *prometheus.Desc, values []string) metric {
	return metric{desc, prometheus.MakeLabelPairs(desc, values), timestamppb.Now()}
}

// Desc implements prometheus.Metric.
func (m *metric) Desc() *prometheus.Desc { return m.desc }

// Describe implements prometheus.Collector.
func (m *metric) Describe(to chan<- *prometheus.Desc) { to <- m.desc }

// Counter is a number that grows. It is a prometheus.Metric, and a prometheus.Collector of itself.
type Counter struct {
	metric
	lanes []count
}

// count is what one lane has counted.
type count struct {
	n atomic.Uint64
	_ [apart]uint64
}

// NewCounter makes a counter without labels.
func NewCounter(o prometheus.CounterOpts) *Counter { return NewCounters(o, nil).With() }

// Add adds what happened in a lane.
func (c *Counter) Add(lane int, n uint64) { c.lanes[lane&(len(c.lanes)-1)].n.Add(n) }

// Collect implements prometheus.Collector.
func (c *Counter) Collect(to chan<- prometheus.Metric) { to <- c }

// Write implements prometheus.Metric.
func (c *Counter) Write(out *dto.Metric) error {
	var sum uint64
	for i := range c.lanes {
		sum += c.lanes[i].n.Load()
	}
	value := float64(sum)
	out.Label, out.Counter = c.labels, &dto.Counter{Value: &value, CreatedTimestamp: c.since}
	return nil
}

// Histogram is a distribution over buckets. It is a prometheus.Metric.
type Histogram struct {
	metric
	bounds []float64 // ascending; the last bucket has none
	lanes  []observed
}

// observed is what was observed in one lane. The lock has the sum and the buckets tell of the same observations.
type observed struct {
	mu      sync.Mutex
	sum     float64  // guarded by mu
	buckets []uint64 // guarded by mu
	_       [apart]uint64
}

// Observe adds a value that was observed in a lane.
func (h *Histogram) Observe(lane int, value float64) {
	bucket := 0
	for bucket < len(h.bounds) && value > h.bounds[bucket] {
		bucket++
	}
	o := &h.lanes[lane&(len(h.lanes)-1)]
	o.mu.Lock()
	o.sum += value
	o.buckets[bucket]++
	o.mu.Unlock()
}

// Write implements prometheus.Metric.
func (h *Histogram) Write(out *dto.Metric) error {
	var sum float64
	buckets := make([]uint64, len(h.bounds)+1)
	for i := range h.lanes {
		o := &h.lanes[i]
		o.mu.Lock()
		sum += o.sum
		for k, n := range o.buckets {
			buckets[k] += n
		}
		o.mu.Unlock()
	}
	told := &dto.Histogram{SampleSum: &sum, CreatedTimestamp: h.since}
	var below uint64
	for k := range h.bounds {
		below += buckets[k]
		upTo := below
		told.Bucket = append(told.Bucket, &dto.Bucket{CumulativeCount: &upTo, UpperBound: &h.bounds[k]})
	}
	all := below + buckets[len(h.bounds)]
	told.SampleCount = &all
	out.Label, out.Histogram = h.labels, told
	return nil
}

// Vector is metrics that differ in the values of their labels.
type Vector[M prometheus.Metric] struct{ *prometheus.MetricVec }

// With gives the metric with these values of the labels, in the order of the labels. As many as these are must be given.
func (v Vector[M]) With(values ...string) M {
	m, err := v.GetMetricWithLabelValues(values...)
	if err != nil {
		panic(err)
	}
	return m.(M) //nolint:forcetypeassert // the vector makes no others
}

// NewCounters makes a vector of counters.
func NewCounters(o prometheus.CounterOpts, labels []string) Vector[*Counter] {
	desc := prometheus.NewDesc(prometheus.BuildFQName(o.Namespace, o.Subsystem, o.Name), o.Help, labels, o.ConstLabels)
	return Vector[*Counter]{prometheus.NewMetricVec(desc, func(values ...string) prometheus.Metric {
		return &Counter{newMetric(desc, values), make([]count, lanes())}
	})}
}

// NewHistograms makes a vector of histograms, whose buckets must be given.
func NewHistograms(o prometheus.HistogramOpts, labels []string) Vector[*Histogram] {
	desc := prometheus.NewDesc(prometheus.BuildFQName(o.Namespace, o.Subsystem, o.Name), o.Help, labels, o.ConstLabels)
	return Vector[*Histogram]{prometheus.NewMetricVec(desc, func(values ...string) prometheus.Metric {
		h := &Histogram{newMetric(desc, values), o.Buckets, make([]observed, lanes())}
		for i := range h.lanes {
			h.lanes[i].buckets = make([]uint64, len(h.bounds)+1, len(h.bounds)+1+apart)
		}
		return h
	})}
}
