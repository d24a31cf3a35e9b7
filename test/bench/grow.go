package main

import (
	"context"
	"fmt"
	"time"
)

// Cost as work grows: powers of four.
var (
	payloads    = powersOfFour(1, 4<<20)
	concurrency = powersOfFour(1, 1024)
)

func powersOfFour(from, to int) (all []int) {
	for n := from; n <= to; n *= 4 {
		all = append(all, n)
	}
	return all
}

// growRounds is how often each point is measured: there are many.
const growRounds = 2

// measurePayload has weft and the native server echo ever more bytes.
func (m *measurement) measurePayload(ctx context.Context) error {
	c := conditions{inFlight: bulkInFlight, warmup: m.o.grow / 4, duration: m.o.grow}
	cpu := panel{Y: axis{"Server's CPU time per call", inMicros}, Lines: []line{{Name: "weft"}, {Name: "grpc-go"}}}
	rate := panel{Y: axis{fmt.Sprintf("Time of a call, median, %d in flight", bulkInFlight), inMicros}, Lines: []line{{Name: "weft"}, {Name: "grpc-go"}}}
	for _, size := range payloads {
		work, err := echoTask(size)
		if err != nil {
			return err
		}
		for i, s := range []*contender{{name: "weft", process: m.servers.weft, function: largeFunction}, m.servers.nativeContender()} {
			if err := contend(ctx, []*contender{s}, work, c, growRounds); err != nil {
				if ctx.Err() != nil {
					return err
				}
				m.report.Missing = append(m.report.Missing, fmt.Sprintf("echo of %s: %v", sizeText(float64(size)), err))
				continue
			}
			cpu.Lines[i].add(float64(size), median(s.of(serverCPU)))
			rate.Lines[i].add(float64(size), median(s.of(p50)))
		}
	}
	grown := curve{
		Name: "payload", Title: "An echo of bytes, as they become more", X: axis{"payload", inBytes},
		Panels: []panel{cpu, rate},
	}
	for i := range cpu.Lines {
		grown.Bends = append(grown.Bends, bendOfCost(&cpu.Lines[i], grown.X))
	}
	m.report.Curves = append(m.report.Curves, grown)
	return nil
}

// bendOfCost says from where on a cost grows, and how fast in the end.
func bendOfCost(l *line, x axis) string {
	if len(l.Points) < 2 {
		return l.Name + " was not measured"
	}
	first, last := l.Points[0], l.Points[len(l.Points)-1]
	bend := l.grows(1.5)
	if bend == nil {
		return fmt.Sprintf("%s takes %s at %s, and less than 1.5 times that up to %s", l.Name, durationText(first.Y), x.text(first.X), x.text(last.X))
	}
	return fmt.Sprintf("%s takes %s at %s, more than 1.5 times that from %s on, and %s more for each KiB in the end",
		l.Name, durationText(first.Y), x.text(first.X), x.text(bend.X), durationText(l.slope()*1024))
}

// measureConcurrency has weft and the native server answer ever more calls at once.
func (m *measurement) measureConcurrency(ctx context.Context) error {
	work, err := touchTask()
	if err != nil {
		return err
	}
	rate := panel{Y: axis{"Requests per second", perSecond}, Lines: []line{{Name: "weft"}, {Name: "grpc-go"}}}
	latency := panel{Y: axis{"p99", inMicros}, Lines: []line{{Name: "weft"}, {Name: "grpc-go"}}}
	for _, inFlight := range concurrency {
		c := conditions{inFlight: inFlight, warmup: max(m.o.grow/4, 10*time.Millisecond), duration: m.o.grow}
		for i, s := range []*contender{{name: "weft", process: m.servers.weft, function: wideFunction}, m.servers.nativeContender()} {
			if err := contend(ctx, []*contender{s}, work, c, growRounds); err != nil {
				return fmt.Errorf("%d in flight: %w", inFlight, err)
			}
			rate.Lines[i].add(float64(inFlight), median(s.of(requests)))
			latency.Lines[i].add(float64(inFlight), median(s.of(p99)))
		}
	}
	grown := curve{
		Name: "concurrency", Title: "A small record, as more calls are in flight", X: axis{"calls in flight", unitless},
		Panels: []panel{rate, latency},
	}
	for i := range rate.Lines {
		grown.Bends = append(grown.Bends, bendOfRate(&rate.Lines[i]))
	}
	m.report.Curves = append(m.report.Curves, grown)
	return nil
}

// bendOfRate says from where on a rate grows no more.
func bendOfRate(l *line) string {
	top, last := l.highest(), l.Points[len(l.Points)-1]
	near := top
	for _, p := range l.Points {
		if p.Y >= 0.9*top.Y {
			near = p
			break
		}
	}
	return fmt.Sprintf("%s serves %s requests/s at most, nine tenths of that from %s in flight on, and %.2f of it with %s",
		l.Name, number(top.Y), number(near.X), last.Y/top.Y, number(last.X))
}
