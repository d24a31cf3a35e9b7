package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/artifacts"
	"github.com/weft-run/weft/services/control"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/gateway"
	"github.com/weft-run/weft/services/httpclient"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/guest"
	"github.com/weft-run/weft/services/link"
	"github.com/weft-run/weft/services/membership"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/placement"
	"github.com/weft-run/weft/services/router"
	"github.com/weft-run/weft/services/secrets"
	"github.com/weft-run/weft/services/web"
)

// Node is a node that runs.
type Node struct {
	config  Config
	started time.Time
	memory  uint64 // of the machine, in bytes

	executor  *executor.Executor
	outgoing  *outgoing.Caller
	requests  *httpclient.Client
	secrets   *secrets.Store
	pairs     *keyvalue.Store
	guests    *guest.Guests
	consensus *consensus.Node
	peers     *peer.Peers
	directory *directory.Directory
	members   *membership.Service
	link      *link.Link
	router    *router.Router
	table     *placement.Table
	control   *control.Server
	keeper    *artifacts.Keeper
	gateway   *gateway.Gateway
	web       *web.Server

	grpc, http net.Listener
	serving    sync.WaitGroup
	life       context.Context //nolint:containedctx // done when Stop has drained the node
	end        context.CancelFunc
	failed     chan error
}

// Start starts a node and returns once it is ready. It must be stopped.
func Start(ctx context.Context, config Config) (_ *Node, err error) {
	config, err = config.check(ctx)
	if err != nil {
		return nil, err
	}
	n := &Node{config: config, started: time.Now(), memory: executor.TotalMemory(), failed: make(chan error, 3)}
	n.life, n.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			_ = n.Stop(ctx) // the reason is err
		}
	}()
	member, err := config.member(ctx)
	if err != nil {
		return nil, err
	}
	member.Prepare = func() error { return n.takePorts(ctx) }
	// It takes the data directory for this process.
	if n.consensus, err = consensus.Open(member); err != nil { //nolint:contextcheck // it outlives the start
		return nil, err
	}
	n.consensus.SetGRPC(config.advertised(n.grpc.Addr()))
	if err = n.build(); err != nil {
		return nil, err
	}
	n.serve("gRPC", func() error { return n.gateway.Serve(n.grpc) })
	n.serve("HTTP", func() error { return n.web.Serve(n.http) })
	n.serving.Go(n.watchRemoval)
	return n, nil
}

// takePorts takes the ports before the work begins; they answer after it. A node that can't have them is to be no member of a cluster.
func (n *Node) takePorts(ctx context.Context) (err error) {
	var ports net.ListenConfig
	if n.grpc, err = ports.Listen(ctx, "tcp", n.config.GRPC); err != nil {
		return fmt.Errorf("node: gRPC port: %w", err)
	}
	if n.http, err = ports.Listen(ctx, "tcp", n.config.HTTP); err != nil {
		return fmt.Errorf("node: HTTP port: %w", err)
	}
	return nil
}

// member is how the node takes part in consensus.
func (c Config) member(ctx context.Context) (consensus.Config, error) {
	member := consensus.Config{
		Dir: filepath.Join(c.DataDir, consensusDir), Name: c.Name, Listen: c.Cluster, Advertise: c.Advertise,
		Follower: !c.Roles.Scheduler, Executor: c.Roles.Executor, Labels: c.Labels, Logger: c.Logger,
	}
	if c.Join == "" {
		return member, nil
	}
	if c.Token == "" {
		member.Join = func(context.Context, consensus.Application) (*consensus.Admission, error) {
			return nil, fmt.Errorf("the data directory %s is empty, and an empty one can join %s only with --token, which `weft token` on a node of the cluster prints", c.DataDir, c.Join)
		}
		return member, nil
	}
	token, err := membership.ParseToken(c.Token)
	if err != nil {
		return member, fmt.Errorf("node: --token: %w", err)
	}
	request := membership.Request{
		Address: c.Join, Token: token, Name: c.Name, Scheduler: c.Roles.Scheduler, Executor: c.Roles.Executor,
		Labels: c.Labels, Version: c.Version, Logger: c.Logger,
	}
	member.Authority = &token.Authority
	member.Join = func(_ context.Context, a consensus.Application) (*consensus.Admission, error) {
		return membership.Join(ctx, request, a)
	}
	return member, nil
}

func (n *Node) serve(port string, serve func() error) {
	n.serving.Go(func() {
		if err := serve(); err != nil {
			n.failed <- fmt.Errorf("node: %s port: %w", port, err)
		}
	})
}

// watchRemoval ends the node when the cluster has removed it.
func (n *Node) watchRemoval() {
	select {
	case <-n.consensus.Removed():
		n.failed <- errors.New("node: this node was removed from the cluster; to come back, it has to join with an empty data directory")
	case <-n.life.Done():
	}
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

// Stop drains the node and stops it: it tells the other nodes, takes no new calls, lets those that run end until ctx is
// done, and then cuts off the rest. The error joins what went wrong on the way; the node is stopped in any case.
func (n *Node) Stop(ctx context.Context) error {
	var errs []error
	if n.directory != nil {
		n.directory.Stopping()
	}
	if n.gateway != nil {
		errs = append(errs, n.gateway.Drain(ctx))
	}
	if n.link != nil {
		errs = append(errs, n.link.Close(ctx))
	}
	if n.web != nil {
		errs = append(errs, n.web.Drain(ctx))
	}
	for _, l := range []net.Listener{n.grpc, n.http} {
		if l != nil {
			_ = l.Close() // closed already, unless the node never served
		}
	}
	n.end()
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
	if n.outgoing != nil {
		n.outgoing.Close()
		n.requests.Close()
	}
	if n.guests != nil {
		n.guests.Close()
	}
	if n.pairs != nil {
		errs = append(errs, n.pairs.Close())
	}
	if n.members != nil {
		n.members.Close()
	}
	if n.directory != nil {
		n.directory.Close()
	}
	// Raft goes before the connections to peers, over which it hands the leadership to another node.
	if n.consensus != nil {
		errs = append(errs, n.consensus.Close(ctx))
	}
	if n.peers != nil {
		n.peers.Close()
	}
	return errors.Join(errs...)
}
