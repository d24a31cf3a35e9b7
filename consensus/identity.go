package consensus

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// identity is who the node is, for good: node.json in its directory. Names and addresses may change; raft knows the
// node by its ID. A directory without it is empty, whatever else an unfinished start has left there.
type identity struct {
	Format  int    `json:"format"`
	Cluster string `json:"cluster"` // made by the cluster's first node
	ID      string `json:"id"`      // of the node, in raft's configuration and in its certificate
	// Joined says that a cluster took the node in: it starts with an empty log, or without one, and the leader fills it. It
	// never makes a cluster or an authority of its own.
	Joined bool `json:"joined,omitempty"`
	// Started is set once the log has its first entry. A directory without it has promised nothing and may be set up
	// again; one with it must have its log.
	Started bool `json:"started"`
}

const identityFormat = 1

func identityPath(dir string) string { return filepath.Join(dir, "node.json") }

// readIdentity reads the identity of a directory; os.ErrNotExist if it is empty.
func readIdentity(dir string) (identity, error) {
	path := identityPath(dir)
	b, err := os.ReadFile(path)
	if err != nil {
		return identity{}, fmt.Errorf("consensus: %w", err)
	}
	var id identity
	if err := json.Unmarshal(b, &id); err != nil {
		return identity{}, fmt.Errorf("consensus: %s: %w", path, err)
	}
	if id.Format != identityFormat || id.Cluster == "" || id.ID == "" {
		return identity{}, fmt.Errorf("consensus: %s: format %d; this weft reads %d", path, id.Format, identityFormat)
	}
	return id, nil
}

// loadIdentity reads the identity of a directory, or makes that of a new cluster's first node.
func loadIdentity(dir string) (identity, error) {
	id, err := readIdentity(dir)
	if !errors.Is(err, os.ErrNotExist) {
		return id, err
	}
	if err := os.RemoveAll(pkiPath(dir)); err != nil { // what an unfinished join has left is of another cluster
		return identity{}, fmt.Errorf("consensus: %w", err)
	}
	id = identity{Format: identityFormat, Cluster: randomID(), ID: randomID()}
	return id, id.save(dir)
}

func (id identity) save(dir string) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	err = writeFile(identityPath(dir), func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	return nil
}

const idBytes = 10

func randomID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// keyID is the ID of a node that joins: the start of its first key's SHA-256. So nobody can join under the ID of another
// node without that node's key.
func keyID(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:idBytes]), nil
}
