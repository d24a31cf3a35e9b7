package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	weft "github.com/weft-run/weft/clients/go"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
	"github.com/weft-run/weft/test/load"
)

// fairnessReport is what a run found about a function that shares a node with one that burns all that it gets. Latencies are in
// microseconds; each is the median of the rounds, and each ratio that of the ratios within the rounds.
type fairnessReport struct {
	// PerSecond is how many calls a second the node answers with nothing beside; half of them arrive, at random times.
	PerSecond float64         `json:"requestsPerSecond"`
	Alone     fairnessFigures `json:"alone"`
	Beside    []besideFigures `json:"beside"`
}

// fairnessFigures are of the calls that arrive.
type fairnessFigures struct {
	P50  float64 `json:"p50Micros"`
	P99  float64 `json:"p99Micros"`
	P999 float64 `json:"p999Micros"`
	// Cores is how many the node kept busy, with all that it ran.
	Cores float64 `json:"cores"`
}

// besideFigures are of the same calls beside a function that burns.
type besideFigures struct {
	fairnessFigures

	// Burn is how long one of its calls takes when the node does nothing else.
	Burn      float64 `json:"burnMicros"`
	Size      uint32  `json:"burnSize"` // of the kernel
	P50Ratio  float64 `json:"p50Ratio"`
	P99Ratio  float64 `json:"p99Ratio"`
	P999Ratio float64 `json:"p999Ratio"`
}

const (
	// kernelsRun is the method that burns: n-body, which computes and does nothing else.
	kernelsRun = "/bench.kernels.v1.Kernels/Run"
	// burning is how many of its calls are under way at any time.
	burning = 16
	// settling is how long both run before anything counts.
	settling = 500 * time.Millisecond
)

// burnSizes are the sizes of the kernel: its calls take some tenths of a millisecond, some milliseconds, and seconds.
var burnSizes = []uint32{10_000, 100_000, 50_000_000}

// A shared node has the function that is measured and the one that burns.
type shared struct {
	*process

	o       options
	message []byte
}

// runFairness measures what a function that burns costs another one on its node. `make bench-fairness` runs it.
func runFairness(ctx context.Context, o options) error {
	all, err := newReport("fairness", o)
	if err != nil {
		return err
	}
	r, err := beFair(ctx, o)
	if err != nil {
		return err
	}
	return r.publish(all, o)
}

