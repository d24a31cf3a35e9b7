// Command demo shows what weft does: it starts a node, deploys the three example components, and calls each with
// `weft call`, with grpcurl through reflection and with Go stubs generated from `weft schema`. `make demo` builds what
// it needs and runs it from the root of the repository. With the argument cluster, which is `make demo-cluster`, it starts
// three nodes, and kills one under load. With polyglot, which is `make demo-polyglot`, it makes one service of functions in five
// languages and has programs in four call it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// limit bounds the whole demo.
const limit = 10 * time.Minute

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, stop := context.WithTimeout(ctx, limit)
	err := run(ctx, shows[strings.Join(os.Args[1:], " ")])
	stop()
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// shows are what the demo can show, by its arguments. Each has a scratch directory to itself.
var shows = map[string]func(ctx context.Context, scratch string) error{
	"": single, "cluster": cluster, "polyglot": polyglot,
}

func run(ctx context.Context, show func(ctx context.Context, scratch string) error) (err error) {
	if show == nil {
		return errors.New("usage: demo [cluster|polyglot]")
	}
	scratch, err := os.MkdirTemp("", "weft-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	return show(ctx, scratch)
}

// single shows one node.
func single(ctx context.Context, scratch string) (err error) {
	title("A node: one process, one data directory, no other service")
	node, err := startNode(ctx, "demo", filepath.Join(scratch, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.stop()) }()
	shell := &shell{addr: node.grpc}

	for _, e := range examples {
		title("%s: a component written in %s, deployed", e.name, e.language)
		if err := shell.run(ctx, e.deploy()...); err != nil {
			return err
		}
	}
	for _, e := range examples {
		title("%s, called with weft call and with grpcurl, which knows it by reflection", e.name)
		if err := e.call(ctx, shell); err != nil {
			return err
		}
	}
	title("All three, called with Go stubs generated from weft schema")
	if err := stubs(ctx, shell, filepath.Join(scratch, "caller")); err != nil {
		return err
	}
	title("What the node has")
	if err := shell.run(ctx, "weft", "list"); err != nil {
		return err
	}
	return shell.run(ctx, "weft", "logs", "orders")
}

func title(format string, args ...any) {
	fmt.Printf("\n=== "+format+"\n", args...)
}
