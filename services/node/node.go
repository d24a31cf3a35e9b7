package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/artifacts"
	"github.com/weft-run/weft/services/control"
	"github.com/weft-run/weft/services/gateway"
	"github.com/weft-run/weft/services/logs"
	"github.com/weft-run/weft/services/placement"
	"github.com/weft-run/weft/services/router"
	"github.com/weft-run/weft/services/web"
)

// Node is a node that runs.
type Node struct {
	config Config

	executor  *executor.Executor
	consensus *consensus.Node
	table     *placement.Table
	control   *control.Server
	keeper    *artifacts.Keeper
	gateway   *gateway.Gateway
	web       *web.Server

	grpc, http net.Listener
	serving    sync.WaitGroup
	failed     chan error
}

// Start starts a node and returns once it is ready. It must be stopped.
func Start(ctx context.Context, config Config) (_ *Node, err error) {
	config, err = config.check(ctx)
	if err != nil {
		return nil, err
	}
	n := &Node{config: config, failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			_ = n.Stop(ctx) // the reason is err
		}
	}()
	// It takes the data directory for this process.
	if n.consensus, err = consensus.Open(consensus.Config{ //nolint:contextcheck // it outlives the start
		Dir: filepath.Join(config.DataDir, "consensus"), Name: config.Name, Listen: config.Cluster, Logger: config.Logger,
	}); err != nil {
		return nil, err
	}
	var ports net.ListenConfig
	// The ports are taken before the work begins, and answer after it.
	if n.grpc, err = ports.Listen(ctx, "tcp", config.GRPC); err != nil {
		return nil, fmt.Errorf("node: gRPC port: %w", err)
	}
	if n.http, err = ports.Listen(ctx, "tcp", config.HTTP); err != nil {
		return nil, fmt.Errorf("node: HTTP port: %w", err)
	}
	if err = n.build(); err != nil { //nolint:contextcheck // the parts outlive the start
		return nil, err
	}
	n.serve("gRPC", func() error { return n.gateway.Serve(n.grpc) })
	n.serve("HTTP", func() error { return n.web.Serve(n.http) })
	return n, nil
}

// build makes the parts, from the bottom up.
func (n *Node) build() (err error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	kept := logs.New(logs.Config{})
	dir := func(name string) string { return filepath.Join(n.config.DataDir, name) }

	if n.executor, err = executor.New(executor.Config{
		Dir: dir("code"), Log: kept.Append, Registerer: registry,
	}); err != nil {
		return err
	}
	store, err := artifacts.Open(dir("artifacts"))
	if err != nil {
		return err
	}
	here := &artifacts.Locator{Node: n.consensus.ID(), Engine: n.executor.Fingerprint(), View: n.consensus.Catalog().View}
	fetcher := artifacts.NewFetcher(artifacts.Config{Node: n.consensus.ID(), Store: store, Cluster: here, Logger: n.config.Logger})
	n.table = placement.New(placement.Config{
		Node: n.consensus.ID(), Catalog: n.consensus.Catalog(), Artifacts: fetcher, Executor: n.executor, Logger: n.config.Logger,
		Gone: func(namespace, function string) {
			kept.Drop(namespace, function)
			n.gateway.Forget(namespace, function)
		},
	})
	calls := router.New(router.Config{
		Name: n.config.Name, Catalog: n.consensus.Catalog(), Placements: n.table, Executor: n.executor,
		Logger: n.config.Logger, Registerer: registry,
	})
	if n.gateway, err = gateway.New(gateway.Config{
		Caller:     calls,
		Router:     calls,
		Catalog:    n.consensus.Catalog(),
		Placed:     n.table.Changed,
		Node:       n.config.Name,
		HideTraps:  n.config.HideTraps,
		Logger:     n.config.Logger,
		Registerer: registry,
	}); err != nil {
		return err
	}
	n.table.Start()
	n.control = control.New(control.Config{
		Node: n.config.Name, Version: n.config.Version,
		Consensus: n.consensus, Artifacts: store, Executor: n.executor, Placements: localOnly{n.table}, Logs: kept,
		Logger: n.config.Logger,
	})
	n.control.Register(n.gateway)
	n.keeper = artifacts.NewKeeper(artifacts.KeeperConfig{
		Node: n.consensus.ID(), Store: store, View: n.consensus.Catalog().View, Linearize: n.consensus.Linearize,
		Fetcher: fetcher, SweepCode: n.executor.Sweep, Logger: n.config.Logger,
	})
	n.web = web.New(web.Config{Healthy: n.healthy, Gatherer: registry, Logger: n.config.Logger})
	return nil
}

// localOnly are the placements of this node alone.
type localOnly struct{ *placement.Table }

// WaitReady returns once a revision is ready here.
func (l localOnly) WaitReady(ctx context.Context, k executor.Key) error { return l.Ensure(ctx, k) }

func (n *Node) serve(port string, serve func() error) {
	n.serving.Go(func() {
		if err := serve(); err != nil {
			n.failed <- fmt.Errorf("node: %s port: %w", port, err)
		}
	})
}

func (n *Node) healthy() error {
	if n.gateway.Draining() {
		return errors.New("the node is shutting down")
	}
	return nil
}

// GRPCAddr is the address of the gRPC port.
func (n *Node) GRPCAddr() string { return n.grpc.Addr().String() }

// HTTPAddr is the address of the HTTP port.
func (n *Node) HTTPAddr() string { return n.http.Addr().String() }

// ClusterAddr is the address of the port between nodes.
func (n *Node) ClusterAddr() string { return n.consensus.Addr().String() }

// Failed receives an error when the node can not go on. It is to be stopped then.
func (n *Node) Failed() <-chan error { return n.failed }

// Stop drains the node and stops it: it takes no new calls, lets those that run end until ctx is done, and then cuts
// off the rest. The error joins what went wrong on the way; the node is stopped in any case.
func (n *Node) Stop(ctx context.Context) error {
	var errs []error
	if n.gateway != nil {
		errs = append(errs, n.gateway.Drain(ctx))
	}
	if n.web != nil {
		errs = append(errs, n.web.Drain(ctx))
	}
	for _, l := range []net.Listener{n.grpc, n.http} {
		if l != nil {
			_ = l.Close() // closed already, unless the node never served
		}
	}
	n.serving.Wait()
	if n.keeper != nil {
		n.keeper.Close()
	}
	if n.table != nil {
		n.table.Close()
	}
	if n.executor != nil {
		errs = append(errs, n.executor.Close(ctx))
	}
	if n.consensus != nil {
		errs = append(errs, n.consensus.Close(ctx))
	}
	return errors.Join(errs...)
}
