package scheduler

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the scheduler. They stand still on a node that does not lead.
type metrics struct {
	plans    prometheus.Counter
	moves    prometheus.Counter
	unplaced prometheus.Gauge
	seconds  prometheus.Histogram
}

// newMetrics makes the metrics and registers them, if anybody wants them.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		plans: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weft_scheduler_plans_total", Help: "Plans made while this node led, those that change nothing included.",
		}),
		moves: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weft_scheduler_moves_total", Help: "Placements of a revision on an executor that were new.",
		}),
		unplaced: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weft_scheduler_unplaced_revisions", Help: "Revisions that have fewer executors than they should; 0 on a node that does not lead.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weft_scheduler_plan_seconds", Help: "Time to make a plan, without proposing it.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	if r == nil {
		return m, nil
	}
	var err error
	for _, c := range []prometheus.Collector{m.plans, m.moves, m.unplaced, m.seconds} {
		err = errors.Join(err, r.Register(c))
	}
	return m, err
}

func (m *metrics) planned(took time.Duration) {
	m.plans.Inc()
	m.seconds.Observe(took.Seconds())
}
