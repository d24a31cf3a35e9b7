package backup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/services/artifacts"
)

var layout = Layout{Consensus: "consensus", Artifacts: "artifacts"}

// open opens what a restore has made, as a node does.
func open(t *testing.T, dir string) (*consensus.Node, *artifacts.Store) {
	t.Helper()
	n, err := consensus.Open(consensus.Config{Dir: filepath.Join(dir, layout.Consensus)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	store, err := artifacts.Open(filepath.Join(dir, layout.Artifacts))
	if err != nil {
		t.Fatal(err)
	}
	return n, store
}

func TestRestore(t *testing.T) {
	c := newCluster(t)
	file := c.backup()
	missing, empty := filepath.Join(t.TempDir(), "a", "b"), t.TempDir()
	if err := os.Mkdir(filepath.Join(empty, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"0123456789abcdef0123": true}
	for _, dir := range []string{missing, empty} {
		restored, err := Restore(t.Context(), bytes.NewReader(file), dir, layout)
		if err != nil {
			t.Fatal(err)
		}
		if restored.Functions != 3 || restored.Revisions != 4 || restored.Header.GetArtifacts() != 3 || seen[restored.Cluster] {
			t.Errorf("restored %+v", restored)
		}
		seen[restored.Cluster] = true
		n, store := open(t, dir)
		if err := n.Linearize(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.Status(); got.ID != restored.Node || got.Cluster != restored.Cluster || got.Fork != nil {
			t.Errorf("the node is %+v", got)
		}
		// The node may have put itself into the catalog by now.
		if got := n.Catalog().View().Backup().Hash(); !bytes.Equal(got, c.catalog.View().Backup().Hash()) {
			t.Errorf("the catalog has hash %x", got)
		}
		for d, want := range c.files {
			path, err := store.Path(d)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("artifact %x is %q, %v", d, got, err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); left != nil {
			t.Errorf("left over: %q", left)
		}
	}
}

// TestRestoreRefusesWhatIsThere keeps the data of a node, and what is the user's.
func TestRestoreRefusesWhatIsThere(t *testing.T) {
	file := newCluster(t).backup()
	for _, name := range []string{"notes.txt", "consensus", stage} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(t.Context(), bytes.NewReader(file), dir, layout); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != "mine" {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	plain := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(file), plain, layout); err == nil {
		t.Error("a file was taken for a directory")
	}
}

// TestRestoreIsAllOrNothing leaves no trace of a backup that is damaged, wherever that is.
func TestRestoreIsAllOrNothing(t *testing.T) {
	good := newCluster(t).backup()
	for n := 0; n < len(good); n += 37 {
		flipped := bytes.Clone(good)
		flipped[n] ^= 0x10
		for what, file := range map[string][]byte{"cut": good[:n], "flipped": flipped} {
			dir := filepath.Join(t.TempDir(), "data")
			if _, err := Restore(t.Context(), bytes.NewReader(file), dir, layout); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s at %d: %v", what, n, err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s at %d: the directory is there", what, n)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := Restore(ctx, bytes.NewReader(good), dir, layout); !errors.Is(err, context.Canceled) {
		t.Fatalf("canceled: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Fatalf("left over: %v, %v", entries, err)
	}
}

// TestRestoreOnFullDisk needs the right to mount a file system.
func TestRestoreOnFullDisk(t *testing.T) {
	c := newCluster(t)
	c.deploy("large", make([]byte, 4<<20))
	file := c.backup()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small file system can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	if _, err := Restore(t.Context(), bytes.NewReader(file), dir, layout); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Fatalf("left over: %v, %v", entries, err)
	}
}

func TestRestoreEmptyCluster(t *testing.T) {
	c := &cluster{t: t, catalog: catalog.New()}
	dir := t.TempDir()
	if _, err := Restore(t.Context(), bytes.NewReader(c.backup()), dir, layout); err != nil {
		t.Fatal(err)
	}
	n, _ := open(t, dir)
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
}
