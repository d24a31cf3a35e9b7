package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
)

// Config configures a node.
type Config struct {
	// DataDir is the data directory, created if it does not exist. It must not be empty.
	DataDir string
	// Name is the node's name: [a-z][a-z0-9-]{0,62} or a host name. Empty: the host's name.
	Name string
	// GRPC, HTTP and Cluster are the addresses to listen on. Port 0 picks a free one.
	GRPC, HTTP, Cluster string
	// Insecure allows addresses that are not loopback. Whoever reaches them may do anything: there is no access control.
	Insecure bool
	// HideTraps keeps what is known of a trap out of callers' errors; the function's log has it.
	HideTraps bool
	// Version is that of the weft binary.
	Version string
	// Logger is told of what happens. Nil: slog.Default.
	Logger *slog.Logger
}

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
