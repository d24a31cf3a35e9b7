package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
	"github.com/weft-run/weft/test/load"
)

// forwarded compares calls that enter at the node that runs them with calls that enter at another one.
type forwarded struct {
	InFlight     int     `json:"inFlight"`
	Direct       float64 `json:"directP50Micros"`
	Forwarded    float64 `json:"forwardedP50Micros"`
	Ratio        float64 `json:"p50Ratio"`
	DirectCPU    float64 `json:"directCPUMicrosPerCall"`
	ForwardedCPU float64 `json:"forwardedCPUMicrosPerCall"`
	CPURatio     float64 `json:"cpuRatio"`
}

func forward(ctx context.Context, o options, data string) (all []forwarded, err error) {
	m := &members{o: o, data: data}
	defer func() { err = errors.Join(err, m.stop()) }()
	for range 2 {
		if _, err := m.add(ctx); err != nil {
			return nil, err
		}
	}
	if err := deploy(ctx, o, m.nodes[0].process, "records", filepath.Join(o.components, "bench.wasm")); err != nil {
		return nil, err
	}
	names, err := m.placed(ctx, "records")
	if err != nil || len(names) != 1 {
		return nil, errors.Join(fmt.Errorf("the function is ready on %v; it should be on one node", names), err)
	}
	near, far := m.nodes[0], m.nodes[1]
	if near.name != names[0] {
		near, far = far, near
	}
	message, err := proto.Marshal(smallRecord())
	if err != nil {
		return nil, err
	}
	for _, inFlight := range []int{1, o.inFlight} {
		f, err := m.compare(ctx, near, far, inFlight, message)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// compare has the two ways take turns.
func (m *members) compare(ctx context.Context, near, far *member, inFlight int, message []byte) (forwarded, error) {
	var p50, cpu [2][]float64
	for range m.o.rounds {
		for way, node := range []*member{near, far} {
			latency, used, err := m.turn(ctx, node, inFlight, message)
			if err != nil {
				return forwarded{}, fmt.Errorf("at %s, %d in flight: %w", node.name, inFlight, err)
			}
			p50[way], cpu[way] = append(p50[way], latency), append(cpu[way], used)
		}
	}
	return forwarded{
		InFlight: inFlight,
		Direct:   median(p50[0]), Forwarded: median(p50[1]), Ratio: medianRatio(p50[1], p50[0]),
		DirectCPU: median(cpu[0]), ForwardedCPU: median(cpu[1]), CPURatio: medianRatio(cpu[1], cpu[0]),
	}, nil
}

// turn loads one node and gives the median latency and the processor time of all nodes per call, in microseconds.
func (m *members) turn(ctx context.Context, node *member, inFlight int, message []byte) (latency, cpu float64, err error) {
	const warmup = 500 * time.Millisecond
	used := func() (sum time.Duration, err error) {
		for _, n := range m.nodes {
			c, err := n.cpu()
			if err != nil {
				return 0, err
			}
			sum += c
		}
		return sum, nil
	}
	before, err := used()
	if err != nil {
		return 0, 0, err
	}
	result, err := load.Run(ctx, load.Config{
		Address: node.ready["grpc"], Method: recordsv1.Records_Touch_FullMethodName, Message: message,
		InFlight: inFlight, Connections: min(2, inFlight), Warmup: warmup, Duration: m.o.duration,
	})
	if err != nil {
		return 0, 0, err
	}
	if result.Failed > 0 || result.Calls == 0 {
		return 0, 0, fmt.Errorf("%d calls failed, %d ended well: %s", result.Failed, result.Calls, result.FirstError)
	}
	after, err := used()
	if err != nil {
		return 0, 0, err
	}
	calls := float64(result.Calls) * float64(warmup+m.o.duration) / float64(m.o.duration)
	return micros(result.P50), micros(time.Duration(float64(after-before) / calls)), nil
}
