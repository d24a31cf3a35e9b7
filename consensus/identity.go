package consensus

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// identity is who the node is, for good: node.json in its directory. Names and addresses may change; raft knows the
// node by its ID.
type identity struct {
	Format  int    `json:"format"`
	Cluster string `json:"cluster"` // made by the cluster's first node
	ID      string `json:"id"`      // of the node, in raft's configuration and in its certificate
	// Joined says that a cluster took the node in: it starts with an empty log, or without one, and the leader fills it.
	Joined bool `json:"joined,omitempty"`
	// Started is set once the log has its first entry. A directory without it has promised nothing and may be set up
	// again; one with it must have its log.
	Started bool `json:"started"`
}

const identityFormat = 1

func identityPath(dir string) string { return filepath.Join(dir, "node.json") }

// loadIdentity reads the identity of a directory, or makes that of a new cluster's first node.
func loadIdentity(dir string) (identity, error) {
	path := identityPath(dir)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		id := identity{Format: identityFormat, Cluster: randomID(), ID: randomID()}
		return id, id.save(dir)
	}
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

func (id identity) save(dir string) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	err = writeFile(identityPath(dir), 0o600, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	return nil
}

func randomID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
