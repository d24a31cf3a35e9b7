package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	weft "github.com/weft-run/weft/clients/go"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
)

// way is one way in which one function, or one program, calls another.
type way struct {
	Name   string  `json:"name"`
	Micros float64 `json:"micros"`
	// Ratio is to the first way: the median of the ratios in each round.
	Ratio float64 `json:"ratio"`
}

// A caller is a way under measurement.
type caller interface {
	// turn is how many microseconds one call takes.
	turn(ctx context.Context, o options) (float64, error)
	close() error
}

// between measures calls of a small record from one function to another, against calls from one process to another through
// grpc-go with generated code.
func between(ctx context.Context, o options, data string) (all []way, err error) {
	m := &members{o: o, data: data}
	defer func() { err = errors.Join(err, m.stop()) }()
	all = []way{{Name: "gRPC, Go process to Go process"}}
	rival, err := newRival(ctx)
	if err != nil {
		return nil, err
	}
	callers := []caller{rival}
	defer func() {
		for _, c := range callers {
			err = errors.Join(err, c.close())
		}
	}()
	if err := m.placeCalled(ctx); err != nil {
		return nil, err
	}
	for _, f := range functionCallers {
		c, err := m.placeCaller(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		all, callers = append(all, way{Name: f.name}), append(callers, c)
	}
	took := make([][]float64, len(callers))
	for round := range 1 + o.rounds {
		for i, c := range callers {
			d, err := c.turn(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", all[i].Name, err)
			}
			if round > 0 { // the first warms up
				took[i] = append(took[i], d)
			}
		}
	}
	for i := range all {
		all[i].Micros, all[i].Ratio = median(took[i]), medianRatio(took[i], took[0])
	}
	return all, nil
}

// rival calls a gRPC server in another process, with generated code on both sides.
type rival struct {
	*process

	conn    *grpc.ClientConn
	request *recordsv1.TouchRequest
}

func newRival(ctx context.Context) (*rival, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, self, nativeName)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(p.ready["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		p.kill()
		return nil, err
	}
	request := smallRecord()
	request.Customer.Score = 0
	return &rival{p, conn, request}, nil
}

func (r *rival) turn(ctx context.Context, o options) (float64, error) {
	client := recordsv1.NewRecordsClient(r.conn)
	want := r.request.GetCustomer().GetScore() + float64(o.calls)
	began := time.Now()
	for range o.calls {
		response, err := client.Touch(ctx, r.request)
		if err != nil {
			return 0, err
		}
		r.request.Customer = response.GetValue()
	}
	took := time.Since(began)
	return micros(took) / float64(o.calls), checkScore(r.request.GetCustomer().GetScore(), want)
}

func (r *rival) close() error { return errors.Join(r.conn.Close(), r.stop()) }

// functionCaller is a function that calls the function records as often as it is told to. All are the same component.
type functionCaller struct {
	name, function string
	node           string   // where it runs: the function that it calls is on the near one
	deploy         []string // more flags of its deploy
	times          int      // how many times options.calls one call of it makes
	client         *weft.Client
}

var functionCallers = []functionCaller{
	{name: "function to function, linked", function: "caller-linked", node: "near", deploy: []string{"--link"}, times: 200},
	{name: "function to function, one node", function: "caller", node: "near", times: 1},
	{name: "function to function, two nodes", function: "caller-far", node: "far", times: 1},
}

// placeLabel is the label of nodes that says where.
const placeLabel = "bench"

// placeCalled starts two nodes and places the function that is called on the first.
func (m *members) placeCalled(ctx context.Context) error {
	for _, name := range []string{"near", "far"} {
		if _, err := m.add(ctx, "--labels", placeLabel+"="+name); err != nil {
			return err
		}
	}
	return m.place(ctx, "records", "bench", "near")
}

// place deploys a component on one node and waits until it is ready.
func (m *members) place(ctx context.Context, function, component, node string, more ...string) error {
	_, err := m.output(ctx, append([]string{"deploy", filepath.Join(m.o.components, component+".wasm"), "--name", function,
		"--require", placeLabel + "=" + node, "--wait", "60s"}, more...)...)
	return err
}

// placeCaller places a function that calls, and waits until a call reaches the other one.
func (m *members) placeCaller(ctx context.Context, f functionCaller) (*functionCaller, error) {
	if err := m.place(ctx, f.function, "caller", f.node, f.deploy...); err != nil {
		return nil, err
	}
	node := m.nodes[0]
	if f.node == "far" {
		node = m.nodes[1]
	}
	client, err := weft.Connect(node.ready["grpc"])
	if err != nil {
		return nil, err
	}
	f.client = client
	if err := poll(ctx, "it reaches the function that it calls", func() (bool, error) {
		_, err := f.run(ctx, 1)
		return err == nil, err
	}); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &f, nil
}

// run has the function make calls.
func (f *functionCaller) run(ctx context.Context, calls int) (time.Duration, error) {
	// The messages are a field each, as protobuf's wrappers are.
	request, err := proto.Marshal(wrapperspb.UInt32(uint32(calls)))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	response, err := f.client.Invoke(ctx, "bench.caller.v1.Caller/Run", request, weft.OfFunction(f.function))
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	score := &wrapperspb.DoubleValue{}
	if err := proto.Unmarshal(response, score); err != nil {
		return 0, err
	}
	return took, checkScore(score.GetValue(), float64(calls))
}

// checkScore checks what a customer has after calls that each raise the score by one.
func checkScore(got, want float64) error {
	if got != want {
		return fmt.Errorf("the score is %v; it should be %v", got, want)
	}
	return nil
}

// turn takes the difference between a function that makes many calls and one that makes none, the median of a few.
func (f *functionCaller) turn(ctx context.Context, o options) (float64, error) {
	const pairs = 5
	calls := o.calls * f.times
	each := make([]float64, pairs)
	for i := range each {
		none, err := f.run(ctx, 0)
		if err != nil {
			return 0, err
		}
		all, err := f.run(ctx, calls)
		if err != nil {
			return 0, err
		}
		each[i] = micros(all-none) / float64(calls)
	}
	return median(each), nil
}

func (f *functionCaller) close() error { return f.client.Close() }
