package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-run/weft/internal/slack"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/services/secrets"
)

// drainTime is how long a server that is told to stop waits for the calls that run.
const drainTime = 30 * time.Second

func (a *app) serverCommand() *cobra.Command {
	var (
		config        node.Config
		roles, labels string
		cpuProfile    string
		storage       string
		quota         = size(keyvalue.DefaultQuota)
		loaded        size
		idle          = duration{value: node.DefaultIdleUnload, zero: true}
		allowed, keys string
	)
	c := &cobra.Command{
		Use:   "server",
		Short: "Run a node",
		Long: `Run a node. It keeps everything in its data directory, and comes back with it after a restart.

An empty data directory starts a cluster of its own, or joins one with --join and --token. A node that is a member needs
neither after that, and may come back on other ports; if all nodes do so at once, --join says where one of the others is.

The keys for secrets are 32 random bytes in base64 each, as "openssl rand -base64 32" makes them, and the same on all nodes. A node
without them runs functions all the same, but they get an error when they ask for a secret. The file must not be readable by
others.

Once its ports are open it prints one line on stdout, "ready grpc=ADDR http=ADDR cluster=ADDR", and nothing else;
its log goes to stderr. Port 0 picks a free port. SIGTERM, SIGINT and SIGHUP let running calls end, for 30 seconds at most,
and stop it; a second SIGTERM or SIGINT stops it at once. It reads its flags and files at its start only: to change them, start it again.`,
		Example: `  weft server
  weft server --data-dir /var/lib/weft --listen 127.0.0.1:0 --http 127.0.0.1:0 --cluster 127.0.0.1:0
  weft server --secrets-key /etc/weft/secrets.key
  weft server --name n2 --data-dir n2 --listen :8070 --http :8071 --cluster :8072 --insecure --advertise 10.0.0.2 \
      --labels zone=b --join 10.0.0.1:7072 --token "$(weft token)"`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if config.Roles, err = node.ParseRoles(roles); err != nil {
				return usagef(c, "--roles: %w", err)
			}
			if config.Labels, err = node.ParseLabels(labels); err != nil {
				return usagef(c, "--labels: %w", err)
			}
			if config.AllowHosts, err = outgoing.ParseAllow(allowed); err != nil {
				return usagef(c, "--allow-host: %w", err)
			}
			if config.SecretKeys, err = secretKeyring(keys); err != nil {
				return err
			}
			if config.KeyValue, err = keyValueAddress(storage); err != nil {
				return usagef(c, "--keyvalue: %w", err)
			}
			config.KeyValueQuota = int64(min(quota, math.MaxInt64))
			config.LoadedMemory = int64(min(loaded, math.MaxInt64))
			if config.IdleUnload = idle.value; idle.value == 0 {
				config.IdleUnload = -1
			}
			if config.Token != "" && config.Join == "" {
				return usagef(c, "--token is for joining: say which cluster with --join CLUSTER-ADDR")
			}
			err = profiling(cpuProfile, func() error { return a.serve(c.Context(), config) })
			if _, ok := errors.AsType[*node.InsecureError](err); ok {
				return usagef(c, "%w", err)
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&config.DataDir, "data-dir", "./weft-data", "data `DIR`, created if it is not there")
	f.StringVar(&config.Name, "name", "", "`NAME` of the node (default the host's name)")
	f.StringVar(&config.GRPC, "listen", node.DefaultGRPC, "`ADDR` of the gRPC port: functions, weft's API, reflection, health")
	f.StringVar(&config.HTTP, "http", node.DefaultHTTP, "`ADDR` of the HTTP port: /healthz and /metrics")
	f.StringVar(&config.Cluster, "cluster", node.DefaultCluster, "`ADDR` of the port between nodes")
	f.StringVar(&config.Advertise, "advertise", "", "`HOST` where other machines reach this one, or HOST:PORT of the cluster port (default the addresses that it listens on)")
	f.StringVar(&config.Join, "join", "", "`CLUSTER-ADDR` of any node of a cluster to join, HOST:PORT")
	f.StringVar(&config.Token, "token", "", "join `TOKEN`, as weft token prints it")
	f.StringVar(&roles, "roles", "scheduler,executor", "`ROLES` of the node")
	f.StringVar(&labels, "labels", "", "labels of the node, `K=V,…`: what deploys require or spread over")
	f.StringVar(&allowed, "allow-host", "", "hosts outside that functions may call, `[http://]HOST[:PORT],…`: gRPC and HTTPS, or plain HTTP with http:// (default none)")
	f.StringVar(&keys, "secrets-key", "", "`FILE` of keys for secrets, a line of base64 each: the first encrypts, all decrypt (default what WEFT_SECRETS_KEY holds)")
	f.StringVar(&storage, "keyvalue", "", "where functions keep key-value pairs: embedded, in a file of this node, or a server's `URL`, redis://… or nats://… (default $"+keyValueVariable+", or embedded)")
	f.Var(&quota, "keyvalue-quota", "how much a function may keep there")
	f.Var(&idle, "idle-unload", "how long a function stays in memory without calls; the next call loads it again, in half a millisecond where it is small; 0: for ever")
	f.Var(&loaded, "loaded-memory", "how much memory loaded functions may take, by estimate; beyond it those called longest ago leave (default 1GiB, or a quarter of what the machine or the container has)")
	f.BoolVar(&config.FreshInstances, "fresh-instances", false, "make a new instance for each call, where one could be put back after a call to what it was like when it was new")
	f.BoolVar(&config.Insecure, "insecure", false, "allow addresses that other machines reach; there is no access control yet")
	f.StringVar(&cpuProfile, "cpu-profile", "", "`FILE` to write what the node uses its processor time for, until it stops, for go tool pprof")
	f.BoolVar(&config.HideTraps, "hide-traps", false, "tell callers only that a function trapped; its log says why")
	return c
}

// keysVariable holds keys for secrets where no file is named.
const keysVariable = "WEFT_SECRETS_KEY"

// secretKeyring reads the keys for secrets, from a file or else the environment; nil if neither has any. What the environment
// has is taken out of it, so that no child process inherits it.
func secretKeyring(path string) (*secrets.Keyring, error) {
	text, ok := os.LookupEnv(keysVariable)
	if err := os.Unsetenv(keysVariable); err != nil {
		return nil, err
	}
	switch {
	case path != "":
		return secrets.LoadKeys(path)
	case !ok || text == "":
		return nil, nil //nolint:nilnil // no keys
	}
	ring, err := secrets.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("keys for secrets: %s: %w", keysVariable, err)
	}
	return ring, nil
}

