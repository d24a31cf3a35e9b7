package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/outgoing"
	"github.com/weft-run/weft/services/secrets"
)

// Config configures a node.
type Config struct {
	// DataDir is the data directory, created if it does not exist. It must not be empty.
	DataDir string
	// Name is the node's name: [a-z][a-z0-9-]{0,62} or a host name. Empty: the host's name.
	Name string
	// GRPC, HTTP and Cluster are the addresses to listen on. Port 0 picks a free one.
	GRPC, HTTP, Cluster string
	// Advertise is where other machines reach this one: a host, or host and port of the cluster port. Empty: the addresses
	// that it listens on.
	Advertise string
	// Join is the cluster address of any node of the cluster to join, HOST:PORT; Token lets this node in. A node that is a
	// member already needs neither; Join is then one more place to tell where it is now.
	Join, Token string
	// Roles are what the node does. The zero value: everything.
	Roles Roles
	// Labels are what people say of the node, such as its zone.
	Labels map[string]string
	// Insecure allows addresses that are not loopback. Whoever reaches them may do anything: there is no access control.
	Insecure bool
	// AllowHosts are the hosts outside that functions may call: gRPC services, and by weft:http/client.
	AllowHosts outgoing.Allow
	// SecretKeys encrypt and decrypt secrets; nil: the node can neither set nor read them.
	SecretKeys *secrets.Keyring
	// KeyValue is where functions keep key-value pairs. The zero value: in a file of this node.
	KeyValue keyvalue.Address
	// KeyValueQuota is how many bytes a function may keep there. 0: keyvalue.DefaultQuota.
	KeyValueQuota int64
	// IdleUnload is how long a function stays in memory without calls; the next one loads it again. 0: DefaultIdleUnload;
	// negative: for ever. LoadedMemory is how many bytes functions may take there, by estimate, before those that were called
	// longest ago leave it all the same. 0: executor.DefaultLoadedMemory, or a quarter of what the machine or the container has if that is less.
	IdleUnload   time.Duration
	LoadedMemory int64
	// FreshInstances has each call get a new instance, in place of one that was restored after another call.
	FreshInstances bool
	// HideTraps keeps what is known of a trap out of callers' errors; the function's log has it.
	HideTraps bool
	// Version is that of the weft binary.
	Version string
	// Logger is told of what happens. Nil: slog.Default.
	Logger *slog.Logger
}

// Roles are what a node does.
type Roles struct {
	// Scheduler: it takes part in raft, holds the catalog, and decides placements.
	Scheduler bool
	// Executor: it runs components.
	Executor bool
}

// ParseRoles reads "scheduler", "executor", or both with a comma between.
func ParseRoles(text string) (Roles, error) {
	var r Roles
	for name := range strings.SplitSeq(text, ",") {
		switch name {
		case "scheduler":
			r.Scheduler = true
		case "executor":
			r.Executor = true
		default:
			return Roles{}, fmt.Errorf("%q is no role: a node is a scheduler, an executor, or scheduler,executor", name)
		}
	}
	return r, nil
}

// String is what ParseRoles reads.
func (r Roles) String() string { return strings.Join(r.Names(), ",") }

// Names lists the roles.
func (r Roles) Names() (names []string) {
	if r.Scheduler {
		names = append(names, "scheduler")
	}
	if r.Executor {
		names = append(names, "executor")
	}
	return names
}

// ParseLabels reads labels: "zone=a,disk=ssd". Empty text has none.
func ParseLabels(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no labels
	}
	labels := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch _, twice := labels[name]; {
		case !ok:
			return nil, fmt.Errorf("%q is no label: write labels as zone=a,disk=ssd", part)
		case !catalog.ValidLabel(name, ""):
			return nil, fmt.Errorf("%q is no name of a label: up to 63 lower-case letters, digits and . _ / -", name)
		case !catalog.ValidLabel(name, value):
			return nil, fmt.Errorf("label %s: %q is no value: up to 63 printable ASCII characters", name, value)
		case twice:
			return nil, fmt.Errorf("label %s is set twice", name)
		}
		labels[name] = value
	}
	return labels, nil
}

