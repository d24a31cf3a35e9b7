package consensus

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	goldenDir   = "testdata/v1.tar.gz"
	goldenIndex = 33
	goldenHash  = "3424282d3f254554e256d5132a62b1f4aa5c2a11bdf11b15a100633f110d6b36"
)

// TestGoldenDirectory opens a data directory that an earlier build has left, killed in the middle of its work: what is
// stored must stay readable. The catalog of format 1 has this hash at this index on every build.
func TestGoldenDirectory(t *testing.T) {
	if *update {
		makeGolden(t)
	}
	dir := t.TempDir()
	unpack(t, goldenDir, dir)
	n := open(t, Config{Dir: dir, quiet: true})
	check := func(when string) {
		t.Helper()
		if got := n.Status(); got.Applied != goldenIndex || hex.EncodeToString(got.Hash) != goldenHash || got.Fork != nil || got.Fault != nil {
			t.Fatalf("%s: the catalog is at %d with hash %x: %+v", when, got.Applied, got.Hash, got)
		}
	}
	check("from the local copy")
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("from the log")

	// And without the copy: from the snapshot and the log alone.
	shut(t, n)
	if err := os.RemoveAll(filepath.Join(dir, "catalog")); err != nil {
		t.Fatal(err)
	}
	n = open(t, Config{Dir: dir, quiet: true})
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("without the copy")
	if got := apply(t, n, goldenCommand(3)); got.GetRevision() != 1 || got.GetIndex() >= goldenIndex {
		t.Fatalf("an old request was applied again: %v", got)
	}
}

func goldenCommand(i int) *catalogv1.Command {
	cmd := deploy(fmt.Sprint("golden-", i), fmt.Sprint("f", i))
	cmd.TimeUnixNanos = int64(i)
	return cmd
}

// makeGolden leaves a directory with a snapshot, entries after it, a copy and a journal.
func makeGolden(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	n := open(t, Config{Dir: dir, quiet: true, snapshotEvery: 20, snapshotCheck: 5 * time.Millisecond, journal: 2 << 10})
	for i := range 30 {
		apply(t, n, goldenCommand(i))
		if i == 24 {
			eventually(t, "a snapshot", func() bool {
				names, _ := filepath.Glob(filepath.Join(dir, "raft", "snapshots", "*", "state.bin"))
				return len(names) > 0
			})
		}
	}
	t.Logf("goldenIndex = %d, goldenHash = %x", n.Status().Applied, n.Status().Hash)
	pack(t, dir, goldenDir) // as a crash leaves it
}

func pack(t *testing.T, dir, to string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close(), z.Close(), os.WriteFile(to, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, from, dir string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.FileInfo().IsDir() {
			err = root.MkdirAll(header.Name, 0o700)
		} else {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = errors.Join(root.MkdirAll(filepath.Dir(header.Name), 0o700), root.WriteFile(header.Name, b, 0o600))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
