package consensus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// joining is the configuration of a node that a host takes in.
func joining(t *testing.T, host *Node, follower bool) Config {
	t.Helper()
	return Config{Dir: t.TempDir(), Follower: follower, Executor: true, Logger: testLog(t), Join: func(_ context.Context, a Application) (*Admission, error) {
		host.Learn([]Address{a.Address})
		return host.Admit(a.ID, a.CertificateRequest, !follower)
	}}
}

// readAll reads until the other end closes, in any way.
func readAll(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return ""
	}
	got, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection was left open")
	}
	return string(got)
}

func TestJoinStores(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	for _, follower := range []bool{false, true} {
		config := joining(t, host, follower)
		n := open(t, config)
		if n.Cluster() != host.Cluster() || n.Authority() != host.Authority() || n.Certifies() == follower {
			t.Errorf("follower %v: cluster %s, certifies %v", follower, n.Cluster(), n.Certifies())
		}
		if _, ok := n.book.address(host.ID()); !ok {
			t.Error("it does not know where the host is")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		host.Handle("test", func(conn net.Conn, peer string) {
			_, _ = conn.Write([]byte(peer))
			_ = conn.Close()
		})
		conn, err := n.Dial(ctx, "test", host.ID())
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, conn); got != n.ID() {
			t.Errorf("the host was dialed by %q", got)
		}
		_, err = os.Stat(filepath.Join(config.Dir, "pki", "ca.key"))
		if has := err == nil; has == follower {
			t.Errorf("follower %v: it has the authority's key: %v", follower, has)
		}
		if info, err := os.Stat(filepath.Join(config.Dir, "pki", "node.pem")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("node.pem: %v, %v", info, err)
		}
		if _, err := os.Stat(filepath.Join(config.Dir, "pki", "join.key")); !errors.Is(err, os.ErrNotExist) {
			t.Error("the key of the join is still there")
		}
		id := n.ID()
		shut(t, n)
		config.Join = func(context.Context, Application) (*Admission, error) {
			t.Error("a member joins again")
			return nil, errors.New("no")
		}
		if n = open(t, config); n.ID() != id {
			t.Errorf("it came back as %s, was %s", n.ID(), id)
		}
	}
}

// TestJoinCrashes crashes before each step of a join. The directory is empty or a member's, whatever comes next: the
// same join, which gives the same node, or a cluster of its own.
func TestJoinCrashes(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	crash := errors.New("crash")
	for _, file := range []string{"join.key", "answer", "ca.key", "ca.crt", "node.pem", "addresses.json", "node.json"} {
		t.Run(file, func(t *testing.T) {
			config := joining(t, host, false)
			config.crash = func(next string) error {
				if next == file {
					return crash
				}
				return nil
			}
			var ids []string
			admit := config.Join
			config.Join = func(ctx context.Context, a Application) (*Admission, error) {
				ids = append(ids, a.ID)
				admission, err := admit(ctx, a)
				if file == "answer" && len(ids) == 1 {
					return nil, crash
				}
				return admission, err
			}
			if _, err := Open(config); !errors.Is(err, crash) {
				t.Fatalf("error %v", err)
			}
			if _, err := os.Stat(identityPath(config.Dir)); !errors.Is(err, os.ErrNotExist) {
				t.Fatal("the directory is a member's")
			}
			alone := config
			alone.Dir, alone.Join, alone.crash = t.TempDir(), nil, nil
			if err := os.CopyFS(filepath.Join(alone.Dir, "copy"), os.DirFS(config.Dir)); err != nil {
				t.Fatal(err)
			}
			alone.Dir = filepath.Join(alone.Dir, "copy")
			if n := open(t, alone); n.Cluster() == host.Cluster() || n.Authority() == host.Authority() {
				t.Error("a cluster of its own has parts of the other")
			}
			config.crash = nil
			n := open(t, config)
			if n.Cluster() != host.Cluster() {
				t.Error("it did not join")
			}
			for _, id := range ids {
				if id != n.ID() {
					t.Errorf("it asked as %v and is %s", ids, n.ID())
				}
			}
		})
	}
}

// TestJoinChecks gets answers that don't fit.
func TestJoinChecks(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	other := open(t, Config{Dir: t.TempDir()})
	for name, change := range map[string]func(*Admission, Application){
		"no authority":          func(a *Admission, _ Application) { a.Authority = nil },
		"another's authority":   func(a *Admission, _ Application) { a.Authority = other.port.keys.authority.Raw },
		"no authority at all":   func(a *Admission, _ Application) { a.Authority = a.Certificate },
		"no certificate":        func(a *Admission, _ Application) { a.Certificate = []byte("x") },
		"another's certificate": func(a *Admission, _ Application) { a.Certificate = host.port.keys.current().Certificate[0] },
		"another cluster":       func(a *Admission, _ Application) { a.Cluster = other.Cluster() },
		"no cluster":            func(a *Admission, _ Application) { a.Cluster = "" },
		"no key":                func(a *Admission, _ Application) { a.AuthorityKey = nil },
		"another's key": func(a *Admission, _ Application) {
			der, err := x509.MarshalPKCS8PrivateKey(other.port.keys.authorityKey)
			if err != nil {
				t.Error(err)
			}
			a.AuthorityKey = der
		},
	} {
		config := joining(t, host, false)
		admit := config.Join
		config.Join = func(ctx context.Context, a Application) (*Admission, error) {
			admission, err := admit(ctx, a)
			change(admission, a)
			return admission, err
		}
		if n, err := Open(config); err == nil || !strings.Contains(err.Error(), "can't be used") {
			t.Errorf("%s: error %v", name, err)
			if n != nil {
				shut(t, n)
			}
		}
		if _, err := os.Stat(filepath.Join(config.Dir, "pki", "ca.crt")); name != "no key" && name != "another's key" && err == nil {
			t.Errorf("%s: it was stored", name)
		}
	}
}

