package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	weft "github.com/weft-run/weft/clients/go"
)

// polyglotReport is what a run over all languages found.
type polyglotReport struct {
	Instances int       `json:"instances"` // that lived at once when their memory was measured
	Languages []figures `json:"languages"`
	Between   []way     `json:"callsBetweenFunctions"`
}

// figures are those of one language: medians of the rounds. Each ratio is that of the process to the function, the median of
// the ratios in each round.
type figures struct {
	ID             string  `json:"id"`
	Language       string  `json:"language"`
	Tool           string  `json:"tool"` // what makes or runs the program
	ComponentBytes int64   `json:"componentBytes"`
	CompileMillis  float64 `json:"compileMillis"`
	CompileCPU     float64 `json:"compileCPUMillis"` // of all cores
	FreshMicros    float64 `json:"freshMicros"`      // an instance and its first call, in the executor
	CallMicros     float64 `json:"callMicros"`       // the same by gRPC from another process
	WarmMicros     float64 `json:"warmMicros"`
	InstanceBytes  float64 `json:"instanceBytes"`
	ProcessMicros  float64 `json:"processMicros"`
	FreshRatio     float64 `json:"freshRatio"`
	CallRatio      float64 `json:"callRatio"`
}

// series are the values of one language, one a round.
type series struct{ compile, compileCPU, fresh, call, warm, bytes, process []float64 }

// runPolyglot measures a function in all languages, and calls from function to function. `make bench-polyglot` runs it.
func runPolyglot(ctx context.Context, o options) (err error) {
	data, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	all, err := newReport("polyglot", o)
	if err != nil {
		return err
	}
	r := polyglotReport{Instances: o.instances}
	if r.Languages, err = measureLanguages(ctx, o, data); err != nil {
		return err
	}
	if r.Between, err = between(ctx, o, filepath.Join(data, "between")); err != nil {
		return fmt.Errorf("calls from function to function: %w", err)
	}
	r.print(os.Stdout)
	all.add(r.figures()...)
	all.Details = r
	return all.publish(o, func(dir string) error { return r.document(dir, all.Run) })
}

// firstCallGoals are how many times as fast as starting a process of its language a function's first call should be.
var firstCallGoals = map[string]*goal{"js": atLeast(150), "python": atLeast(50)}

// firstCall is the line of the table that a language has.
func (f *figures) firstCall(id string) figure {
	line := figure{
		ID: "first-call/" + id, Name: f.Language + ": fresh instance + first call through gRPC, one after the other",
		Against: "starting a process for the same answer", Unit: perSecond,
		Value: 1e6 / f.CallMicros, Baseline: 1e6 / f.ProcessMicros, Ratio: f.CallRatio, Goal: firstCallGoals[id],
	}
	line.Met = line.Goal.met(line.Ratio)
	return line.noted("%s against %s; %s", durationText(f.CallMicros), durationText(f.ProcessMicros), f.Tool)
}

// figures are the lines of the table.
func (r polyglotReport) figures() (all []figure) {
	for _, f := range r.Languages {
		all = append(all, f.firstCall(f.ID))
	}
	goals := map[string]*goal{functionCallers[0].name: atMost(0.01), functionCallers[1].name: atMost(0.5)}
	for _, w := range r.Between[1:] {
		g := goals[w.Name]
		all = append(all, figure{
			ID: "between/" + strings.ReplaceAll(w.Name, " ", "-"), Name: "typed call, " + w.Name, Against: r.Between[0].Name, Unit: inMicros,
			Value: w.Micros, Baseline: r.Between[0].Micros, Ratio: w.Ratio, Goal: g, Met: g.met(w.Ratio),
		})
	}
	return all
}

