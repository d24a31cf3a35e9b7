// Package load drives a gRPC server with unary calls as cheaply as it can, so that on a machine which runs both, the
// server is what is measured.
//
// It speaks HTTP/2 itself: one goroutine a connection writes the same bytes for every call and reads frames. In a closed loop it
// starts the next call as one ends. In an open loop calls arrive at random times, at a rate that does not depend on the server, and
// a latency counts from the time at which its call should have begun: a server that stands still for a second has made all of its callers wait, not
// the one that was under way (what else is called coordinated omission).
package load

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Config says what to call and how hard.
type Config struct {
	// Address is the server's, "127.0.0.1:7070".
	Address string
	// Method is the full method, "/demo.orders.v1.Orders/Place".
	Method string
	// Message is the request, without gRPC's prefix.
	Message []byte
	// Metadata is sent with every call, as pairs of key and value.
	Metadata []string
	// InFlight is how many calls run at once over all connections, at most in an open loop; Connections how many connections they share.
	InFlight, Connections int
	// Rate is how many calls arrive in a second, on average: those of a Poisson process, the same ones in every run. 0: a closed loop.
	Rate float64
	// Warmup is how long to call before counting; Duration how long to count.
	Warmup, Duration time.Duration
}

// Result is what was counted.
type Result struct {
	// Calls is the number of calls that ended well, Failed that of the others.
	Calls, Failed uint64
	// FirstError is the status of the first call that failed.
	FirstError string
	// Elapsed is the time that was counted.
	Elapsed time.Duration
	// P50, P99 and P999 are latencies of the calls that ended well, 3% off at most.
	P50, P99, P999 time.Duration

	latencies histogram
}

// Plus is the result of both loads.
func (r Result) Plus(other Result) Result {
	if r.FirstError == "" {
		r.FirstError = other.FirstError
	}
	r.latencies.merge(&other.latencies)
	return r.latencies.result(r.Failed+other.Failed, r.FirstError, r.Elapsed+other.Elapsed)
}

// result is that of calls with these latencies.
func (h *histogram) result(failed uint64, firstError string, elapsed time.Duration) Result {
	return Result{
		Calls: h.total, Failed: failed, FirstError: firstError, Elapsed: elapsed,
		P50: h.quantile(0.5), P99: h.quantile(0.99), P999: h.quantile(0.999), latencies: *h,
	}
}

// PerSecond is the number of calls that ended well in a second.
func (r Result) PerSecond() float64 { return float64(r.Calls) / r.Elapsed.Seconds() }

// Run calls until the duration is over or ctx ends.
func Run(ctx context.Context, config Config) (Result, error) {
	if config.InFlight < 1 || config.Connections < 1 || config.InFlight < config.Connections {
		return Result{}, fmt.Errorf("load: %d calls in flight over %d connections", config.InFlight, config.Connections)
	}
	if config.Rate < 0 {
		return Result{}, fmt.Errorf("load: a rate of %v calls a second", config.Rate)
	}
	begin := time.Now().Add(config.Warmup)
	end := begin.Add(config.Duration)
	ctx, cancel := context.WithDeadline(ctx, end.Add(10*time.Second))
	defer cancel()

	results := make(chan tally, config.Connections)
	for i := range config.Connections {
		s := share{
			number: i, inFlight: config.InFlight / config.Connections, rate: config.Rate / float64(config.Connections),
			begin: begin, end: end,
		}
		if i < config.InFlight%config.Connections {
			s.inFlight++
		}
		go func() { results <- drive(ctx, config, s) }()
	}
	return collect(config, results, config.Connections)
}

// collect puts together what so many connections counted.
func collect(config Config, results <-chan tally, connections int) (Result, error) {
	var all tally
	for range connections {
		all.merge(<-results)
	}
	if all.err != nil {
		return Result{}, fmt.Errorf("load: %s: %w", config.Address, all.err)
	}
	return all.latencies.result(all.failed, all.firstError, config.Duration), nil
}

// share is the part of the load that one connection has.
type share struct {
	number, inFlight int
	rate             float64   // calls a second that arrive; 0: a closed loop
	begin, end       time.Time // of what counts
}

func (s share) within(t time.Time) bool { return !t.Before(s.begin) && !t.After(s.end) }

// tally is what one connection counted.
type tally struct {
	latencies  histogram
	failed     uint64
	firstError string
	err        error
}

func (t *tally) merge(other tally) {
	t.latencies.merge(&other.latencies)
	t.failed += other.failed
	if t.firstError == "" {
		t.firstError = other.firstError
	}
	t.err = errors.Join(t.err, other.err)
}
