package consensus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// identify finds out who this node is: as its directory says, or, where that is empty, as the cluster says that takes it
// in, or as the first node of a new one. Address is where the node is.
//
// A join goes in steps, each of which can be the last one before a crash: the key of the node (join.key), the cluster's
// answer, the keys of DIR/pki, the address book, and then node.json. Only that makes the directory a member's. Before it,
// the next start repeats the join with the same key, and so under the same ID, which the cluster takes for the same node.
func (c Config) identify(address Address) (identity, error) {
	id, err := readIdentity(c.Dir)
	switch {
	case err == nil && (c.Join == nil || id.Started || id.Joined):
		return id, c.checkMember(id)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return identity{}, err
	case c.Join == nil:
		return loadIdentity(c.Dir)
	}
	id, err = c.join(address)
	if err != nil {
		return identity{}, fmt.Errorf("consensus: join: %w", err)
	}
	return id, nil
}

// checkMember refuses to start with a directory that the configuration does not fit.
func (c Config) checkMember(id identity) error {
	if err := id.checkRemoved(c.Dir); err != nil {
		return err
	}
	authority, err := readCertificate(filepath.Join(pkiPath(c.Dir), "ca.crt"))
	if c.Authority != nil && err == nil && sha256.Sum256(authority.Raw) != *c.Authority {
		return fmt.Errorf("%w: %s belongs to cluster %s, and the token is of another one; use another directory, or start without --join and --token",
			ErrOtherCluster, c.Dir, id.Cluster)
	}
	if id.Joined && !c.Follower {
		if _, err := os.Stat(filepath.Join(pkiPath(c.Dir), "ca.key")); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("consensus: node %s has joined as an executor and can't become a scheduler; "+
				"remove it (weft remove), delete %s and let it join again", id.ID, c.Dir)
		}
	}
	return nil
}

func (c Config) join(address Address) (identity, error) {
	dir := pkiPath(c.Dir)
	key, err := c.joinKey(dir)
	if err != nil {
		return identity{}, err
	}
	id := identity{Format: identityFormat, Joined: true}
	if id.ID, err = keyID(key.Public()); err != nil {
		return identity{}, err
	}
	request, err := certificateRequest(id.ID, key)
	if err != nil {
		return identity{}, err
	}
	address.Node, address.Incarnation = id.ID, 1
	admission, err := c.Join(context.Background(), Application{ID: id.ID, CertificateRequest: request, Address: address})
	if err != nil {
		return identity{}, err
	}
	id.Cluster = admission.Cluster
	if err := c.settle(dir, id, key, admission); err != nil {
		return identity{}, err
	}
	if err := c.step("node.json"); err != nil {
		return identity{}, err
	}
	if err := id.save(c.Dir); err != nil {
		return identity{}, err
	}
	_ = os.Remove(filepath.Join(dir, "join.key")) // done with; left behind it does no harm
	return id, nil
}

// joinKey returns the key that an unfinished join has left, or a new one in an empty pki directory.
func (c Config) joinKey(dir string) (*ecdsa.PrivateKey, error) {
	path := filepath.Join(dir, "join.key")
	key, err := readKey(path)
	if err == nil {
		return key, nil
	}
	// What is there is of a start that did not come to its end, or can't be read: it has promised nothing.
	if err := errors.Join(os.RemoveAll(identityPath(c.Dir)), os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	if key, err = newKey(); err != nil {
		return nil, err
	}
	return key, errors.Join(c.step("join.key"), writeKey(path, key))
}

// settle checks what the cluster has answered and stores it.
func (c Config) settle(dir string, id identity, key *ecdsa.PrivateKey, admission *Admission) error {
	authority, err := x509.ParseCertificate(admission.Authority)
	if err == nil {
		err = authority.CheckSignatureFrom(authority)
	}
	if err == nil && id.Cluster == "" {
		err = errors.New("it has no ID")
	}
	if err != nil {
		return fmt.Errorf("what the cluster has answered can't be used: its authority: %w", err)
	}
	if err := checkIssued(admission.Certificate, id.Cluster, id.ID, authority, key); err != nil {
		return fmt.Errorf("what the cluster has answered can't be used: the certificate: %w", err)
	}
	for _, name := range []string{"ca.crt", "ca.key", "node.pem"} { // of an earlier try
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if !c.Follower {
		authorityKey, err := parseKey(admission.AuthorityKey)
		if err != nil || !authorityKey.PublicKey.Equal(authority.PublicKey) {
			return errors.Join(errors.New("what the cluster has answered can't be used: a scheduler needs the authority's key"), err)
		}
		if err := errors.Join(c.step("ca.key"), writeKey(filepath.Join(dir, "ca.key"), authorityKey)); err != nil {
			return err
		}
	}
	file := bookFile{Format: bookFormat}
	for _, a := range admission.Addresses {
		if a.Node != id.ID && len(file.Addresses) < maxAddresses {
			file.Addresses = append(file.Addresses, a)
		}
	}
	return errors.Join(
		c.step("ca.crt"), writePEM(filepath.Join(dir, "ca.crt"), "CERTIFICATE", authority.Raw),
		c.step("node.pem"), writePair(filepath.Join(dir, "node.pem"), admission.Certificate, key),
		c.step("addresses.json"), writeBook(bookPath(c.Dir), file),
	)
}

// step lets a test crash before a file is written.
func (c Config) step(file string) error {
	if c.crash == nil {
		return nil
	}
	return c.crash(file)
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func certificateRequest(id string, key *ecdsa.PrivateKey) ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: id}}, key)
}

