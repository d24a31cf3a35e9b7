package catalog

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample holds a row of every kind.
func sample(t *testing.T) *Catalog {
	t.Helper()
	l := newLog(t)
	first := put(deploy{name: "orders", services: []string{"demo.v1.Orders"}, contracts: []*weftv1.Contract{schema("demo.v1", 1, "google/protobuf/empty.proto")}})
	first.GetPutRevision().GetRevision().Environment = map[string]string{"B": "2", "A": "1", "C": "3"}
	l.must(first)
	l.must(put(deploy{name: "orders", services: []string{"demo.v1.Orders"}, packages: []string{"demo.v1"}}))
	l.must(put(deploy{name: "mirror", services: []string{"demo.v1.Orders"}, packages: []string{"demo.v1"}}))
	l.must(route("demo.v1.Orders", "mirror"))
	l.must(put(deploy{name: "gone"}))
	l.must(del("gone"))
	l.apply(del("nobody"))
	return l.c
}

// TestGoldenSnapshot fails when the format or the encoding of rows changes, in this code or in the protobuf library:
// data that is stored must still open, and nodes of two builds must agree on hashes.
func TestGoldenSnapshot(t *testing.T) {
	const file = "testdata/v1.snapshot"
	got := snapshotOf(t, sample(t))
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the snapshot is\n%swant\n%s", hex.Dump(got), hex.Dump(want))
	}
	c := New()
	if err := c.Restore(bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	checkSum(t, c)
	if !bytes.Equal(c.View().Hash(), sample(t).View().Hash()) || c.View().Owner(ns, "demo.v1.Orders") != "mirror" {
		t.Fatal("the golden snapshot restores to another state")
	}
	if got := c.Apply(100, &catalogv1.Command{RequestId: "request-5", Action: del("orders").GetAction()}); got.GetIndex() != 5 {
		t.Fatalf("a request ID from before the snapshot was applied again: %v", got)
	}
	if got := c.Apply(101, &catalogv1.Command{RequestId: "new", Action: put(deploy{name: "gone"}).GetAction()}); got.GetRevision() != 2 {
		t.Fatalf("a deleted function starts at revision %d after a restore", got.GetRevision())
	}
}

// TestRestoreIsAllOrNothing cuts a snapshot at every length and flips a bit in every byte.
func TestRestoreIsAllOrNothing(t *testing.T) {
	good := snapshotOf(t, sample(t))
	c := New()
	c.Apply(1, &catalogv1.Command{RequestId: "kept", Action: put(deploy{name: "kept"}).GetAction()})
	view := c.View()
	bad := func(what string, data []byte) {
		t.Helper()
		if err := c.Restore(bytes.NewReader(data)); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("%s: %v", what, err)
		}
		if c.View() != view || c.Index() != 1 {
			t.Fatalf("%s: the state has changed", what)
		}
		checkSum(t, c)
	}
	for n := range good {
		bad(fmt.Sprintf("cut at %d", n), good[:n])
		flipped := bytes.Clone(good)
		flipped[n] ^= 1 << (n % 8)
		bad(fmt.Sprintf("flipped at %d", n), flipped)
	}
	bad("with more after it", append(bytes.Clone(good), 0))
	if err := c.Restore(iotest.ErrReader(errors.New("disk on fire"))); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Fatalf("read error: %v", err)
	}
	if err := c.Restore(iotest.OneByteReader(bytes.NewReader(good))); err != nil || c.Index() != 7 {
		t.Fatalf("the good one: %v", err)
	}
}

func TestSnapshotWriteError(t *testing.T) {
	c := sample(t)
	size := len(snapshotOf(t, c))
	for limit := range size {
		if err := c.Snapshot(&limited{left: limit}); err == nil {
			t.Fatalf("no error although only %d of %d bytes could be written", limit, size)
		}
	}
}

type limited struct{ left int }

func (w *limited) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

// TestReplay starts over and shows the old view until the log has caught up.
func TestReplay(t *testing.T) {
	cmd := func(i int) *catalogv1.Command {
		return &catalogv1.Command{RequestId: fmt.Sprint("id-", i), Action: put(deploy{name: fmt.Sprint("f", i)}).GetAction()}
	}
	c := New()
	for i := 1; i <= 5; i++ {
		c.Apply(uint64(i), cmd(i))
	}
	before := c.View()
	c.Replay()
	c.Replay() // twice in a row: the view that is held is still the newest
	for i := 1; i <= 4; i++ {
		c.Apply(uint64(i), cmd(i))
		if c.View() != before {
			t.Fatalf("view at %d while replaying up to %d", c.View().Index(), before.Index())
		}
	}
	c.Apply(5, cmd(5))
	if v := c.View(); v == before || !bytes.Equal(v.Hash(), before.Hash()) || c.Fork() != nil {
		t.Fatalf("caught up: %v", c.Fork())
	}
	c.Apply(6, cmd(6))
	if c.View().Index() != 6 {
		t.Fatal("the view stands still after the replay")
	}

	c.Replay()
	for i := 1; i <= 5; i++ {
		c.Apply(uint64(i), cmd(i))
	}
	c.Apply(6, cmd(99)) // not what it was
	if c.Fork() == nil || c.View().Function(ns, "f99") == nil {
		t.Fatal("a replay that ends elsewhere was not noticed, or is not shown")
	}

	c.Replay()
	for i := 1; i <= 5; i++ {
		c.Apply(uint64(i), cmd(i))
	}
	c.Apply(7, cmd(7)) // the log has lost its end
	if c.Fork() == nil || c.View().Index() != 7 {
		t.Fatal("a replay that passes the view's index by was not noticed, or is not shown")
	}

	c = New()
	c.Apply(1, cmd(1))
	c.Replay()
	if err := c.Restore(bytes.NewReader(snapshotOf(t, sample(t)))); err != nil {
		t.Fatal(err)
	}
	if c.Fork() != nil || c.View().Index() != 7 {
		t.Fatal("a snapshot past the view must be shown")
	}
}
