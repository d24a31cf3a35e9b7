package catalog

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
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

// clusterSample holds a row of every kind that came with level 2.
func clusterSample(t *testing.T) *Catalog {
	t.Helper()
	l := newLog(t)
	l.must(raise(2))
	l.must(member(1, func(n *catalogv1.Node) { n.Labels = map[string]string{"zone": "b", "region": "eu", "disk": "ssd"} }))
	l.must(member(2, func(n *catalogv1.Node) { n.Scheduler = false }))
	l.must(member(3))
	l.must(drain(2, true))
	l.must(removal(3))
	l.must(token("first", "one", 100, 10))
	l.must(token("second", "two", 200, 10))
	scheduled := level2(put(deploy{name: "orders", services: []string{"demo.v1.Orders"}}))
	scheduled.GetPutRevision().GetRevision().Scheduling = &catalogv1.Scheduling{
		Replicas: 2, Spread: []string{"zone"}, Require: map[string]string{"region": "eu", "disk": "ssd"},
	}
	l.must(scheduled)
	l.must(level2(put(deploy{name: "orders"})))
	l.must(place(on("orders", 1, 1), on("orders", 2, 1, 2)))
	return l.c
}

// boundSample holds bindings of both kinds.
func boundSample(t *testing.T) *Catalog {
	t.Helper()
	l := newBound(t)
	l.must(put(deploy{name: "pay", services: []string{"demo.pay.v1.Api"}}))
	l.must(bound("orders", toFunction("demo:pay/api@1.0.0", "pay", "demo.pay.v1.Api"), toAddress("demo:tax/api", "grpc://tax.example:443", "demo.tax.Api")))
	l.must(bound("shop", toAddress("demo:pay/api@1.0.0", "grpc+insecure://[::1]:7070", "demo.pay.v1.Api")))
	return l.c
}

// TestGoldenSnapshot fails when the format or the encoding of rows changes, in this code or in the protobuf library:
// data that is stored must still open, and nodes of two builds must agree on hashes.
func TestGoldenSnapshot(t *testing.T) {
	c := golden(t, "testdata/v1.snapshot", sample(t))
	if c.View().Owner(ns, "demo.v1.Orders") != "mirror" {
		t.Fatal("the golden snapshot restores to another state")
	}
	if got := c.Apply(100, &catalogv1.Command{RequestId: "request-5", Action: del("orders").GetAction()}); got.GetIndex() != 5 {
		t.Fatalf("a request ID from before the snapshot was applied again: %v", got)
	}
	if got := c.Apply(101, &catalogv1.Command{RequestId: "new", Action: put(deploy{name: "gone"}).GetAction()}); got.GetRevision() != 2 {
		t.Fatalf("a deleted function starts at revision %d after a restore", got.GetRevision())
	}
}

// TestGoldenCluster is TestGoldenSnapshot for what came with level 2.
func TestGoldenCluster(t *testing.T) {
	v := golden(t, "testdata/v2.snapshot", clusterSample(t)).View()
	if !v.Node(nodeID(2)).GetDraining() || v.NodeByName("node-1").GetLabels()["zone"] != "b" || !v.Removed(nodeID(3)) {
		t.Fatal("the nodes are others")
	}
	if v.TokenBySecret(secret("two")).GetId() != "second" || len(v.Placement(ns, "orders", 2)) != 2 {
		t.Fatal("the tokens or the placements are others")
	}
	if got := v.Revision(ns, "orders", 1).GetScheduling(); got.GetReplicas() != 2 || got.GetRequire()["disk"] != "ssd" {
		t.Fatalf("scheduling %v", got)
	}
}

// TestGoldenBindings is TestGoldenSnapshot for what came with level 3.
func TestGoldenBindings(t *testing.T) {
	c := golden(t, "testdata/v3.snapshot", boundSample(t))
	for call := range c.View().Callers(ns, "pay") {
		if call != (Call{"orders", "demo:pay/api@1.0.0", "demo.pay.v1.Api", false}) {
			t.Fatalf("called by %v", call)
		}
	}
	if got := c.View().Revision(ns, "shop", 1).GetBindings(); len(got) != 1 || got[0].GetAddress() != "grpc+insecure://[::1]:7070" {
		t.Fatalf("bindings %v", got)
	}
	if got := c.Apply(100, &catalogv1.Command{RequestId: "new", Action: del("pay").GetAction()}); got.GetRefusal().GetReason() != catalogv1.Refusal_REASON_IN_USE {
		t.Fatalf("a function that is called was deleted after a restore: %v", got)
	}
}

