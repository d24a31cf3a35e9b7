package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// clusterReport is what a run on clusters found.
type clusterReport struct {
	Forwarded  []forwarded `json:"forwarded"`
	Failover   failover    `json:"failover"`
	Schedulers failover    `json:"schedulersDown"`
	Join       joined      `json:"join"`
}

// runCluster measures what several nodes do together. `make bench-cluster` runs it.
func runCluster(ctx context.Context, o options) (err error) {
	data, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	all, err := newReport("cluster", o)
	if err != nil {
		return err
	}
	var r clusterReport
	if r.Forwarded, err = forward(ctx, o, filepath.Join(data, "forward")); err != nil {
		return fmt.Errorf("forwarded calls: %w", err)
	}
	if r.Failover, err = failOver(ctx, o, filepath.Join(data, "failover")); err != nil {
		return fmt.Errorf("failover: %w", err)
	}
	if r.Schedulers, err = schedulersDown(ctx, o, filepath.Join(data, "schedulers")); err != nil {
		return fmt.Errorf("schedulers down: %w", err)
	}
	if r.Join, err = join(ctx, o, filepath.Join(data, "join")); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	r.print(os.Stdout)
	all.add(r.figures()...)
	all.Details = r
	return all.publish(o, nil)
}

// figures are the lines of the table.
func (r clusterReport) figures() (all []figure) {
	for _, f := range r.Forwarded {
		latency := figure{
			ID: fmt.Sprintf("forwarded/p50-%d", f.InFlight), Name: fmt.Sprintf("small record that another node runs, %d in flight: p50", f.InFlight),
			Against: "a call that enters there", Unit: inMicros, Value: f.Forwarded, Baseline: f.Direct, Ratio: f.Ratio,
		}
		cpu := figure{
			ID: fmt.Sprintf("forwarded/cpu-%d", f.InFlight), Name: fmt.Sprintf("small record that another node runs, %d in flight: CPU time of all nodes per call", f.InFlight),
			Against: "a call that enters there", Unit: inMicros, Value: f.ForwardedCPU, Baseline: f.DirectCPU, Ratio: f.CPURatio,
		}
		if f.InFlight == 1 {
			latency.Goal = atMost(2.2)
			latency.Met = latency.Goal.met(f.Ratio)
		} else {
			cpu.Goal = atMost(2)
			cpu.Met = cpu.Goal.met(f.CPURatio)
		}
		all = append(all, latency, cpu)
	}
	return append(all,
		alone("failover/leader", "a new leader after the leader of 3 was killed", inMillis, r.Failover.LeaderMillis, atMost(2000)).
			noted("%d of %d calls failed", r.Failover.Failed, r.Failover.Calls),
		alone("failover/schedulers", "longest gap of calls when all schedulers are killed", inMillis, r.Schedulers.GapMillis, nil).
			noted("%d of %d calls failed", r.Schedulers.Failed, r.Schedulers.Calls))
}

// members is a cluster of processes.
type members struct {
	o     options
	data  string
	nodes []*member
}

// member is one node.
type member struct {
	*process

	name string
	dead bool
}

// add starts a node; the first one makes the cluster, the others join it.
func (m *members) add(ctx context.Context, more ...string) (*member, error) {
	name := fmt.Sprintf("n%d", len(m.nodes)+1)
	more = append(more, "--name", name)
	if len(m.nodes) > 0 {
		token, err := m.output(ctx, "token")
		if err != nil {
			return nil, err
		}
		more = append(more, "--join", m.nodes[0].ready["cluster"], "--token", strings.TrimSpace(token))
	}
	p, err := startNode(ctx, m.o, filepath.Join(m.data, name), more...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n := &member{process: p, name: name}
	m.nodes = append(m.nodes, n)
	return n, nil
}

// grow adds nodes until there are so many, all of them voters.
func (m *members) grow(ctx context.Context, size int) error {
	for len(m.nodes) < size {
		if _, err := m.add(ctx); err != nil {
			return err
		}
	}
	return poll(ctx, "all nodes are voters", func() (bool, error) {
		list, err := m.list(ctx)
		voters := 0
		for _, n := range list.Nodes {
			if n.Raft == "voter" || n.Raft == "leader" {
				voters++
			}
		}
		return voters == size, err
	})
}

func (m *members) stop() error {
	var errs []error
	for _, n := range m.nodes {
		if !n.dead {
			errs = append(errs, n.stop())
		}
	}
	return errors.Join(errs...)
}

// end kills a node.
func (n *member) end() {
	n.dead = true
	n.kill()
}

// alive gives a node that runs.
func (m *members) alive() *member {
	for _, n := range m.nodes {
		if !n.dead {
			return n
		}
	}
	return m.nodes[0]
}

func (m *members) output(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, m.o.weft, args...)
	c.Env = append(os.Environ(), "WEFT_ADDR="+m.alive().ready["grpc"])
	out, err := c.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		err = fmt.Errorf("weft %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return string(out), err
}

// nodeList is what `weft nodes --json` says.
type nodeList struct {
	Leader string `json:"leader"`
	Nodes  []struct {
		Name  string `json:"name"`
		State string `json:"state"`
		Raft  string `json:"raft"`
		Ready uint32 `json:"ready"`
	} `json:"nodes"`
}

func (m *members) list(ctx context.Context) (list nodeList, err error) {
	text, err := m.output(ctx, "nodes", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}

// leader gives the node that leads; nil if there is none.
func (m *members) leader(ctx context.Context) (*member, error) {
	list, err := m.list(ctx)
	for _, n := range m.nodes {
		if n.name == list.Leader && list.Leader != "" {
			return n, err
		}
	}
	return nil, err
}

// placed gives the names of the nodes on which the current revision of a function is ready.
func (m *members) placed(ctx context.Context, function string) (names []string, err error) {
	text, err := m.output(ctx, "describe", function, "--json")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Function struct {
			Revision  int `json:"revision"`
			Revisions []struct {
				Number     int `json:"number"`
				Placements []struct {
					Node  string `json:"node"`
					State string `json:"state"`
				} `json:"placements"`
			} `json:"revisions"`
		} `json:"function"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, err
	}
	for _, r := range answer.Function.Revisions {
		for _, p := range r.Placements {
			if r.Number == answer.Function.Revision && p.State == "ready" {
				names = append(names, p.Node)
			}
		}
	}
	return names, nil
}

// poll waits for something that the cluster does by itself, for a minute at most.
func poll(ctx context.Context, what string, done func() (bool, error)) error {
	var last error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		ok, err := done()
		if ok {
			return nil
		}
		last = err
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(fmt.Errorf("not within a minute: %s", what), last)
}
