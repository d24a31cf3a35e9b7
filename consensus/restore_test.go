package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// TestRestore makes a new cluster of the catalog of another, which answers, goes on, and survives restarts.
func TestRestore(t *testing.T) {
	old := open(t, Config{Dir: t.TempDir(), quiet: true})
	for i := range 5 {
		apply(t, old, deploy(fmt.Sprint("old-", i), fmt.Sprint("f", i%2)))
	}
	image := old.Catalog().View().Backup()

	dir := filepath.Join(t.TempDir(), "new")
	cluster, id, err := Restore(dir, image)
	if err != nil {
		t.Fatal(err)
	}
	if before := old.Status(); cluster == before.Cluster || id == before.ID {
		t.Fatalf("cluster %s, node %s: those of the old one", cluster, id)
	}
	n := open(t, Config{Dir: dir, quiet: true})
	if got := n.Status(); got.Cluster != cluster || got.ID != id || !bytes.Equal(got.Hash, image.Hash()) || got.Applied != image.Index() {
		t.Fatalf("as it is opened: %+v", got)
	}
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := apply(t, n, deploy("old-4", "f0")); got.GetRevision() != 4 || got.GetIndex() <= image.Index() {
		t.Fatalf("a deploy gives %v", got) // also: request IDs of the old cluster mean nothing here
	}
	hash := n.Status().Hash
	for _, lost := range []string{"", "catalog"} { // a restart with the local copy, and one without
		shut(t, n)
		if lost != "" {
			if err := os.RemoveAll(filepath.Join(dir, lost)); err != nil {
				t.Fatal(err)
			}
		}
		n = open(t, Config{Dir: dir, quiet: true})
		if err := n.Linearize(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.Status(); !bytes.Equal(got.Hash, hash) || got.Fork != nil || got.Fault != nil {
			t.Fatalf("after a restart: %+v", got)
		}
	}
}

// TestRestoredNodeIsAMember opens it as it is used: it puts itself into the catalog, which has no other nodes.
func TestRestoredNodeIsAMember(t *testing.T) {
	dir := t.TempDir()
	_, id, err := Restore(dir, catalog.New().View().Backup())
	if err != nil {
		t.Fatal(err)
	}
	n := open(t, Config{Dir: dir, Name: "restored", Executor: true})
	eventually(t, "the node is in its catalog", func() bool {
		return n.Catalog().View().NodeByName("restored").GetId() == id
	})
}

func TestRestoreEmptyCatalog(t *testing.T) {
	dir := t.TempDir() // which is empty
	if _, _, err := Restore(dir, catalog.New().View().Backup()); err != nil {
		t.Fatal(err)
	}
	n := open(t, Config{Dir: dir, quiet: true})
	if got := apply(t, n, deploy("first", "f")); got.GetRevision() != 1 {
		t.Fatalf("a deploy gives %v", got)
	}
}

func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir, quiet: true})
	before := n.Status()
	if _, _, err := Restore(dir, n.Catalog().View().Backup()); !errors.Is(err, ErrNotEmpty) {
		t.Fatalf("a directory that is in use: %v", err)
	}
	shut(t, n)
	n = open(t, Config{Dir: dir, quiet: true})
	if got := n.Status(); got.ID != before.ID {
		t.Fatalf("the directory is another node's now: %+v", got)
	}

	newer := catalog.New()
	for level := uint32(2); level <= catalog.Level+1; level++ {
		newer.Apply(uint64(level), &catalogv1.Command{RequestId: fmt.Sprint(level), Action: raiseLevel("", level).GetAction()})
	}
	if _, _, err := Restore(t.TempDir(), newer.View().Backup()); err == nil {
		t.Fatal("a catalog of a level that this build does not know was taken")
	}
}