// TestGoldenSecrets is TestGoldenSnapshot for what came with level 4.
func TestGoldenSecrets(t *testing.T) {
	c := golden(t, "testdata/v4.snapshot", secretSample(t))
	v := c.View()
	if got := v.Secret(ns, "", "db/password"); got.GetVersion() != 2 || string(got.GetCiphertext()) != "third" || got.GetSetUnixNanos() != 30 || got.GetSizeBytes() != 5 {
		t.Fatalf("secret %v", got)
	}
	if v.Secret(ns, "orders", "db/password").GetKeyId() != "other" || v.Secret(ns, "gone", "a") != nil {
		t.Fatal("the secrets of functions are others")
	}
	if got := c.Apply(100, &catalogv1.Command{RequestId: "new", Level: 4, Action: sealed("orders", "db/password", "x").GetAction()}); got.GetSecretVersion() != 2 {
		t.Fatalf("set after a restore: %v", got)
	}
}

// golden compares a catalog's snapshot with a stored one and restores that.
func golden(t *testing.T, file string, sample *Catalog) *Catalog {
	t.Helper()
	got := snapshotOf(t, sample)
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
	if !bytes.Equal(c.View().Hash(), sample.View().Hash()) {
		t.Fatal("the golden snapshot restores to another state")
	}
	return c
}

// TestRestoreIsAllOrNothing cuts a snapshot at every length and flips a bit in every byte.
func TestRestoreIsAllOrNothing(t *testing.T) {
	for name, good := range map[string]*Catalog{"level 1": sample(t), "level 2": clusterSample(t), "level 3": boundSample(t), "level 4": secretSample(t)} {
		t.Run(name, func(t *testing.T) { restoreBad(t, snapshotOf(t, good), good.Index()) })
	}
}

func restoreBad(t *testing.T, good []byte, index uint64) {
	t.Helper()
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
	if err := c.Restore(iotest.OneByteReader(bytes.NewReader(good))); err != nil || c.Index() != index {
		t.Fatalf("the good one: %v", err)
	}
}