// measureLanguages has the languages, and in each of them its ways to give the answer, take turns.
func measureLanguages(ctx context.Context, o options, data string) (all []figures, err error) {
	list, err := implementations(ctx, o, data)
	if err != nil {
		return nil, err
	}
	h, err := newHost(filepath.Join(data, "host")) //nolint:contextcheck // it ends with stop
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.stop(ctx)) }()
	measured := make([]series, len(list))
	for n := range o.compiles {
		for i, c := range list {
			var took compile
			if n == 0 {
				took, err = h.load(ctx, c) // and is there from then on
			} else {
				took, err = compileCold(ctx, c, filepath.Join(data, fmt.Sprintf("cold-%d-%s", n, c.id)))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			measured[i].compile = append(measured[i].compile, micros(took.time)/1e3)
			measured[i].compileCPU = append(measured[i].compileCPU, micros(took.cpu)/1e3)
		}
	}
	remote, err := startRemote(ctx, o, filepath.Join(data, "remote"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remote.close()) }()
	for _, c := range list {
		if err := deploy(ctx, o, remote.node, c.id, c.component); err != nil {
			return nil, err
		}
	}
	for round := range 1 + o.rounds {
		for i, c := range list {
			s, err := turnOf(ctx, o, h, remote, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 { // the first warms up
				measured[i].add(s)
			}
		}
	}
	for i, c := range list {
		all = append(all, measured[i].figures(c))
	}
	return all, nil
}

// turnOf is one turn of a language.
func turnOf(ctx context.Context, o options, h *host, remote *remote, c *implementation) (s series, err error) {
	repeat := func(into *[]float64, times int, do func() (time.Duration, error)) {
		took := make([]float64, times)
		for i := range took {
			if err != nil {
				return
			}
			var d time.Duration
			d, err = do()
			took[i] = micros(d)
		}
		*into = []float64{median(took)}
	}
	repeat(&s.process, o.starts, func() (time.Duration, error) { return c.process(ctx) })
	repeat(&s.fresh, o.calls, func() (time.Duration, error) { return h.call(ctx, c) })
	repeat(&s.call, o.calls, func() (time.Duration, error) { return remote.call(ctx, c) })
	if err != nil {
		return s, err
	}
	l, err := measureLive(ctx, o, h, c)
	s.warm, s.bytes = []float64{micros(l.Warm)}, []float64{float64(l.Bytes)}
	return s, err
}

func (s *series) add(turn series) {
	s.fresh, s.call = append(s.fresh, turn.fresh...), append(s.call, turn.call...)
	s.warm, s.bytes = append(s.warm, turn.warm...), append(s.bytes, turn.bytes...)
	s.process = append(s.process, turn.process...)
}

func (s *series) figures(c *implementation) figures {
	return figures{
		ID: c.id, Language: c.name, Tool: c.version, ComponentBytes: c.size,
		CompileMillis: median(s.compile), CompileCPU: median(s.compileCPU),
		FreshMicros: median(s.fresh), CallMicros: median(s.call), WarmMicros: median(s.warm),
		InstanceBytes: median(s.bytes),
		ProcessMicros: median(s.process),
		FreshRatio:    medianRatio(s.process, s.fresh), CallRatio: medianRatio(s.process, s.call),
	}
}

// remote is a node with the functions of all languages, and a client of it.
type remote struct {
	node    *process
	client  *weft.Client
	message []byte
}

func startRemote(ctx context.Context, o options, data string) (*remote, error) {
	message, err := proto.Marshal(receipt)
	if err != nil {
		return nil, err
	}
	node, err := startNode(ctx, o, data, freshFlag)
	if err != nil {
		return nil, err
	}
	client, err := weft.Connect(node.ready["grpc"])
	if err != nil {
		return nil, errors.Join(err, node.stop())
	}
	return &remote{node, client, message}, nil
}

// call calls a language's function by gRPC and returns how long that took.
func (r *remote) call(ctx context.Context, c *implementation) (time.Duration, error) {
	began := time.Now()
	response, err := r.client.Invoke(ctx, receiptService+"/"+receiptMethod, r.message, weft.OfFunction(c.id))
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	return took, checkMessage(response)
}

func (r *remote) close() error { return errors.Join(r.client.Close(), r.node.stop()) }