// DefaultIdleUnload is the default of Config.IdleUnload.
const DefaultIdleUnload = 5 * time.Minute

// The addresses that a node listens on by default.
const (
	DefaultGRPC    = "127.0.0.1:7070"
	DefaultHTTP    = "127.0.0.1:7071"
	DefaultCluster = "127.0.0.1:7072"
)

// InsecureError says that a listener would be reachable from other machines.
type InsecureError struct{ Addr string }

func (e *InsecureError) Error() string {
	return fmt.Sprintf("listening on %s would let other machines in, and there is no access control yet: "+
		"use a loopback address such as 127.0.0.1, or accept it with --insecure", e.Addr)
}

// defaultLoadedMemory is what functions may take of a machine's memory, 0 if that is not known.
func defaultLoadedMemory(machine uint64) int64 {
	if machine == 0 {
		return executor.DefaultLoadedMemory
	}
	return int64(min(executor.DefaultLoadedMemory, machine/4))
}

// check fills in defaults and refuses what can not work, before anything is touched.
func (c Config) check(ctx context.Context) (Config, error) {
	if c.DataDir == "" {
		return c, errors.New("node: no data directory")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return c, fmt.Errorf("node: the host has no name; set one: %w", err)
		}
		c.Name = host
	}
	if !catalog.ValidNodeName(c.Name) {
		return c, fmt.Errorf("node: name %q: a name has up to 63 letters, digits, dots, hyphens and underscores, and begins with a letter or digit; set one with --name", c.Name)
	}
	if c.IdleUnload == 0 {
		c.IdleUnload = DefaultIdleUnload
	}
	if c.LoadedMemory == 0 {
		c.LoadedMemory = defaultLoadedMemory(executor.TotalMemory())
	}
	if c.KeyValueQuota == 0 {
		c.KeyValueQuota = keyvalue.DefaultQuota
	}
	if c.Roles == (Roles{}) {
		c.Roles = Roles{Scheduler: true, Executor: true}
	}
	if c.Token != "" && c.Join == "" {
		return c, errors.New("node: a token is for joining: say which cluster with --join")
	}
	if err := c.checkPeers(); err != nil {
		return c, err
	}
	for _, addr := range []*string{&c.GRPC, &c.HTTP, &c.Cluster} {
		resolved, err := resolve(ctx, *addr)
		if err != nil {
			return c, err
		}
		if !resolved.IP.IsLoopback() && !c.Insecure {
			return c, &InsecureError{Addr: *addr}
		}
		*addr = resolved.String()
	}
	return c, nil
}

// checkPeers refuses addresses that no node can ever be reached at, before they are tried again and again or told to others.
func (c Config) checkPeers() error {
	if c.Join != "" {
		if host, port, err := net.SplitHostPort(c.Join); err != nil || host == "" || !validPort(port) {
			return fmt.Errorf("node: join %q: write HOST:PORT of a cluster port, as the line `ready … cluster=ADDR` of a node says", c.Join)
		}
	}
	if c.Advertise == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Advertise)
	if err != nil {
		host, port = c.Advertise, "1" // no port is as good as one
	}
	if host == "" || !validPort(port) || net.ParseIP(host) == nil && strings.ContainsFunc(host, notInNames) {
		return fmt.Errorf("node: advertise %q: write a host that other machines know, or HOST:PORT of the cluster port", c.Advertise)
	}
	return nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// notInNames reports whether a character can't be in a host's name. An IPv6 address with a zone has a "%".
func notInNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:%", r)
}

// resolve turns an address to listen on into one with an IP address. An empty host is every address.
func resolve(ctx context.Context, addr string) (*net.TCPAddr, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("node: listen on %q: write an address as 127.0.0.1:7070", addr)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, fmt.Errorf("node: listen on %q: %w", addr, err)
	}
	if host == "" {
		return &net.TCPAddr{IP: net.IPv6unspecified, Port: port}, nil
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("node: listen on %q: %w", addr, err)
	}
	best := ips[0]
	for _, ip := range ips {
		if ip.IP.To4() != nil {
			best = ip // the one that clients try first everywhere
			break
		}
	}
	return &net.TCPAddr{IP: best.IP, Port: port, Zone: best.Zone}, nil
}
