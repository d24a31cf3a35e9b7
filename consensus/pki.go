package consensus

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// peerName is the DNS name in every node's certificate. Nodes know each other by the cluster's authority, not by
// their addresses, which may change.
const peerName = "node.weft"

const (
	authorityLife = 20 * 365 * 24 * time.Hour
	nodeLife      = 365 * 24 * time.Hour
	// skew is how far another node's clock may be behind ours for our certificates to hold there at once.
	skew = 48 * time.Hour
)

// keys is the node's part of the cluster's public-key infrastructure, below DIR/pki:
//
//	ca.crt ca.key      the authority; the key only on nodes that give certificates to others
//	node.crt node.key  the node's own certificate
//
// The certificate renews itself when a third of its life is left, at the next handshake.
type keys struct {
	dir      string
	identity identity
	now      func() time.Time

	authority    *x509.Certificate
	authorityKey *ecdsa.PrivateKey // nil where the node does not have it
	pool         *x509.CertPool

	mu   sync.Mutex
	node *tls.Certificate // guarded by mu; its Leaf is set
}

// openKeys loads the keys of a directory and makes what is missing: on the first start of a cluster's first node,
// everything.
func openKeys(dir string, id identity, now func() time.Time) (*keys, error) {
	k := &keys{dir: dir, identity: id, now: now, pool: x509.NewCertPool()}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	if err := k.loadAuthority(); err != nil {
		return nil, fmt.Errorf("consensus: authority in %s: %w", dir, err)
	}
	k.pool.AddCert(k.authority)
	if err := k.loadNode(); err != nil {
		return nil, fmt.Errorf("consensus: certificate in %s: %w", dir, err)
	}
	return k, nil
}

func (k *keys) path(name string) string { return filepath.Join(k.dir, name) }

func (k *keys) loadAuthority() error {
	key, err := readKey(k.path("ca.key"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	k.authority, err = readCertificate(k.path("ca.crt"))
	if errors.Is(err, os.ErrNotExist) && !k.identity.Started {
		return k.makeAuthority()
	}
	if err != nil {
		return err
	}
	k.authorityKey = key
	if key != nil && !key.PublicKey.Equal(k.authority.PublicKey) {
		return errors.New("ca.key does not belong to ca.crt")
	}
	return nil
}

func (k *keys) makeAuthority() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "weft cluster " + k.identity.Cluster},
		NotBefore:             k.now().Add(-skew),
		NotAfter:              k.now().Add(authorityLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	// The key first: a certificate without its key could never sign.
	if err := errors.Join(writeKey(k.path("ca.key"), key), writePEM(k.path("ca.crt"), "CERTIFICATE", der)); err != nil {
		return err
	}
	k.authority, err = x509.ParseCertificate(der)
	k.authorityKey = key
	return err
}

// loadNode loads the node's certificate and makes a new one where it is missing, worn or not of this authority.
func (k *keys) loadNode() error {
	pair, err := tls.LoadX509KeyPair(k.path("node.crt"), k.path("node.key"))
	if err == nil {
		pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	if err == nil {
		err = pair.Leaf.CheckSignatureFrom(k.authority)
	}
	if err == nil && !k.worn(pair.Leaf) {
		k.node = &pair
		return nil
	}
	if k.authorityKey == nil {
		if err == nil { // worn, but good for a while
			k.node = &pair
		}
		return err
	}
	return k.renew()
}

func (k *keys) worn(c *x509.Certificate) bool {
	return k.now().After(c.NotAfter.Add(-nodeLife / 3))
}

// renew makes a new certificate for this node. The caller holds mu, or nobody else has the keys yet.
func (k *keys) renew() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: k.identity.ID},
		DNSNames:     []string{peerName},
		URIs:         []*url.URL{{Scheme: "weft", Host: k.identity.Cluster, Path: "/" + k.identity.ID}},
		NotBefore:    k.now().Add(-skew),
		NotAfter:     k.now().Add(nodeLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, k.authority, key.Public(), k.authorityKey)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if err := errors.Join(writeKey(k.path("node.key"), key), writePEM(k.path("node.crt"), "CERTIFICATE", der)); err != nil {
		return err
	}
	k.node = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return nil
}

// certificate returns the node's certificate for a handshake. One that can't be renewed, because the disk is full for
// example, is used on.
func (k *keys) certificate() *tls.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.authorityKey != nil && k.worn(k.node.Leaf) {
		_ = k.renew()
	}
	return k.node
}

// server returns the TLS configuration for connections that peers open. Whoever has no certificate of the cluster gets
// an alert and nothing else.
func (k *keys) server(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             protocols,
		ClientAuth:             tls.RequireAndVerifyClientCert,
		ClientCAs:              k.pool,
		Time:                   k.now,
		SessionTicketsDisabled: true,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.certificate(), nil },
	}
}

// client returns the TLS configuration for connections to peers.
func (k *keys) client(protocol string) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		NextProtos:           []string{protocol},
		ServerName:           peerName,
		RootCAs:              k.pool,
		Time:                 k.now,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return k.certificate(), nil },
	}
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // the system has no randomness
	}
	return n
}

func readPEM(path, kind string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s: no %s in PEM", path, kind)
	}
	return block.Bytes, nil
}

func writePEM(path, kind string, der []byte) error {
	return writeFile(path, 0o600, func(w io.Writer) error {
		return pem.Encode(w, &pem.Block{Type: kind, Bytes: der})
	})
}

func readCertificate(path string) (*x509.Certificate, error) {
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: not an ECDSA key", path)
	}
	return ec, nil
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "PRIVATE KEY", der)
}
