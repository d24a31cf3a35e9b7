package consensus

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
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

// peerName is the DNS name in every node's certificate. Nodes know each other by the cluster's authority and the ID in
// the URI, not by their addresses, which may change.
const peerName = "node.weft"

const (
	authorityLife = 20 * 365 * 24 * time.Hour
	nodeLife      = 365 * 24 * time.Hour
	// skew is how far another node's clock may be behind ours for our certificates to hold there at once.
	skew = 48 * time.Hour
)

// keys is the node's part of the cluster's public-key infrastructure, below DIR/pki:
//
//	ca.crt ca.key  the authority; the key only on schedulers, which give certificates to others
//	node.pem       the node's own certificate with its key: one file, so that they can not part
//	join.key       the key of a node that is about to join (join.go)
//
// Where the authority's key is, the certificate renews itself when a third of its life is left, at the next handshake.
// Elsewhere Node.Renew does it.
type keys struct {
	dir      string
	identity identity
	now      func() time.Time
	life     time.Duration // of the certificates that are signed here; 0 means nodeLife

	authority    *x509.Certificate
	authorityKey *ecdsa.PrivateKey // nil where the node does not have it
	pool         *x509.CertPool

	mu   sync.Mutex
	node *tls.Certificate // guarded by mu; its Leaf is set
}

func pkiPath(dir string) string { return filepath.Join(dir, "pki") }

// openKeys loads the keys of a directory and makes what is missing: on the first start of a cluster's first node,
// everything.
func openKeys(dir string, id identity, life time.Duration, now func() time.Time) (*keys, error) {
	k := &keys{dir: dir, identity: id, now: now, life: life, pool: x509.NewCertPool()}
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
	if errors.Is(err, os.ErrNotExist) && !k.identity.Started && !k.identity.Joined {
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
	key, err := newKey()
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
	pair, err := tls.LoadX509KeyPair(k.path("node.pem"), k.path("node.pem"))
	if err == nil {
		pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	if err == nil {
		err = pair.Leaf.CheckSignatureFrom(k.authority)
	}
	if err == nil && (k.authorityKey == nil || !k.worn(pair.Leaf)) {
		k.node = &pair
		return nil
	}
	if k.authorityKey == nil {
		return err
	}
	failed := k.renew()
	if failed != nil && err == nil { // worn, but good for a while
		k.node = &pair
		return nil
	}
	return failed
}

// renewal is when a third of a certificate's life is left.
func renewal(c *x509.Certificate) time.Time {
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore.Add(skew)) / 3)
}

func (k *keys) worn(c *x509.Certificate) bool { return !k.now().Before(renewal(c)) }

// renew makes a new certificate for this node. The caller holds mu, or nobody else has the keys yet.
func (k *keys) renew() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	der, err := k.sign(k.identity.ID, key.Public())
	if err != nil {
		return err
	}
	return k.replace(der, key)
}

// replace stores a certificate of this node with its key, and uses it from now on. The caller holds mu.
func (k *keys) replace(der []byte, key *ecdsa.PrivateKey) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if err := writePair(k.path("node.pem"), der, key); err != nil {
		return err
	}
	k.node = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return nil
}

// sign gives a certificate to a node.
func (k *keys) sign(id string, public crypto.PublicKey) ([]byte, error) {
	if k.authorityKey == nil {
		return nil, ErrNoAuthority
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: id},
		DNSNames:     []string{peerName},
		URIs:         []*url.URL{nodeURI(k.identity.Cluster, id)},
		NotBefore:    k.now().Add(-skew),
		NotAfter:     k.now().Add(cmp.Or(k.life, nodeLife)),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	return x509.CreateCertificate(rand.Reader, template, k.authority, public, k.authorityKey)
}

// nodeURI is how a certificate names its node.
func nodeURI(cluster, id string) *url.URL {
	return &url.URL{Scheme: "weft", Host: cluster, Path: "/" + id}
}

// member returns the ID of the node of this cluster that a verified certificate names.
func (k *keys) member(c *x509.Certificate) (string, error) {
	return memberOf(c, k.identity.Cluster)
}

func memberOf(c *x509.Certificate, cluster string) (string, error) {
	if len(c.URIs) != 1 || len(c.URIs[0].Path) < 2 {
		return "", errors.New("consensus: the certificate names no node")
	}
	id := c.URIs[0].Path[1:]
	if *c.URIs[0] != *nodeURI(cluster, id) {
		return "", fmt.Errorf("consensus: the certificate is that of %s, which is no node of cluster %s", c.URIs[0], cluster)
	}
	return id, nil
}

// checkIssued makes sure that a certificate that somebody else signed is what this node asked for.
func checkIssued(der []byte, cluster, id string, authority *x509.Certificate, key *ecdsa.PrivateKey) error {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if err := c.CheckSignatureFrom(authority); err != nil {
		return fmt.Errorf("it is not signed by the cluster's authority: %w", err)
	}
	if named, err := memberOf(c, cluster); err != nil || named != id {
		return errors.Join(fmt.Errorf("it names %v, not node %s of cluster %s", c.URIs, id, cluster), err)
	}
	if !key.PublicKey.Equal(c.PublicKey) {
		return errors.New("it is for another key")
	}
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

// current returns the node's certificate as it is.
func (k *keys) current() *tls.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.node
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
	return writeFile(path, func(w io.Writer) error {
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
	key, err := parseKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an ECDSA key")
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

func writePair(path string, certificate []byte, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := errors.Join(
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	); err != nil {
		return err
	}
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}
