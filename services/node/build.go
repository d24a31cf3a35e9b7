package node

import (
	"context"
	"net"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/artifacts"
	"github.com/weft-run/weft/services/backup"
	"github.com/weft-run/weft/services/control"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/gateway"
	"github.com/weft-run/weft/services/httpclient"
	"github.com/weft-run/weft/services/link"
	"github.com/weft-run/weft/services/logs"
	"github.com/weft-run/weft/services/membership"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/placement"
	"github.com/weft-run/weft/services/replication"
	"github.com/weft-run/weft/services/router"
	"github.com/weft-run/weft/services/scheduler"
	"github.com/weft-run/weft/services/secrets"
	"github.com/weft-run/weft/services/web"
)

// parts are what the parts of a node share while it is built.
type parts struct {
	registry *prometheus.Registry
	logs     *logs.Store
	store    *artifacts.Store
	moves    artifacts.Config // how artifacts come from and go to other nodes
	fetcher  *artifacts.Fetcher
}

// build makes the parts, from the bottom up, and starts them.
func (n *Node) build() error {
	p := &parts{registry: prometheus.NewRegistry(), logs: logs.New(logs.Config{})}
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n.secrets = secrets.NewStore(n.config.SecretKeys, n.consensus.Catalog().View)
	p.registry.MustRegister(n.secrets)
	n.peers = peer.New(peer.Config{Port: n.consensus, Logger: n.config.Logger})
	n.consensus.SetPeers(replication.New(n.peers))
	for _, build := range []func(*parts) error{n.buildExecution, n.buildDirectory, n.buildCalls, n.buildControl} {
		if err := build(p); err != nil {
			return err
		}
	}
	replication.NewServer(n.consensus).Register(n.peers)
	n.peers.Start()
	n.members.Start()
	n.directory.Start()
	n.link.Start()
	n.table.Start()
	return n.startScheduler(p)
}

// dir is a directory below the data directory.
func (n *Node) dir(name string) string { return filepath.Join(n.config.DataDir, name) }

// buildExecution makes what runs components, and what brings them here.
func (n *Node) buildExecution(p *parts) (err error) {
	if err := n.buildKeyValue(p.registry); err != nil {
		return err
	}
	n.outgoing = outgoing.New(outgoing.Config{
		Catalog: n.consensus.Catalog(), Router: way{n}, Components: way{n}, Allow: n.config.AllowHosts, Logger: n.config.Logger,
		Registerer: p.registry,
	})
	n.requests = httpclient.New(httpclient.Config{Allow: n.config.AllowHosts, Registerer: p.registry})
	n.executor, err = executor.New(executor.Config{
		Dir: n.dir("code"), Log: p.logs.Append, Outgoing: n.outgoing, Host: n.hostInterfaces(), Registerer: p.registry,
		Idle: max(n.config.IdleUnload, 0), LoadedMemory: n.config.LoadedMemory, FreshInstances: n.config.FreshInstances,
		Describe:   func(ctx context.Context, k executor.Key) (executor.Revision, error) { return n.table.Describe(ctx, k) },
		Dormant:    n.dormant,
		Failed:     func(k executor.Key, err error) { n.table.Failed(k, err) },
		Transcoded: func(k executor.Key, err error) { n.table.Transcoded(k, err) },
		Unusable: func(path string, why error) {
			n.config.Logger.Warn("compiled code can not be used, and the component is compiled again", "file", path, "error", why)
		},
	})
	if err != nil {
		return err
	}
	if p.store, err = artifacts.Open(n.dir(artifactsDir)); err != nil {
		return err
	}
	known := func(id string) *directory.Node { return n.directory.View().Node(id) }
	p.moves = artifacts.Config{
		Node: n.consensus.ID(), Store: p.store, Peers: n.peers, Logger: n.config.Logger,
		Cluster: &artifacts.Locator{
			Node: n.consensus.ID(), Engine: n.executor.Fingerprint(), View: n.consensus.Catalog().View,
			Alive: func(id string) bool { k := known(id); return k == nil || k.Alive },
			EngineOf: func(id string) string {
				if k := known(id); k != nil {
					return k.Engine
				}
				return ""
			},
		},
	}
	p.fetcher = artifacts.NewFetcher(p.moves)
	n.table = placement.New(placement.Config{
		Node: n.consensus.ID(), Catalog: n.consensus.Catalog(), Artifacts: p.fetcher, Code: artifacts.NewCodeFetcher(p.moves, n.executor),
		Executor: n.executor, Logger: n.config.Logger,
		Gone: func(namespace, function string) {
			p.logs.Drop(namespace, function)
			n.gateway.Forget(namespace, function)
		},
	})
	artifacts.NewServer(p.store, n.executor).Register(n.peers)
	return nil
}

