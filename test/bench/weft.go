package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// startNode starts a node on its defaults, but for flags that are given, with free ports.
func startNode(ctx context.Context, o options, data string, more ...string) (*process, error) {
	return start(ctx, o.weft, serverArgs(data, more...)...)
}

// freshFlag has a node make an instance for each call, where it could restore one.
const freshFlag = "--fresh-instances"

// serverArgs are the arguments with which weft is such a node.
func serverArgs(data string, more ...string) []string {
	return append([]string{"server", "--data-dir", data,
		"--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cluster", "127.0.0.1:0"}, more...)
}

// deploy deploys a component and waits until it answers.
func deploy(ctx context.Context, o options, node *process, name, file string, more ...string) error {
	return command(ctx, o, node, append([]string{"deploy", file, "--name", name, "--wait", "60s"}, more...)...)
}

// command runs one command of weft's against a node.
func command(ctx context.Context, o options, node *process, args ...string) error {
	c := exec.CommandContext(ctx, o.weft, args...)
	c.Env = append(os.Environ(), "WEFT_ADDR="+node.ready["grpc"])
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("weft %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// idle gives the resident memory of a node with the three examples deployed.
func idle(ctx context.Context, o options, data string) (int64, error) {
	node, err := startNode(ctx, o, data)
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"orders", "text", "stats"} {
		if err := deploy(ctx, o, node, name, filepath.Join(o.components, name+".wasm")); err != nil {
			node.kill()
			return 0, err
		}
	}
	// What deploying left behind is given back to the system in the background; wait until the figure stands still.
	resident, err := settled(ctx, node)
	if err != nil {
		node.kill()
		return 0, err
	}
	return resident, node.stop()
}

// settled polls the resident memory until it has not fallen for three seconds, a minute at most.
func settled(ctx context.Context, node *process) (int64, error) { return settledFor(ctx, node, 3) }

// settledFor is settled with another number of seconds.
func settledFor(ctx context.Context, node *process, stillness int) (int64, error) {
	lowest, err := node.resident()
	if err != nil {
		return 0, err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for still, seconds := 0, 0; still < stillness && seconds < 60; seconds++ {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
		now, err := node.resident()
		if err != nil {
			return 0, err
		}
		if still++; now < lowest {
			lowest, still = now, 0
		}
	}
	return lowest, nil
}
