package node

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
)

func TestMain(m *testing.M) {
	executor.RunCompileChild()
	os.Exit(m.Run())
}

func local(t *testing.T) Config {
	t.Helper()
	return Config{
		DataDir: filepath.Join(t.TempDir(), "data"), Name: "test",
		GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cluster: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler),
	}
}

func stop(t *testing.T, n *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestOtherMachinesAreKeptOut(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"gRPC on all":         func(c *Config) { c.GRPC = "0.0.0.0:0" },
		"gRPC without a host": func(c *Config) { c.GRPC = ":0" },
		"HTTP on IPv6":        func(c *Config) { c.HTTP = "[::]:0" },
		"cluster":             func(c *Config) { c.Cluster = "0.0.0.0:0" },
	} {
		t.Run(name, func(t *testing.T) {
			c := local(t)
			change(&c)
			_, err := Start(t.Context(), c)
			if insecure, ok := errors.AsType[*InsecureError](err); !ok || !strings.Contains(insecure.Error(), "--insecure") {
				t.Fatalf("error %v", err)
			}
			if _, err := os.Stat(c.DataDir); !errors.Is(err, os.ErrNotExist) {
				t.Error("the data directory was touched")
			}
			c.Insecure = true
			n, err := Start(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			stop(t, n)
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, addr := range []string{"localhost:0", "127.0.0.2:0", "[::1]:0"} {
		resolved, err := resolve(t.Context(), addr)
		if err != nil || !resolved.IP.IsLoopback() {
			t.Errorf("%s: %v, %v", addr, resolved, err)
		}
	}
	for _, addr := range []string{"", "7070", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:nothing", "no.such.host.invalid:0"} {
		if resolved, err := resolve(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "listen on") {
			t.Errorf("%q: %v, %v", addr, resolved, err)
		}
	}
}

// TestPeerAddresses: what no node can be reached at is refused before anything is made, not tried for ever.
func TestPeerAddresses(t *testing.T) {
	for _, join := range []string{"host", "7072", ":7072", "host:", "host:70720", "host:0", "http://host:7072"} {
		c := local(t)
		c.Join = join
		if _, err := c.check(t.Context()); err == nil || !strings.Contains(err.Error(), "join") {
			t.Errorf("join %q: %v", join, err)
		}
	}
	for _, advertise := range []string{"a b", ":7072", "host:70720", "http://host", "[::1]", "host/x"} {
		c := local(t)
		c.Advertise = advertise
		if _, err := c.check(t.Context()); err == nil || !strings.Contains(err.Error(), "advertise") {
			t.Errorf("advertise %q: %v", advertise, err)
		}
	}
	for _, advertise := range []string{"", "host", "host.example:7072", "10.0.0.2", "::1", "fe80::1%eth0", "[::1]:7072"} {
		c := local(t)
		c.Join, c.Advertise = "[::1]:7072", advertise
		if _, err := c.check(t.Context()); err != nil {
			t.Errorf("advertise %q: %v", advertise, err)
		}
	}
}

// TestFailedStartLeavesNothingOpen: what a start has taken before it failed is free again.
func TestFailedStartLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := local(t)
	c.HTTP = taken.Addr().String()
	if _, err := Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "HTTP port") {
		t.Fatalf("error %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, n)
}

func TestOneNodePerDirectory(t *testing.T) {
	c := local(t)
	n, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), c); !errors.Is(err, consensus.ErrInUse) {
		t.Errorf("error %v", err)
	}
	response, err := http.Get("http://" + n.HTTPAddr() + "/healthz")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the first one: %v, %v", response, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	stop(t, n)
}

func TestDataDirectory(t *testing.T) {
	c := local(t)
	n, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, n)
	entries, err := os.ReadDir(c.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if want := []string{"artifacts", "code", "consensus", "directory", "keyvalue"}; !slices.Equal(names, want) {
		t.Errorf("it has %v; doc.go says %v", names, want)
	}
}

// awaited is a log. Seen is closed once it has a line with some text.
type awaited struct {
	text string
	seen chan struct{}
	once sync.Once
}

func (a *awaited) Write(line []byte) (int, error) {
	if strings.Contains(string(line), a.text) {
		a.once.Do(func() { close(a.seen) })
	}
	return len(line), nil
}

// TestNoKeyValueFile starts a node whose key-value file can't be opened, and expects the log to say so, with its name.
func TestNoKeyValueFile(t *testing.T) {
	c := local(t)
	path := filepath.Join(c.DataDir, "keyvalue", "pairs.db")
	log := &awaited{text: `"functions get errors from key-value storage" error="key-value storage (embedded) does not answer: ` + path + " must be a file", seen: make(chan struct{})}
	c.Logger = slog.New(slog.NewTextHandler(log, nil))
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	n, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	<-log.seen
}

func TestEmptyConfig(t *testing.T) {
	if _, err := Start(t.Context(), Config{}); err == nil {
		t.Error("a node without a data directory starts")
	}
}
