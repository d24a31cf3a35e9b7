package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Disk is the disk of a node: a directory whose files say what is wrong with it. Package internal/disk has what they
// mean; it is not linked here, since this is no build with faults. Nodes of the binaries of this package heed them.
type Disk string

// Fill makes writes fail as on a full disk.
func (d Disk) Fill() error { return d.set("full") }

// Stall makes writes and syncs wait.
func (d Disk) Stall() error { return d.set("stall") }

// Lose makes a kill lose what is not synced. It must be called while the node does not run.
func (d Disk) Lose() error { return d.set("lossy") }

// Mend ends all of it. Lose ends with the process.
func (d Disk) Mend() error {
	var errs []error
	for _, fault := range []string{"full", "stall", "lossy"} {
		if err := os.Remove(filepath.Join(string(d), fault)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (d Disk) set(fault string) error {
	return os.WriteFile(filepath.Join(string(d), fault), nil, 0o600)
}

// Kind is a kind of file that a node keeps.
type Kind string

const (
	// Log is a segment of raft's log.
	Log Kind = "consensus/raft/log/*.wal"
	// Meta is raft's list of segments, with term and vote.
	Meta Kind = "consensus/raft/log/wal-meta.db"
	// Snapshot is the state in a snapshot of raft that is finished: while raft writes one, its name ends in .tmp.
	Snapshot Kind = "consensus/raft/snapshots/*[0-9]/state.bin"
	// Copy is the local copy of the catalog.
	Copy Kind = "consensus/catalog/copy"
	// Journal is what was applied since the copy.
	Journal Kind = "consensus/catalog/journal-*"
	// Artifact is a component.
	Artifact Kind = "artifacts/??/*"
)

// Files are a node's files of a kind, ordered by name.
func (n *Node) Files(k Kind) ([]string, error) { return filepath.Glob(filepath.Join(n.Dir, string(k))) }

// Flip changes one bit of a file: that in the middle of what it holds, zeroes at its end not counted, which a file that
// grows reserves. The node must not run.
func Flip(path string) error {
	return damage(path, func(data []byte, end int) []byte {
		data[end/2] ^= 0x10
		return data
	})
}

// CutOff cuts off the second half of what a file holds, and keeps its length if it had zeroes at its end. The node must
// not run.
func CutOff(path string) error {
	return damage(path, func(data []byte, end int) []byte {
		if end == len(data) {
			return data[:end/2]
		}
		clear(data[end/2 : end])
		return data
	})
}

// damage rewrites a file in its place. The end given to change is that of what the file holds.
func damage(path string, change func(data []byte, end int) []byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	end := len(data)
	for end > 0 && data[end-1] == 0 {
		end--
	}
	if end == 0 {
		return fmt.Errorf("cluster: %s is empty", path)
	}
	return os.WriteFile(path, change(data, end), 0o600)
}