// profiling runs the node, and writes a profile of its processor time to a file if one is named.
func profiling(path string, run func() error) error {
	if path == "" {
		return run()
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--cpu-profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(fmt.Errorf("--cpu-profile: %w", err), f.Close())
	}
	err = run()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

func (a *app) serve(ctx context.Context, config node.Config) error {
	defer tuneCollector()()
	defer outliveReaders()()
	config.Logger = slog.New(slog.NewTextHandler(a.err, nil))
	config.Version = version()
	n, err := node.Start(ctx, config)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.out, "ready grpc=%s http=%s cluster=%s\n", n.GRPCAddr(), n.HTTPAddr(), n.ClusterAddr()); err != nil {
		config.Logger.Warn("nobody reads the ready line", "error", err)
	}
	stop := keepSlack(ctx)
	defer stop()
	var failed error
	select {
	case <-ctx.Done():
		config.Logger.Info("draining", "limit", drainTime)
	case failed = <-n.Failed():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err = n.Stop(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		config.Logger.Warn("some calls were cut off", "error", err)
		err = nil
	}
	return errors.Join(failed, err)
}

// outliveReaders makes a write to stdout or stderr an error like others where nobody reads them any more, until restore is called. Go ends
// the process otherwise, and a node would die with whatever reads its log.
func outliveReaders() (restore func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}

// tuneCollector makes Go's collector run less often than by default until restore is called, unless the environment says otherwise: calls
// make much short-lived garbage and keep little, so it is the cheaper trade. The soft limit brings it back where a node
// does keep much.
func tuneCollector() (restore func()) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1 << 30)
	}
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	return slack.Pace{Percent: 400, Least: 64 << 20}.Set()
}

// keepSlack gives back what the collector, tuned like that, leaves of a burst of work, until stop is called.
func keepSlack(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { slack.New(nil).Run(ctx) })
	return func() {
		cancel()
		keeping.Wait()
	}
}

// keyValueVariable holds what --keyvalue takes: other users of the machine see a command line, with its password. It is taken
// out of the environment, which child processes have too.
const keyValueVariable = "WEFT_KEYVALUE"

// keyValueAddress reads where functions keep pairs: what the flag says, or else the environment.
func keyValueAddress(flag string) (keyvalue.Address, error) {
	text := cmp.Or(flag, os.Getenv(keyValueVariable), "embedded")
	if err := os.Unsetenv(keyValueVariable); err != nil {
		return keyvalue.Address{}, err
	}
	return keyvalue.ParseAddress(text)
}
