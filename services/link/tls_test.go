package link

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
)

// secureNetwork connects nodes as the cluster port does: TLS 1.3, a certificate on both sides, over loopback.
type secureNetwork struct {
	t           testing.TB
	authority   *x509.Certificate
	key         *ecdsa.PrivateKey
	mu          sync.Mutex
	addresses   map[string]string // guarded by mu
	serialCount int64             // guarded by mu
}

func newSecureNetwork(t testing.TB) *secureNetwork {
	t.Helper()
	n := &secureNetwork{t: t, addresses: make(map[string]string)}
	n.key = newKey(t)
	n.authority = n.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, n.key)
	return n
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (n *secureNetwork) sign(template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	n.t.Helper()
	n.serialCount++
	template.SerialNumber = big.NewInt(n.serialCount)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := n.authority
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, n.key)
	if err != nil {
		n.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		n.t.Fatal(err)
	}
	return certificate
}

// config gives a node's TLS configuration, for both roles.
func (n *secureNetwork) config(id string, protocols ...string) *tls.Config {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := newKey(n.t)
	own := n.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: id}, DNSNames: []string{"node"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
	roots := x509.NewCertPool()
	roots.AddCert(n.authority)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{own.Raw}, PrivateKey: key}}, RootCAs: roots, ClientCAs: roots,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13, ServerName: "node", NextProtos: protocols,
	}
}

// securePort is one node of a secureNetwork.
type securePort struct {
	network  *secureNetwork
	id       string
	config   *tls.Config
	listener net.Listener
	wait     sync.WaitGroup
	mu       sync.Mutex
	handler  consensus.Handler // guarded by mu
}

func (n *secureNetwork) port(id string) *securePort {
	n.t.Helper()
	p := &securePort{network: n, id: id, config: n.config(id, Protocol)}
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.addresses[id] = p.listener.Addr().String()
	n.mu.Unlock()
	p.wait.Go(p.accept)
	n.t.Cleanup(func() {
		_ = p.listener.Close()
		p.wait.Wait()
	})
	return p
}

func (p *securePort) accept() {
	for {
		raw, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() {
			conn := tls.Server(raw, p.config)
			p.mu.Lock()
			handler := p.handler
			p.mu.Unlock()
			if err := conn.Handshake(); err != nil || handler == nil {
				_ = raw.Close()
				return
			}
			handler(conn, conn.ConnectionState().PeerCertificates[0].Subject.CommonName)
		})
	}
}

func (p *securePort) ID() string { return p.id }

func (p *securePort) Handle(_ string, handler consensus.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = handler
}

func (p *securePort) Dial(ctx context.Context, _, node string) (net.Conn, error) {
	p.network.mu.Lock()
	address := p.network.addresses[node]
	p.network.mu.Unlock()
	if address == "" {
		return nil, fmt.Errorf("%w: no node %s", consensus.ErrUnreachable, node)
	}
	return (&tls.Dialer{Config: p.config}).DialContext(ctx, "tcp", address)
}
