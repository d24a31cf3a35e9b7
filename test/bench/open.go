package main

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-run/weft/test/load"
)

const (
	// openShare is the share of the saturation of the slower server at which calls arrive in the open loop.
	openShare = 0.7
	// openSlices is into how many parts the time is cut, in which the servers take turns.
	openSlices = 3
	// openInFlight bounds the calls under way: those that the queue of a function on its defaults holds. Calls that arrive beyond it wait at the
	// client, and that counts.
	openInFlight = 256
)

// openLoop is what one server did in the open loop.
type openLoop struct {
	Server  string  `json:"server"`
	Rate    float64 `json:"callsPerSecond"` // that arrive
	Seconds float64 `json:"seconds"`
	Calls   uint64  `json:"calls"`
	P50     float64 `json:"p50Micros"`
	P99     float64 `json:"p99Micros"`
	P999    float64 `json:"p999Micros"`
}

// measureOpen has calls arrive at random times, at the same rate at weft and at the native server. It needs the saturation, which
// measureSmall finds.
func (m *measurement) measureOpen(ctx context.Context) error {
	if m.saturation == 0 {
		return fmt.Errorf("the saturation is not known: measure the part small too")
	}
	work, err := touchTask()
	if err != nil {
		return err
	}
	rate := openShare * m.saturation
	slice := m.o.open / openSlices
	native, weft := m.servers.nativeContender(), &contender{name: "weft", process: m.servers.weft}
	c := conditions{inFlight: openInFlight, rate: rate, warmup: min(time.Second, slice/4), duration: slice}
	if err := contend(ctx, []*contender{native, weft}, work, c, openSlices); err != nil {
		return err
	}
	p999 := func(t turn) float64 { return micros(t.P999) }
	name := fmt.Sprintf("small record, open loop at %.0f%% of saturation (%s calls/s), %.0f s: p99.9", openShare*100, number(rate), m.o.open.Seconds())
	f := weft.against(native, "open/p999", name, inMicros, p999, atMost(3))
	for _, s := range []*contender{native, weft} {
		all := s.all()
		m.details.Open = append(m.details.Open, openLoop{s.name, rate, m.o.open.Seconds(), all.Calls, micros(all.P50), micros(all.P99), micros(all.P999)})
	}
	of := m.details.Open
	m.report.add(f.noted("p50 %s against %s, p99 %s against %s",
		durationText(of[1].P50), durationText(of[0].P50), durationText(of[1].P99), durationText(of[0].P99)))
	return nil
}

// all is the result of all turns together.
func (s *contender) all() load.Result {
	sum := s.turns[0].Result
	for _, t := range s.turns[1:] {
		sum = sum.Plus(t.Result)
	}
	return sum
}
