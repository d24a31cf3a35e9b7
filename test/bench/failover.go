package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"
)

// failover is what calls noticed of nodes that were killed.
type failover struct {
	Calls  int `json:"calls"`
	Failed int `json:"failed"`
	// GapMillis is the longest time between two answers at one node.
	GapMillis float64 `json:"longestGapMillis"`
	// LeaderMillis is the time from the kill until another node led; zero where none was to.
	LeaderMillis float64 `json:"newLeaderMillis,omitempty"`
	FirstError   string  `json:"firstError,omitempty"`
}

const (
	callsPerSecond = 200
	callTime       = 10 * time.Second // how long a call may take
	before, after  = 2 * time.Second, 6 * time.Second
)

// failOver kills the leader of three nodes while the others are called.
func failOver(ctx context.Context, o options, data string) (f failover, err error) {
	m := &members{o: o, data: data}
	defer func() { err = errors.Join(err, m.stop()) }()
	if err := m.grow(ctx, 3); err != nil {
		return f, err
	}
	if err := m.everywhere(ctx, "orders", 3); err != nil {
		return f, err
	}
	leader, err := m.leader(ctx)
	if err != nil || leader == nil {
		return f, errors.Join(errors.New("nobody leads"), err)
	}
	var living []*member
	for _, n := range m.nodes {
		if n != leader {
			living = append(living, n)
		}
	}
	var took time.Duration
	f, err = callWhile(ctx, living, func() error {
		leader.end()
		killed := time.Now()
		client, err := weft.Connect(living[0].ready["grpc"])
		if err != nil {
			return err
		}
		defer func() { _ = client.Close() }()
		return poll(ctx, "another node leads", func() (bool, error) {
			s, err := client.Status(ctx)
			took = time.Since(killed)
			return err == nil && s.GetLeader() != "" && s.GetLeader() != leader.name, err
		})
	})
	f.LeaderMillis = float64(took.Milliseconds())
	return f, err
}

// schedulersDown kills every scheduler while the executors are called.
func schedulersDown(ctx context.Context, o options, data string) (f failover, err error) {
	m := &members{o: o, data: data}
	defer func() { err = errors.Join(err, m.stop()) }()
	if err := m.grow(ctx, 3); err != nil {
		return f, err
	}
	for range 2 {
		if _, err := m.add(ctx, "--roles", "executor"); err != nil {
			return f, err
		}
	}
	if err := m.everywhere(ctx, "orders", 5); err != nil {
		return f, err
	}
	return callWhile(ctx, m.nodes[3:], func() error {
		for _, n := range m.nodes[:3] {
			n.end()
		}
		return nil
	})
}

// everywhere deploys an example on all nodes and waits until it is ready there.
func (m *members) everywhere(ctx context.Context, name string, nodes int) error {
	if _, err := m.output(ctx, "deploy", filepath.Join(m.o.components, name+".wasm"), "--name", name, "--replicas", "all"); err != nil {
		return err
	}
	return poll(ctx, "it is ready on all nodes", func() (bool, error) {
		names, err := m.placed(ctx, name)
		return len(names) == nodes, err
	})
}

// callWhile calls some nodes at a steady rate, does something in the midst of it, and goes on for a while.
func callWhile(ctx context.Context, nodes []*member, do func() error) (failover, error) {
	c := &calls{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, n := range nodes {
		client, err := weft.Connect(n.ready["grpc"])
		if err != nil {
			return failover{}, err
		}
		defer func() { _ = client.Close() }()
		method, err := client.Method(ctx, "demo.orders.v1.Orders/Find")
		if err != nil {
			return failover{}, err
		}
		c.pacers.Go(func() { c.pace(ctx, method, callsPerSecond/len(nodes)) })
	}
	wait := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	wait(before)
	err := do()
	wait(after)
	cancel()
	c.pacers.Wait()
	c.running.Wait()
	return c.result, err
}

// calls counts calls that are sent at a steady rate, however long each takes.
type calls struct {
	pacers, running sync.WaitGroup

	mu     sync.Mutex
	result failover // guarded by mu
}

func (c *calls) pace(ctx context.Context, method *weft.Method, perSecond int) {
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	last := time.Now() // guarded by c.mu from here on
	for {
		select {
		case <-ticker.C:
			c.running.Go(func() { c.call(context.WithoutCancel(ctx), method, &last) })
		case <-ctx.Done():
			return
		}
	}
}

func (c *calls) call(ctx context.Context, method *weft.Method, last *time.Time) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := method.Call(ctx, []byte(`{"sku": "book-loom"}`))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Calls++
	if err != nil {
		c.result.Failed++
		if c.result.FirstError == "" {
			c.result.FirstError = fmt.Sprintf("%v: %v", status.Code(err), err)
		}
		return
	}
	c.result.GapMillis = max(c.result.GapMillis, float64(time.Since(*last).Milliseconds()))
	*last = time.Now()
}
