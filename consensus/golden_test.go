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
	"slices"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is a data directory that a build has left, killed in the middle of its work.
type golden struct {
	file  string
	index uint64
	hash  string
	// command is the i-th that was applied by a node of an ID.
	command func(id string, i int) *catalogv1.Command
}

var (
	goldenV1 = golden{"testdata/v1.tar.gz", 33, "3424282d3f254554e256d5132a62b1f4aa5c2a11bdf11b15a100633f110d6b36", goldenCommand}
	goldenV2 = golden{"testdata/v2.tar.gz", 33, "abbd48a00efaf4a5e72920af485bf19bf9a4e699b4f42049f6eff2cb35b3b4b3", goldenClusterCommand}
)

// TestGoldenDirectory opens what earlier builds have left: what is stored must stay readable, and the catalog has this
// hash at this index on every build. With -update the newest is made anew; older ones are never.
func TestGoldenDirectory(t *testing.T) {
	if *update {
		goldenV2.make(t)
	}
	t.Run("v1", goldenV1.open)
	t.Run("v2", func(t *testing.T) {
		goldenV2.open(t)
		id, v := goldenView(t, goldenV2)
		if v.Level() != 2 || v.NodeByName("node-1").GetId() != id || !v.Node(goldenNode(2)).GetDraining() || !v.Removed(goldenNode(3)) || v.Token("golden").GetExpiresUnixNanos() != 100 {
			t.Errorf("level %d; nodes or tokens are others", v.Level())
		}
		if got := v.Placement("default", "f20", 1); !slices.Equal(got, []string{goldenNode(2), id}) {
			t.Errorf("f20 is placed on %q", got)
		}
		if got := v.Revision("default", "f20", 1).GetScheduling(); got.GetReplicas() != 2 || got.GetRequire()["zone"] != "a" {
			t.Errorf("f20 is to be placed on %v", got)
		}
	})
}

func (g golden) open(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	unpack(t, g.file, dir)
	n := open(t, Config{Dir: dir, quiet: true})
	check := func(when string) {
		t.Helper()
		if got := n.Status(); got.Applied != g.index || hex.EncodeToString(got.Hash) != g.hash || got.Fork != nil || got.Fault != nil {
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
	if got := apply(t, n, g.command(n.ID(), 13)); got.GetRevision() != 1 || got.GetIndex() >= g.index {
		t.Fatalf("an old request was applied again: %v", got)
	}
}

// goldenView opens a directory and returns the ID of its node and what that shows.
func goldenView(t *testing.T, g golden) (id string, v *catalog.View) {
	t.Helper()
	dir := t.TempDir()
	unpack(t, g.file, dir)
	n := open(t, Config{Dir: dir, quiet: true})
	return n.ID(), n.Catalog().View()
}

func goldenCommand(_ string, i int) *catalogv1.Command {
	cmd := deploy(fmt.Sprint("golden-", i), fmt.Sprint("f", i))
	cmd.TimeUnixNanos = int64(i)
	return cmd
}

func goldenNode(n int) string { return fmt.Sprintf("%020x", n) }

// goldenClusterCommand makes a cluster of the node itself and two executors at first, and then functions with their
// placements by turns.
func goldenClusterCommand(id string, i int) *catalogv1.Command {
	cmd := &catalogv1.Command{RequestId: fmt.Sprint("golden-", i), Level: 2, TimeUnixNanos: int64(i)}
	switch {
	case i == 0:
		cmd.Level = 1
		cmd.Action = raiseLevel("", 2).GetAction()
	case i <= 3:
		n := &catalogv1.Node{Id: goldenNode(i), Name: fmt.Sprint("node-", i), Executor: true, Labels: map[string]string{"zone": "a", "disk": "ssd"}}
		if i == 1 {
			n.Id, n.Scheduler = id, true
		}
		cmd.Action = &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: n}}
	case i == 4:
		cmd.Action = &catalogv1.Command_SetDrain{SetDrain: &catalogv1.SetDrain{Node: goldenNode(2), Draining: true}}
	case i == 5:
		cmd.Action = &catalogv1.Command_PutToken{PutToken: &catalogv1.PutToken{Token: &catalogv1.Token{
			Id: "golden", SecretHash: make([]byte, 32), ExpiresUnixNanos: 100,
		}}}
	case i%2 == 1:
		cmd.Action = deploy("", fmt.Sprint("f", i+1)).GetAction()
		cmd.GetPutRevision().GetRevision().Scheduling = &catalogv1.Scheduling{Replicas: 2, Require: map[string]string{"zone": "a", "disk": "ssd"}}
	case i == 28:
		cmd.Action = &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: goldenNode(3)}}
	default:
		on := []string{id, goldenNode(2), goldenNode(3)}
		slices.Sort(on)
		cmd.Action = &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{Placements: []*catalogv1.Placement{{
			Namespace: "default", Name: fmt.Sprint("f", i), Revision: 1, Nodes: on,
		}}}}
	}
	return cmd
}

// make leaves a directory with a snapshot, entries after it, a copy and a journal.
func (g golden) make(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	n := open(t, Config{Dir: dir, quiet: true, snapshotEvery: 20, snapshotCheck: 5 * time.Millisecond, journal: 2 << 10})
	for i := range 30 {
		if got := apply(t, n, g.command(n.ID(), i)); got.GetRefusal() != nil {
			t.Fatalf("%d: %v", i, got)
		}
		if i == 24 {
			eventually(t, "a snapshot", func() bool {
				names, _ := filepath.Glob(filepath.Join(dir, "raft", "snapshots", "*[0-9]", "state.bin"))
				return len(names) > 0
			})
		}
	}
	pack(t, dir, g.file) // as a crash leaves it
	t.Fatalf("made anew, with index %d and hash %x: write them down above", n.Status().Applied, n.Status().Hash)
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
