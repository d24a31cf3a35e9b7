package catalog

import (
	"testing"

	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// reusing is a revision whose instances answer ten calls.
func reusing(name string) *catalogv1.Command {
	cmd := calls(name)
	cmd.GetPutRevision().GetRevision().Reuse = 10
	return cmd
}

func TestReuseNeedsLevel5(t *testing.T) {
	l := newLinked(t)
	cmd := reusing("a")
	if RequiredLevel(cmd) != 5 {
		t.Fatalf("requires level %d", RequiredLevel(cmd))
	}
	cmd.Level = 5
	l.refused(catalogv1.Refusal_REASON_LEVEL, "the cluster is at 4", proto.CloneOf(cmd))
	l.must(raise(5))
	cmd.Level = 4
	l.refused(catalogv1.Refusal_REASON_INVALID, "level 5", proto.CloneOf(cmd))
	cmd.Level = 5
	l.must(cmd)
	if got := Current(l.c.View().Function(ns, "a")).GetReuse(); got != 10 {
		t.Errorf("the revision has %d", got)
	}
}

// TestGoldenReuse is TestGoldenSnapshot for what came with level 5.
func TestGoldenReuse(t *testing.T) {
	l := newLinked(t)
	l.must(raise(5))
	cmd := reusing("a")
	cmd.Level = 5
	l.must(cmd)
	c := golden(t, "testdata/v5.snapshot", l.c)
	if got := Current(c.View().Function(ns, "a")).GetReuse(); got != 10 {
		t.Fatalf("the revision has %d", got)
	}
}