func TestAdmitChecks(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	id, err := keyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := certificateRequest(id, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.Admit(id, csr, false); err != nil {
		t.Errorf("a good request: %v", err)
	}
	broken := append([]byte(nil), csr...)
	broken[len(broken)-1] ^= 1
	for name, try := range map[string]func() error{
		"the ID of another node": func() error { _, err := host.Admit(host.ID(), csr, false); return err },
		"no request":             func() error { _, err := host.Admit(id, nil, false); return err },
		"garbage":                func() error { _, err := host.Admit(id, []byte("garbage"), false); return err },
		"a broken signature":     func() error { _, err := host.Admit(id, broken, false); return err },
	} {
		if try() == nil {
			t.Errorf("%s was admitted", name)
		}
	}
	executor := open(t, joining(t, host, true))
	if _, err := executor.Admit(id, csr, false); !errors.Is(err, ErrNoAuthority) {
		t.Errorf("an executor admits: %v", err)
	}
}

func TestOtherDirectories(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	other := open(t, Config{Dir: t.TempDir()})
	config := joining(t, host, true)
	shut(t, open(t, config))

	wrong := config
	sum := other.Authority()
	wrong.Authority = &sum
	if _, err := Open(wrong); !errors.Is(err, ErrOtherCluster) || !strings.Contains(err.Error(), host.Cluster()) {
		t.Errorf("with the token of another cluster: %v", err)
	}
	promoted := config
	promoted.Follower = false
	if _, err := Open(promoted); err == nil || !strings.Contains(err.Error(), "can't become a scheduler") {
		t.Errorf("an executor becomes a scheduler: %v", err)
	}
	right := config
	sum = host.Authority()
	right.Authority = &sum
	shut(t, open(t, right))
}

// TestRenewal has certificates that last seconds.
func TestRenewal(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir(), CertificateLife: time.Hour})
	n := open(t, joining(t, host, true))
	due, end := n.CertificateLife()
	if left := time.Until(end); left > time.Hour || left < 50*time.Minute || end.Sub(due) != 20*time.Minute {
		t.Errorf("the certificate is due in %v and ends in %v", time.Until(due), left)
	}
	before := n.port.keys.current().Leaf
	refused := errors.New("no")
	if err := n.Renew(t.Context(), func(context.Context, []byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
	for name, answer := range map[string][]byte{"nothing": nil, "the old one": before.Raw, "another's": host.port.keys.current().Certificate[0]} {
		if err := n.Renew(t.Context(), func(context.Context, []byte) ([]byte, error) { return answer, nil }); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if !n.port.keys.current().Leaf.Equal(before) {
		t.Error("a failed renewal changed the certificate")
	}
	if err := n.Renew(t.Context(), func(_ context.Context, csr []byte) ([]byte, error) { return host.Certify(n.ID(), csr) }); err != nil {
		t.Fatal(err)
	}
	after := n.port.keys.current().Leaf
	if bytes.Equal(after.RawSubjectPublicKeyInfo, before.RawSubjectPublicKeyInfo) {
		t.Error("the key is the same")
	}
	reopened, err := openKeys(pkiPath(n.config.Dir), n.identity, 0, time.Now)
	if err != nil || !reopened.current().Leaf.Equal(after) {
		t.Errorf("it is not on disk: %v", err)
	}
}

func TestDialChecksWhoIsThere(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	a, b := open(t, joining(t, host, true)), open(t, joining(t, host, true))
	other := open(t, Config{Dir: t.TempDir()})
	for _, n := range []*Node{host, a, b, other} {
		n.Handle("test", func(conn net.Conn, _ string) { _ = conn.Close() })
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	dial := func(from *Node, node string) error {
		conn, err := from.Dial(ctx, "test", node)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err := dial(a, "nobody"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("an unknown node: %v", err)
	}
	if err := dial(a, a.ID()); err != nil {
		t.Errorf("itself: %v", err)
	}
	a.Learn([]Address{{Node: b.ID(), Incarnation: 100, Cluster: host.Addr().String()}})
	if err := dial(a, b.ID()); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), host.ID()) {
		t.Errorf("another node is there: %v", err)
	}
	a.Learn([]Address{{Node: b.ID(), Incarnation: 101, Cluster: other.Addr().String()}})
	if err := dial(a, b.ID()); !errors.Is(err, ErrUnreachable) || !errors.Is(err, ErrOtherCluster) {
		t.Errorf("a node of another cluster is there: %v", err)
	}
	a.Learn([]Address{{Node: b.ID(), Incarnation: 102, Cluster: "127.0.0.1:1"}})
	if err := dial(a, b.ID()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody is there: %v", err)
	}
	a.Learn([]Address{{Node: b.ID(), Incarnation: 103, Cluster: b.Addr().String()}})
	if err := dial(a, b.ID()); err != nil {
		t.Errorf("it is there: %v", err)
	}
	if _, err := a.Dial(ctx, "no-such-protocol", b.ID()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("an unknown protocol: %v", err)
	}
	conn, id, err := a.DialAddress(ctx, "test", host.Addr().String())
	if err != nil || id != host.ID() {
		t.Fatalf("by address: %s, %v", id, err)
	}
	_ = conn.Close()
	if _, _, err := a.DialAddress(ctx, "test", other.Addr().String()); !errors.Is(err, ErrOtherCluster) {
		t.Errorf("by address, another cluster: %v", err)
	}
}

// TestRemovedNode removes a node that is connected.
func TestRemovedNode(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	config := joining(t, host, true)
	n := open(t, config)
	put := &catalogv1.Command{RequestId: "put", Level: 2, Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
		Node: &catalogv1.Node{Id: n.ID(), Name: "second", Executor: true},
	}}}
	eventually(t, "level 2", func() bool { return host.Catalog().View().Level() >= 2 })
	apply(t, host, put)
	n.Handle("test", func(conn net.Conn, _ string) { _ = conn.Close() })
	held := make(chan net.Conn, 1)
	host.Handle("test", func(conn net.Conn, _ string) { held <- conn })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := n.Dial(ctx, "test", host.ID())
	if err != nil {
		t.Fatal(err)
	}
	theirs := <-held
	apply(t, host, &catalogv1.Command{RequestId: "remove", Level: 2, Action: &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: n.ID()}}})

	if got := readAll(t, conn); got != "" { // until the host closes it
		t.Errorf("got %q", got)
	}
	if _, err := theirs.Write([]byte("x")); err == nil {
		t.Error("the host's end is open")
	}
	eventually(t, "the address is forgotten", func() bool { _, ok := host.book.address(n.ID()); return !ok })
	host.Learn(n.Addresses())
	if _, err := host.Dial(ctx, "test", n.ID()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("the host dials a removed node: %v", err)
	}
	if _, _, err := host.DialAddress(ctx, "test", n.Addr().String()); !errors.Is(err, ErrRemoved) {
		t.Errorf("by address: %v", err)
	}
	if again, err := n.Dial(ctx, "test", host.ID()); err == nil { // with TLS 1.3 the refusal comes after the client's handshake
		if got := readAll(t, again); got != "" {
			t.Errorf("a removed node got %q", got)
		}
	}

	// Its own catalog does not know; somebody tells it.
	select {
	case <-n.Removed():
		t.Fatal("it knows already")
	default:
	}
	n.SetRemoved()
	n.SetRemoved()
	<-n.Removed()
	shut(t, n)
	if _, err := Open(config); !errors.Is(err, ErrRemoved) || !strings.Contains(err.Error(), config.Dir) {
		t.Errorf("it opens again: %v", err)
	}
}

