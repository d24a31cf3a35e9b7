package consensus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// greet dials a node's cluster port and returns what comes back within a moment.
func greet(t *testing.T, n *Node, config *tls.Config) ([]byte, error) {
	t.Helper()
	raw, err := net.Dial("tcp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, config)
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte{0, 1, 2, 3}); err != nil {
		return nil, err
	}
	return io.ReadAll(conn)
}

// shout writes to a node's cluster port without TLS, closes its half of the connection and returns what comes back.
func shout(t *testing.T, n *Node, text string) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.(*net.TCPConn).CloseWrite(), conn.SetDeadline(time.Now().Add(5*time.Second))); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q: the connection was left open", text)
	}
	return got
}

// anyone lets every node of the cluster be at the other end.
func anyone(string) error { return nil }

// TestStrangers dials the cluster port without a certificate, with that of another cluster, with one that has run out,
// with another protocol and with no TLS at all. Each gets nothing.
func TestStrangers(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir()})
	apply(t, n, deploy("a", "a"))
	own := n.port.keys
	foreign, err := openKeys(t.TempDir(), identity{Cluster: "other", ID: "other"}, 0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := foreign.client(raftProtocol, anyone)
	elsewhere.RootCAs = own.pool // takes the node for real, but has nothing to show
	expired := own.client(raftProtocol, anyone)
	old := &keys{dir: t.TempDir(), identity: own.identity, authority: own.authority, authorityKey: own.authorityKey, pool: own.pool,
		now: func() time.Time { return time.Now().Add(-2 * nodeLife) }}
	if err := old.renew(); err != nil {
		t.Fatal(err)
	}
	expired.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return old.node, nil }
	misnamed := own.client(raftProtocol, anyone)
	strange := &keys{dir: t.TempDir(), identity: identity{Cluster: "other", ID: own.identity.ID}, authority: own.authority,
		authorityKey: own.authorityKey, pool: own.pool, now: time.Now}
	if err := strange.renew(); err != nil {
		t.Fatal(err)
	}
	misnamed.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return strange.node, nil }
	protocol := own.client("http/1.1", anyone)
	bare := own.client(raftProtocol, anyone)
	bare.GetClientCertificate = nil
	silent := own.client(raftProtocol, anyone)
	silent.NextProtos = nil
	for name, config := range map[string]*tls.Config{
		"no certificate": bare, "named after another cluster": misnamed, "another cluster": elsewhere, "expired": expired, "another protocol": protocol,
		"no protocol": silent, "old TLS": {InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, NextProtos: []string{raftProtocol}},
	} {
		got, err := greet(t, n, config)
		if len(got) > 0 || err == nil && name != "no protocol" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection was left open", name)
		}
	}
	for name, garbage := range map[string]string{
		"HTTP":                  "GET / HTTP/1.1\r\n\r\n",
		"a record of 64 KiB":    "\x16\x03\x01\xff\xff",
		"a hello of 16 MiB":     "\x16\x03\x01\x00\x04\x01\xff\xff\xff",
		"an alert":              "\x15\x03\x01\x00\x02\x02\x28",
		"data before the hello": "\x17\x03\x03\x00\x01x",
	} {
		if got := shout(t, n, garbage); len(got) > 7 { // at most a TLS alert
			t.Errorf("%s: got %q", name, got)
		}
	}

	// A member is let in, and the node is none the worse for all of this.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	member, err := n.port.dial(ctx, raftProtocol, n.Addr().String())
	if err != nil {
		t.Fatalf("a member: %v", err)
	}
	_ = member.Close()
	apply(t, n, deploy("b", "b"))
}