// Admit gives a new node what makes it a member: a certificate for the key of its request, and the authority's key if it
// is a scheduler. The ID must be the one that belongs to the key. Whether the node may come in is for the caller to
// decide, and to write into the catalog. ErrNoAuthority on a node that can't.
func (n *Node) Admit(id string, csr []byte, scheduler bool) (*Admission, error) {
	request, err := parseRequest(csr)
	if err != nil {
		return nil, err
	}
	if own, err := keyID(request.PublicKey); err != nil || own != id {
		return nil, errors.Join(fmt.Errorf("consensus: %q is not the ID that belongs to the node's key", id), err)
	}
	k := n.port.keys
	certificate, err := k.sign(id, request.PublicKey)
	if err != nil {
		return nil, err
	}
	admission := &Admission{
		Cluster: n.identity.Cluster, Authority: k.authority.Raw, Certificate: certificate, Addresses: n.Addresses(),
	}
	if scheduler {
		admission.AuthorityKey, err = x509.MarshalPKCS8PrivateKey(k.authorityKey)
	}
	return admission, err
}

// Certify gives a member, who has proved who it is, a certificate for the key of its request. ErrNoAuthority on a node
// that can't.
func (n *Node) Certify(id string, csr []byte) ([]byte, error) {
	request, err := parseRequest(csr)
	if err != nil {
		return nil, err
	}
	return n.port.keys.sign(id, request.PublicKey)
}

func parseRequest(csr []byte) (*x509.CertificateRequest, error) {
	request, err := x509.ParseCertificateRequest(csr)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("consensus: certificate request: %w", err)
	}
	if key, ok := request.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("consensus: certificate request: the key is not ECDSA on P-256")
	}
	return request, nil
}

// Authority returns the SHA-256 of the certificate of the cluster's authority, which tokens carry.
func (n *Node) Authority() [sha256.Size]byte { return sha256.Sum256(n.port.keys.authority.Raw) }

// Cluster returns the ID of the cluster.
func (n *Node) Cluster() string { return n.identity.Cluster }

// Certifies tells whether this node has the key of the authority: it can take nodes in, and renews its own certificate.
func (n *Node) Certifies() bool { return n.port.keys.authorityKey != nil }

// CertificateLife returns when this node's certificate is to be renewed, and when it ends.
func (n *Node) CertificateLife() (renew, end time.Time) {
	leaf := n.port.keys.current().Leaf
	return renewal(leaf), leaf.NotAfter
}

// Renew replaces the certificate of this node by one for a new key. Certify gets it from a node that has the authority's
// key. The old one is used until the new one is checked and on disk.
func (n *Node) Renew(ctx context.Context, certify func(ctx context.Context, csr []byte) ([]byte, error)) error {
	key, err := newKey()
	if err != nil {
		return fmt.Errorf("consensus: renew: %w", err)
	}
	csr, err := certificateRequest(n.identity.ID, key)
	if err != nil {
		return fmt.Errorf("consensus: renew: %w", err)
	}
	certificate, err := certify(ctx, csr)
	if err != nil {
		return err
	}
	k := n.port.keys
	if err := checkIssued(certificate, n.identity.Cluster, n.identity.ID, k.authority, key); err != nil {
		return fmt.Errorf("consensus: renew: the certificate can't be used: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.replace(certificate, key); err != nil {
		return fmt.Errorf("consensus: renew: %w", err)
	}
	return nil
}
