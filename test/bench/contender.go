package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/test/load"
)

// A contender is a server under load.
type contender struct {
	name     string
	process  *process
	function string // of weft's, which answers; empty: the owner of the service, or no weft
	http     bool   // it speaks HTTP/1.1, and not gRPC
	turns    []turn
}

// task is what the contenders are called with.
type task struct {
	method  string
	message []byte
	// check makes one call and checks the answer. The load looks at statuses only.
	check func(ctx context.Context, conn grpc.ClientConnInterface) error
}

// newTask gives the task of a request.
func newTask(method string, request proto.Message, check func(context.Context, grpc.ClientConnInterface) error) (task, error) {
	message, err := proto.Marshal(request)
	return task{method, message, check}, err
}

// conditions are those of a turn.
type conditions struct {
	inFlight         int
	rate             float64 // of an open loop
	warmup, duration time.Duration
}

// turn is what one turn of one server gave.
type turn struct {
	load.Result

	cpu time.Duration // of the server, per call
}

// contend has the contenders take turns, so many each.
func contend(ctx context.Context, contenders []*contender, work task, c conditions, rounds int) error {
	for _, s := range contenders {
		if err := s.check(ctx, work); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for range rounds {
		for _, s := range contenders {
			t, err := s.turn(ctx, work, c)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.turns = append(s.turns, t)
		}
	}
	return nil
}

// check makes one call and checks its answer.
func (s *contender) check(ctx context.Context, work task) error {
	if work.check == nil || s.http {
		return nil
	}
	const large = 64 << 20
	conn, err := grpc.NewClient(s.process.ready["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(large), grpc.MaxCallSendMsgSize(large)))
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.function != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "weft-function", s.function)
	}
	return work.check(ctx, conn)
}

// turn puts the server under load once. Where calls are so slow that none ends in the time, it tries longer.
func (s *contender) turn(ctx context.Context, work task, c conditions) (turn, error) {
	const longest = 8
	for duration := c.duration; ; duration *= 2 {
		before, err := s.process.cpu()
		if err != nil {
			return turn{}, err
		}
		result, err := s.load(ctx, work, c, duration)
		if err != nil {
			return turn{}, err
		}
		if result.Failed > 0 || result.Calls == 0 && duration >= longest*c.duration {
			return turn{}, fmt.Errorf("%d calls failed, %d ended well: %s", result.Failed, result.Calls, result.FirstError)
		}
		if result.Calls == 0 {
			continue
		}
		after, err := s.process.cpu()
		if err != nil {
			return turn{}, err
		}
		// The processor time covers the warm-up too, in which calls go at the same rate.
		calls := float64(result.Calls) * float64(c.warmup+duration) / float64(duration)
		return turn{Result: result, cpu: time.Duration(float64(after-before) / calls)}, nil
	}
}

func (s *contender) load(ctx context.Context, work task, c conditions, duration time.Duration) (load.Result, error) {
	config := load.Config{
		Address: s.process.ready["grpc"], Method: work.method, Message: work.message,
		InFlight: c.inFlight, Connections: min(2, c.inFlight), Rate: c.rate, Warmup: c.warmup, Duration: duration,
	}
	if s.function != "" {
		config.Metadata = []string{"weft-function", s.function}
	}
	if s.http {
		config.Address, config.Method = s.process.ready["http"], "/"
		return load.RunHTTP(ctx, config)
	}
	return load.Run(ctx, config)
}

// What turns are compared by.

func requests(t turn) float64  { return t.PerSecond() }
func p50(t turn) float64       { return micros(t.P50) }
func p99(t turn) float64       { return micros(t.P99) }
func serverCPU(t turn) float64 { return micros(t.cpu) }

// of is a value of each turn.
func (s *contender) of(value func(turn) float64) []float64 {
	all := make([]float64, len(s.turns))
	for i, t := range s.turns {
		all[i] = value(t)
	}
	return all
}

// against is the figure of one value of two contenders.
func (s *contender) against(baseline *contender, id, name, unit string, value func(turn) float64, g *goal) figure {
	return compared(id, name, baseline.name, unit, s.of(value), baseline.of(value), g)
}

// served is all that was measured of one contender: medians of its turns.
type served struct {
	Server    string  `json:"server"`
	InFlight  int     `json:"inFlight"`
	PerSecond float64 `json:"requestsPerSecond"`
	P50       float64 `json:"p50Micros"`
	P99       float64 `json:"p99Micros"`
	CPU       float64 `json:"serverCPUMicrosPerCall"`
}

func servedBy(contenders []*contender, inFlight int) (all []served) {
	for _, s := range contenders {
		all = append(all, served{s.name, inFlight, median(s.of(requests)), median(s.of(p50)), median(s.of(p99)), median(s.of(serverCPU))})
	}
	return all
}