// TestSilentStrangersEnd has connections that say nothing when the node closes.
func TestSilentStrangersEnd(t *testing.T) {
	n := open(t, Config{Dir: t.TempDir()})
	for range 2 * maxHandshakes {
		conn, err := net.Dial("tcp", n.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	apply(t, n, deploy("a", "a"))
	started := time.Now()
	shut(t, n)
	if took := time.Since(started); took > handshakeTimeout/2 {
		t.Errorf("closing took %v", took)
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	id := identity{Cluster: "c", ID: "n"}
	clock := time.Now()
	now := func() time.Time { return clock }
	k, err := openKeys(dir, id, 0, now)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if info, _ := e.Info(); err == nil && !e.IsDir() && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	first := k.certificate().Leaf
	if first.Subject.CommonName != "n" || first.URIs[0].String() != "weft://c/n" {
		t.Fatalf("certificate of %v, %v", first.Subject, first.URIs)
	}
	if again, err := openKeys(dir, id, 0, now); err != nil || !again.certificate().Leaf.Equal(first) || !again.authority.Equal(k.authority) {
		t.Fatalf("opened again: other keys, %v", err)
	}

	// A peer whose clock is a day behind, or far ahead within the life of the certificate, takes it.
	for _, skewed := range []time.Time{clock.Add(-24 * time.Hour), clock.Add(nodeLife / 2)} {
		_, err := first.Verify(x509.VerifyOptions{Roots: k.pool, CurrentTime: skewed, DNSName: peerName, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if err != nil {
			t.Errorf("a peer whose clock says %v: %v", skewed, err)
		}
	}

	// It renews itself while the node runs, and at a start.
	clock = clock.Add(nodeLife * 3 / 4)
	second := k.certificate().Leaf
	if second.Equal(first) || !second.NotAfter.After(first.NotAfter) {
		t.Fatal("a worn certificate was not renewed")
	}
	clock = clock.Add(2 * nodeLife)
	reopened, err := openKeys(dir, id, 0, now)
	if err != nil {
		t.Fatal(err)
	}
	third := reopened.certificate().Leaf
	if third.Equal(second) {
		t.Fatal("an expired certificate was not renewed")
	}

	// Without the authority's key it is used as it is.
	if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(nodeLife * 3 / 4)
	without, err := openKeys(dir, id, 0, now)
	if err != nil || !without.certificate().Leaf.Equal(third) {
		t.Fatalf("without the authority's key: %v", err)
	}

	// A cluster that was started does not get another authority.
	id.Started = true
	if err := os.Remove(filepath.Join(dir, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(dir, id, 0, now); err == nil {
		t.Fatal("a lost authority was replaced")
	}
}

func TestAdvertised(t *testing.T) {
	at := func(s string) net.Addr { return nodeAddr(s) }
	for _, tt := range []struct{ advertise, bound, want string }{
		{"", "127.0.0.1:7072", "127.0.0.1:7072"},
		{"", "0.0.0.0:7072", "127.0.0.1:7072"},
		{"", "[::]:7072", "[::1]:7072"},
		{"node-1.example", "0.0.0.0:7072", "node-1.example:7072"},
		{"node-1.example:9", "0.0.0.0:7072", "node-1.example:9"},
		{"fd00::1", "[::]:7072", "[fd00::1]:7072"},
	} {
		if got := advertised(tt.advertise, at(tt.bound)); got != tt.want {
			t.Errorf("advertised(%q, %s) = %s, want %s", tt.advertise, tt.bound, got, tt.want)
		}
	}
}

// TestOtherClusterIsLogged lets nodes of two clusters meet. The log of each end says what is the matter.
func TestOtherClusterIsLogged(t *testing.T) {
	var log lines
	n := open(t, Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	foreign, err := openKeys(t.TempDir(), identity{Cluster: "other", ID: "other"}, 0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := greet(t, n, foreign.client(raftProtocol, anyone)); err == nil { // it does not take the node's certificate
		t.Error("it got through")
	}
	eventually(t, "it is logged", func() bool { return log.has("does not take this node for one of theirs") })
	n.port.refusals.mu.Lock()
	n.port.refusals.next = time.Time{}
	n.port.refusals.mu.Unlock()
	trusting := foreign.client(raftProtocol, anyone)
	trusting.InsecureSkipVerify, trusting.VerifyConnection = true, nil
	if _, err := greet(t, n, trusting); err == nil { // the node does not take its certificate
		t.Error("it got through")
	}
	eventually(t, "it is logged", func() bool { return log.has("a node of another cluster was refused") })
}

func TestThrottle(t *testing.T) {
	var passed, skipped int
	limit := throttle{every: 10 * time.Second}
	for second := range 25 {
		if more, ok := limit.pass(time.Unix(int64(second), 0)); ok {
			passed++
			skipped += more
		}
	}
	if passed != 3 || skipped != 18 {
		t.Errorf("%d passed, %d skipped", passed, skipped)
	}
}

// lines is a log that can be searched.
type lines struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}
