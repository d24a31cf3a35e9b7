package robustness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/cluster"
	"github.com/weft-run/weft/test/robustness/failpoint"
	"github.com/weft-run/weft/test/robustness/model"
	"github.com/weft-run/weft/test/robustness/report"
	"github.com/weft-run/weft/test/robustness/traffic"
	"github.com/weft-run/weft/test/robustness/validate"
	"github.com/weft-run/weft/test/wat"
)

// service is what traffic routes to and fro between two functions.
const (
	service         = "demo.side.v1.Side"
	functions       = 5
	clients         = 6
	auditor         = 4 * clients                         // the client that looks at what is left in the end
	before, between = 500 * time.Millisecond, time.Second // of the fault
	calm            = 30 * time.Second                    // how long what is well again may take to show it
)

// scenario is what one run is to be.
type scenario struct {
	failpoint failpoint.Failpoint
	nodes     int
	seed      uint64
	env       []string // of all nodes
	eager     bool     // clients ask more and wait less
}

// run runs a scenario and says what came of it. Logs of the nodes and the history are saved if something is wrong.
func (s scenario) run(t *testing.T, out string) report.Run {
	t.Helper()
	random := rand.New(rand.NewPCG(s.seed, 0))
	c := cluster.New(t)
	env := append([]string{fmt.Sprintf("WEFT_TEST_SNAPSHOTS=%d", 10+random.IntN(90))}, s.env...)
	c.Grow(s.nodes, cluster.Spec{Env: env, Lossy: s.failpoint.Lossy})
	target := failpoint.NewTarget(t, c, random)
	routed := setUp(t, c)
	config := traffic.Config{
		Nodes: c.Alive, Components: guests(t), Routed: routed, Service: service,
		Functions: functions, Clients: clients, Pause: 100 * time.Millisecond, Seed: s.seed,
	}
	if s.eager {
		config.Clients, config.Pause = 4*clients, 20*time.Millisecond
	}
	load := traffic.Start(t.Context(), config)
	time.Sleep(before)
	s.failpoint.Inject(target)
	time.Sleep(between)
	operations, _ := load.Stop()

	members := target.Members()
	c.Settle(members...)
	var lost []string
	if !s.eager {
		lost = final(t, load, members, operations)
	}
	operations, samples := load.Record()
	r := report.Run{
		Scenario: s.failpoint.Name, Nodes: s.nodes, Seed: s.seed, Command: s.command(),
		Operations: operations, Failed: load.Failed(), Lost: lost,
		Violations: validate.Check(validate.Record{
			Operations: operations, Samples: samples, Owner: routed[0], Lossy: s.failpoint.Lossy,
		}),
	}
	if r.Bad() {
		dir := fmt.Sprintf("%s/%s-%d", out, s.failpoint.Name, s.seed)
		if err := r.Save(dir, c.SaveLogs); err != nil {
			t.Errorf("save the report: %v", err)
		}
		t.Logf("the report is in %s", dir)
	}
	return r
}

// command is what repeats the run.
func (s scenario) command() string {
	return fmt.Sprintf("make robustness SCENARIO=%s NODES=%d SEED=%d RUNS=1", s.failpoint.Name, s.nodes, s.seed)
}

// guests are what traffic deploys: the same function, in files that differ.
func guests(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, mark := range []string{"1", "2", "3", "4"} {
		all = append(all, wat.Guest{Functions: []string{"env"}, Mark: mark}.Bytes(t))
	}
	return all
}

// setUp deploys the two functions that share a service.
func setUp(t *testing.T, c *cluster.Cluster) (routed [2]string) {
	t.Helper()
	component := wat.Guest{Interface: "demo:side/side@1.0.0", Functions: []string{"add"}}.Bytes(t)
	for i, name := range []string{"left", "right"} {
		client, err := c.Leader().Client()
		if err != nil {
			t.Fatal(err)
		}
		spec := &weftv1.DeploySpec{Name: name, Wait: durationpb.New(0), RequestId: "set-up-" + name}
		c.Eventually("a deploy", func() error {
			_, err := client.Deploy(t.Context(), strings.NewReader(string(component)), spec, nil)
			return err
		})
		routed[i] = name
	}
	return routed
}

// final checks what is left when all is calm again: every member shows and runs the same, and what was acknowledged is
// there. What it reads is recorded like the rest.
func final(t *testing.T, load *traffic.Traffic, members []*cluster.Node, operations []model.Operation) (lost []string) {
	t.Helper()
	ctx := context.Background()
	for i := range functions {
		function := fmt.Sprintf("f%d", i)
		for _, n := range members {
			for _, kind := range []model.Kind{model.Get, model.Stale} {
				in := model.Input{Kind: kind, Function: function}
				if err := cluster.Poll(calm, func() error {
					if !load.Do(ctx, auditor, n, in, nil) {
						return fmt.Errorf("%s of %s at %s failed", kind, function, n.Name)
					}
					return nil
				}); err != nil {
					lost = append(lost, err.Error())
				}
			}
		}
		all, _ := load.Record()
		seen := all[len(all)-1].Seen
		lost = append(lost, missing(function, seen, operations)...)
		if seen != "" {
			lost = append(lost, silent(ctx, load, members, function, seen)...)
		}
	}
	for _, n := range members {
		load.Do(ctx, auditor, n, model.Input{Kind: model.Owner, Function: service}, nil)
		load.Sample(ctx, n)
	}
	return lost
}

// missing are the revisions of a function that were acknowledged and are not there, although nobody has deleted the
// function since.
func missing(function, seen string, operations []model.Operation) (lost []string) {
	for _, o := range operations {
		if o.Function != function || o.Unknown || !o.Effect() || o.Mark == "" {
			continue
		}
		deleted := slices.ContainsFunc(operations, func(d model.Operation) bool {
			return d.Function == function && d.Kind == model.Delete && d.Effect() && (d.Unknown || d.Ended > o.Began)
		})
		if deleted || slices.Contains(strings.Fields(seen), fmt.Sprintf("%d:%s", o.Revision, o.Mark)) {
			continue
		}
		lost = append(lost, fmt.Sprintf("%s of %s as revision %d with mark %s, acknowledged by %s at %v; there is %q",
			o.Kind, function, o.Revision, o.Mark, o.Node, o.Ended, seen))
	}
	return lost
}

// silent are the members at which a function is not answered by its current revision in the end.
func silent(ctx context.Context, load *traffic.Traffic, members []*cluster.Node, function, seen string) (lost []string) {
	all := strings.Fields(seen)
	_, current, _ := strings.Cut(all[len(all)-1], ":")
	errs := make([]error, len(members))
	var asked sync.WaitGroup
	for i, n := range members {
		asked.Go(func() {
			errs[i] = cluster.Poll(calm, func() error {
				answer, err := load.Call(ctx, n, function)
				if err == nil && answer != current {
					err = fmt.Errorf("it is answered by %q, not by %q", answer, current)
				}
				return err
			})
		})
	}
	asked.Wait()
	for i, n := range members {
		if errs[i] != nil {
			lost = append(lost, fmt.Sprintf("calls of %s at %s: %v", function, n.Name, errs[i]))
		}
	}
	return lost
}
