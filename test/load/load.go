// Package load drives a gRPC server with unary calls as cheaply as it can, so that on a machine which runs both, the
// server is what is measured.
//
// It speaks HTTP/2 itself: one goroutine a connection writes the same bytes for every call, reads frames, and starts
// the next call as one ends (a closed loop). Requests must fit one DATA frame of 16 KiB; it is a client for small
// messages.
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
	// InFlight is how many calls run at once over all connections; Connections how many connections they share.
	InFlight, Connections int
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
}

// PerSecond is the number of calls that ended well in a second.
func (r Result) PerSecond() float64 { return float64(r.Calls) / r.Elapsed.Seconds() }

// Run calls until the duration is over or ctx ends.
func Run(ctx context.Context, config Config) (Result, error) {
	if config.InFlight < 1 || config.Connections < 1 || config.InFlight < config.Connections {
		return Result{}, fmt.Errorf("load: %d calls in flight over %d connections", config.InFlight, config.Connections)
	}
	if len(config.Message) > maxMessage {
		return Result{}, fmt.Errorf("load: a request of %d bytes; this client sends %d at most", len(config.Message), maxMessage)
	}
	begin := time.Now().Add(config.Warmup)
	end := begin.Add(config.Duration)
	ctx, cancel := context.WithDeadline(ctx, end.Add(10*time.Second))
	defer cancel()

	results := make(chan tally, config.Connections)
	for i := range config.Connections {
		share := config.InFlight / config.Connections
		if i < config.InFlight%config.Connections {
			share++
		}
		go func() { results <- drive(ctx, config, share, begin, end) }()
	}
	var all tally
	for range config.Connections {
		all.merge(<-results)
	}
	if all.err != nil {
		return Result{}, fmt.Errorf("load: %s: %w", config.Address, all.err)
	}
	return Result{
		Calls:      all.latencies.total,
		Failed:     all.failed,
		FirstError: all.firstError,
		Elapsed:    config.Duration,
		P50:        all.latencies.quantile(0.5),
		P99:        all.latencies.quantile(0.99),
		P999:       all.latencies.quantile(0.999),
	}, nil
}

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