// dormant drops what is kept of a revision that left memory.
func (n *Node) dormant(k executor.Key, last bool) {
	n.table.Dormant(k)
	if last {
		n.gateway.Forget(k.Namespace, k.Function)
	}
}

// buildDirectory makes what knows of the other nodes.
func (n *Node) buildDirectory(*parts) (err error) {
	n.directory, err = directory.New(directory.Config{
		ID: n.consensus.ID(), Leadership: leadership{n.consensus}, Peers: n.peers, Placements: n.table,
		Self: n.report, Members: n.memberIDs, Roles: n.consensus.Roles, HashAt: n.consensus.HashAt, Learn: n.consensus.Learn,
		Gone: func(id string) {
			n.peers.Drop(id)
			n.link.Drop(id)
			n.router.Forget(id)
		},
		Path: n.dir("directory"), Logger: n.config.Logger,
	})
	if err != nil {
		return err
	}
	n.directory.Register(n.peers)
	n.consensus.SetLevels(n.directory.Level)
	n.members = membership.New(membership.Config{
		Node: n.consensus, Peers: n.peers, Known: n.known,
		Join: n.config.Join, Logger: n.config.Logger,
	})
	n.members.Register(n.peers)
	return nil
}

// buildCalls makes the way of calls, from clients and from other nodes.
func (n *Node) buildCalls(p *parts) (err error) {
	n.link = link.New(link.Config{
		Port: n.consensus, Logger: n.config.Logger, Registerer: p.registry,
		Handler: func(ctx context.Context, from string, r link.Request) (link.Response, error) {
			return n.router.Serve(ctx, from, r)
		},
	})
	n.router = router.New(router.Config{
		ID: n.consensus.ID(), Name: n.config.Name, Labels: n.config.Labels,
		Catalog: n.consensus.Catalog(), Placements: n.table, Executor: n.outgoing.Traced(n.executor), Directory: n.directory, Link: n.link,
		Linearize: n.consensus.Linearize, Logger: n.config.Logger, Registerer: p.registry,
	})
	n.gateway, err = gateway.New(gateway.Config{
		Caller: n.router, Router: n.router, Catalog: n.consensus.Catalog(), Placed: n.table.Changed, Elsewhere: n.directory.Changed,
		Node: n.config.Name, HideTraps: n.config.HideTraps, Logger: n.config.Logger, Registerer: p.registry,
	})
	return err
}

// buildControl makes the API and the HTTP port.
func (n *Node) buildControl(p *parts) error {
	n.control = control.New(control.Config{
		Node: n.config.Name, Version: n.config.Version, Roles: n.config.Roles.Names(),
		Consensus: n.consensus, Artifacts: p.store, Executor: n.executor, Components: n.table, Logs: p.logs,
		Replicas:   artifacts.NewReplicator(p.moves),
		Placements: seen{n.consensus.ID(), n.table, n.directory},
		Peers:      others{n.consensus.ID(), n.directory, n.peers},
		Members:    n.members,
		Outside:    n.outgoing,
		Keys:       n.config.SecretKeys,
		Backups:    backup.NewServer(backup.Config{Consensus: n.consensus, Fetcher: p.fetcher, Keeper: p.store, Version: n.config.Version}),
		Logger:     n.config.Logger,
	})
	n.control.Register(n.gateway)
	n.control.RegisterPeer(n.peers)
	n.keeper = artifacts.NewKeeper(artifacts.KeeperConfig{
		Node: n.consensus.ID(), Store: p.store, View: n.consensus.Catalog().View, Linearize: n.consensus.Linearize,
		Fetcher: p.fetcher, SweepCode: n.executor.Sweep, Logger: n.config.Logger,
	})
	n.web = web.New(web.Config{Healthy: n.healthy, Gatherer: p.registry, Logger: n.config.Logger})
	return nil
}

// startScheduler places revisions whenever this node leads.
func (n *Node) startScheduler(p *parts) error {
	if !n.config.Roles.Scheduler {
		return nil
	}
	s, err := scheduler.New(scheduler.Config{
		Consensus: n.consensus, Directory: n.directory,
		Logger: n.config.Logger, Registerer: p.registry,
	})
	if err != nil {
		return err
	}
	n.serving.Go(func() { s.Run(n.life) })
	return nil
}

// memberIDs lists the nodes of the catalog; nil where it does not know yet.
func (n *Node) memberIDs() (ids []string) {
	for row := range n.consensus.Catalog().View().Nodes() {
		ids = append(ids, row.GetId())
	}
	return ids
}

// advertised is where clients of other machines reach a port of this node.
func (c Config) advertised(bound net.Addr) string {
	if c.Advertise == "" {
		return bound.String()
	}
	host, _, err := net.SplitHostPort(c.Advertise)
	if err != nil {
		host = c.Advertise
	}
	_, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return bound.String()
	}
	return net.JoinHostPort(host, port)
}