// beFair starts a node, and has both functions take their turns on it.
func beFair(ctx context.Context, o options) (r *fairnessReport, err error) {
	data, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	s, err := share(ctx, o, data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	return s.measure(ctx)
}

// share starts a node with both functions.
func share(ctx context.Context, o options, data string) (*shared, error) {
	message, err := proto.Marshal(smallRecord())
	if err != nil {
		return nil, err
	}
	node, err := startNode(ctx, o, data)
	if err != nil {
		return nil, err
	}
	for function, component := range map[string]string{"records": "bench", "burner": "kernels"} {
		err := command(ctx, o, node, "deploy", filepath.Join(o.components, component+".wasm"), "--name", function,
			"--queue", "4096", "--timeout", "5m", "--wait", "60s")
		if err != nil {
			node.kill()
			return nil, err
		}
	}
	return &shared{node, o, message}, nil
}

// measure has both functions take their turns.
func (s *shared) measure(ctx context.Context) (*fairnessReport, error) {
	r := &fairnessReport{Beside: make([]besideFigures, len(burnSizes))}
	for i, size := range burnSizes {
		took, err := s.burnOnce(ctx, size)
		if err != nil {
			return nil, err
		}
		r.Beside[i].Burn, r.Beside[i].Size = micros(took), size
	}
	var most []float64
	alone, beside := make([]fairnessTurn, 0, s.o.rounds), make([][]fairnessTurn, len(burnSizes))
	for range s.o.rounds {
		full, err := s.turn(ctx, 0)
		if err != nil {
			return nil, err
		}
		most = append(most, full.PerSecond())
		rate := full.PerSecond() / 2
		t, err := s.turn(ctx, rate)
		if err != nil {
			return nil, err
		}
		alone = append(alone, t)
		for i, size := range burnSizes {
			t, err := s.beside(ctx, rate, size)
			if err != nil {
				return nil, fmt.Errorf("beside %s of size %d: %w", burnKernel, size, err)
			}
			beside[i] = append(beside[i], t)
		}
	}
	r.PerSecond = median(most)
	r.Alone = figuresOf(alone)
	for i, turns := range beside {
		b := &r.Beside[i]
		b.fairnessFigures = figuresOf(turns)
		b.P50Ratio, b.P99Ratio, b.P999Ratio = ratios(turns, alone)
	}
	return r, nil
}

// fairnessTurn is what calls took for a while, and how many cores the node kept busy then.
type fairnessTurn struct {
	load.Result

	cores float64
}

func (t fairnessTurn) p50() float64  { return micros(t.P50) }
func (t fairnessTurn) p99() float64  { return micros(t.P99) }
func (t fairnessTurn) p999() float64 { return micros(t.P999) }

func each(turns []fairnessTurn, of func(t fairnessTurn) float64) []float64 {
	values := make([]float64, len(turns))
	for i, t := range turns {
		values[i] = of(t)
	}
	return values
}

func figuresOf(turns []fairnessTurn) fairnessFigures {
	of := func(value func(t fairnessTurn) float64) float64 { return median(each(turns, value)) }
	return fairnessFigures{P50: of(fairnessTurn.p50), P99: of(fairnessTurn.p99), P999: of(fairnessTurn.p999),
		Cores: of(func(t fairnessTurn) float64 { return t.cores })}
}

// ratios are those of latencies to those in the same rounds.
func ratios(turns, to []fairnessTurn) (ofP50, ofP99, ofP999 float64) {
	ratio := func(of func(t fairnessTurn) float64) float64 { return medianRatio(each(turns, of), each(to, of)) }
	return ratio(fairnessTurn.p50), ratio(fairnessTurn.p99), ratio(fairnessTurn.p999)
}

// turn makes calls at a rate; 0: as many as the node answers.
func (s *shared) turn(ctx context.Context, rate float64) (fairnessTurn, error) {
	inFlight := s.o.inFlight
	if rate > 0 {
		inFlight = 1024
	}
	before, err := s.cpu()
	if err != nil {
		return fairnessTurn{}, err
	}
	began := time.Now()
	result, err := load.Run(ctx, load.Config{
		Address: s.ready["grpc"], Method: recordsv1.Records_Touch_FullMethodName, Message: s.message,
		InFlight: inFlight, Connections: min(4, inFlight), Rate: rate, Warmup: settling, Duration: s.o.duration,
	})
	if err != nil {
		return fairnessTurn{}, err
	}
	if result.Failed > 0 || result.Calls == 0 {
		return fairnessTurn{}, fmt.Errorf("%d calls failed, %d ended well: %s", result.Failed, result.Calls, result.FirstError)
	}
	after, err := s.cpu()
	return fairnessTurn{result, (after - before).Seconds() / time.Since(began).Seconds()}, err
}

// beside makes calls while the other function burns.
func (s *shared) beside(ctx context.Context, rate float64, size uint32) (t fairnessTurn, err error) {
	burnt, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		_, err := load.Run(burnt, load.Config{Address: s.ready["grpc"], Method: kernelsRun, Message: burnRequest(size),
			InFlight: burning, Connections: 1, Duration: time.Hour})
		if burnt.Err() != nil { // it was told to end
			err = nil
		}
		done <- err
	}()
	t, err = s.turn(ctx, rate)
	stop()
	return t, errors.Join(err, <-done)
}

// burnOnce is what one call of the function that burns takes.
func (s *shared) burnOnce(ctx context.Context, size uint32) (took time.Duration, err error) {
	client, err := weft.Connect(s.ready["grpc"])
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	for range 3 {
		began := time.Now()
		if _, err := client.Invoke(ctx, kernelsRun[1:], burnRequest(size), weft.OfFunction("burner")); err != nil {
			return 0, err
		}
		if d := time.Since(began); took == 0 || d < took {
			took = d
		}
	}
	return took, nil
}

// burnKernel is what it computes.
const burnKernel = "n-body"

func burnRequest(size uint32) []byte {
	message := protowire.AppendTag(nil, 1, protowire.BytesType)
	message = protowire.AppendString(message, burnKernel)
	message = protowire.AppendTag(message, 2, protowire.VarintType)
	return protowire.AppendVarint(message, uint64(size))
}

var fairnessSection = section{"fairness", "bench-fairness"}

// figures are the lines of the table that sharing a node has.
func (r *fairnessReport) figures() (all []figure) {
	for _, b := range r.Beside {
		f := figure{
			ID: fmt.Sprintf("fairness/p99-%d", b.Size), Unit: inMicros, Value: b.P99, Baseline: r.Alone.P99, Ratio: b.P99Ratio, Goal: atMost(2),
			Name:    fmt.Sprintf("p99 at half load, beside a function that burns all slots with calls of %s", durationText(b.Burn)),
			Against: "the same alone",
		}
		f.Met = f.Goal.met(f.Ratio)
		all = append(all, f)
	}
	return all
}

// publish prints the figures and writes them where the options say.
func (r *fairnessReport) publish(all *report, o options) error {
	r.print(os.Stdout)
	all.add(r.figures()...)
	all.Details = r
	return all.publish(o, func(dir string) error { return fairnessSection.write(dir, r.markdown(all.Run)) })
}
