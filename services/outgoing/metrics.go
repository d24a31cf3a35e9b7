package outgoing

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/executor"
)

// metrics count the calls that functions make.
type metrics struct {
	functions, outside outcomes
}

// outcomes are the counters of calls to one kind of callee: answered, answered with an error of the callee's own, or not.
type outcomes struct{ ok, refused, failed prometheus.Counter }

func newMetrics(to prometheus.Registerer) metrics {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weft_outgoing_calls_total", Help: "Calls that functions of this node made, by what they called and how it ended.",
	}, []string{"to", "result"})
	if to != nil {
		to.MustRegister(calls)
	}
	of := func(to string) outcomes {
		return outcomes{calls.WithLabelValues(to, "ok"), calls.WithLabelValues(to, "error"), calls.WithLabelValues(to, "failed")}
	}
	return metrics{functions: of("function"), outside: of("outside")}
}

// count counts a call by what explain made of its error.
func (o outcomes) count(err error) {
	_, own := errors.AsType[*executor.FunctionError](err)
	switch {
	case err == nil:
		o.ok.Inc()
	case own:
		o.refused.Inc()
	default:
		o.failed.Inc()
	}
}
