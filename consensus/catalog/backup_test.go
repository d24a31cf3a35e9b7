package catalog

import (
	"bytes"
	"slices"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// TestBackup keeps what is of use elsewhere and nothing else.
func TestBackup(t *testing.T) {
	for name, c := range map[string]*Catalog{"level 1": sample(t), "level 2": clusterSample(t), "level 4": secretSample(t), "empty": New()} {
		t.Run(name, func(t *testing.T) {
			before := c.View()
			var file bytes.Buffer
			if err := before.Backup().Write(&file); err != nil {
				t.Fatal(err)
			}
			restored := New()
			if err := restored.Restore(&file); err != nil {
				t.Fatal(err)
			}
			checkSum(t, restored)
			v := restored.View()
			if v.Index() != before.Index() || v.Level() != max(2, before.Level()) || !bytes.Equal(v.Hash(), before.Backup().Hash()) || v.Len() != before.Len() {
				t.Fatalf("index %d, level %d, %d functions", v.Index(), v.Level(), v.Len())
			}
			if before, after := slices.Collect(before.Secrets(ns)), slices.Collect(v.Secrets(ns)); !slices.EqualFunc(before, after, func(a, b *catalogv1.Secret) bool { return proto.Equal(a, b) }) {
				t.Errorf("secrets %v, want %v", after, before)
			}
			for f := range before.All() {
				if got := v.Function(f.GetNamespace(), f.GetName()); got.GetCreatedIndex() != f.GetCreatedIndex() || len(got.GetRevisions()) != len(f.GetRevisions()) {
					t.Errorf("function %v", got)
				}
			}
			if v.Owner(ns, "demo.v1.Orders") != before.Owner(ns, "demo.v1.Orders") || len(v.Contracts(ns)) != len(before.Contracts(ns)) {
				t.Error("other contracts or owners")
			}
			for kind, count := range map[string]int{
				"nodes": v.state.nodes.Len(), "removed nodes": v.state.removed.Len(), "tokens": v.state.tokens.Len(),
				"placements": v.state.placements.Len(), "request IDs": len(restored.window.ring),
			} {
				if count != 0 {
					t.Errorf("%d %s", count, kind)
				}
			}
			if name != "level 1" {
				return
			}
			cmd := put(deploy{name: "gone"})
			if got := restored.Apply(100, &catalogv1.Command{RequestId: "new", Action: cmd.GetAction()}); got.GetRevision() != 2 {
				t.Errorf("a deleted function starts at revision %d", got.GetRevision())
			}
		})
	}
}