// TestJoinEndpoint dials the one protocol that needs no certificate.
func TestJoinEndpoint(t *testing.T) {
	host := open(t, Config{Dir: t.TempDir()})
	other := open(t, Config{Dir: t.TempDir()})
	host.Handle(JoinProtocol, func(conn net.Conn, peer string) {
		_, _ = fmt.Fprintf(conn, "hello %q", peer)
		_ = conn.Close()
	})
	got, err := greet(t, host, JoinTLS(host.Authority()))
	if err != nil || string(got) != `hello ""` {
		t.Errorf("a new node got %q, %v", got, err)
	}
	if got, err := greet(t, host, JoinTLS(other.Authority())); !errors.Is(err, ErrOtherCluster) || len(got) > 0 {
		t.Errorf("with the token of another cluster: %q, %v", got, err)
	}
	// The door is for that protocol alone.
	for _, protocols := range [][]string{{raftProtocol, JoinProtocol}, {JoinProtocol, raftProtocol}, {JoinProtocol, "weft-node"}} {
		config := JoinTLS(host.Authority())
		config.NextProtos = protocols
		if got, err := greet(t, host, config); len(got) > 0 || err == nil {
			t.Errorf("%v without a certificate: %q, %v", protocols, got, err)
		}
	}
	config := JoinTLS(sha256.Sum256(nil))
	config.VerifyConnection = func(tls.ConnectionState) error { return nil }
	config.NextProtos = []string{"weft-node"}
	if got, err := greet(t, host, config); len(got) > 0 || err == nil {
		t.Errorf("another protocol: %q, %v", got, err)
	}
}
