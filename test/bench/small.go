package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
	"github.com/weft-run/weft/test/load"
)

// figure is one server's result. Each number is the median of the rounds; each ratio is the median of the ratios to
// the first server in the same round.
type figure struct {
	Server     string  `json:"server"`
	PerSecond  float64 `json:"requestsPerSecond"`
	Ratio      float64 `json:"requestsRatio"`
	P50        float64 `json:"p50Micros"`
	P99        float64 `json:"p99Micros"`
	P99Ratio   float64 `json:"p99Ratio"`
	CPU        float64 `json:"serverCPUMicrosPerCall"`
	CPURatio   float64 `json:"serverCPURatio"`
	Concurrent int     `json:"inFlight"`
}

// A contender is a server under load.
type contender struct {
	name    string
	process *process
	turns   []turn
}

// turn is what one round of one server gave.
type turn struct {
	load.Result
	cpu time.Duration // of the server, per call
}

// small measures the small record: six fields, one of them nested and one a list.
func small(ctx context.Context, o options, data string) (figures []figure, err error) {
	contenders, err := contend(ctx, o, data)
	defer func() {
		for _, c := range contenders {
			err = errors.Join(err, c.process.stop())
		}
	}()
	if err != nil {
		return nil, err
	}
	message, err := proto.Marshal(smallRecord())
	if err != nil {
		return nil, err
	}
	for range o.rounds {
		for _, c := range contenders {
			t, err := c.turn(ctx, o, message)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			c.turns = append(c.turns, t)
		}
	}
	for _, c := range contenders {
		figures = append(figures, c.figure(contenders[0], o.inFlight))
	}
	return figures, nil
}

func smallRecord() *recordsv1.TouchRequest {
	return &recordsv1.TouchRequest{Customer: &recordsv1.Customer{
		Id: 4711, Name: "Ada Lovelace", Active: true, Score: 99.5,
		Home: &recordsv1.Place{City: "London", Zip: 12345},
		Tags: []string{"founder", "analyst", "poet"},
	}}
}

// contend starts the servers, the baseline first.
func contend(ctx context.Context, o options, data string) ([]*contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []*contender
	for _, c := range []struct {
		name    string
		command []string
	}{
		{"grpc-go, generated code", []string{self, nativeName}},
		{"grpc-go, generated code, 64 stream workers", []string{self, nativeName, "workers"}},
		{"weft, an instance per call", server(o, data)},
	} {
		p, err := start(ctx, c.command[0], c.command[1:]...)
		if err != nil {
			return all, err
		}
		all = append(all, &contender{name: c.name, process: p})
	}
	weft := all[len(all)-1].process
	return all, deploy(ctx, o, weft, "records", filepath.Join(o.components, "bench.wasm"))
}

func (c *contender) turn(ctx context.Context, o options, message []byte) (turn, error) {
	const warmup = 500 * time.Millisecond
	before, err := c.process.cpu()
	if err != nil {
		return turn{}, err
	}
	result, err := load.Run(ctx, load.Config{
		Address: c.process.ready["grpc"], Method: recordsv1.Records_Touch_FullMethodName, Message: message,
		InFlight: o.inFlight, Connections: min(2, o.inFlight), Warmup: warmup, Duration: o.duration,
	})
	if err != nil {
		return turn{}, err
	}
	if result.Failed > 0 || result.Calls == 0 {
		return turn{}, fmt.Errorf("%d calls failed, %d ended well: %s", result.Failed, result.Calls, result.FirstError)
	}
	after, err := c.process.cpu()
	if err != nil {
		return turn{}, err
	}
	// The processor time covers the warm-up too, in which calls go at the same rate.
	calls := float64(result.Calls) * float64(warmup+o.duration) / float64(o.duration)
	return turn{Result: result, cpu: time.Duration(float64(after-before) / calls)}, nil
}

func (c *contender) figure(baseline *contender, inFlight int) figure {
	of := func(value func(t turn) float64) float64 {
		all := make([]float64, len(c.turns))
		for i, t := range c.turns {
			all[i] = value(t)
		}
		return median(all)
	}
	ratio := func(value func(t turn) float64) float64 {
		all := make([]float64, len(c.turns))
		for i, t := range c.turns {
			all[i] = value(t) / value(baseline.turns[i])
		}
		return median(all)
	}
	perSecond := func(t turn) float64 { return t.PerSecond() }
	p50 := func(t turn) float64 { return micros(t.P50) }
	p99 := func(t turn) float64 { return micros(t.P99) }
	cpu := func(t turn) float64 { return micros(t.cpu) }
	return figure{
		Server: c.name, Concurrent: inFlight,
		PerSecond: of(perSecond), Ratio: ratio(perSecond),
		P50: of(p50), P99: of(p99), P99Ratio: ratio(p99),
		CPU: of(cpu), CPURatio: ratio(cpu),
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// medianRatio is the median of the ratios of values to those of the same round.
func medianRatio(values, to []float64) float64 {
	ratios := make([]float64, len(values))
	for i := range ratios {
		ratios[i] = values[i] / to[i]
	}
	return median(ratios)
}