// TestForgedRows restores snapshots with good checksums whose rows no catalog could have.
func TestForgedRows(t *testing.T) {
	node := member(1).GetPutNode().GetNode()
	other := member(2).GetPutNode().GetNode()
	executorOnly := member(3, func(n *catalogv1.Node) { n.Executor = false }).GetPutNode().GetNode()
	namesake := member(4, func(n *catalogv1.Node) { n.Name = node.GetName() }).GetPutNode().GetNode()
	one, two := token("a", "one", 10, 1).GetPutToken().GetToken(), token("b", "one", 10, 1).GetPutToken().GetToken()
	f := &catalogv1.Function{Namespace: ns, Name: "orders", Current: 1, CreatedIndex: 1}
	r := &catalogv1.Revision{Number: 1, Digest: make([]byte, 32)}
	scheduled := &catalogv1.Revision{Number: 1, Digest: make([]byte, 32), Scheduling: &catalogv1.Scheduling{}}
	reused := &catalogv1.Revision{Number: 1, Digest: make([]byte, 32), Reuse: 10}
	orders := []*catalogv1.SnapshotRow{functionRow(f), revisionRow(f, r), nodeRow(node), nodeRow(executorOnly)}
	with := func(rows ...*catalogv1.SnapshotRow) []*catalogv1.SnapshotRow {
		return append(slices.Clone(orders), rows...)
	}

	calls := func(provider string) []*catalogv1.SnapshotRow {
		pay, shop := &catalogv1.Function{Namespace: ns, Name: "pay", Current: 1}, &catalogv1.Function{Namespace: ns, Name: "shop", Current: 1}
		caller := &catalogv1.Revision{Number: 1, Digest: make([]byte, 32), Bindings: []*catalogv1.Binding{toFunction("demo:pay/api", provider, "demo.pay.Api")}}
		return []*catalogv1.SnapshotRow{functionRow(pay), revisionRow(pay, r), functionRow(shop), revisionRow(shop, caller)}
	}

	for _, tt := range []struct {
		name  string
		level uint32
		rows  []*catalogv1.SnapshotRow
		good  bool
	}{
		{"all there", 2, with(placementRow(on("orders", 1, 1))), true},
		{"level 1", 1, with(placementRow(on("orders", 1, 1))), false},
		{"nodes at level 1", 1, []*catalogv1.SnapshotRow{nodeRow(node)}, false},
		{"scheduling at level 1", 1, []*catalogv1.SnapshotRow{functionRow(f), revisionRow(f, scheduled)}, false},
		{"nodes out of order", 2, []*catalogv1.SnapshotRow{nodeRow(other), nodeRow(node)}, false},
		{"node twice", 2, []*catalogv1.SnapshotRow{nodeRow(node), nodeRow(node)}, false},
		{"two of a name", 2, []*catalogv1.SnapshotRow{nodeRow(node), nodeRow(namesake)}, false},
		{"node that was removed", 2, []*catalogv1.SnapshotRow{nodeRow(node), removedRow(node.GetId(), "x")}, false},
		{"removed of no ID", 2, []*catalogv1.SnapshotRow{removedRow("", "x")}, false},
		{"two of a secret", 2, []*catalogv1.SnapshotRow{tokenRow(one), tokenRow(two)}, false},
		{"tokens before nodes", 2, []*catalogv1.SnapshotRow{tokenRow(one), nodeRow(node)}, false},
		{"bound", 3, calls("pay"), true},
		{"bound at level 2", 2, calls("pay"), false},
		{"bound to nobody", 3, calls("gone"), false},
		{"bound to itself", 3, calls("shop"), false},
		{"bound to nothing", 3, calls(""), false},
		{"reuse", 5, []*catalogv1.SnapshotRow{functionRow(f), revisionRow(f, reused)}, true},
		{"reuse at level 4", 4, []*catalogv1.SnapshotRow{functionRow(f), revisionRow(f, reused)}, false},
		{"secrets", 4, []*catalogv1.SnapshotRow{secretRow(stored("", "b")), secretRow(stored("a", "a"))}, true},
		{"secrets at level 3", 3, []*catalogv1.SnapshotRow{secretRow(stored("", "a"))}, false},
		{"secrets out of order", 4, []*catalogv1.SnapshotRow{secretRow(stored("a", "a")), secretRow(stored("", "b"))}, false},
		{"secret twice", 4, []*catalogv1.SnapshotRow{secretRow(stored("", "a")), secretRow(stored("", "a"))}, false},
		{"secret of version 0", 4, []*catalogv1.SnapshotRow{secretRow(&catalogv1.Secret{Namespace: ns, Key: "a", Ciphertext: []byte("x"), KeyId: "k"})}, false},
		{"secret without a ciphertext", 4, []*catalogv1.SnapshotRow{secretRow(&catalogv1.Secret{Namespace: ns, Key: "a", Version: 1, KeyId: "k"})}, false},
		{"secrets before nodes", 4, []*catalogv1.SnapshotRow{secretRow(stored("", "a")), nodeRow(node)}, false},
		{"placed on a stranger", 2, with(placementRow(on("orders", 1, 2))), false},
		{"placed on a scheduler", 2, with(placementRow(on("orders", 1, 3))), false},
		{"placed nowhere", 2, with(placementRow(on("orders", 1))), false},
		{"placement of another revision", 2, with(placementRow(on("orders", 2, 1))), false},
		{"placement of nothing", 2, with(placementRow(on("nothing", 1, 1))), false},
		{"placed twice", 2, with(placementRow(on("orders", 1, 1)), placementRow(on("orders", 1, 1))), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &forged{level: tt.level, rows: tt.rows}
			if err := New().Restore(bytes.NewReader(m.snapshot())); (err == nil) != tt.good || err != nil && !errors.Is(err, ErrSnapshot) {
				t.Fatalf("error %v", err)
			}
		})
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
